//! Whether the server is there and takes us.

use super::client::{Client, Endpoint};
use super::wire::Build;
use crate::{
    domain::SourceStatus,
    source::{Call, Probe, SourceError},
    upstream::UpstreamResponse,
};
use tokio::time::Instant;

/// Tells the release, but only to those who are let in: so it is the one question that answers all of ours.
const BUILD: Endpoint = Endpoint { path: "/api/build/", operation: "probe", item: "build" };

/// Asks once.
pub(super) async fn probe(client: &Client, call: &Call) -> Probe {
    let begun = Instant::now();
    let answer = client.ask(call, BUILD.operation, BUILD.path.into()).await;
    let latency = begun.elapsed();
    let skew = |answer: &UpstreamResponse| {
        let now = call.now + chrono::TimeDelta::from_std(latency).unwrap_or_default();
        answer.date().map(|date| (date - now).num_milliseconds() as f64)
    };
    let clock_skew_ms = answer.as_ref().ok().and_then(skew);
    let outcome = answer.and_then(|answer| {
        client.check(BUILD.operation, &answer)?;
        serde_json::from_slice::<Build>(&answer.body)
            .map_err(|error| client.unreadable(call, BUILD, &error.to_string()))
    });
    let (status, error, version) = match outcome {
        Ok(build) => (SourceStatus::Ok, None, build.version.map(String::from)),
        Err(error) => (SourceError::status(&error), Some(error), None),
    };
    Probe { status, error, version, clock_skew_ms, latency, checked_at: call.now, notes: Vec::new() }
}
