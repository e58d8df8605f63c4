//! HTTP at the door: what is taken, what is refused and how, and how serving ends.

mod abuse;
mod connections;
mod encoding;
mod hosts;

use crate::http::{Answer, get, post, query, send};
use crate::support::config_over;
use chrono::{DateTime, Utc};
use incident_gateway::app::{App, Surroundings};
use incident_gateway::config::Config;
use incident_gateway::sandbox::{Sandbox, SandboxOptions, Vendor};
use incident_gateway::server::{self, Readiness, Stopped};
use serde_json::json;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A served gateway over a sandbox, both in this process.
struct Running {
    address: SocketAddr,
    sandbox: Sandbox,
    readiness: Readiness,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<Stopped>,
}

impl Running {
    async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// With another configuration.
    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let sandbox = Sandbox::new(SandboxOptions { incidents: 50, ..SandboxOptions::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let serving = sandbox.clone();
        tokio::spawn(async move { serving.serve(listener, std::future::pending()).await });
        let mut config = config_over([(Vendor::CisoAssistant, &url.parse().unwrap(), &sandbox)]);
        change(&mut config);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = App::new(config, Surroundings::of_process(None, address)).unwrap();
        let (stop, stopped) = oneshot::channel();
        let stopped = async move { stopped.await.unwrap_or_default() };
        let readiness = app.readiness();
        let served = tokio::spawn(async move {
            server::serve(listener, app.router(), app.readiness(), stopped, app.server_options()).await
        });
        Running { address, sandbox, readiness, stop: Some(stop), served }
    }

    fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// A POST of a query with one more header.
    async fn with_header(&self, header: &str, document: &str) -> Answer {
        let body = json!({ "query": document }).to_string();
        let head = format!("POST /graphql\nContent-Type: application/json\nContent-Length: {}\n{header}", body.len());
        send(self.address, &head, body.as_bytes()).await
    }
}

const QUERY: &str = "{ incidents(first: 2) { nodes { title } } }";

#[tokio::test]
async fn a_query_is_answered_by_post_get_and_head() {
    let gateway = Running::start().await;
    let posted = query(gateway.address, QUERY).await;
    assert_eq!((posted.status, posted.header("content-type")), (200, "application/json; charset=utf-8"));
    assert_eq!(posted.header("x-content-type-options"), "nosniff");
    assert_eq!(posted.header("cache-control"), "no-store");
    assert_eq!(posted.json()["data"]["incidents"]["nodes"].as_array().unwrap().len(), 2);
    let parameters = "query=query%20Q(%24n%3A%20Int!)%20%7B%20incidents(first%3A%20%24n)%20%7B%20nodes%20%7B%20title%20%7D%20%7D%20%7D\
                      &operationName=Q&variables=%7B%22n%22%3A2%7D&other=1";
    let got = get(gateway.address, &format!("/graphql?{parameters}")).await;
    assert_eq!((got.status, &got.body), (200, &posted.body));
    let head = send(gateway.address, &format!("HEAD /graphql?{parameters}"), b"").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), got.body.len().to_string());
}

#[tokio::test]
async fn the_answer_has_a_type_that_the_client_takes() {
    let gateway = Running::start().await;
    let (json, graphql) = ("application/json; charset=utf-8", "application/graphql-response+json; charset=utf-8");
    for (accept, document, status, kind) in [
        ("*/*", QUERY, 200, json),
        ("application/json", "{ nothing }", 200, json),
        ("application/graphql-response+json", QUERY, 200, graphql),
        ("application/graphql-response+json", "{ nothing }", 400, graphql),
        ("application/graphql-response+json", "{ incidents(first: 0) { nodes { title } } }", 200, graphql),
        ("text/html", QUERY, 406, json),
    ] {
        let answer = gateway.with_header(&format!("Accept: {accept}"), document).await;
        assert_eq!((answer.status, answer.header("content-type")), (status, kind), "{accept} {document}: {answer:?}");
    }
}

#[tokio::test]
async fn bodies_that_do_not_fit_are_refused_with_a_reason() {
    let gateway = Running::start().await;
    let deep = format!("{{\"query\":\"{{ a }}\",\"variables\":{{\"f\":{}1{}}}}}", "[".repeat(500), "]".repeat(500));
    for (body, reason) in [
        ("", "The body is not JSON that the gateway can read (line 1, column 0)."),
        ("{\"query\":", "The body is not JSON that the gateway can read (line 1, column 9)."),
        ("\u{feff}{}", "The body is not JSON"),
        (&deep, "The body nests lists and objects too deep (line 1, column"),
        ("[{\"query\":\"{ a }\"}]", "The body is a list. Send one request"),
        ("7", "The body must be a JSON object; it is a number."),
        ("{}", "`query` is missing"),
        ("{\"query\":null}", "`query` must be a text; it is null."),
        ("{\"query\":{\"a\":1}}", "`query` must be a text; it is an object."),
        ("{\"query\":\" \"}", "`query` is empty."),
        ("{\"query\":\"{ a }\",\"operationName\":7}", "`operationName` must be a text or null; it is a number."),
        ("{\"query\":\"{ a }\",\"variables\":\"{}\"}", "`variables` must be an object or null; it is a text."),
        ("{\"query\":\"{ a }\",\"variables\":[]}", "`variables` must be an object or null; it is a list."),
        ("{\"query\":\"{ a }\",\"query\":\"{ a }\"}", "`query` is given twice."),
        ("{\"variables\":{},\"query\":\"{ a }\",\"variables\":null}", "`variables` is given twice."),
        ("{\"query\":\"{ a }\",\"extensions\":true}", "`extensions` must be an object or null; it is a boolean."),
    ] {
        let answer = post(gateway.address, body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.error().starts_with(reason), "{body}: {}", answer.error());
        assert_eq!(answer.json()["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    }
    let nested = format!("{{\"query\":{}", "[".repeat(100_000));
    assert_eq!(post(gateway.address, &nested).await.status, 400);
    let members = json!({ "query": QUERY, "operationName": null, "variables": null, "extensions": {}, "other": 1 });
    assert_eq!(post(gateway.address, &members.to_string()).await.json().get("errors"), None);
}

#[tokio::test]
async fn parameters_that_do_not_fit_are_refused_with_a_reason() {
    let gateway = Running::start().await;
    for (parameters, reason) in [
        ("", "`query` is missing"),
        ("?query=", "`query` is empty."),
        ("?query=a&query=b", "The parameter query is given twice."),
        ("?query=%ff", "The parameter query is not UTF-8 behind its percent signs."),
        ("?query=a&variables=x", "The parameter variables is not a JSON object."),
        ("?query=a&variables=[]", "`variables` must be an object or null; it is a list."),
    ] {
        let answer = get(gateway.address, &format!("/graphql{parameters}")).await;
        assert_eq!(answer.status, 400, "{parameters}");
        assert!(answer.error().starts_with(reason), "{parameters}: {}", answer.error());
    }
}

#[tokio::test]
async fn only_json_is_taken() {
    let gateway = Running::start().await;
    let body = json!({ "query": QUERY }).to_string();
    for (kind, status) in [
        ("application/json", 200),
        ("application/json\nContent-Encoding: identity", 200),
        ("application/json\nContent-Encoding: gzip", 415),
        ("application/json\nContent-Encoding: identity, br", 415),
        ("application/json\nContent-Type: text/plain", 415),
        ("application/jsonx", 415),
        ("application/JSON; Charset=\"UTF-8\"", 200),
        ("application/json; charset=iso-8859-1", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("", 415),
    ] {
        let kind = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\n") };
        let head = format!("POST /graphql\n{kind}Content-Length: {}", body.len());
        assert_eq!(send(gateway.address, &head, body.as_bytes()).await.status, status, "{kind}");
    }
}

#[tokio::test]
async fn a_body_longer_than_a_mebibyte_is_refused() {
    let gateway = Running::start().await;
    let body = |length: usize| {
        let frame = json!({ "query": QUERY, "extensions": { "x": "" } }).to_string();
        frame.replace("\"\"", &format!("{:?}", "x".repeat(length - frame.len())))
    };
    assert_eq!(post(gateway.address, &body(1_048_576)).await.status, 200);
    let long = body(1_048_577);
    let answer = post(gateway.address, &long).await;
    assert_eq!((answer.status, answer.error()), (413, "The body is longer than 1048576 bytes.".to_owned()));
    let chunked = format!("{:x}\r\n{long}\r\n0\r\n\r\n", long.len());
    let head = "POST /graphql\nContent-Type: application/json\nTransfer-Encoding: chunked";
    assert_eq!(send(gateway.address, head, chunked.as_bytes()).await.status, 413);
}

#[tokio::test]
async fn every_answer_has_a_request_id() {
    let gateway = Running::start().await;
    let mut seen = std::collections::BTreeSet::new();
    let long = "x".repeat(65);
    for path in ["/", "/graphql", "/schema.graphql", "/health/live", "/health/ready", "/nothing", "/download/x"] {
        let forged = ["", " ", "a b", "a\"b", "<x>", "a\nX-Request-Id: b", "\u{e4}", &long];
        for given in forged {
            let answer = send(gateway.address, &format!("GET {path}\nX-Request-Id: {given}"), b"").await;
            let id = answer.header("x-request-id").to_owned();
            assert!(id.len() == 24 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{path}: {answer:?}");
            if answer.status >= 400 {
                assert_eq!(answer.json()["errors"][0]["extensions"]["requestId"], *id, "{path}");
            }
            assert!(seen.insert(id), "{path}");
        }
        let given = "0b9f1c5e-4a6d-4f7e_8.1";
        let answer = send(gateway.address, &format!("GET {path}\nX-Request-Id: {given}"), b"").await;
        assert_eq!(answer.header("x-request-id"), given, "an id that can do no harm is kept");
    }
    for document in ["{ nothing }", "{ incidents(first: 0) { nodes { title } } }"] {
        let answer = query(gateway.address, document).await;
        assert_eq!(answer.json()["errors"][0]["extensions"]["requestId"], *answer.header("x-request-id"));
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_apart() {
    let gateway = Running::start().await;
    assert_eq!(get(gateway.address, "/graphql/").await.status, 404);
    for (method, path, allowed) in [
        ("DELETE", "/graphql", "GET,HEAD,POST"),
        ("PUT", "/graphql", "GET,HEAD,POST"),
        ("OPTIONS", "/graphql", "GET,HEAD,POST"),
        ("POST", "/schema.graphql", "GET,HEAD"),
        ("POST", "/health/ready", "GET,HEAD"),
    ] {
        let answer = send(gateway.address, &format!("{method} {path}"), b"").await;
        assert_eq!((answer.status, answer.header("allow")), (405, allowed), "{method} {path}");
        assert_eq!(answer.json()["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    }
}

#[tokio::test]
async fn the_root_leads_to_what_there_is() {
    let gateway = Running::start().await;
    let root = get(gateway.address, "/").await;
    assert_eq!(root.header("content-type"), "text/html; charset=utf-8");
    assert!(root.header("content-security-policy").starts_with("default-src 'none'"));
    let links: Vec<&str> = root.body.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(links.len() >= 4, "{links:?}");
    for link in links {
        let answer = get(gateway.address, link).await;
        assert!(answer.status == 200 && !answer.body.contains("\"errors\""), "{link}: {answer:?}");
    }
    let schema = get(gateway.address, "/schema.graphql").await;
    assert_eq!(schema.body, incident_gateway::graphql::sdl());
}

#[tokio::test]
async fn the_schema_is_sent_again_only_to_those_who_have_another() {
    let gateway = Running::start().await;
    let schema = get(gateway.address, "/schema.graphql").await;
    let mark = schema.header("etag").to_owned();
    assert!(mark.starts_with("W/\"") && schema.header("cache-control") == "no-cache", "{mark}");
    for (known, status) in [
        (mark.as_str(), 304),
        (mark.trim_start_matches("W/"), 304),
        (&format!("\"other\", {mark}"), 304),
        ("*", 304),
        ("\"other\"", 200),
        ("", 200),
    ] {
        let answer = send(gateway.address, &format!("GET /schema.graphql\nIf-None-Match: {known}"), b"").await;
        assert_eq!((answer.status, answer.header("etag")), (status, mark.as_str()), "{known}");
        // What may be kept says for whom, whether it is sent again or not (RFC 9110, section 15.4.5).
        assert_eq!(answer.headers("vary"), ["accept-encoding"], "{known}");
        assert_eq!(answer.body.is_empty(), status == 304, "{known}");
    }
}

#[tokio::test]
async fn a_file_is_passed_on_as_an_attachment() {
    let gateway = Running::start().await;
    let answer = query(gateway.address, "{ source(name: \"ciso-assistant\") { export(format: CSV) { url } } }").await;
    let url =
        answer.json()["data"]["source"]["export"]["url"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned();
    let path = url.strip_prefix(&format!("http://{}", gateway.address)).unwrap();
    let file = get(gateway.address, path).await;
    assert_eq!(file.status, 200, "{file:?}");
    assert!(file.header("content-type").starts_with("text/csv"), "{file:?}");
    assert!(file.header("content-disposition").starts_with("attachment; filename=\""), "{file:?}");
    assert_eq!(file.header("x-content-type-options"), "nosniff");
    assert_eq!(file.header("content-security-policy"), "default-src 'none'; sandbox");
    assert!(file.body.lines().count() > 10, "{file:?}");
    let refused = get(gateway.address, &format!("{path}x")).await;
    assert_eq!((refused.status, &refused.json()["errors"][0]["extensions"]["code"]), (404, &json!("NOT_FOUND")));
    gateway.sandbox.set_faults(vec!["503".parse().unwrap()]);
    let failed = get(gateway.address, path).await;
    assert_eq!((failed.status, &failed.json()["errors"][0]["extensions"]["code"]), (502, &json!("SOURCE_UNAVAILABLE")));
}

#[tokio::test]
async fn a_silent_source_costs_the_deadline_and_no_more() {
    let gateway = Running::with(|config| config.limits.request_timeout = Duration::from_millis(300)).await;
    gateway.sandbox.set_faults(vec!["hang".parse().unwrap()]);
    let began = Instant::now();
    let answer = query(gateway.address, "{ incidents(first: 2) { nodes { title } sources { error { code } } } }").await;
    let took = began.elapsed();
    assert!(answer.body.contains("SOURCE_TIMEOUT"), "{answer:?}");
    assert!(took > Duration::from_millis(290) && took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test]
async fn a_body_that_does_not_come_costs_the_deadline_and_no_more() {
    let gateway = Running::with(|config| config.limits.request_timeout = Duration::from_millis(300)).await;
    let head = "POST /graphql\nContent-Type: application/json\nContent-Length: 100";
    let answer = send(gateway.address, head, b"{\"query\"").await;
    assert_eq!((answer.status, answer.error()), (408, "The body did not arrive in time.".to_owned()));
}

#[tokio::test]
async fn a_gateway_that_stops_is_alive_but_not_ready() {
    let gateway = Running::start().await;
    let ready = get(gateway.address, "/health/ready").await;
    assert_eq!((ready.status, ready.body.as_str()), (200, r#"{"status":"ready"}"#));
    gateway.sandbox.set_faults(vec!["503".parse().unwrap()]);
    assert_eq!(get(gateway.address, "/health/ready").await.status, 200, "the sources do not count");
    gateway.readiness.drain();
    let draining = get(gateway.address, "/health/ready").await;
    assert_eq!((draining.status, draining.body.as_str()), (503, r#"{"status":"draining"}"#));
    assert_eq!(get(gateway.address, "/health/live").await.body, r#"{"status":"live"}"#);
}

#[tokio::test]
async fn a_key_in_the_data_directory_makes_cursors_outlive_the_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::new(SandboxOptions { incidents: 50, ..SandboxOptions::default() });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: url::Url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let serving = sandbox.clone();
    tokio::spawn(async move { serving.serve(listener, std::future::pending()).await });
    let start = |data_dir: Option<&std::path::Path>| {
        let config = config_over([(Vendor::CisoAssistant, &url, &sandbox)]);
        let mut surroundings = Surroundings::of_process(data_dir.map(Into::into), config.listen);
        let now: DateTime<Utc> = SandboxOptions::default().now;
        surroundings.clock = std::sync::Arc::new(move || now);
        App::new(config, surroundings).unwrap()
    };
    for (place, kept) in [(Some(folder.path()), true), (None, false)] {
        let (first, second) = (start(place), start(place));
        assert_eq!(first.forgets_cursors(), !kept);
        let page = ask(&first, "{ incidents(first: 2) { pageInfo { endCursor } } }").await;
        let cursor = page["data"]["incidents"]["pageInfo"]["endCursor"].as_str().unwrap().to_owned();
        let next = ask(&second, &format!("{{ incidents(first: 2, after: {cursor:?}) {{ nodes {{ id }} }} }}")).await;
        assert_eq!(next.get("errors").is_none(), kept, "{next}");
    }
}

async fn ask(app: &App, document: &str) -> serde_json::Value {
    let request = incident_gateway::graphql::Request { query: document.into(), ..Default::default() };
    serde_json::from_str(&app.api().execute(request, &app.call("test")).await.body).unwrap()
}

#[tokio::test]
async fn a_client_may_ask_for_less_time_but_not_for_more() {
    let gateway = Running::with(|config| config.limits.request_timeout = Duration::from_secs(2)).await;
    gateway.with_header("", QUERY).await;
    gateway.sandbox.set_faults(vec!["hang@/api/incidents/".parse().unwrap()]);
    // Each time another page: one that is remembered would stand in.
    for (rows, asked, from, to) in [(3, "300", 250, 1_900), (4, "60000", 1_900, 8_000)] {
        let report = format!("{{ incidents(first: {rows}) {{ sources {{ error {{ code }} }} }} viewer {{ name }} }}");
        let begun = Instant::now();
        let answer = gateway.with_header(&format!("X-Request-Timeout-Ms: {asked}"), &report).await.json();
        let took = begun.elapsed().as_millis();
        assert!((from..to).contains(&took), "{asked}: {took} ms");
        assert_eq!(answer["data"]["incidents"]["sources"][0]["error"]["code"], "SOURCE_TIMEOUT", "{answer}");
        assert_eq!(answer["data"]["viewer"]["name"], "local", "the rest is answered");
    }
    for wrong in ["0", "-1", "soon", "1.5", ""] {
        let answer = gateway.with_header(&format!("X-Request-Timeout-Ms: {wrong}"), QUERY).await;
        assert_eq!(answer.status, 400, "{wrong}");
        assert!(answer.error().contains("X-Request-Timeout-Ms"), "{}", answer.error());
    }
}

#[tokio::test]
async fn what_is_counted_is_told_to_prometheus() {
    let gateway = Running::start().await;
    query(gateway.address, QUERY).await;
    let answer = get(gateway.address, "/metrics").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/plain; version=0.0.4; charset=utf-8"));
    for start in [
        "incident_gateway_requests_total{route=\"/graphql\",status=\"200\"} ",
        "incident_gateway_request_duration_seconds_bucket{route=\"/graphql\",le=\"+Inf\"} ",
        "incident_gateway_source_calls_total{source=\"ciso-assistant\",operation=\"list_incidents\",outcome=\"2xx\"} ",
    ] {
        assert!(answer.body.lines().any(|line| line.starts_with(start)), "{start}\n{}", answer.body);
    }
}
