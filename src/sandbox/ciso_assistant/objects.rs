//! A server that holds given objects instead of a made-up world: how tests mirror a recorded server.
//!
//! One JSON object with a list per resource; members are named as in the API, related objects are bare ids, choices are
//! codes. Lists are read in the order of [`read`]; an object may refer to those before it and, in its own list, upwards.

use crate::sandbox::ciso_assistant::accounts::{ANALYST, Account, Grant, READER};
use crate::sandbox::ciso_assistant::build::{capitalised, display};
use crate::sandbox::ciso_assistant::query::uuid;
use crate::sandbox::ciso_assistant::state::*;
use crate::sandbox::ciso_assistant::words;
use crate::sandbox::ciso_assistant::write_values::parse_time;
use crate::sandbox::clock::Micros;
use crate::sandbox::random::Random;
use serde_json::Value;
use uuid::Uuid;

/// One given object, with the tables that its references are looked up in.
struct Given<'a> {
    state: &'a State,
    value: &'a Value,
}

impl Given<'_> {
    fn text(&self, key: &str) -> Result<String, String> {
        self.maybe(key).ok_or_else(|| format!("'{key}' is missing in {}", self.value))
    }

    fn maybe(&self, key: &str) -> Option<String> {
        self.value.get(key)?.as_str().map(str::to_owned)
    }

    fn is(&self, key: &str) -> bool {
        self.value.get(key).and_then(Value::as_bool).unwrap_or(false)
    }

    fn id(&self) -> Result<Uuid, String> {
        self.text("id").and_then(|id| uuid(&id).ok_or_else(|| format!("'{id}' is not a uuid")))
    }

    fn maybe_time(&self, key: &str) -> Result<Option<Micros>, String> {
        match self.maybe(key) {
            Some(text) => parse_time(&text).map(Some).ok_or_else(|| format!("'{text}' is not a time")),
            None => Ok(None),
        }
    }

    /// A time that, when absent, is the epoch.
    fn time(&self, key: &str) -> Result<Micros, String> {
        self.maybe_time(key).map(Option::unwrap_or_default)
    }

    fn find(&self, kind: Kind, id: &Value) -> Result<Index, String> {
        let found = id.as_str().and_then(uuid).and_then(|id| self.state.find(kind, id));
        found.ok_or_else(|| format!("no {kind:?} {id} for {}", self.value))
    }

    fn one(&self, key: &str, kind: Kind) -> Result<Option<Index>, String> {
        match self.value.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(id) => self.find(kind, id).map(Some),
        }
    }

    fn folder(&self) -> Result<Index, String> {
        Ok(self.one("folder", Kind::Folder)?.unwrap_or(ROOT))
    }

    fn many(&self, key: &str, kind: Kind) -> Result<Vec<Index>, String> {
        self.value.get(key).and_then(Value::as_array).into_iter().flatten().map(|id| self.find(kind, id)).collect()
    }

    fn set(&self, key: &str, kind: Kind) -> Result<Box<[Index]>, String> {
        Ok(self.state.set(kind, self.many(key, kind)?))
    }
}

fn list<'a>(objects: &'a Value, name: &str) -> &'a [Value] {
    objects.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// Tables and accounts of given objects. Fails with a sentence that names the object at fault.
pub(super) fn read(objects: &Value, seed: u64) -> Result<(State, Vec<Account>), String> {
    let mut state = State::new(Random::of(seed, "created by clients", 0));
    let mut each = |name: &str, add: fn(&mut State, &Value) -> Result<(), String>| -> Result<(), String> {
        list(objects, name).iter().try_for_each(|value| add(&mut state, value))
    };
    each("folders", folder)?;
    each("filtering_labels", label)?;
    each("terminologies", term)?;
    each("users", user)?;
    each("teams", team)?;
    each("entities", entity)?;
    each("actors", actor)?;
    each("assets", asset)?;
    each("threats", threat)?;
    each("evidences", evidence)?;
    each("incidents", incident)?;
    each("timeline_entries", entry)?;
    let accounts: Result<Vec<Account>, String> =
        list(objects, "accounts").iter().map(|value| account(&Given { state: &state, value })).collect();
    Ok((state, accounts?))
}

fn folder(state: &mut State, value: &Value) -> Result<(), String> {
    let given = Given { state, value };
    let folder = Folder {
        id: given.id()?,
        name: given.text("name")?,
        description: given.maybe("description"),
        parent: given.one("parent_folder", Kind::Folder)?,
        created_at: given.time("created_at")?,
        updated_at: given.time("updated_at")?,
    };
    state.folders.add(folder);
    Ok(())
}

fn label(state: &mut State, value: &Value) -> Result<(), String> {
    let given = Given { state, value };
    let label = Label {
        id: given.id()?,
        label: given.text("label")?,
        folder: given.folder()?,
        created_at: given.time("created_at")?,
        updated_at: given.time("updated_at")?,
    };
    state.labels.add(label);
    Ok(())
}

fn term(state: &mut State, value: &Value) -> Result<(), String> {
    let given = Given { state, value };
    let name = given.text("name")?;
    let term = Term {
        id: given.id()?,
        field_path: given.text("field_path")?,
        display: capitalised(&name),
        name,
        description: given.maybe("description"),
        builtin: given.is("builtin"),
        is_visible: true,
        created_at: given.time("created_at")?,
        updated_at: given.time("updated_at")?,
    };
    state.terms.add(term);
    Ok(())
}

fn user(state: &mut State, value: &Value) -> Result<(), String> {
    let given = Given { state, value };
    let (email, first_name, last_name) = (given.text("email")?, given.text("first_name")?, given.text("last_name")?);
    let user = User {
        id: given.id()?,
        display: display(&first_name, &last_name, &email),
        email,
        first_name,
        last_name,
        is_active: true,
        is_superuser: given.is("is_superuser"),
        has_mfa: false,
        date_joined: given.time("date_joined")?,
    };
    state.users.add(user);
    Ok(())
}

fn team(state: &mut State, value: &Value) -> Result<(), String> {
    let given = Given { state, value };
    let team = Team {
        id: given.id()?,
        name: given.text("name")?,
        description: given.maybe("description"),
        folder: given.folder()?,
        team_email: given.maybe("team_email"),
        leader: given.one("leader", Kind::User)?,
        deputies: given.many("deputies", Kind::User)?,
        members: given.many("members", Kind::User)?,
    };
    state.teams.add(team);
    Ok(())
}

fn entity(state: &mut State, value: &Value) -> Result<(), String> {
    let given = Given { state, value };
    let entity = Entity {
        id: given.id()?,
        name: given.text("name")?,
        description: given.maybe("description"),
        ref_id: given.maybe("ref_id").unwrap_or_default(),
        folder: given.folder()?,
        parent: given.one("parent_entity", Kind::Entity)?,
        relationship: given.many("relationship", Kind::Term)?,
        reference_link: given.maybe("reference_link"),
        country: String::new(),
        created_at: given.time("created_at")?,
        updated_at: given.time("updated_at")?,
    };
    state.entities.add(entity);
    Ok(())
}

fn actor(state: &mut State, value: &Value) -> Result<(), String> {
    let given = Given { state, value };
    let subject =
        match (given.one("user", Kind::User)?, given.one("team", Kind::Team)?, given.one("entity", Kind::Entity)?) {
            (Some(user), None, None) => Subject::User(user),
            (None, Some(team), None) => Subject::Team(team),
            (None, None, Some(entity)) => Subject::Entity(entity),
            _ => return Err(format!("an actor stands for a user, a team or an entity: {value}")),
        };
    let actor = Actor { id: given.id()?, subject };
    state.actors.add(actor);
    Ok(())
}

fn asset(state: &mut State, value: &Value) -> Result<(), String> {
    let given = Given { state, value };
    let parents = given.many("parent_assets", Kind::Asset)?;
    let asset = Asset {
        id: given.id()?,
        name: given.text("name")?,
        description: given.maybe("description"),
        ref_id: given.maybe("ref_id").unwrap_or_default(),
        folder: given.folder()?,
        primary: given.maybe("type").as_deref() == Some("PR"),
        owner: given.many("owner", Kind::Actor)?,
        labels: given.many("filtering_labels", Kind::Label)?,
        parents: parents.clone(),
        children: Vec::new(),
        reference_link: given.maybe("reference_link"),
        observation: given.maybe("observation"),
        is_business_function: given.is("is_business_function"),
        created_at: given.time("created_at")?,
        updated_at: given.time("updated_at")?,
    };
    let asset = state.assets.add(asset);
    for parent in parents {
        state.assets.at_mut(parent).children.push(asset);
    }
    Ok(())
}

fn threat(state: &mut State, value: &Value) -> Result<(), String> {
    let given = Given { state, value };
    let threat = Threat {
        id: given.id()?,
        name: given.text("name")?,
        description: given.maybe("description"),
        annotation: given.maybe("annotation"),
        ref_id: given.maybe("ref_id").unwrap_or_default(),
        provider: given.maybe("provider"),
        urn: given.maybe("urn"),
        library: None,
        labels: given.many("filtering_labels", Kind::Label)?,
        folder: given.folder()?,
        created_at: given.time("created_at")?,
        updated_at: given.time("updated_at")?,
    };
    state.threats.add(threat);
    Ok(())
}

fn evidence(state: &mut State, value: &Value) -> Result<(), String> {
    let given = Given { state, value };
    let evidence = Evidence {
        id: given.id()?,
        name: given.text("name")?,
        description: given.maybe("description"),
        folder: given.folder()?,
        owner: given.many("owner", Kind::Actor)?,
        labels: given.many("filtering_labels", Kind::Label)?,
        status: "Draft",
        link: given.maybe("link"),
        attachment: given.maybe("attachment"),
        size: given.maybe("size"),
        created_at: given.time("created_at")?,
        updated_at: given.time("updated_at")?,
    };
    state.evidences.add(evidence);
    Ok(())
}

fn incident(state: &mut State, value: &Value) -> Result<(), String> {
    let given = Given { state, value };
    let status = given.text("status")?;
    let position = words::STATUS.iter().position(|(code, _)| *code == status);
    let severity = value.get("severity").and_then(Value::as_u64).filter(|severity| (1..=6).contains(severity));
    let incident = Incident {
        id: given.id()?,
        name: given.text("name")?.into(),
        ref_id: given.maybe("ref_id").unwrap_or_default().into(),
        description: given.maybe("description").map(Into::into),
        link: given.maybe("link").map(Into::into),
        status: position.ok_or_else(|| format!("'{status}' is no status"))? as u8,
        severity: severity.ok_or_else(|| format!("no severity of 1 to 6 in {value}"))? as u8,
        detection: match given.maybe("detection").as_deref() {
            None => Detection::Null,
            Some("") => Detection::Blank,
            Some(code) if code == words::INTERNAL.0 => Detection::Internal,
            Some(_) => Detection::External,
        },
        is_published: true,
        folder: given.folder()?,
        created_at: given.time("created_at")?,
        updated_at: given.time("updated_at")?,
        reported_at: given.maybe_time("reported_at")?,
        links: Links {
            threats: given.set("threats", Kind::Threat)?,
            owners: given.set("owners", Kind::Actor)?,
            assets: given.set("assets", Kind::Asset)?,
            qualifications: given.set("qualifications", Kind::Term)?,
            entities: given.set("entities", Kind::Entity)?,
            labels: given.set("filtering_labels", Kind::Label)?,
        },
        entries: Vec::new(),
        later: None,
    };
    state.incidents.add(incident);
    Ok(())
}

fn entry(state: &mut State, value: &Value) -> Result<(), String> {
    let given = Given { state, value };
    let incident = given.one("incident", Kind::Incident)?.ok_or_else(|| format!("no incident in {value}"))?;
    let code = given.text("entry_type")?;
    let position = words::ENTRY_TYPE.iter().position(|(known, _)| *known == code);
    let entry = Entry {
        id: given.id()?,
        incident,
        author: given.one("author", Kind::Actor)?,
        entry: given.text("entry")?.into(),
        entry_type: position.ok_or_else(|| format!("'{code}' is no entry type"))? as u8,
        timestamp: given.time("timestamp")?,
        observation: given.maybe("observation").map(Into::into),
        evidences: given.set("evidences", Kind::Evidence)?,
        created_at: given.time("created_at")?,
        updated_at: given.time("updated_at")?,
        is_published: true,
    };
    let entry = state.entries.add(entry);
    state.incidents.at_mut(incident).entries.push(entry);
    Ok(())
}

fn account(given: &Given<'_>) -> Result<Account, String> {
    let email = given.text("email")?;
    let user = given.one("user", Kind::User)?.ok_or_else(|| format!("no user in {}", given.value))?;
    let mut actors = given.state.actors.iter();
    let actor = actors.find(|(_, actor)| actor.subject == Subject::User(user)).map(|(actor, _)| actor);
    let actor = actor.ok_or_else(|| format!("{email} has no actor"))?;
    let account = Account::new(given.state, &email, &given.text("password")?, (user, actor));
    let grants = |key, rights| -> Result<Vec<Grant>, String> {
        Ok(given.many(key, Kind::Folder)?.into_iter().map(|folder| Grant { folder, rights }).collect())
    };
    let mut granted = grants("reads", READER)?;
    granted.extend(grants("writes", ANALYST)?);
    let account = account.granted(given.state, &granted);
    Ok(if given.is("admin") { account.admin() } else { account })
}
