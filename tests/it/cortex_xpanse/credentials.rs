//! Keys: what is sent with each attempt, and what the server makes of it.

use super::support::*;
use incident_gateway::{
    domain::SourceStatus, secret::Secret, source::*, upstream::HttpResponse, vendors::cortex_xpanse::KeyKind,
};
use std::collections::BTreeSet;

fn page() -> ListRequest {
    ListRequest { tests: vec![], order: None, offset: 0, limit: 5, want: PLAIN }
}

#[tokio::test]
async fn both_kinds_of_keys_are_taken() {
    for kind in [KeyKind::Standard, KeyKind::Advanced] {
        let bench = Bench::with(options(20), |config| {
            if kind == KeyKind::Standard {
                (config.key, config.key_id) = (Secret::from("sandbox-standard-key-1".to_owned()), "1".into());
            }
            config.key_kind = kind;
        })
        .await;
        for _ in 0..3 {
            assert_eq!(bench.source.list(&call(), &page()).await.unwrap().items.len(), 5);
        }
        let probe = bench.source.probe(&call()).await;
        assert_eq!((probe.status, probe.version), (SourceStatus::Ok, None));
        assert!(probe.clock_skew_ms.is_some());
    }
}

#[tokio::test]
async fn an_advanced_key_is_never_sent_and_every_attempt_is_signed_anew() {
    let mut config = config();
    config.key_kind = KeyKind::Advanced;
    let (source, sent) = over(&config, |_, _| HttpResponse::new(401, ""));
    for _ in 0..5 {
        let error = source.list(&call(), &page()).await.unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Unauthenticated);
    }
    let sent = sent.lock().unwrap();
    assert_eq!(sent.len(), 5, "a new signature proves no more than the refused one");
    for name in ["x-xdr-nonce", "authorization"] {
        let values: BTreeSet<&[u8]> = sent.iter().map(|(_, headers, _)| headers[name].as_bytes()).collect();
        assert_eq!(values.len(), 5, "{name}");
    }
    for (_, headers, _) in sent.iter() {
        assert!(headers.values().all(|value| !value.to_str().unwrap().contains("top-secret")));
    }
}

#[tokio::test]
async fn wrong_keys_are_typed_whatever_the_body() {
    for (kind, id, key) in [
        (KeyKind::Standard, "1", "wrong"),
        (KeyKind::Standard, "2", "sandbox-standard-key-1"),
        (KeyKind::Standard, "9", "sandbox-standard-key-1"),
        (KeyKind::Advanced, "1", "sandbox-standard-key-1"),
        (KeyKind::Advanced, "2", "wrong"),
    ] {
        let bench = Bench::with(options(20), |config| {
            (config.key_kind, config.key_id, config.key) = (kind, id.into(), Secret::from(key.to_owned()));
        })
        .await;
        let error = bench.source.list(&call(), &page()).await.unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Unauthenticated, "{kind:?} {id} {key}");
        assert!(!format!("{error} {error:?}").contains(key));
        let probe = bench.source.probe(&call()).await;
        assert_eq!(probe.status, SourceStatus::Unauthenticated);
    }
}

#[tokio::test]
async fn a_clock_that_is_far_off_is_refused() {
    let bench = Bench::new(20).await;
    bench.sandbox.advance(std::time::Duration::from_secs(299));
    assert!(bench.source.list(&call(), &page()).await.is_ok());
    bench.sandbox.advance(std::time::Duration::from_secs(10));
    assert_eq!(bench.source.list(&call(), &page()).await.unwrap_err().kind(), SourceErrorKind::Unauthenticated);
}
