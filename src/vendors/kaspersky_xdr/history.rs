//! Changes of an incident and of its alerts, which the row brings with `withHistory`.

use super::map::{Mapper, short, text, time};
use super::wire::HistoryRow;
use super::words;
use crate::domain::{Activity, ActivityKind, NativeId, RawJson};
use std::collections::BTreeMap;

impl Mapper {
    /// Changes, newest first. They have no ids: each is named by when, what and whom, and numbered where that is not
    /// enough.
    pub(super) fn activity(&self, incident: &NativeId, rows: Vec<(HistoryRow, Option<RawJson>)>) -> Vec<Activity> {
        let mut named: BTreeMap<String, u32> = BTreeMap::new();
        let mut all: Vec<Activity> = rows
            .into_iter()
            .map(|(row, raw)| {
                let (at, kind) = (time(row.created_at), text(row.kind));
                let subject = text(row.entity_id);
                let id = format!(
                    "{incident}/history/{}/{}/{}",
                    at.map(|at| at.timestamp_millis()).unwrap_or_default(),
                    short(kind.as_deref().unwrap_or_default()),
                    short(subject.as_deref().unwrap_or_default())
                );
                let number = named.entry(id.clone()).and_modify(|number| *number += 1).or_insert(1);
                let id = if *number == 1 { id } else { format!("{id}/{number}") };
                // What happened to the incident itself needs no other name.
                let apart = subject.as_deref() != Some(&*incident.to_string());
                Activity {
                    key: self.key(&id),
                    kind: kind.as_deref().map_or(ActivityKind::Other, words::activity),
                    source_type: kind,
                    at,
                    actor: None,
                    title: None,
                    description: None,
                    changes: Vec::new(),
                    evidence: Vec::new(),
                    subject_type: text(row.entity_kind).filter(|_| apart),
                    subject_id: subject.filter(|_| apart),
                    details: row.params,
                    raw,
                }
            })
            .collect();
        all.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.key.cmp(&b.key)));
        all
    }
}
