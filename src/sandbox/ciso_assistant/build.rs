//! Fills the tables from the neutral world: what a CISO Assistant would hold that describes it.

use crate::sandbox::ciso_assistant::accounts::{self, Account, Grant};
use crate::sandbox::ciso_assistant::state::*;
use crate::sandbox::ciso_assistant::words;
use crate::sandbox::clock::Micros;
use crate::sandbox::random::Random;
use crate::sandbox::world::{self, NoteKind, Openness, Party, World};
use uuid::Uuid;

/// Time between two objects that the world's maker typed in.
const TYPED: Micros = 73_412;

struct Builder<'a> {
    world: &'a World,
    seed: u64,
    state: State,
    clock: Micros,
    /// Where each part of the world went.
    folders: Vec<Index>,
    people: Vec<Index>,
    person_actors: Vec<Index>,
    team_actors: Vec<Index>,
    partner_actors: Vec<Index>,
    impacts: Vec<Index>,
}

/// Tables and accounts for a world. The first account is the one that a gateway is given by default.
pub(super) fn build(world: &World, seed: u64) -> (State, Vec<Account>) {
    let mut builder = Builder {
        world,
        seed,
        state: State::new(Random::of(seed, "created by clients", 0)),
        clock: world.dawn(),
        folders: Vec::new(),
        people: Vec::new(),
        person_actors: Vec::new(),
        team_actors: Vec::new(),
        partner_actors: Vec::new(),
        impacts: Vec::new(),
    };
    builder.folders();
    builder.labels_and_terms();
    builder.people();
    builder.teams_and_partners();
    builder.assets();
    builder.threats();
    builder.evidences();
    let accounts = builder.accounts();
    builder.incidents();
    (builder.state, accounts)
}

impl Builder<'_> {
    fn id(&self, domain: &str, index: usize) -> Uuid {
        Random::of(self.seed, domain, index as u64).uuid()
    }

    fn tick(&mut self) -> (Micros, Micros) {
        self.clock += TYPED;
        (self.clock, self.clock + 22)
    }

    fn folders(&mut self) {
        let (created_at, updated_at) = self.tick();
        let id = self.id("folder", usize::MAX);
        let root = Folder { id, name: "Global".to_owned(), description: None, parent: None, created_at, updated_at };
        self.state.folders.add(root);
        for (index, unit) in self.world.units.iter().enumerate() {
            let (created_at, updated_at) = self.tick();
            let parent = unit.above.map_or(ROOT, |above| self.folders[above]);
            let description = (index % 3 != 1).then(|| format!("Everything of {}", unit.name));
            let id = self.id("folder", index);
            let folder =
                Folder { id, name: unit.name.to_owned(), description, parent: Some(parent), created_at, updated_at };
            self.folders.push(self.state.folders.add(folder));
        }
    }

    fn labels_and_terms(&mut self) {
        for (index, label) in self.world.labels.iter().enumerate() {
            let (created_at, updated_at) = self.tick();
            let id = self.id("label", index);
            self.state.labels.add(Label { id, label: (*label).to_owned(), folder: ROOT, created_at, updated_at });
        }
        for (index, name) in words::QUALIFICATIONS.iter().enumerate() {
            let builtin = index < words::BUILTIN_QUALIFICATIONS;
            let term = self.term("qualifications", name, builtin, index);
            self.impacts.push(term);
        }
        for (index, name) in ["accreditation_authority", "supplier", "partner", "client"].iter().enumerate() {
            self.term("entity.relationship", name, true, 100 + index);
        }
    }

    fn term(&mut self, field_path: &str, name: &str, builtin: bool, index: usize) -> Index {
        let (created_at, updated_at) = self.tick();
        self.state.terms.add(Term {
            id: self.id("term", index),
            field_path: field_path.to_owned(),
            name: name.to_owned(),
            display: capitalised(name),
            description: (!builtin).then(|| format!("Our own word for {}", name.replace('_', " "))),
            builtin,
            is_visible: true,
            created_at,
            updated_at,
        })
    }

    fn user(&mut self, email: &str, (first_name, last_name): (&str, &str), index: usize) -> Index {
        let (date_joined, _) = self.tick();
        let user = self.state.users.add(User {
            id: self.id("user", index),
            email: email.to_owned(),
            first_name: first_name.to_owned(),
            last_name: last_name.to_owned(),
            display: display(first_name, last_name, email),
            is_active: true,
            is_superuser: false,
            has_mfa: false,
            date_joined,
        });
        let id = self.id("user actor", index);
        self.state.actors.add(Actor { id, subject: Subject::User(user) });
        user
    }

    fn people(&mut self) {
        for (index, person) in self.world.people.iter().enumerate() {
            let user = self.user(&person.email, (person.first_name, &person.last_name), index);
            self.state.users.at_mut(user).is_active = person.active;
            self.people.push(user);
            // Each user's actor is added right after it.
            self.person_actors.push(user);
        }
    }

    fn teams_and_partners(&mut self) {
        for (index, team) in self.world.teams.iter().enumerate() {
            let crew = |members: &[u32]| members.iter().map(|&member| self.people[member as usize]).collect();
            let team = Team {
                id: self.id("team", index),
                name: team.name.to_owned(),
                description: (index % 4 != 3).then(|| format!("{} team", team.name)),
                folder: self.folders[team.unit],
                team_email: team.email.clone(),
                leader: team.leader.map(|leader| self.people[leader as usize]),
                deputies: crew(&team.deputies),
                members: crew(&team.members),
            };
            let team = self.state.teams.add(team);
            let id = self.id("team actor", index);
            self.team_actors.push(self.state.actors.add(Actor { id, subject: Subject::Team(team) }));
        }
        for (index, partner) in self.world.partners.iter().enumerate() {
            let (created_at, updated_at) = self.tick();
            let relation = (words::QUALIFICATIONS.len() + index % 4) as Index;
            let entity = self.state.entities.add(Entity {
                id: self.id("entity", index),
                name: partner.name.to_owned(),
                description: (index % 3 != 2).then(|| partner.name.to_owned()),
                ref_id: if index % 4 == 3 { String::new() } else { format!("ENT-{index}") },
                folder: self.folders[partner.unit],
                parent: (index == 3).then_some(0),
                relationship: if index % 2 == 0 { vec![relation] } else { vec![] },
                reference_link: (index % 5 == 0).then(|| format!("https://partner{index}.example.test/")),
                country: ["", "SE", "FR", "JP"][index % 4].to_owned(),
                created_at,
                updated_at,
            });
            let id = self.id("entity actor", index);
            self.partner_actors.push(self.state.actors.add(Actor { id, subject: Subject::Entity(entity) }));
        }
    }

    fn assets(&mut self) {
        for (index, host) in self.world.hosts.iter().enumerate() {
            let (created_at, updated_at) = self.tick();
            let asset = self.state.assets.add(Asset {
                id: self.id("asset", index),
                name: host.name.clone(),
                description: host.description.clone(),
                ref_id: if index % 6 == 5 { String::new() } else { format!("AST-{:03}", index + 1) },
                folder: self.folders[host.unit],
                primary: host.primary,
                owner: host.keepers.iter().map(|&keeper| self.person_actors[keeper as usize]).collect(),
                labels: host.labels.clone(),
                parents: host.parents.clone(),
                children: Vec::new(),
                reference_link: host.link.clone(),
                observation: (index % 10 == 2).then(|| "Replaced next year".to_owned()),
                is_business_function: index == 2,
                created_at,
                updated_at,
            });
            for &parent in &host.parents {
                self.state.assets.at_mut(parent).children.push(asset);
            }
        }
    }

    fn threats(&mut self) {
        let library = (self.id("library", 0), "Sample technique catalogue".to_owned());
        for (index, threat) in self.world.threats.iter().enumerate() {
            let (created_at, updated_at) = self.tick();
            let own = threat.technique.is_empty();
            self.state.threats.add(Threat {
                id: self.id("threat", index),
                name: threat.name.to_owned(),
                description: (index % 5 != 4).then(|| format!("What is meant by {}", threat.name)),
                annotation: (index % 11 == 0).then(|| "Seen at two peers".to_owned()),
                ref_id: if own && index % 3 == 0 {
                    String::new()
                } else if own {
                    format!("THR-{index:02}")
                } else {
                    threat.technique.to_owned()
                },
                provider: if own {
                    (index % 2 == 0).then(|| "in-house".to_owned())
                } else {
                    Some("catalogue".to_owned())
                },
                urn: (!own).then(|| format!("urn:example:risk:threat:{}", threat.technique.to_lowercase())),
                library: (!own).then(|| library.clone()),
                labels: if index % 7 == 0 { vec![(index % self.world.labels.len()) as Index] } else { vec![] },
                folder: threat.unit.map_or(ROOT, |unit| self.folders[unit]),
                created_at,
                updated_at,
            });
        }
    }

    fn evidences(&mut self) {
        for (index, artefact) in self.world.artefacts.iter().enumerate() {
            let (created_at, updated_at) = self.tick();
            self.state.evidences.add(Evidence {
                id: self.id("evidence", index),
                name: artefact.name.clone(),
                description: (index % 4 != 1).then(|| artefact.name.clone()),
                folder: self.folders[artefact.unit],
                owner: artefact.keepers.iter().map(|&keeper| self.person_actors[keeper as usize]).collect(),
                labels: if index % 6 == 0 { vec![(index % self.world.labels.len()) as Index] } else { vec![] },
                status: ["Draft", "Missing", "In review", "Approved", "Rejected", "Expired"][index % 6],
                link: artefact.link.clone(),
                size: artefact.file.is_some().then(|| readable_size(artefact.size_bytes)),
                attachment: artefact.file.clone(),
                created_at,
                updated_at,
            });
        }
    }

    fn accounts(&mut self) -> Vec<Account> {
        let account = |builder: &mut Self, index: usize, who: &str, name: (&str, &str)| {
            let email = format!("{who}@example.test");
            let user = builder.user(&email, name, 10_000 + index);
            // The actor was added with the user, and nothing since.
            let actor = builder.state.actors.len() as Index - 1;
            Account::new(&builder.state, &email, &format!("{who}-password"), (user, actor))
        };
        let gateway = account(self, 0, "gateway", ("Incident", "Gateway"));
        let admin = account(self, 1, "admin", ("Ada", "Admin")).admin();
        let analyst = account(self, 2, "analyst", ("Rita", "Retail"));
        let reader = account(self, 3, "reader", ("Reader", ""));
        let nobody = account(self, 4, "nobody", ("", ""));
        let factor = account(self, 5, "second-factor", ("Second", "Factor")).second_factor();
        self.state.users.at_mut(admin.user).is_superuser = true;
        self.state.users.at_mut(factor.user).has_mfa = true;
        let everywhere = |rights: u8| {
            let mut grants = vec![Grant { folder: ROOT, rights }];
            for (unit, &folder) in self.world.units.iter().zip(&self.folders) {
                match unit.openness {
                    Openness::Open => {}
                    Openness::NameHidden => grants.push(Grant { folder, rights: rights & !accounts::FOLDER }),
                    Openness::Closed => grants.push(Grant { folder, rights: 0 }),
                }
            }
            grants
        };
        let retail = [Grant { folder: self.folders[2], rights: accounts::ANALYST }];
        vec![
            gateway.granted(&self.state, &everywhere(accounts::ANALYST)),
            admin,
            analyst.granted(&self.state, &retail),
            reader.granted(&self.state, &everywhere(accounts::READER)),
            nobody,
            factor.granted(&self.state, &everywhere(accounts::READER)),
        ]
    }

    fn actor(&self, party: Party) -> Index {
        match party {
            Party::Person(index) => self.person_actors[index as usize],
            Party::Team(index) => self.team_actors[index as usize],
            Party::Partner(index) => self.partner_actors[index as usize],
        }
    }

    fn incidents(&mut self) {
        for number in 0..self.world.size() {
            let told = self.world.incident(number);
            let index = self.state.incidents.len() as Index;
            let entries = told.notes.iter().enumerate().map(|(i, note)| self.entry(index, number, i, note)).collect();
            let record = self.incident(number, told, entries);
            self.state.incidents.add(record);
        }
    }

    fn incident(&self, number: usize, told: world::Incident, entries: Vec<Index>) -> Incident {
        let state = &self.state;
        let links = Links {
            threats: state.set(Kind::Threat, told.threats.clone()),
            owners: state.set(Kind::Actor, told.owners.iter().map(|&owner| self.actor(owner)).collect()),
            assets: state.set(Kind::Asset, told.hosts.clone()),
            qualifications: state
                .set(Kind::Term, told.impacts.iter().map(|&impact| self.impacts[impact as usize]).collect()),
            entities: state.set(Kind::Entity, told.partners.clone()),
            labels: state.set(Kind::Label, told.labels.clone()),
        };
        Incident {
            id: self.id("incident", number),
            ref_id: told.number.map(|number| format!("INC-{number}")).unwrap_or_default().into(),
            later: self.later(number, &told),
            name: told.name.into(),
            description: told.description.map(Into::into),
            link: told.link.map(Into::into),
            status: told.state,
            severity: told.severity,
            detection: match told.detection {
                world::Detection::Unknown => Detection::Null,
                world::Detection::Blank => Detection::Blank,
                world::Detection::Inside => Detection::Internal,
                world::Detection::Outside => Detection::External,
            },
            is_published: told.published,
            folder: told.unit.map_or(ROOT, |unit| self.folders[unit]),
            created_at: told.created_at,
            updated_at: told.updated_at,
            reported_at: told.reported_at,
            links,
            entries,
        }
    }

    fn later(&self, number: usize, told: &world::Incident) -> Option<Box<Later>> {
        let named = |domain: &str, text, every| {
            if number.is_multiple_of(every) { vec![(self.id(domain, number % 9), text)] } else { vec![] }
        };
        let later = Later {
            occurred_at: told.occurred_at,
            resolved_at: told.resolved_at,
            resolution: told.resolution.as_deref().map(Into::into),
            is_bcp_activated: told.continuity_plan,
            applied_controls: named("control", "Network segmentation", 8),
            task_templates: named("task", "Inform the authority", 12),
            risk_scenarios: named("scenario", "Loss of a data centre", 20),
        };
        let empty = later.occurred_at.is_none() && later.resolved_at.is_none() && later.is_bcp_activated.is_none();
        (!empty || number.is_multiple_of(4)).then(|| Box::new(later))
    }

    fn entry(&mut self, incident: Index, number: usize, position: usize, note: &world::Note) -> Index {
        let (entry_type, entry) = match note.kind {
            NoteKind::Detection => (0, note.title.clone()),
            NoteKind::Mitigation => (1, note.title.clone()),
            NoteKind::Observation => (words::OBSERVATION, note.title.clone()),
            NoteKind::Progress(from, to) => {
                let label = |state: u8| words::STATUS[usize::from(state)].1;
                (words::STATUS_CHANGED, format!("{}->{}", label(from), label(to)))
            }
            NoteKind::Regraded(from, to) => {
                (words::SEVERITY_CHANGED, format!("{}->{}", words::severity_label(from), words::severity_label(to)))
            }
        };
        let author = note.author.map(|author| self.actor(author));
        let evidences = self.state.set(Kind::Evidence, note.artefacts.clone());
        self.state.entries.add(Entry {
            id: self.id("entry", number * 1_000 + position),
            incident,
            author,
            entry: entry.into(),
            entry_type,
            timestamp: note.at,
            observation: note.text.as_deref().map(Into::into),
            evidences,
            created_at: note.at + 907,
            updated_at: note.at + 924,
            is_published: true,
        })
    }
}

/// `Service_outage` for `service_outage`.
pub(super) fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// "First Last", the one that is there, or the e-mail.
pub(super) fn display(first_name: &str, last_name: &str, email: &str) -> String {
    let name = format!("{first_name} {last_name}").trim().to_owned();
    if name.is_empty() { email.to_owned() } else { name }
}

fn readable_size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{:.1} KB", bytes as f64 / 1_024.0),
        _ => format!("{:.1} MB", bytes as f64 / 1_048_576.0),
    }
}
