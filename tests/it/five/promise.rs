//! `docs/PAGING.md`: its tables are the capabilities, its answers are what the queries beside them get.

use super::{Five, MINUTE, Setting};
use crate::{examples::compact::compact, generated::check, support::call};
use incident_gateway::{
    domain::{IncidentField, IncidentOrderField, OrderDirection, Vocabulary},
    sandbox::Vendor,
    source::Capabilities,
};
use serde_json::{Value, json};
use std::{fmt::Write, fs, path::Path, sync::Arc};

const DOCUMENT: &str = "docs/PAGING.md";

/// The text with what stands between a mark and the next end replaced.
fn with(text: &str, mark: &str, made: &str) -> String {
    let begin = format!("<!-- {mark} -->\n");
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{DOCUMENT} has no {mark}"));
    let (_, after) = rest.split_once("<!-- end -->").unwrap();
    format!("{before}{begin}{made}<!-- end -->{after}")
}

fn table(head: &[&str], lines: &[Vec<String>]) -> String {
    let mut text = format!("| {} |\n|{}\n", head.join(" | "), "---|".repeat(head.len()));
    for line in lines {
        writeln!(text, "| {} |", line.join(" | ")).unwrap();
    }
    text
}

fn sorts(can: &Capabilities, field: IncidentOrderField) -> String {
    let fills = |word: &IncidentField| word.name() == field.name();
    let both = [OrderDirection::Asc, OrderDirection::Desc];
    let sorted: Vec<&str> = both.into_iter().filter(|way| can.sorts(field, *way)).map(Vocabulary::name).collect();
    match (sorted.len(), can.read.iter().any(fills)) {
        (2, _) => "itself".to_owned(),
        (1, _) => format!("{} itself, else copy", sorted[0]),
        (_, true) => "copy".to_owned(),
        (_, false) => "copy; null".to_owned(),
    }
}

fn orders(of: &[(Vendor, Arc<Capabilities>)]) -> String {
    let head: Vec<&str> = std::iter::once("Order").chain(of.iter().map(|(vendor, _)| vendor.word())).collect();
    let line = |field: IncidentOrderField| {
        std::iter::once(field.name().to_owned()).chain(of.iter().map(|(_, can)| sorts(can, field))).collect()
    };
    table(&head, &IncidentOrderField::WORDS.iter().map(|word| line(word.value)).collect::<Vec<Vec<String>>>())
}

fn copies(of: &[(Vendor, Arc<Capabilities>)]) -> String {
    let line = |(vendor, can): &(Vendor, Arc<Capabilities>)| {
        let (page, quota) = (can.list.max_page_size, can.list.calls_per_minute);
        let at_once = quota.map_or(10_000, |calls| (calls as usize / 3).max(1) * page).min(10_000);
        let quota = quota.map_or("none known".to_owned(), |calls| format!("{calls} calls a minute"));
        vec![vendor.to_string(), page.to_string(), quota, at_once.to_string()]
    };
    table(&["Vendor", "Rows a call", "Quota", "Rows for one request"], &of.iter().map(line).collect::<Vec<_>>())
}

/// Runs the queries, one after the other, and puts their answers in.
async fn answered(five: &Five, text: &str) -> String {
    let mut parts = text.split("```graphql\n");
    let (mut made, mut after) = (parts.next().unwrap().to_owned(), Value::Null);
    for part in parts {
        let fault =
            made.rsplit("\n\n").next().and_then(|line| line.trim().strip_prefix("<!-- fault: ")).map(str::to_owned);
        let victim =
            fault.as_deref().and_then(|fault| fault.strip_suffix(" -->")).and_then(|fault| fault.split_once(' '));
        if let Some((vendor, kind)) = victim {
            five.sandbox(vendor.parse().unwrap()).set_faults(vec![kind.parse().unwrap()]);
        }
        let (query, rest) = part.split_once("```\n").unwrap();
        let (between, rest) = rest.split_once("```json\n").unwrap();
        let (_, rest) = rest.split_once("```\n").unwrap();
        let variables = if query.contains("$after") { json!({ "after": after }) } else { json!({}) };
        let answer = five.answer(query, variables.clone(), MINUTE).await;
        assert_eq!(answer.get("errors"), None, "{query}: {answer}");
        let cursor = query.replacen("{\n  incidents", "{\n  page: incidents", 1);
        let cursor = cursor.replace("totalCount\n", "pageInfo { endCursor }\n");
        let next = five.answer(&cursor, variables, MINUTE).await["data"]["page"]["pageInfo"]["endCursor"].clone();
        after = if next.is_null() { after } else { next };
        five.sandboxes.iter().for_each(|sandbox| sandbox.set_faults(vec![]));
        write!(made, "```graphql\n{query}```\n{between}```json\n{}```\n{rest}", compact(&answer["data"])).unwrap();
    }
    made
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn generated_paging() {
    let five = Five::with(Setting::of(12)).await;
    let mut of = Vec::new();
    for (vendor, source) in Vendor::ALL.into_iter().zip(five.federation.sources()) {
        assert_eq!(source.info().name.as_str(), vendor.word());
        // As configured by default, where tests raise the quotas.
        let mut can = (*source.capabilities(&call("paging")).await).clone();
        can.list.calls_per_minute = can.list.calls_per_minute.map(|calls| calls / 100);
        of.push((vendor, Arc::new(can)));
    }
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT)).unwrap();
    let text = with(&text, "orders", &orders(&of));
    let text = with(&text, "copies", &copies(&of));
    check(DOCUMENT, &answered(&five, &text).await);
}
