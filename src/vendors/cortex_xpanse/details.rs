//! What is told per incident: alerts and artifacts, by one call each; and alerts by id.
//!
//! The call for one incident is limited to ten a minute (vendor document “Get Extra Incident Data”), so it is made for
//! evidence only.

use super::client::{ALERTS as ALERT_LIST, Client, EXTRA_DATA, WINDOW};
use super::evidence::{ALERTS, FILE_ARTIFACTS, NETWORK_ARTIFACTS, Piece, put};
use super::ids::by_ids;
use super::map::Notes;
use super::query::filter;
use super::wire::{self, ExtraData, Got, Group, Whole};
use crate::{
    domain::{Details, EvidenceKind, NativeId, Record},
    source::{Call, DetailRequest, Found, SourceError, Want},
};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// What reading details needs.
pub(super) struct Extras<'a> {
    pub(super) client: &'a Client,
    pub(super) call: &'a Call,
}

impl Extras<'_> {
    /// Evidence of many incidents. Each is a call of its own, and fails alone.
    pub(super) async fn details(&self, request: &DetailRequest) -> Found<Details> {
        let mut found = Found::default();
        if !request.parts.evidence {
            let none = |id: &NativeId| (id.clone(), Details::default());
            found.items.extend(request.incidents.iter().map(none));
            return found;
        }
        let read = request.incidents.iter().map(async |id| (id, self.evidence(id, request.want).await));
        for (id, details) in join_all(read).await {
            match details {
                Ok(details) => {
                    found.malformed = found.malformed.saturating_add(details.malformed);
                    found.items.push((id.clone(), details));
                }
                Err(error) => found.failed.push((id.clone(), error)),
            }
        }
        found
    }

    /// Evidence by id: alerts by the list of alerts, parts of an incident by that incident.
    pub(super) async fn pieces(&self, ids: &[NativeId], want: Want) -> Result<Found<Record>, SourceError> {
        let texts: Vec<String> = ids.iter().map(NativeId::to_string).collect();
        let incidents: BTreeSet<&str> = texts.iter().filter_map(|text| incident_of(text)).collect();
        let alerts: Vec<String> = texts.iter().filter(|text| incident_of(text).is_none()).cloned().collect();
        let by_list = by_ids(&alerts, async |ids: Vec<&str>| self.alerts(&ids, want).await);
        let by_incident = join_all(incidents.into_iter().map(async |incident| {
            let id = NativeId::new(incident);
            let details = self.evidence(&id, want).await;
            (incident, details)
        }));
        let (by_list, by_incident) = join(by_list, by_incident).await;
        let (mut found, mut answered, mut last) =
            (Found::default(), by_list.is_empty() && by_incident.is_empty(), None);
        let mut seen = HashSet::new();
        let mut take = |records: Vec<Record>, found: &mut Found<Record>| {
            let asked = records.into_iter().filter(|record| ids.contains(&record.key().native));
            let asked = asked.filter(|record| seen.insert(record.key().native.clone()));
            found.items.extend(asked.map(|record| (record.key().native.clone(), record)));
            answered = true;
        };
        for (chunk, answer) in by_list {
            match answer {
                Ok(answer) => {
                    let (records, malformed) = answer.unwrap_or_default();
                    found.malformed += malformed;
                    take(records, &mut found);
                }
                Err(error) => {
                    let failed = chunk.iter().map(|id| (NativeId::new(id), error.clone()));
                    found.failed.extend(failed);
                    last = Some(error);
                }
            }
        }
        for (incident, answer) in by_incident {
            match answer {
                Ok(details) => {
                    found.malformed += details.malformed;
                    // Its alerts are asked for by their own ids.
                    let part = |record: &Record| incident_of(&record.key().native.to_string()) == Some(incident);
                    take(details.embedded.into_iter().filter(part).collect(), &mut found);
                }
                Err(error) => {
                    let its = |id: &&NativeId| incident_of(&id.to_string()) == Some(incident);
                    found.failed.extend(ids.iter().filter(its).map(|id| (id.clone(), error.clone())));
                    last = Some(error);
                }
            }
        }
        found.items.retain(|(_, record)| matches!(record, Record::Evidence(_)));
        match last {
            Some(error) if !answered => Err(error),
            _ => Ok(found),
        }
    }

    async fn evidence(&self, incident: &NativeId, want: Want) -> Result<Details, SourceError> {
        let data = json!({ "incident_id": incident.to_string(), "alerts_limit": MOST_ALERTS });
        let body = self.client.ask_of(self.call, EXTRA_DATA, incident, data).await?;
        let text = body.text();
        let reply = self.client.reply(self.call, EXTRA_DATA, &text)?;
        let extra: ExtraData<'_> = serde_json::from_str(reply)
            .map_err(|error| self.client.unreadable(self.call, EXTRA_DATA, &error.to_string()))?;
        if extra.is_empty() {
            return Err(self.client.unreadable(self.call, EXTRA_DATA, "no extra data in the reply"));
        }
        let (mut details, mut links, mut total) = (Details::default(), Vec::new(), 0);
        for (kind, group) in [
            (EvidenceKind::Alert, extra.alerts),
            (EvidenceKind::NetworkArtifact, extra.network_artifacts),
            (EvidenceKind::FileArtifact, extra.file_artifacts),
        ] {
            let mut notes = Notes::default();
            let Group { total_count, data } = notes.take("a group of records", group).unwrap_or_default();
            let rows = notes.take("data", data).unwrap_or_default();
            let told = notes.take("total_count", total_count).and_then(|Whole(total)| u64::try_from(total).ok());
            total += told.unwrap_or_default().max(rows.len() as u64);
            details.malformed += u32::from(self.client.tell(self.call, EXTRA_DATA, None, &mut notes));
            for (place, row) in rows.into_iter().enumerate() {
                let mapper = &self.client.mapper;
                let piece: Option<Piece> = match kind {
                    EvidenceKind::Alert => mapper.alert(row, Some((incident, place)), want.raw, &mut notes),
                    kind => mapper.artifact(row, kind, (incident, place), want.raw, &mut notes),
                };
                details.malformed += u32::from(self.noted(piece.is_some(), &mut notes));
                piece.into_iter().for_each(|piece| put(&mut details, &mut links, piece));
            }
        }
        details.evidence_total = Some(total).filter(|total| *total > links.len() as u64);
        details.evidence = Some(Arc::new(links));
        Ok(details)
    }

    async fn alerts(&self, ids: &[&str], want: Want) -> Result<(Vec<Record>, u32), SourceError> {
        let ids: Vec<Value> = ids.iter().map(|id| alert_id(id)).collect();
        let data = json!({
            "filters": [filter("alert_id_list", "in", json!(ids))],
            "search_from": 0,
            "search_to": WINDOW,
        });
        let body = self.client.ask(self.call, ALERT_LIST, data).await?;
        let text = body.text();
        let reply = self.client.reply(self.call, ALERT_LIST, &text)?;
        let list: wire::Alerts<'_> = serde_json::from_str(reply)
            .map_err(|error| self.client.unreadable(self.call, ALERT_LIST, &error.to_string()))?;
        let rows = match (list.alerts, list.total_count) {
            (Got::Value(rows), _) => rows,
            (Got::Nothing, Got::Value(_)) => Vec::new(),
            _ => return Err(self.client.unreadable(self.call, ALERT_LIST, "no alerts in the reply")),
        };
        let (mut records, mut malformed, mut notes) = (Vec::new(), 0, Notes::default());
        for row in rows {
            let piece = self.client.mapper.alert(row, None, want.raw, &mut notes);
            malformed += u32::from(self.noted(piece.is_some(), &mut notes));
            records.extend(piece.map(|piece| Record::Evidence(Arc::new(piece.evidence))));
        }
        Ok((records, malformed))
    }

    /// Whether a row was broken anywhere; tells the log.
    fn noted(&self, read: bool, notes: &mut Notes) -> bool {
        if !read {
            notes.broken.push("a row that is no record");
        }
        self.client.tell(self.call, EXTRA_DATA, None, notes)
    }
}

/// So many alerts of one incident are asked for: the server's default.
const MOST_ALERTS: u32 = 1_000;

/// The incident that a piece of evidence without an id of its own is a part of.
fn incident_of(native: &str) -> Option<&str> {
    let (rest, place) = native.rsplit_once('/')?;
    let (incident, set) = rest.rsplit_once('/')?;
    let fits = [ALERTS, NETWORK_ARTIFACTS, FILE_ARTIFACTS].contains(&set) && place.parse::<u32>().is_ok();
    Some(incident).filter(|incident| fits && !incident.trim().is_empty())
}

/// An alert's id as the filter takes it: a number, though alerts tell it as text. Texts that are none go as they are.
fn alert_id(text: &str) -> Value {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => json!(number),
        _ => json!(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_name_their_incident_whatever_its_id_is() {
        for (part, incident) in [
            ("7/alerts/0", Some("7")),
            ("a b/network-artifacts/12", Some("a b")),
            ("a/b/file-artifacts/1", Some("a/b")),
            ("7/secrets/0", None),
            ("7/alerts/x", None),
            ("/alerts/0", None),
            ("alerts/0", None),
            ("602", None),
        ] {
            assert_eq!(incident_of(part), incident, "{part}");
        }
    }

    #[test]
    fn ids_of_alerts_are_numbers_where_nothing_is_lost_by_it() {
        assert_eq!((alert_id("602"), alert_id("007"), alert_id("a-1")), (json!(602), json!("007"), json!("a-1")));
    }
}
