//! What deleting an incident would take along.

use crate::{
    domain::{CascadeGroup, CascadePreview, CascadeRecord},
    graphql::object::{Object, declare},
};

declare!(
    CascadePreview as "CascadePreview" => preview,
    CascadeGroup as "CascadeGroup" => group,
    CascadeRecord as "CascadeRecord" => record,
);

fn preview() -> Object {
    Object::of::<CascadePreview>("What deleting an incident would take along, as the source tells it.")
        .object("deleted", "What would be deleted with it.", |p| &p.deleted)
        .object("affected", "What would stay, but lose its tie to it.", |p| &p.affected)
        .end()
}

fn group() -> Object {
    Object::of::<CascadeGroup>("Records of one fate.")
        .field("count", "How many there are.", |g| &g.count)
        .field("message", "What the source says of them.", |g| &g.message)
        .field("level", "How serious the source takes it, in its own word.", |g| &g.level)
        .objects::<CascadeRecord, _>("records", "Grouped by `recordType`, then by name.", |g| &g.records)
        .end()
}

fn record() -> Object {
    Object::of::<CascadeRecord>("A record that a deletion would delete or touch.")
        .field("sourceId", "The source's own id.", |r| &r.source_id)
        .field("recordType", "What it is, as the source calls such records.", |r| &r.record_type)
        .field("typeLabel", "The same for people.", |r| &r.type_label)
        .field("name", "Its name.", |r| &r.name)
        .end()
}
