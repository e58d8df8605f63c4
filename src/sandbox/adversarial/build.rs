//! From the neutral world to this vendor's objects.

use super::state::{
    Comment, Entry, Incident, OBJECTIVES, Objective, SEVERITIES, SOURCES, STATUSES, State, Tag, User, date_change,
    objectives_change, text_change, user_change,
};
use crate::sandbox::clock::Micros;
use crate::sandbox::random::Random;
use crate::sandbox::world::{self, NoteKind, Party, World};

/// Place among the users of the account that a gateway is.
pub(super) const SERVICE_ACCOUNT: usize = 0;
const MINUTE: Micros = 60_000_000;

/// The first world.
pub(super) fn build(world: &World, seed: u64) -> State {
    let mut users = vec![User {
        id: Random::of(seed, "adversarial service account", 0).uuid().to_string(),
        email: "incident-gateway-x7k2@svc.adversarial.com".to_owned(),
        first_name: "incident-gateway".to_owned(),
        last_name: String::new(),
        icon: None,
        active: true,
    }];
    users.extend(world.people.iter().enumerate().map(|(index, person)| user(seed, index, person)));
    let org = Random::of(seed, "adversarial organisation", 0).uuid().to_string();
    let tag = |(index, content): (usize, &&'static str)| Tag {
        id: Random::of(seed, "adversarial tag", index as u64).uuid().to_string(),
        content: (*content).to_owned(),
        creator: 1 + index % world.people.len(),
        org: (index % 4 != 3).then(|| org.clone()),
    };
    let tags = world.labels.iter().enumerate().map(tag).collect();
    let mut state = State { users, tags, incidents: Vec::with_capacity(world.size()), comments: 0 };
    for index in 0..world.size() {
        let incident = incident(&mut state, seed, index, world.incident(index));
        state.incidents.push(incident);
    }
    state
}

fn user(seed: u64, index: usize, person: &world::Person) -> User {
    let id = Random::of(seed, "adversarial user", index as u64).uuid().to_string();
    User {
        email: person.email.clone(),
        first_name: person.first_name.to_owned(),
        last_name: person.last_name.clone(),
        icon: (index % 3 != 2).then(|| format!("users/{id}/avatar?v={:06x}", index * 7_919)),
        id,
        active: person.active,
    }
}

fn incident(state: &mut State, seed: u64, index: usize, told: world::Incident) -> Incident {
    let random = &mut Random::of(seed, "adversarial incident", index as u64);
    let status = STATUSES[usize::from(told.state).min(3)];
    let severity = match told.severity {
        _ if told.state == 4 => Some(SEVERITIES[4]),
        grade @ 1..=5 => Some(SEVERITIES[usize::from(grade) - 1]),
        _ => None,
    };
    let detected = told.reported_at.unwrap_or(told.created_at);
    let begun = (told.state > 0).then_some(told.created_at + 7 * MINUTE);
    let mut incident = Incident {
        number: index as u64 + 1,
        title: told.name,
        description: told.description.unwrap_or_default(),
        status,
        severity,
        severity_reasoning: severity.filter(|_| index % 3 != 1).map(|word| format!("{word} by the playbook.")),
        source: (index % 9 != 4).then(|| (*random.pick(&SOURCES)).to_owned()),
        created: told.created_at,
        updated: told.updated_at,
        detected,
        occurred: told.occurred_at,
        responded: begun.filter(|_| index % 5 != 3),
        contained: begun.filter(|_| told.state > 1 && index % 4 != 1).map(|at| at + 40 * MINUTE),
        assigned_to: told.owners.iter().find_map(|owner| match owner {
            Party::Person(person) => Some(*person as usize + 1),
            Party::Team(_) | Party::Partner(_) => None,
        }),
        opened_by: if index.is_multiple_of(3) { SERVICE_ACCOUNT } else { 1 + random.below(state.users.len() - 1) },
        risks: if index % 4 == 2 {
            (0..=random.below(2) as u32).map(|n| index as u32 / 4 + n + 1).collect()
        } else {
            vec![]
        },
        tags: told.labels.iter().map(|label| *label as usize).collect(),
        objectives: objectives(&told.threats, told.created_at, random),
        comments: Vec::new(),
        history: Vec::new(),
    };
    history(state, &mut incident, &told.notes);
    incident
}

fn objectives(threats: &[u32], created_at: Micros, random: &mut Random) -> Vec<Objective> {
    let mut all: Vec<Objective> = Vec::new();
    for threat in threats {
        let word = OBJECTIVES[*threat as usize % OBJECTIVES.len()];
        if all.iter().all(|one| one.word != word) {
            // The words of `relevance` are in no page: these are guesses, and mostly it is null.
            let relevance = [None, None, Some("Primary"), Some("Secondary")][random.below(4)].map(str::to_owned);
            let linked_at = random.chance(2, 3).then_some(created_at + random.below(120) as Micros * MINUTE);
            all.push(Objective { word, relevance, linked_at });
        }
    }
    all
}

/// A creation, then an entry for each note; comments are touches without changes.
fn history(state: &mut State, incident: &mut Incident, notes: &[world::Note]) {
    let first = [text_change("title", None, Some(&incident.title)), text_change("status", None, Some(STATUSES[0]))];
    let opened = Entry { changes: first.into(), creation: true, at: incident.created, user: incident.opened_by };
    incident.history.push(opened);
    if let Some(owner) = incident.assigned_to {
        let changes = vec![user_change(None, Some(&state.users[owner]))];
        incident.history.push(Entry { changes, creation: false, at: incident.created + 2_000_000, user: owner });
    }
    if incident.contained.is_some() || !incident.objectives.is_empty() {
        let changes =
            vec![date_change("contained_date", None, incident.contained), objectives_change(&[], &incident.objectives)];
        let at = incident.created + 3_000_000;
        incident.history.push(Entry { changes, creation: false, at, user: incident.opened_by });
    }
    for note in notes {
        let user = match note.author {
            Some(Party::Person(person)) => person as usize + 1,
            _ => SERVICE_ACCOUNT,
        };
        let at = note.at.max(incident.created + 4_000_000);
        let status = |state: u8| STATUSES[usize::from(state).min(3)];
        let grade = |grade: u8| SEVERITIES.get(usize::from(grade).wrapping_sub(1)).copied();
        let changes = match note.kind {
            NoteKind::Progress(from, to) => vec![text_change("status", Some(status(from)), Some(status(to)))],
            NoteKind::Regraded(from, to) => vec![text_change("severity", grade(from), grade(to))],
            NoteKind::Detection | NoteKind::Mitigation | NoteKind::Observation => {
                state.comments += 1;
                let value = note.text.clone().unwrap_or_else(|| note.title.clone());
                incident.comments.push(Comment { id: state.comments, user, value, at });
                Vec::new()
            }
        };
        incident.history.push(Entry { changes, creation: false, at, user });
    }
    incident.comments.sort_by_key(|comment| comment.at);
    incident.history.sort_by_key(|entry| entry.at);
    incident.updated = incident.history.last().map_or(incident.updated, |entry| entry.at.max(incident.updated));
}
