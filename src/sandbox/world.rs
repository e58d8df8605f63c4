//! The world that all simulated vendors share: people, teams, hosts, threats, incidents, told in neutral words.
//!
//! A pure function of seed, size and base time. Incidents are made one by one on demand, so that a large world is never
//! held twice; everything else is small. Knows no vendor's fields, words or JSON.

mod cast;
mod words;

use cast::{artefacts, hosts, people, teams, threats, vulnerabilities};

use crate::sandbox::clock::Micros;
use crate::sandbox::random::Random;

const MINUTE: Micros = 60_000_000;
const DAY: Micros = 24 * 60 * MINUTE;
/// All incidents of a world happen within this time before its base time.
const SPAN: Micros = 400 * DAY;
/// Every so many incidents one has a very long history; the first of them is among the first 200 of any world.
const LONG_HISTORY_EVERY: usize = 1_000;
const LONG_HISTORY_AT: usize = 57;
const LONG_HISTORY_LENGTH: usize = 60;

/// How much of a unit, and of what lies in it, an ordinary caller may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Openness {
    Open,
    /// Its contents are visible, the unit itself is not.
    NameHidden,
    /// Nothing in it is visible.
    Closed,
}

pub(super) struct Unit {
    pub(super) name: &'static str,
    pub(super) above: Option<usize>,
    pub(super) openness: Openness,
}

pub(super) struct Person {
    pub(super) first_name: &'static str,
    pub(super) last_name: String,
    pub(super) email: String,
    /// Name of the directory account.
    pub(super) account: String,
    pub(super) active: bool,
}

pub(super) struct Team {
    pub(super) name: &'static str,
    pub(super) unit: usize,
    pub(super) email: Option<String>,
    pub(super) leader: Option<u32>,
    pub(super) deputies: Vec<u32>,
    pub(super) members: Vec<u32>,
}

pub(super) struct Partner {
    pub(super) name: &'static str,
    pub(super) unit: usize,
}

pub(super) struct Host {
    pub(super) name: String,
    pub(super) unit: usize,
    pub(super) primary: bool,
    pub(super) description: Option<String>,
    pub(super) link: Option<String>,
    pub(super) parents: Vec<u32>,
    /// Indices into `people`.
    pub(super) keepers: Vec<u32>,
    pub(super) labels: Vec<u32>,
    /// Full name in the network, unlike `name` made of letters, digits and hyphens only.
    pub(super) fqdn: String,
    /// Of a range kept for documentation; no two hosts share one.
    pub(super) ipv4: String,
    pub(super) mac: String,
    pub(super) system: (&'static str, &'static str),
}

/// A published flaw of a product.
pub(super) struct Vulnerability {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) cvss: f64,
    /// Chance that it is exploited, 0 to 1.
    pub(super) epss: f64,
    pub(super) exploited: bool,
}

pub(super) struct Threat {
    /// Technique number of a public catalogue; empty for a team's own word.
    pub(super) technique: &'static str,
    pub(super) name: &'static str,
    pub(super) unit: Option<usize>,
}

pub(super) struct Artefact {
    pub(super) name: String,
    pub(super) unit: usize,
    pub(super) file: Option<String>,
    pub(super) size_bytes: u64,
    pub(super) link: Option<String>,
    pub(super) keepers: Vec<u32>,
}

/// Whoever an incident or a note belongs to: index into people, teams or partners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Party {
    Person(u32),
    Team(u32),
    Partner(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoteKind {
    Detection,
    Mitigation,
    Observation,
    /// The state went from one step to the next: 0 new, 1 ongoing, 2 resolved, 3 closed, 4 dismissed.
    Progress(u8, u8),
    /// The severity changed, 1 (worst) to 5, 6 unknown.
    Regraded(u8, u8),
}

pub(super) struct Note {
    pub(super) kind: NoteKind,
    pub(super) title: String,
    pub(super) text: Option<String>,
    pub(super) at: Micros,
    pub(super) author: Option<Party>,
    pub(super) artefacts: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detection {
    Unknown,
    Blank,
    Inside,
    Outside,
}

pub(super) struct Incident {
    pub(super) name: String,
    pub(super) number: Option<u32>,
    pub(super) description: Option<String>,
    pub(super) link: Option<String>,
    /// 0 new, 1 ongoing, 2 resolved, 3 closed, 4 dismissed.
    pub(super) state: u8,
    /// 1 (worst) to 5; 6 unknown.
    pub(super) severity: u8,
    pub(super) detection: Detection,
    pub(super) created_at: Micros,
    pub(super) updated_at: Micros,
    pub(super) reported_at: Option<Micros>,
    pub(super) occurred_at: Option<Micros>,
    pub(super) resolved_at: Option<Micros>,
    pub(super) resolution: Option<String>,
    pub(super) continuity_plan: Option<bool>,
    pub(super) published: bool,
    /// `None`: above all units.
    pub(super) unit: Option<usize>,
    pub(super) hosts: Vec<u32>,
    pub(super) threats: Vec<u32>,
    /// Indices into `vulnerabilities`.
    pub(super) vulnerabilities: Vec<u32>,
    pub(super) owners: Vec<Party>,
    pub(super) partners: Vec<u32>,
    pub(super) labels: Vec<u32>,
    /// Which of twenty kinds of impact (confidentiality, money, …) it had.
    pub(super) impacts: Vec<u32>,
    /// Oldest first.
    pub(super) notes: Vec<Note>,
}

/// How many kinds of impact `Incident::impacts` draws from.
pub(super) const IMPACT_KINDS: usize = 20;

pub(super) struct World {
    /// Decides the incidents; everything else is the same for all systems of a seed.
    seed: u64,
    now: Micros,
    size: usize,
    pub(super) units: Vec<Unit>,
    pub(super) people: Vec<Person>,
    pub(super) teams: Vec<Team>,
    pub(super) partners: Vec<Partner>,
    pub(super) hosts: Vec<Host>,
    pub(super) threats: Vec<Threat>,
    pub(super) vulnerabilities: Vec<Vulnerability>,
    pub(super) labels: Vec<&'static str>,
    pub(super) artefacts: Vec<Artefact>,
}

impl World {
    /// The world of that seed with `size` incidents before `now`, as one of its systems knows it: the same people, hosts,
    /// threats and vulnerabilities as in all, and incidents of its own.
    pub(super) fn new(seed: u64, system: u64, size: usize, now: Micros) -> World {
        let units: Vec<Unit> =
            words::UNITS.iter().map(|&(name, above, openness)| Unit { name, above, openness }).collect();
        let people = people(seed, (size / 10).clamp(40, 400));
        World {
            teams: teams(seed, people.len()),
            partners: words::PARTNERS.iter().enumerate().map(|(i, name)| Partner { name, unit: unit_of(i) }).collect(),
            hosts: hosts(seed, (size / 2).clamp(60, 3_000), people.len()),
            threats: threats(),
            vulnerabilities: vulnerabilities(),
            labels: words::LABELS.to_vec(),
            artefacts: artefacts(seed, size.clamp(60, 5_000), people.len()),
            seed: seed ^ system.wrapping_mul(0xa076_1d64_78bd_642f),
            now,
            size,
            units,
            people,
        }
    }

    /// How many incidents there are.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// When things that are older than every incident came to be.
    pub(super) fn dawn(&self) -> Micros {
        self.now - SPAN - 30 * DAY
    }

    fn created_at(&self, index: usize) -> Micros {
        // Now and then two incidents carry exactly the same time.
        let index = if index % 17 == 3 { index - 1 } else { index };
        let step = SPAN / self.size.max(1) as Micros;
        let mut random = Random::of(self.seed, "created", index as u64);
        let jitter = random.below((step / 2).max(1) as usize) as Micros;
        self.now - 60 * MINUTE - (self.size - index) as Micros * step + jitter
    }

    fn name(&self, index: usize, random: &mut Random, hosts: &[u32]) -> String {
        if index % 23 == 5 {
            // The same name as its elder, in other letter case.
            let mut elder = Random::of(self.seed, "incident", index as u64 - 1);
            let hosts = self.hosts_of(index - 1, &mut elder);
            return self.name(index - 1, &mut elder, &hosts).to_uppercase();
        }
        let event =
            if index < 2 * words::EVENTS.len() { &words::EVENTS[index % 20] } else { random.pick(&words::EVENTS) };
        let host = hosts.first().map_or("an unknown host", |&host| self.hosts[host as usize].name.as_str());
        let mut name = event.replace("{}", host);
        if index % 11 == 7 {
            // Without a number of its own it needs another name than its neighbours.
            name.push_str(&format!(" #{index}"));
        }
        name
    }

    fn hosts_of(&self, index: usize, random: &mut Random) -> Vec<u32> {
        let count = match index % 10 {
            0 => 0,
            9 => 8,
            _ => 1 + random.below(4),
        };
        random.distinct(count, self.hosts.len())
    }

    /// The incident of that number, 0 (oldest) to size - 1.
    pub(super) fn incident(&self, index: usize) -> Incident {
        let random = &mut Random::of(self.seed, "incident", index as u64);
        let hosts = self.hosts_of(index, random);
        let name = self.name(index, random, &hosts);
        let state = if index < 10 { (index % 5) as u8 } else { *random.pick(&[0, 0, 1, 1, 1, 2, 2, 3, 3, 3, 3, 4]) };
        let severity =
            if index < 12 { (index % 6) as u8 + 1 } else { *random.pick(&[1, 2, 2, 3, 3, 3, 3, 4, 4, 5, 6]) };
        let created_at = self.created_at(index);
        let reported_at = (index % 13 != 6).then(|| reported_at(index, created_at, random));
        let notes = self.notes(index, state, severity, created_at, random);
        let last = notes.last().map_or(created_at, |note| note.at);
        let resolved = (state == 2 || state == 3) && index.is_multiple_of(2);
        Incident {
            name,
            number: (index % 11 != 7).then_some(index as u32 + 1),
            description: description(index, random),
            link: index.is_multiple_of(3).then(|| format!("https://tracker.example.test/{}", index + 1)),
            state,
            severity,
            detection: detection(index, random),
            created_at,
            updated_at: last.max(created_at + 20 + random.below(30) as Micros),
            reported_at,
            occurred_at: reported_at.filter(|_| index % 2 == 1).map(|at| at - random.below(300) as Micros * MINUTE),
            resolved_at: resolved.then_some(last.max(reported_at.unwrap_or(last))),
            resolution: resolved.then(|| random.pick(&words::SENTENCES).to_string()),
            continuity_plan: [None, Some(false), None, Some(true)][index % 4],
            published: index % 31 != 30,
            unit: (index % 37 != 20).then(|| if index % 14 == 3 { 9 } else { random.below(9) }),
            hosts,
            threats: {
                let count = random.below(4);
                random.distinct(count, self.threats.len())
            },
            vulnerabilities: self.vulnerabilities_of(index),
            owners: self.owners(random),
            partners: if index % 3 == 1 {
                let count = 1 + random.below(2);
                random.distinct(count, self.partners.len())
            } else {
                vec![]
            },
            labels: {
                let count = random.below(4);
                random.distinct(count, self.labels.len())
            },
            impacts: {
                let count = random.below(4);
                random.distinct(count, IMPACT_KINDS)
            },
            notes,
        }
    }

    fn vulnerabilities_of(&self, index: usize) -> Vec<u32> {
        let random = &mut Random::of(self.seed, "vulnerabilities", index as u64);
        let count = random.below(4);
        random.distinct(count, self.vulnerabilities.len())
    }

    fn owners(&self, random: &mut Random) -> Vec<Party> {
        let mut owners = Vec::new();
        for _ in 0..random.below(4) {
            let owner = match random.below(6) {
                0 => Party::Team(random.below(self.teams.len()) as u32),
                1 => Party::Partner(random.below(self.partners.len()) as u32),
                _ => Party::Person(random.below(self.people.len()) as u32),
            };
            if !owners.contains(&owner) {
                owners.push(owner);
            }
        }
        owners
    }

    fn notes(&self, index: usize, state: u8, severity: u8, created_at: Micros, random: &mut Random) -> Vec<Note> {
        let written = match index {
            _ if index % LONG_HISTORY_EVERY == LONG_HISTORY_AT => LONG_HISTORY_LENGTH,
            _ if index % 8 == 1 => return Vec::new(),
            _ => 1 + random.below(3),
        };
        let mut steps: Vec<NoteKind> = match state {
            0 => vec![],
            1 => vec![NoteKind::Progress(0, 1)],
            2 => vec![NoteKind::Progress(0, 1), NoteKind::Progress(1, 2)],
            3 => vec![NoteKind::Progress(0, 1), NoteKind::Progress(1, 3)],
            _ => vec![NoteKind::Progress(0, 4)],
        };
        if index % 6 == 2 && severity != 3 {
            steps.push(NoteKind::Regraded(3, severity));
        }
        let manual = written.saturating_sub(if written == LONG_HISTORY_LENGTH { steps.len() } else { 0 });
        let kinds = [NoteKind::Detection, NoteKind::Mitigation, NoteKind::Observation];
        let mut all: Vec<NoteKind> = (0..manual).map(|i| kinds[i % 3]).collect();
        all.extend(steps);
        let room = (self.now - created_at).max(MINUTE);
        let step = (room / (all.len() as Micros + 1)).min(3 * 60 * MINUTE);
        let note = |(i, kind)| self.note(kind, created_at + step * (i as Micros + 1), random);
        all.into_iter().enumerate().map(note).collect()
    }

    fn note(&self, kind: NoteKind, at: Micros, random: &mut Random) -> Note {
        let author = match random.below(12) {
            0 => None,
            1 => Some(Party::Team(random.below(self.teams.len()) as u32)),
            _ => Some(Party::Person(random.below(self.people.len()) as u32)),
        };
        let at = at - random.below(1_000_000) as Micros;
        if matches!(kind, NoteKind::Progress(..) | NoteKind::Regraded(..)) {
            return Note { kind, title: String::new(), text: None, at, author, artefacts: vec![] };
        }
        let count = random.below(5).saturating_sub(2);
        Note {
            kind,
            title: random.pick(&words::NOTES).to_string(),
            text: random.chance(2, 3).then(|| random.pick(&words::SENTENCES).to_string()),
            at,
            author,
            artefacts: random.distinct(count, self.artefacts.len()),
        }
    }
}

/// The open unit that the i-th of some things lies in; now and then the closed one.
fn unit_of(index: usize) -> usize {
    if index % 12 == 9 { 10 } else { index % 9 }
}

fn reported_at(index: usize, created_at: Micros, random: &mut Random) -> Micros {
    let at = created_at - random.below(2_880) as Micros * MINUTE;
    // Whole seconds (no fraction is written then) are the rule; a few plain dates; a few with a fraction.
    match index % 10 {
        4 => at - at.rem_euclid(DAY),
        5 => at,
        _ => at - at.rem_euclid(MINUTE),
    }
}

fn description(index: usize, random: &mut Random) -> Option<String> {
    if index % 7 == 2 {
        return None;
    }
    if index % 29 == 4 {
        return Some(String::new());
    }
    let mut text = random.pick(&words::SENTENCES).to_string();
    for _ in 0..random.below(3) {
        text.push(' ');
        text.push_str(random.pick::<&str>(&words::SENTENCES));
    }
    Some(text)
}

fn detection(index: usize, random: &mut Random) -> Detection {
    match index {
        _ if index % 9 == 4 => Detection::Unknown,
        _ if index % 19 == 8 => Detection::Blank,
        _ if random.chance(2, 3) => Detection::Inside,
        _ => Detection::Outside,
    }
}
