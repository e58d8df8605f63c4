//! What a world's incidents are about: people, teams, hosts, threats, vulnerabilities, artefacts.

use super::{Artefact, Host, Person, Team, Threat, Vulnerability, unit_of, words};
use crate::sandbox::random::Random;

pub(super) fn people(seed: u64, count: usize) -> Vec<Person> {
    (0..count)
        .map(|index| {
            let (first_name, last_name) = words::PEOPLE[index % words::PEOPLE.len()];
            let round = index / words::PEOPLE.len();
            let named = round > 0 && !last_name.is_empty();
            let last_name = if named { format!("{last_name} {}", round + 1) } else { last_name.to_owned() };
            let active = !Random::of(seed, "person", index as u64).chance(1, 9);
            let (email, account) = (format!("person{index:03}@example.test"), format!("p{index:03}"));
            Person { first_name, last_name, email, account, active }
        })
        .collect()
}

pub(super) fn teams(seed: u64, people: usize) -> Vec<Team> {
    let team = |(index, &name): (usize, &&'static str)| {
        let random = &mut Random::of(seed, "team", index as u64);
        let crew = random.distinct(3 + index % 4, people);
        Team {
            name,
            unit: unit_of(index),
            email: (index % 3 != 1).then(|| format!("team{index}@example.test")),
            leader: (index % 5 != 4).then_some(crew[0]),
            deputies: if index % 2 == 0 { vec![crew[1]] } else { vec![] },
            // A deputy may be a member too, as on the real server.
            members: if index == 7 { vec![] } else { crew[1..].to_vec() },
        }
    };
    words::TEAMS.iter().enumerate().map(team).collect()
}

pub(super) fn hosts(seed: u64, count: usize, people: usize) -> Vec<Host> {
    (0..count)
        .map(|index| {
            let random = &mut Random::of(seed, "host", index as u64);
            let name = match words::HOSTS.get(index) {
                Some(name) => (*name).to_owned(),
                None => format!("{}-{index:04}.example.test", random.pick(&words::HOST_KINDS)),
            };
            let parents = if index > 4 && random.chance(1, 3) { vec![random.below(5) as u32] } else { vec![] };
            Host {
                unit: unit_of(index),
                primary: index < 6,
                description: (index % 4 != 3).then(|| format!("{name}: {}", random.pick(&words::SENTENCES))),
                link: (index % 9 == 0).then(|| format!("https://cmdb.example.test/{index}")),
                parents,
                keepers: if index % 3 == 0 { vec![random.below(people) as u32] } else { vec![] },
                labels: if index % 5 == 0 { vec![random.below(words::LABELS.len()) as u32] } else { vec![] },
                fqdn: format!("{}-{index:04}.corp.example.test", words::HOST_KINDS[index % words::HOST_KINDS.len()]),
                ipv4: address(index),
                mac: format!("02:00:5e:{:02x}:{:02x}:{:02x}", index >> 16 & 0xff, index >> 8 & 0xff, index & 0xff),
                system: *Random::of(seed, "system", index as u64).pick(&words::SYSTEMS),
                name,
            }
        })
        .collect()
}

/// 198.18.0.0/15 is kept for tests: room for 131,072 hosts.
fn address(index: usize) -> String {
    format!("198.{}.{}.{}", 18 + (index >> 16 & 1), index >> 8 & 0xff, index & 0xff)
}

pub(super) fn vulnerabilities() -> Vec<Vulnerability> {
    let vulnerability = |&(id, title, cvss, epss, exploited)| Vulnerability { id, title, cvss, epss, exploited };
    words::VULNERABILITIES.iter().map(vulnerability).collect()
}

pub(super) fn threats() -> Vec<Threat> {
    let threat = |(index, &(technique, name)): (usize, &(&'static str, &'static str))| Threat {
        technique,
        name,
        unit: technique.is_empty().then(|| unit_of(index)),
    };
    words::THREATS.iter().enumerate().map(threat).collect()
}

pub(super) fn artefacts(seed: u64, count: usize, people: usize) -> Vec<Artefact> {
    (0..count)
        .map(|index| {
            let random = &mut Random::of(seed, "artefact", index as u64);
            let name = words::ARTEFACTS[index % words::ARTEFACTS.len()];
            let ending = random.pick(&["log", "eml", "png", "pdf", "zip"]);
            Artefact {
                name: if index < words::ARTEFACTS.len() { name.to_owned() } else { format!("{name} {index}") },
                unit: unit_of(index),
                file: (index % 3 == 0).then(|| format!("evidence-{index}.{ending}")),
                size_bytes: 200 + random.below(5_000_000) as u64,
                link: (index % 3 == 1).then(|| format!("https://evidence.example.test/{index}")),
                keepers: if index % 4 == 0 { vec![random.below(people) as u32] } else { vec![] },
            }
        })
        .collect()
}
