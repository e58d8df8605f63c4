//! `Owner`: a person, team or account.
//!
//! Name and kind come with the record; the rest may cost its source another call and is asked for only where selected.

use super::{
    connection::{IncidentConnection, IncidentsBelow, incidents_below},
    node,
};
use crate::{
    domain::{Owner, OwnerRef, Picture, RecordKind, Scope, Test},
    graphql::{
        leaf::Url,
        object::{Declare, Object, Wants, declare},
    },
    source::DownloadRequest,
};

declare!(Owner as "Owner" => owner);

fn owner() -> Object {
    let declared = Object::of::<Owner>("A person, team or account that can own incidents, or has made one.")
        .implements(node)
        .identity(RecordKind::Owner, |o| &o.key)
        .field("kind", "What it is.", |o| &o.kind)
        .field("sourceType", "What it is in the source's word.", |o| &o.source_type)
        .field("name", "What people call it.", |o| &o.name)
        .in_links();
    team(person(declared))
        .raw(|o| &o.profile.raw)
        .view::<IncidentsBelow, IncidentConnection>("incidents", "Incidents that it owns.", |o, page, lookup| {
            incidents_below(Test::Owners(vec![OwnerRef::Key(o.key.clone())]), page, lookup)
        })
        .end()
}

fn person(declared: Declare<Owner>) -> Declare<Owner> {
    declared
        .field("firstName", "Of a person.", |o| &o.profile.first_name)
        .wants(Wants::Profile)
        .field("lastName", "Of a person.", |o| &o.profile.last_name)
        .wants(Wants::Profile)
        .field("email", "Where mail reaches it.", |o| &o.profile.email)
        .wants(Wants::Profile)
        .made(
            "avatarUrl",
            "A picture; one that the source keeps is served through the gateway, for an hour.",
            |o, session| {
                o.profile.avatar.as_ref().map(|picture| match picture {
                    Picture::Public(url) => Url(url.clone()),
                    Picture::Kept(name) => {
                        let request = DownloadRequest::Picture { name: name.to_string() };
                        Url(session.downloads.url(&o.key.source, &request, session).into())
                    }
                })
            },
        )
        .wants(Wants::Profile)
        .field("active", "Whether the account can still be used.", |o| &o.profile.active)
        .wants(Wants::Profile)
}

fn team(declared: Declare<Owner>) -> Declare<Owner> {
    declared
        .field("description", "Of a team.", |o| &o.profile.description)
        .wants(Wants::Profile)
        .one::<Owner>("leader", "Who leads the team.", RecordKind::Owner, |o| o.profile.leader.as_ref())
        .wants(Wants::Profile)
        .maybe_many::<Owner>("deputies", "Who stands in for the team's leader.", RecordKind::Owner, |o| {
            o.profile.deputies.as_deref()
        })
        .wants(Wants::Profile)
        .maybe_many::<Owner>("members", "Who is in the team.", RecordKind::Owner, |o| o.profile.members.as_deref())
        .wants(Wants::Profile)
        .one::<Scope>("scope", "Folder, tenant or organisation that holds it.", RecordKind::Scope, |o| {
            o.profile.scope.as_ref()
        })
        .wants(Wants::Profile)
}
