//! The load: connections that each send the next request as soon as the last is answered.

use crate::Result;
use crate::connection::{Connection, post};
use crate::process::Subject;
use crate::work::Work;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Most requests of one measurement, so that memory is bounded.
const MOST: usize = 200_000;

/// Whom to ask what.
pub(crate) struct Target {
    address: String,
    request: Vec<u8>,
}

impl Target {
    pub(crate) fn new(subject: &Subject, work: &Work) -> Self {
        let body = serde_json::json!({ "query": work.query }).to_string();
        Target { address: subject.address.clone(), request: post(&subject.address, &subject.path(work), &body) }
    }
}

/// What one measurement gave.
pub(crate) struct Sample {
    /// Of each request, ascending.
    pub(crate) latencies: Vec<Duration>,
    pub(crate) elapsed: Duration,
}

/// Sends over so many connections for so long; what was begun is finished.
pub(crate) async fn load(target: &Target, connections: usize, time: Duration) -> Result<Sample> {
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        let mut connection = Connection::open(&target.address).await?;
        let request = target.request.clone();
        clients.spawn(async move {
            let (end, mut latencies) = (Instant::now() + time, Vec::new());
            while Instant::now() < end && latencies.len() < MOST / connections {
                let began = Instant::now();
                connection.ask(&request).await?;
                latencies.push(began.elapsed());
            }
            Result::Ok(latencies)
        });
    }
    let (began, mut latencies) = (Instant::now(), Vec::new());
    while let Some(client) = clients.join_next().await {
        latencies.extend(client??);
    }
    let elapsed = began.elapsed();
    latencies.sort_unstable();
    Ok(Sample { latencies, elapsed })
}

/// One request and the body of its answer.
pub(crate) async fn once(target: &Target) -> Result<String> {
    let mut connection = Connection::open(&target.address).await?;
    Ok(String::from_utf8_lossy(connection.ask(&target.request).await?).into_owned())
}
