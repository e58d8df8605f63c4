//! The parameters of a list, as strict as the document is.

use super::render::Extras;
use super::state::{Millis, State};
use crate::sandbox::wire::Reply;
use chrono::DateTime;
use regex::Regex;
use uuid::Uuid;

/// What a list is asked for.
pub(super) struct Query {
    /// From 1 on.
    pub(super) page: usize,
    pub(super) ids: Vec<Uuid>,
    pub(super) tenants: Vec<usize>,
    pub(super) name: Option<Regex>,
    pub(super) statuses: Vec<String>,
    pub(super) field: Field,
    pub(super) from: Option<Millis>,
    pub(super) to: Option<Millis>,
    pub(super) extras: Extras,
}

/// The time that a list is narrowed and sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Field {
    Created,
    Updated,
    StatusChanged,
}

/// `{"message": …, "details": …}`
pub(super) fn error(status: u16, message: &str, details: &str) -> Reply {
    Reply::json(status, &serde_json::json!({ "message": message, "details": details }))
}

impl Query {
    /// Reads a query string for an account. Fails with the refusal.
    pub(super) fn read(state: &State, account: usize, query: &str) -> Result<Query, Reply> {
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let all =
            |name: &str| pairs.iter().filter(|(other, _)| other == name).map(|(_, value)| value.clone()).collect();
        let last = |name: &str| pairs.iter().rev().find(|(other, _)| other == name).map(|(_, value)| value.as_str());
        // A flag is set by being there, whatever its value.
        let flag = |name: &str| last(name).is_some();
        let uuids = |name: &str| -> Result<Vec<Uuid>, Reply> {
            let texts: Vec<String> = all(name);
            texts.iter().map(|text| Uuid::try_parse(text).map_err(|_| error(400, "", ""))).collect()
        };
        let wanted = uuids("tenantID")?;
        if wanted.is_empty() {
            return Err(error(400, "tenantID required", ""));
        }
        let mut tenants = Vec::with_capacity(wanted.len());
        for id in wanted {
            let tenant = state.tenants.iter().position(|tenant| tenant.id == id);
            match tenant.filter(|tenant| state.may(account, *tenant)) {
                Some(tenant) => tenants.push(tenant),
                None => return Err(error(403, "access denied", "")),
            }
        }
        let field = match last("timestampField") {
            None | Some("createdAt") => Field::Created,
            Some("updatedAt") => Field::Updated,
            Some("statusChangedAt") => Field::StatusChanged,
            Some(_) => return Err(error(400, "invalid timestamp field", "")),
        };
        let moment = |name: &str| match last(name).map(moment) {
            None => Ok(None),
            Some(Ok(at)) => Ok(Some(at)),
            Some(Err(details)) => Err(error(400, &format!("cannot parse {name}"), &details)),
        };
        let name = last("name").filter(|name| !name.is_empty()).map(Regex::new).transpose();
        Ok(Query {
            page: last("page").and_then(|text| text.parse().ok()).filter(|page| *page > 0).unwrap_or(1),
            ids: uuids("id")?,
            tenants,
            name: name.map_err(|problem| error(400, "", &problem.to_string()))?,
            statuses: all("status"),
            field,
            from: moment("from")?,
            to: moment("to")?,
            extras: Extras { affected: flag("withAffected"), history: flag("withHistory") },
        })
    }

    /// Both bounds are part of the range.
    pub(super) fn in_range(&self, at: Millis) -> bool {
        self.from.is_none_or(|from| at >= from) && self.to.is_none_or(|to| at <= to)
    }
}

/// RFC 3339; the document's own example with two zones is taken as well.
fn moment(text: &str) -> Result<Millis, String> {
    let text = text.strip_suffix("+00:00").filter(|text| text.ends_with('Z')).unwrap_or(text);
    let parsed = DateTime::parse_from_rfc3339(text);
    let millis = parsed.map(|time| time.timestamp_millis());
    millis.map_err(|_| format!("parsing time {text:?} as \"2006-01-02T15:04:05Z07:00\""))
}
