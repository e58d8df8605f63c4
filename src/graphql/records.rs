//! Which declaration shows which kind of record.

use super::{
    need::Need,
    object::{Declared, Object},
    plan::{Plan, plan_for},
};
use crate::domain::{Asset, Evidence, Incident, Owner, RecordKind, RelatedRecord, Scope, Tag, Term, Threat};

/// The declaration of a kind of record.
pub(crate) fn object(kind: RecordKind) -> &'static Object {
    match kind {
        RecordKind::Incident => Incident::object(),
        RecordKind::Asset => Asset::object(),
        RecordKind::Threat => Threat::object(),
        RecordKind::Owner => Owner::object(),
        RecordKind::Evidence => Evidence::object(),
        RecordKind::Scope => Scope::object(),
        RecordKind::Tag => Tag::object(),
        RecordKind::Term => Term::object(),
        RecordKind::RelatedRecord => RelatedRecord::object(),
    }
}

/// The plan for what a need brings: by its kind where that is a record's, otherwise the only one that is there.
pub(crate) fn plan_of<'a>(plans: &'a [Plan], need: &Need) -> &'a Plan {
    match need {
        Need::Record(kind, _) => plan_for(plans, object(*kind)),
        _ => &plans[0],
    }
}
