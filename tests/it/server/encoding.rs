//! Compressed answers.

use super::{QUERY, Running};
use crate::http::{Answer, send};
use flate2::read::GzDecoder;
use serde_json::json;
use std::io::Read;

const LONG: &str = "{ incidents(first: 50) { nodes { id title severity status description } } }";

async fn ask(gateway: &Running, header: &str, document: &str) -> Answer {
    gateway.with_header(header, document).await
}

fn unpacked(answer: &Answer) -> String {
    let mut text = String::new();
    GzDecoder::new(&answer.bytes[..]).read_to_string(&mut text).unwrap();
    text
}

#[tokio::test]
async fn a_long_answer_is_compressed_for_those_who_ask_for_it() {
    let gateway = Running::start().await;
    let plain = ask(&gateway, "", LONG).await;
    assert!(plain.body.len() > 4_096 && plain.header("content-encoding").is_empty(), "{plain:?}");
    assert_eq!(plain.headers("vary"), ["accept", "accept-encoding"]);
    for accepted in ["gzip", "br, gzip;q=0.5", "*"] {
        let short = ask(&gateway, &format!("Accept-Encoding: {accepted}"), LONG).await;
        assert_eq!(short.header("content-encoding"), "gzip", "{accepted}");
        assert_eq!(short.headers("vary"), ["accept", "accept-encoding"]);
        assert_eq!(short.header("content-length"), short.bytes.len().to_string());
        assert!(short.bytes.len() * 2 < plain.bytes.len(), "{} of {}", short.bytes.len(), plain.bytes.len());
        assert_eq!(unpacked(&short), plain.body);
    }
    for refused in ["gzip;q=0", "identity", "br", "gzip;q=0, *"] {
        let answer = ask(&gateway, &format!("Accept-Encoding: {refused}"), LONG).await;
        assert_eq!((answer.header("content-encoding"), &answer.body), ("", &plain.body), "{refused}");
    }
}

#[tokio::test]
async fn a_short_answer_is_sent_as_it_is() {
    let gateway = Running::start().await;
    let answer = ask(&gateway, "Accept-Encoding: gzip", QUERY).await;
    assert!(answer.bytes.len() < 1_024 && answer.header("content-encoding").is_empty(), "{answer:?}");
    assert_eq!(answer.headers("vary"), ["accept"]);
}

#[tokio::test]
async fn head_tells_the_length_that_get_has() {
    let gateway = Running::start().await;
    let query: String = url::form_urlencoded::Serializer::new(String::new()).append_pair("query", LONG).finish();
    for path in [format!("/graphql?{query}"), "/schema.graphql".to_owned()] {
        for coding in ["identity", "gzip"] {
            let got = send(gateway.address, &format!("GET {path}\nAccept-Encoding: {coding}"), b"").await;
            let head = send(gateway.address, &format!("HEAD {path}\nAccept-Encoding: {coding}"), b"").await;
            assert_eq!((head.status, head.bytes.len()), (200, 0), "{path} {coding}");
            for name in ["content-length", "content-type", "content-encoding"] {
                assert_eq!(head.header(name), got.header(name), "{path} {coding} {name}");
            }
            assert_eq!(got.header("content-length"), got.bytes.len().to_string());
        }
    }
}

#[tokio::test]
async fn a_very_long_answer_is_compressed_as_well() {
    let gateway = Running::start().await;
    let fields: String = (0..29).map(|index| format!("{}{index}: description ", "a".repeat(60))).collect();
    let document = format!("{{ incidents(first: 50) {{ nodes {{ {fields} }} }} }}");
    let plain = ask(&gateway, "", &document).await;
    assert!(plain.bytes.len() > 131_072, "{}", plain.bytes.len());
    assert_eq!(unpacked(&ask(&gateway, "Accept-Encoding: gzip", &document).await), plain.body);
}

#[tokio::test]
async fn a_file_is_passed_on_as_it_comes() {
    let gateway = Running::start().await;
    let body = json!({ "query": "{ source(name: \"ciso-assistant\") { export(format: CSV) { url } } }" }).to_string();
    let answer = crate::http::post(gateway.address, &body).await;
    let url = answer.json()["data"]["source"]["export"]["url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix(&format!("http://{}", gateway.address)).unwrap();
    let file = send(gateway.address, &format!("GET {path}\nAccept-Encoding: gzip"), b"").await;
    assert_eq!((file.status, file.header("content-encoding")), (200, ""));
    assert!(file.body.len() > 1_024 && file.body.lines().count() > 10, "{file:?}");
}
