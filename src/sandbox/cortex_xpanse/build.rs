//! From the world to rows of the list. What the world does not know is a function of the incident's number.

use super::Object;
use super::alerts::alert_count;
use crate::sandbox::random::Random;
use crate::sandbox::world::{Incident, Party, World};
use serde_json::{Value, json};

/// All three vocabularies, as they occur.
const RESOLVED: [&str; 12] = [
    "resolved",
    "resolved_-_no_longer_observed",
    "resolved_-_no_risk",
    "resolved_-_risk_accepted",
    "resolved_-_contested_asset",
    "resolved_-_remediated_automatically",
    "RESOLVED_TRUE_POSITIVE",
    "RESOLVED_FALSE_POSITIVE",
    "RESOLVED_DUPLICATE",
    "RESOLVED_SECURITY_TESTING",
    "RESOLVED_KNOWN_ISSUE",
    "RESOLVED_OTHER",
];
const SEVERITIES: [Option<&str>; 6] =
    [Some("critical"), Some("high"), Some("medium"), Some("low"), Some("informational"), None];
const RULES: [&str; 5] =
    ["Insecure OpenSSH", "Telnet Server", "Expired Certificate", "Unclaimed S3 Bucket", "MySQL Server"];
const CLOUD_MANAGEMENTS: [Option<&str>; 4] =
    [Some("Managed Cloud"), Some("Unmanaged Cloud"), Some("Not Applicable"), None];
const INTEGRATIONS: [Option<&str>; 5] = [Some("AWS"), Some("AZURE"), Some("GOOGLE"), Some("PRISMA_CLOUD"), None];

/// A scan finds many things at once: these incidents, by their number, were made in the same millisecond.
const MADE_AT_ONCE: std::ops::Range<usize> = 40..76;
/// And these were last changed in the same millisecond.
const CHANGED_AT_ONCE: std::ops::Range<usize> = 100..150;

pub(super) fn incidents(world: &World) -> Vec<Object> {
    (0..world.size()).map(|index| row(world, index)).collect()
}

/// Name of the rule that raised an incident.
pub(super) fn rule(index: usize) -> &'static str {
    RULES[index % RULES.len()]
}

fn row(world: &World, index: usize) -> Object {
    let incident = world.incident(index);
    let mut row = Object::new();
    let mut put = |value: Value| {
        if let Value::Object(members) = value {
            row.extend(members);
        }
    };
    put(texts(world, index, &incident));
    put(times(world, index, &incident));
    put(grades(index, &incident));
    put(json!({ "xpanse_risk_explainer": explainer(world, index, &incident) }));
    put(exposed(world, index, &incident));
    row
}

fn texts(world: &World, index: usize, incident: &Incident) -> Value {
    let owner = incident.owners.iter().find_map(|owner| match owner {
        Party::Person(person) => world.people.get(*person as usize),
        Party::Team(_) | Party::Partner(_) => None,
    });
    let name = owner.map(|person| format!("{} {}", person.first_name, person.last_name).trim().to_owned());
    let unit = incident.unit.and_then(|unit| world.units.get(unit)).map(|unit| format!("BU:{}", unit.name));
    let tags: Vec<String> = [format!("AR:{}", rule(index))].into_iter().chain(unit.clone()).collect();
    let comment = match index % 3 {
        0 => Some(String::new()),
        _ => incident.resolution.clone(),
    };
    json!({
        "incident_id": (index + 1).to_string(),
        "is_blocked": index % 29 == 28,
        "incident_name": (index.is_multiple_of(9)).then(|| incident.name.clone()),
        "status": status(index, incident.state),
        "description": format!("{} at {}", rule(index), incident.name),
        "assigned_user_mail": owner.map(|person| person.email.clone()),
        "assigned_user_pretty_name": name,
        "notes": incident.notes.iter().find_map(|note| note.text.clone()).filter(|_| index % 4 == 1),
        "resolve_comment": comment,
        "manual_description": incident.description.clone().filter(|text| index % 8 == 3 && !text.is_empty()),
        "xdr_url": format!("https://expander.example.test/incidents?action:openIncidentDetails={}", index + 1),
        "incident_sources": match index % 13 { 5 => json!([]), 6 => json!(["XDR Agent", "ASM"]), _ => json!(["ASM"]) },
        "alerts_grouping_status": pick(&[Some("Enabled"), Some("Disabled"), None], index),
        "alert_categories": pick(&[Some(json!(["Attack Surface Reduction"])), None], index),
        "original_tags": unit.into_iter().collect::<Vec<_>>(),
        "tags": tags,
    })
}

/// One of these, by turns.
fn pick<T: Clone>(all: &[T], index: usize) -> T {
    all[index % all.len()].clone()
}

fn status(index: usize, state: u8) -> Option<&'static str> {
    match state {
        // Now and then a row tells no status.
        _ if index % 97 == 50 => None,
        0 => Some("new"),
        1 => Some("under_investigation"),
        _ => Some(RESOLVED[index % RESOLVED.len()]),
    }
}

fn times(world: &World, index: usize, incident: &Incident) -> Value {
    let together = |group: std::ops::Range<usize>, of: fn(&Incident) -> i64| match group.contains(&index) {
        true => of(&world.incident(group.start.min(world.size().saturating_sub(1)))),
        false => of(incident),
    };
    let created = together(MADE_AT_ONCE, |incident| incident.created_at) / 1_000;
    let updated = together(CHANGED_AT_ONCE, |incident| incident.updated_at) / 1_000;
    let resolved = (incident.state >= 2).then(|| incident.resolved_at.unwrap_or(incident.updated_at) / 1_000);
    json!({
        "creation_time": created,
        "modification_time": updated.max(created),
        "detection_time": incident.reported_at.filter(|_| index.is_multiple_of(3)).map(|at| at / 1_000),
        "resolved_timestamp": resolved,
        "last_observed": (index % 7 != 6).then_some(updated.max(created) - 1_000),
    })
}

fn grades(index: usize, incident: &Incident) -> Value {
    let alerts = alert_count(incident.hosts.len());
    let mut by_severity = [0; 4];
    by_severity[usize::from(incident.severity.clamp(1, 4)) - 1] = alerts;
    let manual = (index % 5 == 2).then(|| SEVERITIES[index % 4]);
    json!({
        "severity": SEVERITIES[usize::from(incident.severity.clamp(1, 6)) - 1],
        "manual_severity": manual.flatten(),
        "alert_count": alerts,
        "critical_severity_alert_count": by_severity[0],
        "high_severity_alert_count": by_severity[1],
        "med_severity_alert_count": by_severity[2],
        "low_severity_alert_count": by_severity[3],
        "user_count": incident.owners.len(),
        "host_count": incident.hosts.len(),
        "starred": index.is_multiple_of(10),
        "starred_manually": index.is_multiple_of(20),
        "rule_based_score": (index.is_multiple_of(2)).then_some(index % 100),
        "aggregated_score": (!index.is_multiple_of(3)).then_some(index % 100),
        "manual_score": (index % 6 == 1).then_some(index as f64 / 8.0),
        "xpanse_risk_score": (index % 4 != 3).then_some((index * 7) % 1_000),
    })
}

/// Vulnerabilities and what else makes it a risk. The score went through a narrow float, as on the real server.
fn explainer(world: &World, index: usize, incident: &Incident) -> Value {
    if index % 11 == 10 {
        return Value::Null;
    }
    let cves: Vec<Value> = incident
        .vulnerabilities
        .iter()
        .filter_map(|flaw| world.vulnerabilities.get(*flaw as usize))
        .map(|flaw| {
            json!({
                "cveId": flaw.id,
                "cvssScore": f64::from(flaw.cvss as f32),
                "epssScore": f64::from(flaw.epss as f32),
                "matchType": pick(&["ExactVersionMatch", "ApproximateVersionMatch"], index),
                "exploitMaturity": if flaw.exploited { "Weaponized" } else { "Poc" },
                "reportedExploitInTheWild": flaw.exploited,
                "mostRecentReportedExploitDate": flaw.exploited.then_some("2026-05-17"),
                "confidence": pick(&["High", "Medium", "Low"], index),
            })
        })
        .collect();
    let factors: Vec<Value> = incident
        .threats
        .iter()
        .filter_map(|threat| world.threats.get(*threat as usize).map(|known| (threat, known)))
        .map(|(number, threat)| {
            let issue = json!({ "displayName": rule(index), "issueTypeId": rule(index).replace(' ', "") });
            json!({ "attributeId": format!("attr-{number}"), "attributeName": threat.name, "issueTypes": [issue] })
        })
        .collect();
    json!({ "cves": cves, "riskFactors": factors, "versionMatched": index.is_multiple_of(2) })
}

/// What can be seen from outside.
fn exposed(world: &World, index: usize, incident: &Incident) -> Value {
    let hosts: Vec<_> = incident.hosts.iter().filter_map(|host| world.hosts.get(*host as usize)).collect();
    let mut random = Random::of(index as u64, "exposed", 0);
    let mut ids = |count: usize| (0..count).map(|_| random.uuid().to_string()).collect::<Vec<_>>();
    let named = hosts.iter().enumerate().map(|(place, host)| match place % 2 {
        0 => format!("{}:null", host.ipv4),
        _ => format!("{}:{}", host.fqdn, host.mac.replace(':', "")),
    });
    let sixth = |place: usize| format!("2001:db8::{:x}:{place:x}", index + 1);
    json!({
        "hosts": named.collect::<Vec<_>>(),
        "cloud_management_status": CLOUD_MANAGEMENTS[index % 4],
        "integration_source": INTEGRATIONS[index % 5],
        "ipv4_addresses": hosts.iter().map(|host| host.ipv4.clone()).collect::<Vec<_>>(),
        "ipv6_addresses": (0..index % 3).map(sixth).collect::<Vec<_>>(),
        "domain_names": hosts.iter().skip(1).map(|host| host.fqdn.clone()).collect::<Vec<_>>(),
        "port_number": (index % 5 != 4).then(|| [22, 23, 443, 3_306][index % 4]),
        "asset_ids": ids(index % 3),
        "ip_range_ids": ids(index % 2),
        "website_ids": ids(usize::from(index % 4 == 2)),
        "service_ids": ids(usize::from(index % 4 != 3)),
        "cloud_providers": pick(&[json!(["Amazon Web Services"]), json!(["On Prem"]), Value::Null], index),
        "country_codes": pick(&[json!(["DE"]), json!(["US", "FR"])], index),
        "certificate_common_names": hosts.first().map(|host| vec![host.fqdn.clone()]).unwrap_or_default(),
        "certificate_issuers": hosts.first().map(|_| vec!["Example Test CA"]).unwrap_or_default(),
    })
}
