//! Between the simulated server's logic and HTTP: the request it sees, the reply it gives, how faults spoil a reply.

use crate::sandbox::faults::FaultKind;
use crate::sandbox::simulation::Simulation;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::Value;
use std::convert::Infallible;
use std::time::Duration;

/// A request with its body already read.
pub(super) struct Request {
    pub(super) method: Method,
    /// As sent, percent signs included.
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Request {
    /// A header's text; `None` when absent or not text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// An answer before it goes on the wire.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// Empty: no such header.
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

pub(super) const JSON: &str = "application/json";
pub(super) const HTML: &str = "text/html; charset=utf-8";

impl Reply {
    pub(super) fn new(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Reply {
        Reply { status, content_type, headers: Vec::new(), body: body.into() }
    }

    pub(super) fn json(status: u16, value: &Value) -> Reply {
        Reply::new(status, JSON, value.to_string())
    }

    /// `{"detail": …}`
    pub(super) fn detail(status: u16, text: &str) -> Reply {
        Reply::json(status, &serde_json::json!({ "detail": text }))
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    /// The server's page for an error that it did not expect.
    pub(super) fn html_error(status: u16) -> Reply {
        let (title, text) = match status {
            404 => ("Not Found".to_owned(), "The requested resource was not found on this server."),
            _ => (format!("Server Error ({status})"), ""),
        };
        let page = format!(
            "\n<!doctype html>\n<html lang=\"en\">\n<head>\n  <title>{title}</title>\n</head>\n<body>\n  \
             <h1>{title}</h1><p>{text}</p>\n</body>\n</html>\n"
        );
        Reply::new(status, HTML, page)
    }

    /// The front server's page for a request line that is too long.
    pub(super) fn line_too_long(length: usize, max: usize) -> Reply {
        let page = format!(
            "<html>\n  <head>\n    <title>Bad Request</title>\n  </head>\n  <body>\n    <h1><p>Bad Request</p></h1>\n    \
             Request Line is too large ({length} &gt; {max})\n  </body>\n</html>\n"
        );
        Reply::new(400, "text/html", page)
    }

    fn head(&self, length: usize) -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if !self.content_type.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        }
        for (name, value) in &self.headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.append(*name, value);
            }
        }
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        response
    }

    /// The whole answer at once.
    pub(super) fn send(self) -> Response<Body> {
        let head = self.head(self.body.len());
        head.map(|()| Body::from(self.body))
    }

    /// Half the body, then the connection breaks.
    pub(super) fn send_cut(mut self) -> Response<Body> {
        let head = self.head(self.body.len());
        self.body.truncate(self.body.len() / 2);
        // The pause lets what was written leave before the connection breaks.
        let broken = stream::once(async {
            tokio::task::yield_now().await;
            Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
        });
        let parts = stream::iter([Ok(Bytes::from(self.body))]).chain(broken);
        head.map(|()| Body::from_stream(parts))
    }

    /// The body piece by piece.
    pub(super) fn send_slowly(self) -> Response<Body> {
        let head = self.head(self.body.len());
        let drip = stream::unfold(Bytes::from(self.body), |mut rest| async move {
            if rest.is_empty() {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            let piece = rest.split_to(rest.len().min(128));
            Some((Ok::<_, Infallible>(piece), rest))
        });
        head.map(|()| Body::from_stream(drip))
    }
}

/// What a fault answers without asking the server; `None` when the fault lets the server answer.
pub(super) fn instead(kind: FaultKind, server: &dyn Simulation) -> Option<Reply> {
    match kind {
        FaultKind::Status(status) => Some(server.refusal(status)),
        FaultKind::RetryAfter429(seconds) => Some(server.refusal(429).with("retry-after", seconds.to_string())),
        FaultKind::HtmlError(status) => Some(Reply::html_error(status)),
        FaultKind::Garbage => {
            Some(Reply::new(200, JSON, b"{\"count\": 3, \"results\": [\xff\xfe\x00 not json".as_slice()))
        }
        FaultKind::EmptyBody => Some(Reply::new(200, JSON, "")),
        FaultKind::ExpiredToken => Some(server.refusal(401)),
        FaultKind::Redirect => Some(Reply::new(302, HTML, "").with("location", "/elsewhere/")),
        FaultKind::CutBody
        | FaultKind::WrongContentType
        | FaultKind::SlowMs(_)
        | FaultKind::Hang
        | FaultKind::MalformedItem
        | FaultKind::SlowDrip => None,
    }
}

/// Breaks the middle item of a page (its items stand at `rows`), or the only object: its display text becomes an object, its times become numbers,
/// its lists become text. Ids stay, so that a gateway can say which item it was.
pub(super) fn malform(reply: &mut Reply, rows: &str) {
    let Ok(mut body) = serde_json::from_slice::<Value>(&reply.body) else { return };
    let item = match body.pointer_mut(rows).and_then(Value::as_array_mut) {
        Some(items) => {
            let middle = items.len() / 2;
            items.get_mut(middle)
        }
        None => Some(&mut body),
    };
    let Some(item) = item.and_then(Value::as_object_mut) else { return };
    for (key, value) in item.iter_mut().filter(|(key, _)| !is_id(key)) {
        match value {
            Value::String(_) if key.ends_with("_at") || key.ends_with("_time") || key.ends_with("_date") => {
                *value = Value::from(12)
            }
            Value::String(_) => *value = serde_json::json!({ "unexpected": true }),
            Value::Array(_) => *value = Value::from("not a list"),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {}
        }
    }
    reply.body = body.to_string().into_bytes();
}

/// Members that name the item.
fn is_id(key: &str) -> bool {
    matches!(key, "id" | "incident_id" | "InternalID" | "TenantID" | "incident")
}
