//! `POST /api/<resource>/batch-action/`: the same for many objects, one after the other, never as a whole.
//!
//! On the real server every valid change of incidents fails with "Unexpected error" and changes nothing; only deletion
//! works. That defect is on unless the sandbox was told otherwise. Of the other resources only threats can be changed.

use crate::sandbox::Release;
use crate::sandbox::ciso_assistant::accounts::WRITE;
use crate::sandbox::ciso_assistant::query::uuid;
use crate::sandbox::ciso_assistant::state::*;
use crate::sandbox::ciso_assistant::words;
use crate::sandbox::ciso_assistant::write::Writer;
use crate::sandbox::ciso_assistant::write_values as values;
use crate::sandbox::wire::Reply;
use serde_json::{Map, Value, json};

const IDS_MAX: usize = 100;
const UNEXPECTED: &str = "Unexpected error";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Delete,
    Field,
    Set,
    SetAdd,
    SetRemove,
    Folder,
}

fn action(name: &str, release: Release) -> Option<Action> {
    Some(match name {
        "delete" => Action::Delete,
        "change_field" => Action::Field,
        "change_m2m" => Action::Set,
        "change_folder" => Action::Folder,
        "add_m2m" if release.is_later() => Action::SetAdd,
        "remove_m2m" if release.is_later() => Action::SetRemove,
        _ => return None,
    })
}

/// What one item's change needs to know.
struct Order<'a> {
    kind: Kind,
    action: Action,
    field: &'a str,
    value: Value,
    defect: bool,
}

impl Writer<'_> {
    /// The whole request. `defect`: changes of incidents fail as on the real server.
    pub(super) fn batch(&mut self, kind: Kind, body: &Map<String, Value>, defect: bool) -> Reply {
        let Some(action) = body.get("action").and_then(Value::as_str).and_then(|name| action(name, self.release))
        else {
            return Reply::json(400, &json!({ "error": "Invalid action type" }));
        };
        let ids = match self.batch_ids(body) {
            Ok(ids) => ids,
            Err(reply) => return reply,
        };
        let field = body.get("field").map(values::printed);
        let field = if action == Action::Folder { "folder" } else { field.as_deref().unwrap_or("None") };
        if self.release.is_later() && action != Action::Delete && !editable(kind, field) {
            return Reply::json(400, &json!({ "error": format!("field not editable: {field}") }));
        }
        let value = body.get("value").cloned().unwrap_or(Value::Null);
        let order = Order { kind, action, field, value, defect };
        let (mut succeeded, mut failed) = (Vec::new(), Vec::new());
        for id in ids {
            // Ids are compared as text: upper-case ones are not found.
            let found =
                uuid(&id).filter(|parsed| parsed.to_string() == id).and_then(|parsed| self.state.find(kind, parsed));
            let Some(index) = found.filter(|&index| self.view().sees(kind, index)) else {
                failed.push(json!({ "id": id, "error": "Object not found or access denied" }));
                continue;
            };
            let name = self.state.text(kind, index).to_owned();
            match self.one(&order, index) {
                Ok(()) => succeeded.push(json!({ "id": id, "name": name })),
                Err(error) => failed.push(json!({ "id": id, "name": name, "error": error })),
            }
        }
        Reply::json(200, &json!({ "succeeded": succeeded, "failed": failed }))
    }

    fn batch_ids(&self, body: &Map<String, Value>) -> Result<Vec<String>, Reply> {
        let ids = match body.get("ids") {
            None | Some(Value::Null) => &[][..],
            Some(Value::Array(ids)) => ids,
            Some(Value::String(text)) if text.is_empty() => &[],
            Some(_) => return Err(Reply::html_error(500)),
        };
        if ids.is_empty() {
            return Err(Reply::json(400, &json!({ "error": "No ids provided" })));
        }
        if ids.len() > IDS_MAX {
            return Err(match self.release {
                Release::V3_15_1 => Reply::json(400, &json!({ "error": format!("Too many ids (max {IDS_MAX})") })),
                Release::V3_20_8 => Reply::json(400, &json!({ "error": "too many ids", "max": IDS_MAX })),
            });
        }
        let ids: Vec<String> = ids.iter().map(values::printed).collect();
        match ids.iter().find(|id| uuid(id).is_none()) {
            None => Ok(ids),
            Some(bad) if self.release.is_later() => {
                Err(Reply::json(400, &json!({ "non_field_errors": [words::bad_uuid(bad)] })))
            }
            Some(_) => Err(Reply::html_error(500)),
        }
    }

    fn one(&mut self, order: &Order<'_>, index: Index) -> Result<(), Value> {
        if !self.caller.may(WRITE, self.state.folder_of(order.kind, index)) {
            return Err(json!("Permission denied"));
        }
        match order.kind {
            Kind::Incident if order.action == Action::Delete => {
                self.state.remove_incident(index);
                Ok(())
            }
            Kind::Incident => self.one_incident(order, index),
            Kind::Threat if order.action != Action::Delete => self.one_threat(order, index),
            // Nothing else can be removed or changed here.
            _ => Err(json!("Permission denied")),
        }
    }

    fn one_incident(&mut self, order: &Order<'_>, index: Index) -> Result<(), Value> {
        let as_list = |value: &Value| if value.is_array() { value.clone() } else { json!([value]) };
        let value = match order.action {
            Action::Set => as_list(&order.value),
            Action::SetAdd | Action::SetRemove => self.merged(order, index),
            _ => order.value.clone(),
        };
        let body = Map::from_iter([(order.field.to_owned(), value)]);
        let changes = self
            .validated(index, &body, false)
            .map_err(|reply| serde_json::from_slice(&reply.body).unwrap_or_else(|_| json!(UNEXPECTED)))?;
        if order.defect {
            return Err(json!(UNEXPECTED));
        }
        self.change(index, changes);
        Ok(())
    }

    /// The set that adding or removing members leads to.
    fn merged(&self, order: &Order<'_>, index: Index) -> Value {
        let links = &self.state.incidents.at(index).links;
        let (kind, held) = match order.field {
            "threats" => (Kind::Threat, &links.threats),
            "owners" => (Kind::Actor, &links.owners),
            "assets" => (Kind::Asset, &links.assets),
            "qualifications" => (Kind::Term, &links.qualifications),
            "entities" => (Kind::Entity, &links.entities),
            _ => (Kind::Label, &links.labels),
        };
        let mut ids: Vec<Value> = held.iter().map(|&member| json!(self.state.id(kind, member).to_string())).collect();
        let given = match &order.value {
            Value::Array(items) => items.clone(),
            single => vec![single.clone()],
        };
        ids.retain(|id| !given.contains(id));
        if order.action == Action::SetAdd {
            ids.extend(given);
        }
        Value::Array(ids)
    }

    fn one_threat(&mut self, order: &Order<'_>, index: Index) -> Result<(), Value> {
        let problem = |text: String| json!({ order.field: [text] });
        let text = |value: &Value| match value {
            Value::Null => None,
            other => Some(values::printed(other)),
        };
        match (order.action, order.field) {
            (Action::Folder, _) => {
                let folder = values::key(self.state, Kind::Folder, &order.value).map_err(problem)?;
                self.state.threats.at_mut(index).folder = folder;
            }
            (Action::Set, "filtering_labels") => {
                let value = if order.value.is_array() { order.value.clone() } else { json!([order.value]) };
                let labels = values::keys(self.state, Kind::Label, &value).map_err(problem)?;
                self.state.threats.at_mut(index).labels = self.state.set(Kind::Label, labels).into_vec();
            }
            (Action::Field, "provider") => self.state.threats.at_mut(index).provider = text(&order.value),
            (Action::Field, "description") => self.state.threats.at_mut(index).description = text(&order.value),
            (Action::Field, "annotation") => self.state.threats.at_mut(index).annotation = text(&order.value),
            // The older release takes an unknown field for a success without effect.
            _ => {}
        }
        let threat = self.state.threats.at_mut(index);
        threat.updated_at = self.now.max(threat.updated_at + 1);
        Ok(())
    }
}

/// Whether the later release lets a batch change that field.
fn editable(kind: Kind, field: &str) -> bool {
    const INCIDENT: [&str; 18] = [
        "name",
        "description",
        "ref_id",
        "status",
        "severity",
        "reported_at",
        "detection",
        "link",
        "is_published",
        "folder",
        "filtering_labels",
        "threats",
        "owners",
        "assets",
        "qualifications",
        "entities",
        "occurred_at",
        "resolved_at",
    ];
    match kind {
        Kind::Incident => INCIDENT.contains(&field) || matches!(field, "resolution" | "is_bcp_activated"),
        _ => matches!(
            field,
            "name" | "description" | "annotation" | "provider" | "ref_id" | "folder" | "filtering_labels"
        ),
    }
}
