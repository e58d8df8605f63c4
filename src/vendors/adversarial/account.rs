//! Who the gateway is at the server, which is also the cheapest sign that the server is there and takes us.

use super::client::{Client, ME};
use super::map::Mapper;
use super::wire::UserRow;
use crate::{
    domain::{Owner, RawJson, SourceStatus},
    source::{Call, Probe, SourceError},
    upstream::UpstreamResponse,
    vendors::common::text,
};
use tokio::time::Instant;

const PATH: &str = "/users/me";

/// The service account of the gateway.
pub(super) async fn account(client: &Client, mapper: &Mapper, call: &Call) -> Result<Owner, SourceError> {
    let answer = client.json(call, ME, PATH).await?;
    owner(client, mapper, call, &answer)
}

fn owner(client: &Client, mapper: &Mapper, call: &Call, answer: &UpstreamResponse) -> Result<Owner, SourceError> {
    let body = text(&answer.body);
    if !body.trim_start().starts_with('{') {
        return Err(client.unreadable(call, ME, "no object"));
    }
    let row: UserRow = serde_json::from_str(&body).map_err(|error| client.unreadable(call, ME, &error.to_string()))?;
    let mut owner = mapper.owner(&row).ok_or_else(|| client.unreadable(call, ME, "a user without an id"))?;
    owner.profile.raw = Some(RawJson::new(body));
    Ok(owner)
}

/// Asks once. The server tells no release.
pub(super) async fn probe(client: &Client, mapper: &Mapper, call: &Call) -> Probe {
    let begun = Instant::now();
    let answer = client.ask(call, ME, PATH).await;
    let latency = begun.elapsed();
    let skew = |answer: &UpstreamResponse| {
        let now = call.now + chrono::TimeDelta::from_std(latency).unwrap_or_default();
        answer.date().map(|date| (date - now).num_milliseconds() as f64)
    };
    let clock_skew_ms = answer.as_ref().ok().and_then(skew);
    let outcome = answer.and_then(|answer| {
        client.check(ME, &answer)?;
        owner(client, mapper, call, &answer)
    });
    let error = outcome.err();
    let status = error.as_ref().map_or(SourceStatus::Ok, SourceError::status);
    Probe { status, error, version: None, clock_skew_ms, latency, checked_at: call.now, notes: Vec::new() }
}
