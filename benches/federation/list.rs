//! Asking a gateway for pages of the one list.

use crate::Result;
use crate::connection::{Connection, post};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const PAGE: &str = "query($first: Int!, $after: String, $filter: IncidentFilter, $order: IncidentOrder) {
    incidents(first: $first, after: $after, filter: $filter, orderBy: $order) {
        pageInfo { hasNextPage endCursor }
        sources { source { name } status truncated upstreamCalls error { code } }
        nodes { id title severity status createdAt source { name } }
    } }";

/// One who walks a list.
pub(crate) struct Client {
    connection: Connection,
    address: String,
}

/// Which list.
#[derive(Clone)]
pub(crate) struct List {
    pub(crate) filter: Value,
    pub(crate) order: Value,
}

impl Default for List {
    /// All, newest first.
    fn default() -> Self {
        List { filter: json!({}), order: json!({ "field": "CREATED_AT", "direction": "DESC" }) }
    }
}

impl List {
    /// Of one source alone.
    pub(crate) fn of(source: &str) -> Self {
        List { filter: json!({ "sources": [source] }), ..List::default() }
    }
}

/// A page, and how long it took.
pub(crate) struct Page {
    pub(crate) took: Duration,
    pub(crate) rows: usize,
    /// Where the next one begins; none after the last.
    pub(crate) next: Option<String>,
    /// Calls to each source, in the order of the configuration.
    pub(crate) calls: Vec<u64>,
    /// Whether every source that was asked gave all it has.
    pub(crate) whole: bool,
}

impl Client {
    pub(crate) async fn open(address: &str) -> Result<Self> {
        Ok(Client { connection: Connection::open(address).await?, address: address.to_owned() })
    }

    /// The data of an answer without errors, its length, and how long it took.
    pub(crate) async fn ask(&mut self, query: &str, variables: Value) -> Result<(Value, usize, Duration)> {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let request = post(&self.address, "/graphql", &body);
        let began = Instant::now();
        let answer = self.connection.ask(&request).await?;
        let took = began.elapsed();
        let (mut value, bytes): (Value, usize) = (serde_json::from_slice(answer)?, answer.len());
        match value.get("errors") {
            Some(errors) => Err(format!("the gateway answered {errors:.2000}").into()),
            None => Ok((value["data"].take(), bytes, took)),
        }
    }

    /// The page of 100 after a cursor.
    pub(crate) async fn page(&mut self, list: &List, after: Option<&str>) -> Result<Page> {
        let variables = json!({ "first": 100, "after": after, "filter": list.filter, "order": list.order });
        let (data, _, took) = self.ask(PAGE, variables).await?;
        let page = &data["incidents"];
        let reports = page["sources"].as_array().ok_or("no reports")?;
        let whole = |report: &Value| report["truncated"] == false && report["error"].is_null();
        Ok(Page {
            took,
            rows: page["nodes"].as_array().ok_or("no nodes")?.len(),
            next: page["pageInfo"]["endCursor"]
                .as_str()
                .map(str::to_owned)
                .filter(|_| page["pageInfo"]["hasNextPage"] == true),
            calls: reports.iter().map(|report| report["upstreamCalls"].as_u64().unwrap_or_default()).collect(),
            whole: reports.iter().all(whole),
        })
    }

    /// Page after page, at most so many.
    pub(crate) async fn walk(&mut self, list: &List, most: usize) -> Result<Vec<Page>> {
        let mut pages: Vec<Page> = Vec::new();
        while pages.len() < most {
            let after = pages.last().map(|page| page.next.clone());
            match after {
                Some(None) => break,
                after => pages.push(self.page(list, after.flatten().as_deref()).await?),
            }
        }
        Ok(pages)
    }
}

/// Milliseconds at a share of them, ascending: 0.5 is the median.
pub(crate) fn at(times: &[Duration], share: f64) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let index = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(index).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}
