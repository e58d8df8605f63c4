//! The JSON shapes of the related objects, as recorded from both releases.

use crate::sandbox::ciso_assistant::json::Json;
use crate::sandbox::ciso_assistant::render::{Shown, View};
use crate::sandbox::ciso_assistant::state::*;
use std::collections::HashMap;
use uuid::Uuid;

/// The ids of the incidents of some assets, found in one pass over all incidents.
pub(super) struct IncidentsOfAssets(HashMap<Index, Vec<Uuid>>);

impl IncidentsOfAssets {
    /// Empty unless the objects are assets.
    pub(super) fn of(view: &View<'_>, kind: Kind, rows: &[Index]) -> IncidentsOfAssets {
        if kind != Kind::Asset {
            return IncidentsOfAssets(HashMap::new());
        }
        let mut found: HashMap<Index, Vec<Uuid>> = rows.iter().map(|&row| (row, Vec::new())).collect();
        for (_, incident) in view.state.incidents.iter() {
            for asset in &incident.links.assets {
                if let Some(ids) = found.get_mut(asset) {
                    ids.push(incident.id);
                }
            }
        }
        IncidentsOfAssets(found)
    }
}

impl View<'_> {
    pub(super) fn related(
        &self,
        json: &mut Json,
        kind: Kind,
        index: Index,
        shown: Shown,
        incidents: &IncidentsOfAssets,
    ) {
        match kind {
            Kind::Incident => self.incident(json, index, shown),
            Kind::Entry => self.entry(json, index, shown),
            Kind::Asset if shown == Shown::InList && self.release.is_later() => self.slim_asset(json, index),
            Kind::Asset => self.asset(json, index, shown, incidents),
            Kind::Threat => self.threat(json, index),
            Kind::Evidence => self.evidence(json, index),
            Kind::User => self.user(json, index),
            Kind::Actor => self.actor(json, index),
            Kind::Team => self.team(json, index),
            Kind::Entity => self.entity(json, index),
            Kind::Folder => self.folder(json, index),
            Kind::Label => self.label(json, index),
            Kind::Term => self.term(json, index),
        }
    }

    /// Labels of assets and threats carry their folder too.
    fn labels_with_folder(&self, json: &mut Json, labels: &[Index]) {
        json.key("filtering_labels").open(b'[');
        for &label in labels {
            json.open(b'{');
            if self.sees(Kind::Label, label) {
                json.key("str")
                    .string(self.state.text(Kind::Label, label))
                    .key("id")
                    .uuid(self.state.id(Kind::Label, label));
                self.named(json, "folder", Kind::Folder, Some(self.state.labels.at(label).folder));
            }
            json.close(b'}');
        }
        json.close(b']');
    }

    fn asset(&self, json: &mut Json, index: Index, shown: Shown, incidents: &IncidentsOfAssets) {
        let asset = self.state.assets.at(index);
        json.open(b'{').key("id").uuid(asset.id);
        self.names(json, "parent_assets", Kind::Asset, &asset.parents);
        self.names(json, "support_assets", Kind::Asset, &asset.children);
        json.empty_lists(&["solutions", "security_exceptions", "applied_controls", "vulnerabilities"]);
        json.key("incidents").open(b'[');
        for &id in incidents.0.get(&index).into_iter().flatten() {
            json.uuid(id);
        }
        json.close(b']').empty_lists(&["organisation_objectives"]);
        self.path(json, asset.folder, Shown::InList);
        self.named(json, "folder", Kind::Folder, Some(asset.folder));
        self.names(json, "owner", Kind::Actor, &asset.owner);
        self.labels_with_folder(json, &asset.labels);
        json.key("type").string(if asset.primary { "Primary" } else { "Support" }).empty_lists(&["personal_data"]);
        json.key("asset_class").null().empty_lists(&["overridden_children_capabilities"]);
        json.key("children_assets").open(b'[');
        // Alone by id, in a list as they come: the real server's doing.
        let sorted = self.state.set(Kind::Asset, asset.children.clone());
        for &child in if shown == Shown::Alone { &*sorted } else { &*asset.children } {
            json.open(b'{').key("id").uuid(self.state.id(Kind::Asset, child));
            json.key("str").string(self.state.text(Kind::Asset, child)).close(b'}');
        }
        json.close(b']');
        json.empty_lists(&[
            "security_objectives",
            "disaster_recovery_objectives",
            "security_capabilities",
            "recovery_capabilities",
        ]);
        self.objectives(json);
        json.key("created_at").time(asset.created_at).key("updated_at").time(asset.updated_at);
        json.key("name").string(&asset.name).key("description").text(asset.description.as_deref());
        json.key("reference_link").text(asset.reference_link.as_deref()).key("ref_id").string(&asset.ref_id);
        json.key("is_published").bool(true).key("observation").text(asset.observation.as_deref());
        json.key("is_business_function").bool(asset.is_business_function);
        json.nulls(&[
            "dora_licenced_activity",
            "dora_criticality_assessment",
            "dora_criticality_justification",
            "dora_discontinuing_impact",
        ]);
        json.close(b'}');
    }

    fn objectives(&self, json: &mut Json) {
        json.key("security_objectives_comparison").open(b'[');
        for objective in ["confidentiality", "integrity", "availability", "proof", "authenticity", "privacy", "safety"]
        {
            json.open(b'{')
                .key("objective")
                .string(objective)
                .nulls(&["expectation", "reality", "verdict"])
                .close(b'}');
        }
        json.close(b']').key("recovery_objectives_comparison").open(b'[');
        for objective in ["rto", "rpo", "mtd"] {
            json.open(b'{')
                .key("objective")
                .string(objective)
                .nulls(&["verdict", "expectation", "reality"])
                .close(b'}');
        }
        json.close(b']');
    }

    /// What later releases show of an asset in a list.
    fn slim_asset(&self, json: &mut Json, index: Index) {
        let asset = self.state.assets.at(index);
        json.open(b'{').key("id").uuid(asset.id).key("ref_id").string(&asset.ref_id).key("name").string(&asset.name);
        json.key("description").text(asset.description.as_deref());
        json.key("type").string(if asset.primary { "Primary" } else { "Support" });
        json.key("is_primary").bool(asset.primary).key("is_business_function").bool(asset.is_business_function);
        self.named(json, "folder", Kind::Folder, Some(asset.folder));
        json.key("asset_class").null();
        self.names(json, "owner", Kind::Actor, &asset.owner);
        self.labels_with_folder(json, &asset.labels);
        self.names(json, "parent_assets", Kind::Asset, &asset.parents);
        json.empty_lists(&["security_objectives", "disaster_recovery_objectives"]);
        json.key("created_at").time(asset.created_at).key("updated_at").time(asset.updated_at).close(b'}');
    }

    fn threat(&self, json: &mut Json, index: Index) {
        let threat = self.state.threats.at(index);
        json.open(b'{').key("id").uuid(threat.id).key("name").string(&threat.name);
        json.key("description")
            .text(threat.description.as_deref())
            .key("annotation")
            .text(threat.annotation.as_deref());
        self.path(json, threat.folder, Shown::InList);
        self.named(json, "folder", Kind::Folder, Some(threat.folder));
        json.key("library");
        match &threat.library {
            Some((id, text)) => json.open(b'{').key("str").string(text).key("id").uuid(*id).close(b'}'),
            None => json.null(),
        };
        self.labels_with_folder(json, &threat.labels);
        json.key("created_at").time(threat.created_at).key("updated_at").time(threat.updated_at);
        json.key("urn").text(threat.urn.as_deref()).key("ref_id").string(&threat.ref_id);
        json.key("provider").text(threat.provider.as_deref()).key("locale").string("en");
        json.key("default_locale").bool(true).key("is_published").bool(true).close(b'}');
    }

    fn evidence(&self, json: &mut Json, index: Index) {
        let evidence = self.state.evidences.at(index);
        json.open(b'{').key("id").uuid(evidence.id);
        self.path(json, evidence.folder, Shown::InList);
        json.key("attachment").text(evidence.attachment.as_deref()).key("size").text(evidence.size.as_deref());
        self.named(json, "folder", Kind::Folder, Some(evidence.folder));
        json.empty_lists(&["applied_controls", "requirement_assessments", "contracts"]);
        if self.release.is_later() {
            json.empty_lists(&["security_exceptions"]);
        }
        self.names(json, "filtering_labels", Kind::Label, &evidence.labels);
        self.names(json, "owner", Kind::Actor, &evidence.owner);
        json.key("status").string(evidence.status).key("link").text(evidence.link.as_deref());
        json.key("created_at").time(evidence.created_at).key("updated_at").time(evidence.updated_at);
        json.key("name").string(&evidence.name).key("description").text(evidence.description.as_deref());
        json.key("is_published").bool(true).key("expiry_date").null().close(b'}');
    }

    fn user(&self, json: &mut Json, index: Index) {
        let user = self.state.users.at(index);
        json.open(b'{').key("id").uuid(user.id).key("email").string(&user.email);
        json.key("first_name").string(&user.first_name).key("last_name").string(&user.last_name);
        json.key("is_active")
            .bool(user.is_active)
            .key("date_joined")
            .time(user.date_joined)
            .empty_lists(&["user_groups"]);
        if self.release.is_later() {
            json.empty_lists(&["idp_groups"]);
        }
        json.key("keep_local_login").bool(false).key("is_third_party").bool(false).key("observation").null();
        json.key("has_mfa_enabled").bool(user.has_mfa).key("expiry_date").null();
        json.key("is_superuser").bool(user.is_superuser);
        if self.release.is_later() {
            self.named(json, "folder", Kind::Folder, Some(ROOT));
        }
        json.close(b'}');
    }

    fn actor(&self, json: &mut Json, index: Index) {
        let (kind, subject) = self.state.subject(index);
        let word = match kind {
            Kind::User => "user",
            Kind::Team => "team",
            _ => "entity",
        };
        json.open(b'{')
            .key("id")
            .uuid(self.state.id(Kind::Actor, index))
            .key("str")
            .string(self.state.text(Kind::Actor, index));
        json.key("type").string(word);
        self.named(json, "specific", kind, Some(subject));
        json.close(b'}');
    }

    fn team(&self, json: &mut Json, index: Index) {
        let team = self.state.teams.at(index);
        json.open(b'{').key("id").uuid(team.id).key("name").string(&team.name);
        json.key("description").text(team.description.as_deref());
        self.named(json, "folder", Kind::Folder, Some(team.folder));
        json.key("team_email").text(team.team_email.as_deref());
        self.named(json, "leader", Kind::User, team.leader);
        self.names(json, "deputies", Kind::User, &team.deputies);
        self.names(json, "members", Kind::User, &team.members);
        json.close(b'}');
    }

    fn entity(&self, json: &mut Json, index: Index) {
        let entity = self.state.entities.at(index);
        json.open(b'{').key("id").uuid(entity.id);
        self.named(json, "folder", Kind::Folder, Some(entity.folder));
        json.empty_lists(&["owned_folders"]);
        self.named(json, "parent_entity", Kind::Entity, entity.parent);
        json.empty_lists(&["branches"]);
        self.names(json, "relationship", Kind::Term, &entity.relationship);
        json.empty_lists(&["contracts"]);
        if self.release.is_later() {
            json.empty_lists(&["subcontracts_provided", "subcontracts_received"]);
        }
        json.key("legal_identifiers")
            .string("")
            .key("default_criticality")
            .raw("0.0")
            .empty_lists(&["filtering_labels"]);
        json.key("created_at")
            .time(entity.created_at)
            .key("updated_at")
            .time(entity.updated_at)
            .key("is_published")
            .bool(false);
        json.key("name").string(&entity.name).key("description").text(entity.description.as_deref());
        json.key("ref_id").string(&entity.ref_id).key("is_active").bool(true).key("default_dependency").int(0);
        json.key("default_penetration").int(0).key("default_maturity").int(1).key("default_trust").int(1);
        json.key("mission")
            .string("")
            .key("reference_link")
            .text(entity.reference_link.as_deref())
            .key("builtin")
            .bool(false);
        json.key("country").string(&entity.country).key("currency").string("").key("dora_entity_type").string("");
        json.key("dora_entity_hierarchy").string("").key("dora_assets_value").null();
        json.key("dora_competent_authority").string("").key("dora_provider_person_type").string("").close(b'}');
    }

    fn folder(&self, json: &mut Json, index: Index) {
        let folder = self.state.folders.at(index);
        json.open(b'{').key("id").uuid(folder.id).key("path").open(b'[');
        // Only the folders above it, without the root.
        for above in folder.parent.map(|parent| self.state.path(parent)).unwrap_or_default() {
            let above = self.state.folders.at(above);
            json.open(b'{').key("id").uuid(above.id).key("str").string(&above.name).close(b'}');
        }
        json.close(b']');
        self.named(json, "parent_folder", Kind::Folder, folder.parent);
        json.empty_lists(&["filtering_labels"]).key("content_type").string(if index == ROOT {
            "GLOBAL"
        } else {
            "DOMAIN"
        });
        json.key("created_at")
            .time(folder.created_at)
            .key("updated_at")
            .time(folder.updated_at)
            .key("is_published")
            .bool(true);
        json.key("name").string(&folder.name).key("description").text(folder.description.as_deref());
        json.key("builtin").bool(index == ROOT).key("create_iam_groups").bool(true).close(b'}');
    }

    fn label(&self, json: &mut Json, index: Index) {
        let label = self.state.labels.at(index);
        json.open(b'{').key("id").uuid(label.id);
        self.path(json, label.folder, Shown::InList);
        self.named(json, "folder", Kind::Folder, Some(label.folder));
        json.key("created_at").time(label.created_at).key("updated_at").time(label.updated_at);
        json.key("is_published").bool(true).key("label").string(&label.label).close(b'}');
    }

    fn term(&self, json: &mut Json, index: Index) {
        let term = self.state.terms.at(index);
        json.open(b'{').key("id").uuid(term.id).key("field_path").string(&term.field_path);
        json.key("translated_name").string(&term.display);
        json.key("created_at").time(term.created_at).key("updated_at").time(term.updated_at);
        json.key("name").string(&term.name).key("description").text(term.description.as_deref());
        json.key("is_published").bool(true).key("builtin").bool(term.builtin).key("is_visible").bool(term.is_visible);
        json.key("translations").open(b'{').close(b'}').close(b'}');
    }
}
