//! Requests that are made to do harm: each gets a clean answer soon, and the gateway goes on. `.ci/outer/abuse` has more of
//! them, against the release binary and with bounds on memory.

use super::{QUERY, Running};
use crate::http::{Answer, exchange, post, query, send};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Generous: these tests run unoptimised, many at a time.
const BOUND: Duration = Duration::from_secs(20);

/// Whether the gateway still answers.
async fn is_well(gateway: &Running) -> bool {
    query(gateway.address, QUERY).await.json()["data"]["incidents"]["nodes"].is_array()
}

/// A refusal in JSON: with errors, without data.
fn is_refusal(answer: &Answer) -> bool {
    let body = answer.json();
    matches!(answer.status, 200 | 400 | 413) && body["errors"][0]["message"].is_string() && body["data"].is_null()
}

/// The last answer to these bytes, and all statuses.
async fn statuses(gateway: &Running, bytes: &[u8]) -> Vec<u16> {
    let received = String::from_utf8_lossy(&exchange(gateway.address, bytes).await).into_owned();
    let lines = received.split("HTTP/1.1 ").skip(1);
    lines.map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect()
}

#[tokio::test]
async fn documents_that_grow_or_nest_are_refused_soon() {
    let gateway = Running::start().await;
    let nested = |open: &str, close: &str, depth: usize| {
        format!("{{ incidents(filter: {}{}) {{ totalCount }} }}", open.repeat(depth), close.repeat(depth))
    };
    let mut spreading = String::from("{ ...F0 }");
    for index in 0..8 {
        let next = format!("...F{} ", index + 1).repeat(12);
        spreading.push_str(&format!(" fragment F{index} on Query {{ {next} }}"));
    }
    spreading.push_str(" fragment F8 on Query { incidents { totalCount } }");
    let aliases: String = (0..1_000).map(|index| format!("a{index}: incidents(first: 1) {{ totalCount }} ")).collect();
    let unknown: String = (0..5_000).map(|index| format!("f{index} ")).collect();
    let types = "type { name fields { name type { name fields { name ";
    let circular =
        format!("{{ __schema {{ types {{ fields {{ {}{} }} }} }} }}", types.repeat(15), "} } } }".repeat(15));
    for (name, document) in [
        ("lists", nested("[", "]", 10_000)),
        ("objects", nested("{and:", "}", 10_000)),
        ("open lists", nested("[", "", 100_000)),
        ("selections", format!("{}{}", "{a".repeat(10_000), "}".repeat(10_000))),
        ("a fragment in itself", "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }".to_owned()),
        ("errors", format!("{{ {unknown} }}")),
        ("NUL", "{ incidents\u{0} { totalCount } }".to_owned()),
        ("a surrogate", r#"{ incident(id: "\uD800") { id } }"#.to_owned()),
        ("a long name", format!("{{ {} }}", "a".repeat(500_000))),
        ("commas", ",".repeat(900_000)),
        ("a comment", format!("#{}", "x".repeat(900_000))),
    ] {
        let began = Instant::now();
        let answer = query(gateway.address, &document).await;
        assert!(is_refusal(&answer), "{name}: {:.600}", answer.body);
        assert!(answer.body.len() < 64 * 1024, "{name}: an answer of {} bytes", answer.body.len());
        assert!(began.elapsed() < BOUND, "{name}: {:?}", began.elapsed());
    }
    // Whether these are too dear is the gate's to say; the door wants an answer of bounded size and time.
    let dear = [("fragments", spreading), ("aliases", format!("{{ {aliases} }}")), ("introspection", circular)];
    for (name, document) in dear {
        let began = Instant::now();
        let answer = query(gateway.address, &document).await;
        assert!(answer.json().is_object() && answer.body.len() < 256 * 1024, "{name}: {} bytes", answer.body.len());
        assert!(began.elapsed() < BOUND, "{name}: {:?}", began.elapsed());
    }
    assert!(is_well(&gateway).await);
}

#[tokio::test]
async fn variables_that_nest_are_refused_with_their_place() {
    let gateway = Running::start().await;
    let nested = |depth: usize| (0..depth).fold(json!({ "severity": ["HIGH"] }), |inner, _| json!({ "or": [inner] }));
    let document = "query($filter: IncidentFilter) { incidents(filter: $filter) { totalCount } }";
    let ask = async |filter: Value| {
        let variables = json!({ "note": "{}", "filter": filter });
        post(gateway.address, &json!({ "query": document, "variables": variables }).to_string()).await
    };
    assert_eq!(ask(nested(31)).await.error(), "", "64 levels");
    for (depth, levels) in [(32, 66), (50, 102)] {
        let answer = ask(json!({ "severity": ["LOW"], "not": { "and": [{}, nested(depth - 1)] } })).await;
        assert!(is_refusal(&answer), "{}", answer.body);
        let error = &answer.json()["errors"][0];
        let told = format!(
            "The variables nest {} levels deep, at `$filter.not.and[1].or…`; at most 64 are allowed.",
            levels + 1
        );
        assert_eq!((&error["message"], &error["extensions"]["code"]), (&json!(told), &json!("COST_LIMIT")));
        assert_eq!((&error["extensions"]["cost"], &error["extensions"]["limit"]), (&json!(levels + 1), &json!(64)));
    }
    // Who reads a body of JSON may stop even before.
    assert!(is_refusal(&ask(nested(500)).await) && is_well(&gateway).await);
}

#[tokio::test]
async fn bodies_that_no_reader_should_take_are_refused() {
    let gateway = Running::start().await;
    let lone = br#"{"query":"{ a }","variables":{"a":"\ud800"}}"#;
    let swapped = br#"{"query":"\udc00\ud800"}"#;
    let deep = format!("{{\"query\":\"{{ a }}\",\"variables\":{}1{}}}", "{\"a\":".repeat(50_000), "}".repeat(50_000));
    let batch = Value::from(vec![json!({ "query": QUERY }); 100]).to_string();
    for (name, body) in [
        ("invalid UTF-8", b"{\"query\":\"\xff\xfe\"}".as_slice()),
        ("invalid UTF-8 in what is ignored", b"{\"query\":\"{ a }\",\"x\":\"\xff\"}"),
        ("overlong UTF-8", b"{\"query\":\"\xc0\xaf\"}"),
        ("a lone surrogate", lone),
        ("surrogates in the wrong order", swapped),
        ("NUL", b"{\"query\":\"{ a }\"}\0"),
        ("NUL in a text", b"{\"query\":\"\0\"}"),
        ("UTF-16", b"\xff\xfe{\0}\0"),
        ("a deep variable", deep.as_bytes()),
        ("a batch", batch.as_bytes()),
        ("a number beyond numbers", b"{\"query\":\"{ a }\",\"variables\":{\"n\":1e999}}"),
    ] {
        let head = format!("POST /graphql\nContent-Type: application/json\nContent-Length: {}", body.len());
        let answer = send(gateway.address, &head, body).await;
        assert_eq!(answer.status, 400, "{name}: {answer:?}");
        assert!(is_refusal(&answer), "{name}");
        assert!(!answer.body.contains("serde") && !answer.body.contains("surrogate"), "{name}: {answer:?}");
    }
    assert!(is_well(&gateway).await);
}

#[tokio::test]
async fn a_body_without_end_is_refused_and_the_client_hears_it() {
    let gateway = Running::start().await;
    let long = vec![b'x'; 8 * 1024 * 1024];
    for (name, head, body) in [
        ("announced", format!("Content-Length: {}", long.len()), long.clone()),
        ("in parts", "Transfer-Encoding: chunked".to_owned(), [b"800000\r\n", &long[..], b"\r\n0\r\n\r\n"].concat()),
    ] {
        let head = format!("POST /graphql\nContent-Type: application/json\n{head}");
        let answer = send(gateway.address, &head, &body).await;
        assert_eq!((answer.status, answer.header("connection")), (413, "close"), "{name}");
    }
    assert!(is_well(&gateway).await);
}

#[tokio::test]
async fn what_a_foreign_page_can_send_changes_and_shows_nothing() {
    let gateway = Running::start().await;
    let called = gateway.sandbox.call_count();
    let body = json!({ "query": QUERY }).to_string();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "*/*"] {
        let head = format!("POST /graphql\nContent-Type: {kind}\nContent-Length: {}", body.len());
        let answer = send(gateway.address, &head, body.as_bytes()).await;
        assert_eq!(answer.status, 415, "{kind}");
        assert!(answer.header("access-control-allow-origin").is_empty());
    }
    let preflight = "OPTIONS /graphql\nOrigin: http://evil.example\nAccess-Control-Request-Method: POST";
    let answer = send(gateway.address, preflight, b"").await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (405, ""));
    assert_eq!(gateway.sandbox.call_count(), called, "no source was asked");
}

#[tokio::test]
async fn a_method_is_what_the_first_line_says() {
    let gateway = Running::start().await;
    let mutation = "/graphql?query=mutation%20%7B%20a%20%7D";
    let answer = send(gateway.address, &format!("GET {mutation}"), b"").await;
    assert!(matches!(answer.status, 200 | 405) && answer.json()["data"].is_null(), "{answer:?}");
    for header in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
        let answer = send(gateway.address, &format!("GET {mutation}\n{header}: POST"), b"").await;
        assert!(answer.json()["data"].is_null(), "{answer:?}");
        let answer = send(gateway.address, &format!("POST /health/live\n{header}: GET"), b"").await;
        assert_eq!(answer.status, 405, "{header}");
        let answer = send(gateway.address, &format!("DELETE /graphql?query=%7Ba%7D\n{header}: GET"), b"").await;
        assert_eq!(answer.status, 405, "{header}");
    }
}

#[tokio::test]
async fn nobody_smuggles_a_request_in_anothers_body() {
    let gateway = Running::start().await;
    let inner = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let post = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    for (name, headers, body) in [
        ("both lengths", format!("Content-Length: {}\r\nTransfer-Encoding: chunked", 5 + inner.len()), "0\r\n\r\n"),
        ("both, the other way", "Transfer-Encoding: chunked\r\nContent-Length: 5".to_owned(), "0\r\n\r\n"),
        ("two lengths", format!("Content-Length: 0\r\nContent-Length: {}", inner.len()), ""),
        ("a length with a sign", "Content-Length: +0".to_owned(), ""),
        ("a list of lengths", "Content-Length: 0, 9".to_owned(), ""),
        ("an unknown coding", "Transfer-Encoding: x, identity".to_owned(), ""),
        ("chunked is not last", "Transfer-Encoding: chunked, gzip".to_owned(), ""),
        ("a bad size", "Transfer-Encoding: chunked".to_owned(), "zz\r\n"),
        ("a size beyond numbers", "Transfer-Encoding: chunked".to_owned(), "fffffffffffffffff\r\n"),
        ("a negative size", "Transfer-Encoding: chunked".to_owned(), "-1\r\n"),
        ("a space before the colon", "Content-Length : 0".to_owned(), ""),
        ("a folded header", "X: a\r\n b".to_owned(), ""),
        ("a bare line end", "X: a\nTransfer-Encoding: chunked".to_owned(), ""),
    ] {
        let bytes = format!("{post}{headers}\r\n\r\n{body}{inner}");
        let answered = statuses(&gateway, bytes.as_bytes()).await;
        assert!(
            answered.len() <= 1 && answered.iter().all(|status| (400..500).contains(status)),
            "{name}: {answered:?}"
        );
    }
    assert!(is_well(&gateway).await);
}

#[tokio::test]
async fn a_head_without_measure_is_refused() {
    let gateway = Running::start().await;
    let many: String = (0..200).map(|index| format!("X-{index}: x\r\n")).collect();
    let live = "GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    for (name, head, allowed) in [
        ("many headers", format!("{live}{many}\r\n"), [431, 431]),
        ("a long header", format!("{live}X: {}\r\n\r\n", "x".repeat(200_000)), [431, 431]),
        (
            "a long target",
            format!("GET /graphql?{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(200_000)),
            [414, 431],
        ),
        ("a long method", format!("{} / HTTP/1.1\r\nHost: localhost\r\n\r\n", "X".repeat(200_000)), [400, 431]),
        ("no HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n".to_owned(), [400, 400]),
        ("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), [400, 505]),
        ("NUL", format!("{live}X: a\0b\r\n\r\n"), [400, 400]),
    ] {
        let answered = statuses(&gateway, head.as_bytes()).await;
        assert!(answered.iter().all(|status| allowed.contains(status)), "{name}: {answered:?}");
    }
    assert!(is_well(&gateway).await);
}
