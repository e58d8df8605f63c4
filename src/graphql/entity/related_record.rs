//! `RelatedRecord`: third parties, risks, controls, tasks.

use super::node;
use crate::{
    domain::{RecordKind, RelatedRecord},
    graphql::object::{Object, declare},
};

declare!(RelatedRecord as "RelatedRecord" => related_record);

fn related_record() -> Object {
    Object::of::<RelatedRecord>("A record of the source that is no incident, asset or threat, known by id and name.")
        .implements(node)
        .identity(RecordKind::RelatedRecord, |r| &r.key)
        .field("kind", "What it is.", |r| &r.kind)
        .field("name", "Its name.", |r| &r.name)
        .in_links()
        .field("reference", "A number or short id that people call it by.", |r| &r.reference)
        .field("description", "What it is about.", |r| &r.description)
        .raw(|r| &r.raw)
        .end()
}
