//! What the server holds, and how a world becomes it. All times in seconds since 1970, UTC.

use crate::sandbox::random::Random;
use crate::sandbox::world::{self, NoteKind, Party, World};
use std::collections::BTreeSet;

/// As large as in the document's examples: more than 32 bits hold.
const FIRST_ID: i64 = 3_000_000_400_000;
const FIRST_USER_ID: i64 = 301;
/// What uuids of log records end with.
const UUID_END: &str = "_objectidcustom_logs";
const DAY: i64 = 86_400;

/// Somebody who can be an assignee, and who can have made an incident.
pub(super) struct User {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) email: String,
}

#[derive(Default)]
pub(super) struct Incident {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) description: String,
    /// 0 critical, 1 trouble, 2 attention.
    pub(super) severity: u8,
    /// 0 open, 1 in progress, 2 closed.
    pub(super) status: u8,
    /// -1: nobody.
    pub(super) assignee: i64,
    pub(super) created_at: i64,
    pub(super) due_at: Option<i64>,
    pub(super) created_by: String,
    pub(super) entities: Vec<String>,
    pub(super) suspects: Vec<String>,
    /// Oldest first, as the next two.
    pub(super) notes: Vec<Note>,
    pub(super) evidence: Vec<LogRecord>,
    pub(super) activity: Vec<Activity>,
}

pub(super) struct Note {
    pub(super) text: String,
    pub(super) by: String,
    pub(super) at: i64,
}

pub(super) struct Activity {
    pub(super) activity: &'static str,
    pub(super) description: String,
    pub(super) at: i64,
}

/// A record of a log that was taken as evidence.
pub(super) struct LogRecord {
    pub(super) uuid: String,
    pub(super) level: &'static str,
    pub(super) event: u32,
    pub(super) message: String,
    pub(super) provider: &'static str,
    pub(super) log: &'static str,
    pub(super) category: &'static str,
    pub(super) host: String,
    pub(super) host_type: &'static str,
    pub(super) address: Option<String>,
    pub(super) user: String,
    pub(super) threshold: bool,
    pub(super) origin: &'static str,
    pub(super) happened_at: i64,
    pub(super) stored_at: i64,
    pub(super) added_at: i64,
    pub(super) added_by: String,
}

/// Level, number, provider, log, category, host type and text of some events. The last level is none of the usual ones.
const EVENTS: [(&str, u32, &str, &str, &str, &str, &str); 5] = [
    (
        "information",
        4625,
        "microsoft-windows-security-auditing",
        "security",
        "logon",
        "windows",
        "An account failed to log on.",
    ),
    (
        "warning",
        4740,
        "microsoft-windows-security-auditing",
        "security",
        "logon",
        "windows",
        "A user account was locked out.\t4740 ",
    ),
    (
        "information",
        40960,
        "lsasrv",
        "security",
        "downgrade attacks",
        "windows",
        "Downgrade Attacks. Subject: Logon ID: 0x8D71B\t9077 ",
    ),
    (
        "error",
        7045,
        "service control manager",
        "system",
        "services",
        "windows",
        "A service was installed: „Übertragung“ (C:\\Temp\\x.exe).",
    ),
    ("alarming", 0, "sshd", "auth", "logon", "unix", "Failed password for root."),
];
const ORIGINS: [&str; 3] = ["REPORT", "SEARCH", "ALERT"];

/// Everything.
pub(super) struct State {
    pub(super) users: Vec<User>,
    /// Oldest first, then by id.
    incidents: Vec<Incident>,
    last_id: i64,
}

impl State {
    pub(super) fn new(world: &World, seed: u64) -> State {
        let mut state = State { users: users(world), incidents: Vec::with_capacity(world.size()), last_id: FIRST_ID };
        let mut names = BTreeSet::new();
        for index in 0..world.size() {
            let random = &mut Random::of(seed, "eventlog incident", index as u64);
            // With gaps, as after deletions.
            let id = state.last_id + 1 + random.below(200) as i64;
            state.last_id = id;
            let mut incident = incident(world, &state.users, index, id, random);
            if !names.insert(incident.name.clone()) {
                incident.name.push_str(&format!(" ({index})"));
                names.insert(incident.name.clone());
            }
            incident.tell_beginnings();
            state.incidents.push(incident);
        }
        state.incidents.sort_by_key(|incident| (incident.created_at, incident.id));
        state
    }

    /// In the order of the list, which is not documented.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Incident> {
        self.incidents.iter().rev()
    }

    pub(super) fn incident(&self, id: i64) -> Option<&Incident> {
        self.incidents.iter().find(|incident| incident.id == id)
    }

    pub(super) fn incident_mut(&mut self, id: i64) -> Option<&mut Incident> {
        self.incidents.iter_mut().find(|incident| incident.id == id)
    }

    /// Whether another incident than that has this name.
    pub(super) fn is_taken(&self, name: &str, except: Option<i64>) -> bool {
        self.incidents.iter().any(|incident| incident.name == name && Some(incident.id) != except)
    }

    pub(super) fn next_id(&mut self) -> i64 {
        self.last_id += 1;
        self.last_id
    }

    /// Puts a new incident where it belongs.
    pub(super) fn insert(&mut self, incident: Incident) {
        let key = |incident: &Incident| (incident.created_at, incident.id);
        let place = self.incidents.partition_point(|other| key(other) < key(&incident));
        self.incidents.insert(place, incident);
    }

    pub(super) fn remove(&mut self, ids: &[i64]) {
        self.incidents.retain(|incident| !ids.contains(&incident.id));
    }

    /// Who writes with the token.
    pub(super) fn token_owner(&self) -> String {
        self.users.first().map(|user| user.name.clone()).unwrap_or_default()
    }
}

impl Incident {
    pub(super) fn note_activity(&mut self, activity: &'static str, description: String, at: i64) {
        self.activity.push(Activity { activity, description, at });
    }

    /// The history of what was there from the start.
    fn tell_beginnings(&mut self) {
        let (name, by) = (&self.name, &self.created_by);
        let created = format!("{name} incident has been created successfully by {by}.");
        let mut steps = vec![(self.created_at, "Incident Created", created)];
        for record in &self.evidence {
            let text = format!("New evidence added to {name} by {}.", record.added_by);
            steps.push((record.added_at, "Incident Updated", text));
        }
        for note in &self.notes {
            steps.push((note.at, "Incident Notes Added", format!("Notes added to {name} by {}.", note.by)));
        }
        steps.sort_by_key(|(at, ..)| *at);
        for (at, activity, text) in steps {
            self.note_activity(activity, text, at);
        }
    }
}

impl LogRecord {
    /// The record of that uuid, which a search, report or alert is thought to have shown.
    pub(super) fn of_uuid(uuid: &str, origin: &'static str, by: &str, now: i64) -> LogRecord {
        let random = &mut Random::of(0, uuid, 0);
        let host = format!("host-{:02}.corp.example.test", random.below(40));
        LogRecord::new(random, uuid.to_owned(), origin, (host, None), by, now)
    }

    fn new(
        random: &mut Random,
        uuid: String,
        origin: &'static str,
        (host, address): (String, Option<String>),
        by: &str,
        at: i64,
    ) -> LogRecord {
        let (level, event, provider, log, category, host_type, message) = *random.pick(&EVENTS);
        let happened_at = at - 60 - random.below(7_200) as i64;
        LogRecord {
            uuid,
            level,
            event,
            message: message.to_owned(),
            provider,
            log,
            category,
            host,
            host_type,
            address,
            user: if random.chance(1, 3) { "n/a".to_owned() } else { format!("p{:03}", random.below(40)) },
            threshold: random.chance(1, 6),
            origin,
            happened_at,
            stored_at: happened_at + random.below(60) as i64,
            added_at: at,
            added_by: by.to_owned(),
        }
    }

    /// `<uuid>_objectidcustom_logs`.
    pub(super) fn is_uuid(text: &str) -> bool {
        text.strip_suffix(UUID_END).is_some_and(|uuid| uuid::Uuid::try_parse(uuid).is_ok())
    }
}

fn users(world: &World) -> Vec<User> {
    let admin = User { id: 1, name: "admin".to_owned(), email: "admin@example.test".to_owned() };
    // A name may hold what has a meaning in addresses.
    let name = |index: usize, account: &str| match index % 5 {
        4 => format!("{account}+test"),
        3 => format!("{account} & co"),
        _ => account.to_owned(),
    };
    let person = |(index, person): (usize, &world::Person)| User {
        id: FIRST_USER_ID + index as i64,
        name: name(index, &person.account),
        email: person.email.clone(),
    };
    std::iter::once(admin).chain(world.people.iter().enumerate().map(person)).collect()
}

fn incident(world: &World, users: &[User], index: usize, id: i64, random: &mut Random) -> Incident {
    let told = world.incident(index);
    let created_at = told.created_at.div_euclid(1_000_000);
    let person = |party: &Party| match party {
        Party::Person(person) => users.get(1 + *person as usize),
        Party::Team(_) | Party::Partner(_) => None,
    };
    let name_of = |party: Option<&Party>| party.and_then(person).map_or_else(|| "admin".to_owned(), |u| u.name.clone());
    let assignee = told.owners.iter().find_map(person).map_or(-1, |user| user.id);
    // Somebody who is no user any more.
    let assignee = if index % 41 == 40 { 9_001 } else { assignee };
    let notes = told.notes.iter().filter(|note| !matches!(note.kind, NoteKind::Progress(..) | NoteKind::Regraded(..)));
    Incident {
        id,
        name: told.name,
        description: told.description.unwrap_or_default(),
        severity: match told.severity {
            1 => 0,
            2 | 3 => 1,
            _ => 2,
        },
        status: told.state.min(2),
        assignee,
        created_at,
        due_at: (index % 3 != 1).then(|| created_at - created_at.rem_euclid(DAY) + 3 * DAY),
        created_by: users[random.below(users.len().min(12))].name.clone(),
        entities: told.hosts.iter().map(|host| world.hosts[*host as usize].fqdn.clone()).collect(),
        suspects: suspects(world, &told.hosts, index, random),
        notes: notes
            .map(|note| Note {
                text: note.text.clone().unwrap_or_else(|| note.title.clone()),
                by: name_of(note.author.as_ref()),
                at: note.at.div_euclid(1_000_000),
            })
            .collect(),
        evidence: evidence(world, &told.hosts, index, created_at, &name_of(told.owners.first()), random),
        activity: Vec::new(),
    }
}

/// Hosts with an account, as in the document's example, and addresses; now and then a host that is an entity too.
fn suspects(world: &World, hosts: &[u32], index: usize, random: &mut Random) -> Vec<String> {
    let mut all = Vec::new();
    for host in hosts.iter().take(2).map(|host| &world.hosts[*host as usize]) {
        match index % 4 {
            0 => all.push(format!("{}\\n/a", host.fqdn)),
            1 => all.push(host.ipv4.clone()),
            2 => all.push(host.fqdn.clone()),
            _ => {}
        }
    }
    if index % 4 == 1 {
        all.push(format!("corp\\p{:03}", random.below(40)));
    }
    all
}

fn evidence(
    world: &World,
    hosts: &[u32],
    index: usize,
    created_at: i64,
    by: &str,
    random: &mut Random,
) -> Vec<LogRecord> {
    let hosts = hosts.iter().take(3).map(|host| &world.hosts[*host as usize]);
    hosts
        .enumerate()
        .map(|(place, host)| {
            let uuid = format!("{}{UUID_END}", random.uuid());
            let address = ((index + place) % 5 != 4).then(|| host.ipv4.clone());
            let at = created_at + 30 * (place as i64 + 1);
            LogRecord::new(random, uuid, ORIGINS[(index + place) % 3], (host.fqdn.clone(), address), by, at)
        })
        .collect()
}
