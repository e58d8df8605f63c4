//! What the sandbox's own REST API says: the truth that answers are compared with. And walks through the gateway's lists.

use super::support::{Gateway, call};
use incident_gateway::{
    domain::{GlobalId, IdKind, Key, SourceName},
    upstream::{self, Method, Policy, ReqwestTransport, Upstream, UpstreamOptions, UpstreamRequest, header},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// The global id of a record of the source `grc`.
pub(crate) fn id(kind: IdKind, native: &str) -> String {
    GlobalId::new(kind, Key::new(&SourceName::new("grc"), native)).to_string()
}

/// The native id of a row, or of a reference to one.
pub(crate) fn native(row: &Value) -> &str {
    row["id"].as_str().unwrap_or_else(|| panic!("no id in {row}"))
}

/// Microseconds since 1970 of an RFC 3339 text; none for null.
pub(crate) fn micros(time: &Value) -> Option<i64> {
    let text = match time {
        Value::Null => return None,
        other => other.as_str().unwrap_or_else(|| panic!("{other} is no time")),
    };
    let time = chrono::DateTime::parse_from_rfc3339(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    Some(time.timestamp_micros())
}

/// The text, unless it is null or empty.
pub(crate) fn filled(text: &Value) -> Option<&str> {
    text.as_str().filter(|text| !text.is_empty())
}

/// Every row of a list of the sandbox. `path` ends in a slash or in a parameter.
pub(crate) async fn rows(gateway: &Gateway, path: &str) -> Vec<Value> {
    let mark = if path.contains('?') { '&' } else { '?' };
    let mut page = gateway.rest(&format!("{path}{mark}limit=100000")).await;
    match page["results"].take() {
        Value::Array(rows) => rows,
        other => panic!("{path}: {other}"),
    }
}

/// Rows by their native id.
pub(crate) fn by_id(rows: Vec<Value>) -> BTreeMap<String, Value> {
    rows.into_iter().map(|row| (native(&row).to_owned(), row)).collect()
}

/// Writes to the sandbox with the gateway's token; the status of its answer, and its body if that is JSON.
pub(crate) async fn write(gateway: &Gateway, method: Method, path: &str, body: &Value) -> (u16, Value) {
    let mut header = header::HeaderValue::from_str(&format!("Token {}", gateway.sandbox.token())).unwrap();
    header.set_sensitive(true);
    let upstream = Upstream::new(UpstreamOptions {
        name: "rest".into(),
        base: gateway.base.parse().unwrap(),
        policy: Policy::default(),
        transport: Arc::new(ReqwestTransport::new(&Policy::default()).unwrap()),
        credential: Arc::new(upstream::Static::new(header::AUTHORIZATION, header)),
    });
    let request = UpstreamRequest::get("rest", path).with_json(method, body);
    let response = upstream.send(&call("rest").context, request).await.unwrap();
    (response.status, serde_json::from_slice(&response.body).unwrap_or_default())
}

/// Deletes an incident at the sandbox.
pub(crate) async fn delete(gateway: &Gateway, native: &str) {
    let (status, body) = write(gateway, Method::Delete, &format!("/api/incidents/{native}/"), &json!({})).await;
    assert_eq!(status, 204, "{body}");
}

/// Changes an incident at the sandbox.
pub(crate) async fn patch(gateway: &Gateway, native: &str, body: Value) {
    let (status, answer) = write(gateway, Method::Patch, &format!("/api/incidents/{native}/"), &body).await;
    assert_eq!(status, 200, "{answer}");
}

/// Makes an incident at the sandbox; its native id.
pub(crate) async fn create(gateway: &Gateway, body: Value) -> String {
    let (status, answer) = write(gateway, Method::Post, "/api/incidents/", &body).await;
    assert_eq!(status, 201, "{answer}");
    native(&answer).to_owned()
}

/// A page of a root list. `arguments` as in a document: `filter: {…}, orderBy: {…}`; may be empty.
pub(crate) async fn page(gateway: &Gateway, list: &str, arguments: &str, after: Option<&str>, nodes: &str) -> Value {
    let after = after.map(|after| format!("after: {}", json!(after))).unwrap_or_default();
    let arguments = format!("{arguments} {after}");
    let arguments = if arguments.trim().is_empty() { String::new() } else { format!("({arguments})") };
    let query = format!(
        "{{ {list}{arguments} {{ totalCount pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} \
         edges {{ cursor }} nodes {{ {nodes} }} }} }}"
    );
    gateway.data(&query).await[list].take()
}

/// All nodes of a root list, walked page by page; the pages are checked on the way.
pub(crate) async fn walk(gateway: &Gateway, list: &str, arguments: &str, first: usize, nodes: &str) -> Vec<Value> {
    let (mut all, mut after): (Vec<Value>, Option<String>) = (Vec::new(), None);
    loop {
        let page = page(gateway, list, &format!("first: {first} {arguments}"), after.as_deref(), nodes).await;
        let items = page["nodes"].as_array().unwrap();
        let info = &page["pageInfo"];
        assert!(items.len() <= first);
        assert_eq!(info["hasPreviousPage"], !all.is_empty(), "{list}({arguments})");
        assert_eq!(
            info["endCursor"],
            items.len().checked_sub(1).map_or(Value::Null, |last| page["edges"][last]["cursor"].clone())
        );
        assert_eq!(info["startCursor"], page["edges"].get(0).map_or(Value::Null, |edge| edge["cursor"].clone()));
        all.extend(items.iter().cloned());
        assert!(all.len() <= 10_000, "{list}({arguments}): it does not end");
        if info["hasNextPage"] == false {
            assert!(page["totalCount"].is_null() || page["totalCount"] == all.len(), "{list}({arguments}): {page}");
            return all;
        }
        assert_eq!(items.len(), first, "only the last page may be short");
        after = info["endCursor"].as_str().map(str::to_owned);
    }
}

/// The native ids of walked nodes.
pub(crate) fn native_ids(nodes: &[Value]) -> Vec<String> {
    nodes.iter().map(|node| node["sourceId"].as_str().unwrap().to_owned()).collect()
}

/// The incidents that a filter selects, as native ids, sorted.
pub(crate) async fn selected(gateway: &Gateway, filter: &str) -> Vec<String> {
    let mut ids = native_ids(&walk(gateway, "incidents", &format!("filter: {{ {filter} }}"), 100, "sourceId").await);
    ids.sort();
    ids
}
