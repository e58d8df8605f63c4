//! What the simulated server stores: tables of records that refer to each other by index.
//!
//! Records are compact (a hundred thousand incidents must fit in a fraction of 300 MB) and never cloned for a request.

use crate::sandbox::ciso_assistant::ranks::Ranks;
use crate::sandbox::clock::Micros;
use crate::sandbox::random::Random;
use std::collections::HashMap;
use uuid::Uuid;

/// Position of a record in its table; stays valid when others are removed.
pub(super) type Index = u32;

/// The resources that can be addressed by uuid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Incident,
    Entry,
    Asset,
    Threat,
    Evidence,
    User,
    Actor,
    Team,
    Entity,
    Folder,
    Label,
    Term,
}

pub(super) trait Record {
    fn id(&self) -> Uuid;
}

/// Records by position and by id. Removed positions stay empty.
pub(super) struct Table<T> {
    rows: Vec<Option<T>>,
    by_id: HashMap<Uuid, Index>,
}

impl<T: Record> Table<T> {
    pub(super) fn new() -> Table<T> {
        Table { rows: Vec::new(), by_id: HashMap::new() }
    }

    pub(super) fn add(&mut self, record: T) -> Index {
        let index = self.rows.len() as Index;
        self.by_id.insert(record.id(), index);
        self.rows.push(Some(record));
        index
    }

    /// The record at a position that another record refers to.
    pub(super) fn at(&self, index: Index) -> &T {
        self.rows[index as usize].as_ref().expect("records that are referred to are unlinked before removal")
    }

    pub(super) fn at_mut(&mut self, index: Index) -> &mut T {
        self.rows[index as usize].as_mut().expect("records that are referred to are unlinked before removal")
    }

    pub(super) fn find(&self, id: Uuid) -> Option<Index> {
        self.by_id.get(&id).copied()
    }

    pub(super) fn remove(&mut self, index: Index) -> Option<T> {
        let record = self.rows[index as usize].take()?;
        self.by_id.remove(&record.id());
        Some(record)
    }

    /// All records with their positions, in order of creation.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Index, &T)> {
        self.rows.iter().enumerate().filter_map(|(index, row)| Some((index as Index, row.as_ref()?)))
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }
}

macro_rules! records {
    ($($name:ident),*) => { $(impl Record for $name { fn id(&self) -> Uuid { self.id } })* };
}
records!(Incident, Entry, Asset, Threat, Evidence, User, Actor, Team, Entity, Folder, Label, Term);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detection {
    Null,
    Blank,
    Internal,
    External,
}

pub(super) struct Incident {
    pub(super) id: Uuid,
    pub(super) name: Box<str>,
    pub(super) ref_id: Box<str>,
    pub(super) description: Option<Box<str>>,
    pub(super) link: Option<Box<str>>,
    /// Index into [`super::words::STATUS`].
    pub(super) status: u8,
    /// 1 to 6.
    pub(super) severity: u8,
    pub(super) detection: Detection,
    pub(super) is_published: bool,
    pub(super) folder: Index,
    pub(super) created_at: Micros,
    pub(super) updated_at: Micros,
    pub(super) reported_at: Option<Micros>,
    pub(super) links: Links,
    /// Timeline entries, oldest first by creation.
    pub(super) entries: Vec<Index>,
    pub(super) later: Option<Box<Later>>,
}

/// The six related sets, each in the order of [`State::set`].
#[derive(Clone, Default)]
pub(super) struct Links {
    pub(super) threats: Box<[Index]>,
    pub(super) owners: Box<[Index]>,
    pub(super) assets: Box<[Index]>,
    pub(super) qualifications: Box<[Index]>,
    pub(super) entities: Box<[Index]>,
    pub(super) labels: Box<[Index]>,
}

/// Fields that only later releases show.
#[derive(Clone, Default)]
pub(super) struct Later {
    pub(super) occurred_at: Option<Micros>,
    pub(super) resolved_at: Option<Micros>,
    pub(super) resolution: Option<Box<str>>,
    pub(super) is_bcp_activated: Option<bool>,
    pub(super) applied_controls: Vec<(Uuid, &'static str)>,
    pub(super) task_templates: Vec<(Uuid, &'static str)>,
    pub(super) risk_scenarios: Vec<(Uuid, &'static str)>,
}

pub(super) struct Entry {
    pub(super) id: Uuid,
    pub(super) incident: Index,
    pub(super) author: Option<Index>,
    pub(super) entry: Box<str>,
    /// Index into [`super::words::ENTRY_TYPE`].
    pub(super) entry_type: u8,
    pub(super) timestamp: Micros,
    pub(super) observation: Option<Box<str>>,
    pub(super) evidences: Box<[Index]>,
    pub(super) created_at: Micros,
    pub(super) updated_at: Micros,
    pub(super) is_published: bool,
}

pub(super) struct Folder {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) parent: Option<Index>,
    pub(super) created_at: Micros,
    pub(super) updated_at: Micros,
}

pub(super) struct User {
    pub(super) id: Uuid,
    pub(super) email: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    /// "First Last", or the e-mail when both are empty.
    pub(super) display: String,
    pub(super) is_active: bool,
    pub(super) is_superuser: bool,
    pub(super) has_mfa: bool,
    pub(super) date_joined: Micros,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    User(Index),
    Team(Index),
    Entity(Index),
}

pub(super) struct Actor {
    pub(super) id: Uuid,
    pub(super) subject: Subject,
}

pub(super) struct Team {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) folder: Index,
    pub(super) team_email: Option<String>,
    pub(super) leader: Option<Index>,
    pub(super) deputies: Vec<Index>,
    pub(super) members: Vec<Index>,
}

pub(super) struct Entity {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) ref_id: String,
    pub(super) folder: Index,
    pub(super) parent: Option<Index>,
    pub(super) relationship: Vec<Index>,
    pub(super) reference_link: Option<String>,
    pub(super) country: String,
    pub(super) created_at: Micros,
    pub(super) updated_at: Micros,
}

pub(super) struct Asset {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) ref_id: String,
    pub(super) folder: Index,
    pub(super) primary: bool,
    /// Actors.
    pub(super) owner: Vec<Index>,
    pub(super) labels: Vec<Index>,
    pub(super) parents: Vec<Index>,
    pub(super) children: Vec<Index>,
    pub(super) reference_link: Option<String>,
    pub(super) observation: Option<String>,
    pub(super) is_business_function: bool,
    pub(super) created_at: Micros,
    pub(super) updated_at: Micros,
}

pub(super) struct Threat {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) annotation: Option<String>,
    pub(super) ref_id: String,
    pub(super) provider: Option<String>,
    pub(super) urn: Option<String>,
    /// The library it came with.
    pub(super) library: Option<(Uuid, String)>,
    pub(super) labels: Vec<Index>,
    pub(super) folder: Index,
    pub(super) created_at: Micros,
    pub(super) updated_at: Micros,
}

pub(super) struct Label {
    pub(super) id: Uuid,
    pub(super) label: String,
    pub(super) folder: Index,
    pub(super) created_at: Micros,
    pub(super) updated_at: Micros,
}

pub(super) struct Term {
    pub(super) id: Uuid,
    pub(super) field_path: String,
    pub(super) name: String,
    /// The name with a capital first letter.
    pub(super) display: String,
    pub(super) description: Option<String>,
    pub(super) builtin: bool,
    pub(super) is_visible: bool,
    pub(super) created_at: Micros,
    pub(super) updated_at: Micros,
}

pub(super) struct Evidence {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) folder: Index,
    /// Actors.
    pub(super) owner: Vec<Index>,
    pub(super) labels: Vec<Index>,
    pub(super) status: &'static str,
    pub(super) link: Option<String>,
    pub(super) attachment: Option<String>,
    pub(super) size: Option<String>,
    pub(super) created_at: Micros,
    pub(super) updated_at: Micros,
}

pub(super) struct State {
    pub(super) incidents: Table<Incident>,
    pub(super) entries: Table<Entry>,
    pub(super) assets: Table<Asset>,
    pub(super) threats: Table<Threat>,
    pub(super) evidences: Table<Evidence>,
    pub(super) users: Table<User>,
    pub(super) actors: Table<Actor>,
    pub(super) teams: Table<Team>,
    pub(super) entities: Table<Entity>,
    pub(super) folders: Table<Folder>,
    pub(super) labels: Table<Label>,
    pub(super) terms: Table<Term>,
    pub(super) ranks: Ranks,
    /// Gives the ids of objects that clients create.
    pub(super) random: Random,
}

/// The folder that has no folder above it is made first.
pub(super) const ROOT: Index = 0;

impl State {
    pub(super) fn new(random: Random) -> State {
        State {
            incidents: Table::new(),
            entries: Table::new(),
            assets: Table::new(),
            threats: Table::new(),
            evidences: Table::new(),
            users: Table::new(),
            actors: Table::new(),
            teams: Table::new(),
            entities: Table::new(),
            folders: Table::new(),
            labels: Table::new(),
            terms: Table::new(),
            ranks: Ranks::default(),
            random,
        }
    }

    pub(super) fn find(&self, kind: Kind, id: Uuid) -> Option<Index> {
        match kind {
            Kind::Incident => self.incidents.find(id),
            Kind::Entry => self.entries.find(id),
            Kind::Asset => self.assets.find(id),
            Kind::Threat => self.threats.find(id),
            Kind::Evidence => self.evidences.find(id),
            Kind::User => self.users.find(id),
            Kind::Actor => self.actors.find(id),
            Kind::Team => self.teams.find(id),
            Kind::Entity => self.entities.find(id),
            Kind::Folder => self.folders.find(id),
            Kind::Label => self.labels.find(id),
            Kind::Term => self.terms.find(id),
        }
    }

    pub(super) fn id(&self, kind: Kind, index: Index) -> Uuid {
        match kind {
            Kind::Incident => self.incidents.at(index).id,
            Kind::Entry => self.entries.at(index).id,
            Kind::Asset => self.assets.at(index).id,
            Kind::Threat => self.threats.at(index).id,
            Kind::Evidence => self.evidences.at(index).id,
            Kind::User => self.users.at(index).id,
            Kind::Actor => self.actors.at(index).id,
            Kind::Team => self.teams.at(index).id,
            Kind::Entity => self.entities.at(index).id,
            Kind::Folder => self.folders.at(index).id,
            Kind::Label => self.labels.at(index).id,
            Kind::Term => self.terms.at(index).id,
        }
    }

    /// The display text of an object: what stands in `str` wherever another object refers to it.
    pub(super) fn text(&self, kind: Kind, index: Index) -> &str {
        match kind {
            Kind::Incident => &self.incidents.at(index).name,
            Kind::Entry => &self.entries.at(index).entry,
            Kind::Asset => &self.assets.at(index).name,
            Kind::Threat => &self.threats.at(index).name,
            Kind::Evidence => &self.evidences.at(index).name,
            Kind::User => &self.users.at(index).display,
            Kind::Actor => {
                let (kind, subject) = self.subject(index);
                self.text(kind, subject)
            }
            Kind::Team => &self.teams.at(index).name,
            Kind::Entity => &self.entities.at(index).name,
            Kind::Folder => &self.folders.at(index).name,
            Kind::Label => &self.labels.at(index).label,
            Kind::Term => &self.terms.at(index).display,
        }
    }

    /// Who an actor stands for.
    pub(super) fn subject(&self, actor: Index) -> (Kind, Index) {
        match self.actors.at(actor).subject {
            Subject::User(index) => (Kind::User, index),
            Subject::Team(index) => (Kind::Team, index),
            Subject::Entity(index) => (Kind::Entity, index),
        }
    }

    /// The folder that an object lies in; users and terminologies lie in the root.
    pub(super) fn folder_of(&self, kind: Kind, index: Index) -> Index {
        match kind {
            Kind::Incident => self.incidents.at(index).folder,
            Kind::Entry => self.incidents.at(self.entries.at(index).incident).folder,
            Kind::Asset => self.assets.at(index).folder,
            Kind::Threat => self.threats.at(index).folder,
            Kind::Evidence => self.evidences.at(index).folder,
            Kind::Team => self.teams.at(index).folder,
            Kind::Entity => self.entities.at(index).folder,
            Kind::Folder => index,
            Kind::Label => self.labels.at(index).folder,
            Kind::Actor => {
                let (kind, subject) = self.subject(index);
                self.folder_of(kind, subject)
            }
            Kind::User | Kind::Term => ROOT,
        }
    }

    /// A folder and those above it, outermost first, without the root.
    pub(super) fn path(&self, folder: Index) -> Vec<Index> {
        let mut path = Vec::new();
        let mut next = Some(folder);
        while let Some(folder) = next.filter(|&folder| folder != ROOT) {
            path.push(folder);
            next = self.folders.at(folder).parent;
        }
        path.reverse();
        path
    }

    /// The members of a related set in the order that the real server shows, without repetitions: terminologies by
    /// name, all others by id.
    pub(super) fn set(&self, kind: Kind, mut members: Vec<Index>) -> Box<[Index]> {
        match kind {
            Kind::Term => members.sort_by_key(|&index| (&self.terms.at(index).name, index)),
            _ => members.sort_by_key(|&index| self.id(kind, index)),
        }
        members.dedup();
        members.into_boxed_slice()
    }

    /// Removes an incident with its timeline.
    pub(super) fn remove_incident(&mut self, index: Index) {
        if let Some(incident) = self.incidents.remove(index) {
            for entry in incident.entries {
                self.entries.remove(entry);
            }
        }
    }
}
