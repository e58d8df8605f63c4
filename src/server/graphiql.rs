//! `/graphiql`: the explorer in the browser. The page is built from npm packages by the project in `graphiql/page`, the
//! result is kept in `graphiql/bundle` and compiled in (docs/GRAPHIQL.md). Nothing of it comes from elsewhere, and its
//! policy lets nothing come.
//!
//! What the page has to know stands in it as JSON: whether the gateway is open to everybody, and the first tabs.

mod assets;

use super::ServerState;
use super::answer::Problem;
use super::compress::wants_gzip;
use super::etag;
use super::identify::RequestId;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use std::io::Read;
use std::sync::LazyLock;

/// Everything is forbidden, then what the page needs is allowed, from this origin alone. The editor writes style
/// attributes and style elements, hence `unsafe-inline` for them.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// A file of the bundle; its name changes with its content.
struct Asset {
    name: &'static str,
    media_type: &'static str,
    /// Of the content before compression: 32 hexadecimal digits.
    digest: &'static str,
    /// Whether `bytes` are compressed.
    gzip: bool,
    bytes: &'static [u8],
}

const INDEX: &str = include_str!("graphiql/bundle/index.html");
/// Where the page has what the server tells it.
const PLACE: &str = "__GATEWAY__";

/// The queries of the first tabs, with their variables as JSON or nothing. The first one needs none and answers
/// anywhere. Those of the last fit the demonstration; elsewhere the answer names the sources that there are.
const TABS: [(&str, Option<&str>); 5] = [
    (include_str!("../../examples/triage.graphql"), None),
    (include_str!("../../examples/overview.graphql"), None),
    (include_str!("../../examples/sources.graphql"), None),
    (include_str!("../../examples/rows.graphql"), None),
    (include_str!("../../examples/incident.graphql"), Some(include_str!("../../examples/incident.variables.json"))),
];

/// The page as it is sent.
struct Page {
    text: String,
    digest: String,
}

impl Page {
    fn new(exposed: bool) -> Self {
        let tabs: Vec<Value> = TABS.iter().map(|(query, variables)| tab(query, *variables)).collect();
        let licences = format!("graphiql/assets/{}", assets::LICENCES);
        let told = json!({ "exposed": exposed, "licences": licences, "tabs": tabs }).to_string();
        // A `<` could end the element that the JSON stands in; in JSON it may only stand in a text.
        let text = INDEX.replace(PLACE, &told.replace('<', "\\u003c"));
        let digest = etag::digest(text.as_bytes());
        Page { text, digest }
    }
}

fn tab(query: &str, variables: Option<&str>) -> Value {
    match variables {
        Some(variables) => json!({ "query": query, "variables": variables }),
        None => json!({ "query": query }),
    }
}

static CLOSED: LazyLock<Page> = LazyLock::new(|| Page::new(false));
static EXPOSED: LazyLock<Page> = LazyLock::new(|| Page::new(true));

/// The page itself; asked for anew each time, since the names in it change with the gateway's release.
pub(super) async fn page(State(state): State<ServerState>, headers: HeaderMap) -> Response {
    let page = if state.unauthenticated_beyond_loopback { &EXPOSED } else { &CLOSED };
    let sent = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    varying(conditional(&headers, &page.digest, sent, || Bytes::from_static(page.text.as_bytes())))
}

/// A file that the page names.
pub(super) async fn asset(
    Extension(id): Extension<RequestId>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(asset) = assets::ASSETS.iter().find(|asset| asset.name == name) else {
        return Problem::new(StatusCode::NOT_FOUND, "GraphiQL has no such file.").response(&id);
    };
    let gzip = asset.gzip && wants_gzip(&headers);
    let sent = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    ];
    let mut response = conditional(&headers, asset.digest, sent, || match asset.gzip && !gzip {
        true => expanded(asset.bytes),
        false => Bytes::from_static(asset.bytes),
    });
    if asset.gzip {
        response = varying(response);
    }
    if gzip && response.status() == StatusCode::OK {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// The content, or 304 for who has it already. The same policy for the page and its files: a worker has that of its
/// file.
fn conditional(
    asked: &HeaderMap,
    digest: &str,
    sent: [(HeaderName, HeaderValue); 2],
    content: impl FnOnce() -> Bytes,
) -> Response {
    let etag = etag::mark(digest);
    let known = etag::is_known(asked, &etag);
    let safety = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::ETAG, etag),
    ];
    match known {
        true => (StatusCode::NOT_MODIFIED, sent, safety).into_response(),
        false => (sent, safety, content()).into_response(),
    }
}

/// Sent compressed or not, as the client takes it; 304 says so as well (RFC 9110, section 15.4.5).
fn varying(mut response: Response) -> Response {
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    response
}

/// For the rare client that does not take gzip: a browser always does.
fn expanded(bytes: &[u8]) -> Bytes {
    let mut content = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut content).expect("the bundle's own files are whole");
    Bytes::from(content)
}

#[cfg(test)]
mod tests;
