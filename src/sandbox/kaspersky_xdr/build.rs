//! The world as this server knows it: units are tenants below one root, artefacts are alerts, notes are changes.

use super::render::time;
use super::state::{Account, Alert, Asset, Incident, Millis, Observable, Part, Sees, State, Tenant};
use crate::sandbox::random::Random;
use crate::sandbox::world::{self, NoteKind, Openness, Party, World};
use serde_json::{Value, json};
use uuid::Uuid;

const TACTICS: [&str; 14] = [
    "TA0043", "TA0042", "TA0001", "TA0002", "TA0003", "TA0004", "TA0005", "TA0006", "TA0007", "TA0008", "TA0009",
    "TA0011", "TA0010", "TA0040",
];
const TECHNOLOGIES: [&[&str]; 4] = [&["IOA"], &[], &["IOA", "YARA"], &["Sandbox"]];
/// Never, at a time, and never again: both ways in which a directory writes that an account does not expire.
const EXPIRES: [i64; 3] = [0, 1_900_000_000_000, i64::MAX];
const LEVELS: [&str; 4] = ["critical", "high", "medium", "low"];
const RESOLUTIONS: [&str; 4] = ["truePositive", "falsePositive", "lowPriority", "merged"];
/// One that a custom workflow has (release 1.2 and later).
pub(super) const CUSTOM_STATUS: &str = "Waiting for forensics";
const RULES: [(&str, &str); 6] = [
    ("R077_Office spawns shell", "correlation"),
    ("R114_Many failed logons, then one success", "correlation"),
    ("R204_Encoded PowerShell", "correlation"),
    ("R311_Beacon to rare domain", "anomaly"),
    ("R402_Backup deleted", "correlation"),
    ("R500_PLC program changed", "industrial"),
];

pub(super) fn build(world: &World, seed: u64) -> State {
    let id = |kind: &str, index: usize| Random::of(seed, kind, index as u64).uuid();
    let tenants = tenants(world, &id);
    let people: Vec<Value> = world
        .people
        .iter()
        .enumerate()
        .map(|(index, person)| json!({ "ID": id("xdr person", index).to_string(), "Name": person.account }))
        .collect();
    let hosts = (0..world.hosts.len()).map(|index| host(world, &tenants, index, id("xdr host", index))).collect();
    let users = (0..world.people.len()).map(|index| user(world, &tenants, index, id("xdr user", index))).collect();
    let rules = RULES.iter().enumerate().map(|(index, (name, kind))| {
        let (confidence, severity) = (["high", "medium", "low"][index % 3], LEVELS[index % 4]);
        json!({
            "Confidence": confidence, "Custom": index % 2 == 0, "ID": format!("r-{}", 100 + index), "Name": name,
            "Severity": severity, "Type": kind,
        })
    });
    let account = |(index, (name, sees)): (usize, (&'static str, Sees))| {
        let token: String = (0..2).map(|half| id("xdr token", index * 2 + half).simple().to_string()).collect();
        Account { name, token, sees }
    };
    let accounts = [("gateway", Sees::Open), ("admin", Sees::Everything), ("nobody", Sees::Nothing)];
    let accounts = accounts.into_iter().enumerate().map(account).collect();
    let incidents = (0..world.size()).map(|index| incident(world, index, &people, &id)).collect();
    State { tenants, accounts, people, hosts, users, rules: rules.collect(), incidents }
}

/// The first is the root of all; unit `n` is tenant `n + 1`.
fn tenants(world: &World, id: &impl Fn(&str, usize) -> Uuid) -> Vec<Tenant> {
    let root = Tenant {
        id: id("xdr tenant", 0),
        name: "Main".into(),
        description: "Root tenant",
        below: Vec::new(),
        closed: false,
    };
    let mut tenants = vec![root];
    for (index, unit) in world.units.iter().enumerate() {
        let closed = unit.openness == Openness::Closed;
        let place = index + 1;
        tenants.push(Tenant {
            id: id("xdr tenant", place),
            name: unit.name.into(),
            description: "",
            below: vec![],
            closed,
        });
        tenants[unit.above.map_or(0, |above| above + 1)].below.push(place);
    }
    tenants
}

fn host(world: &World, tenants: &[Tenant], index: usize, id: Uuid) -> Value {
    let host = &world.hosts[index];
    let (seen, day) = (world.dawn() / 1_000 + index as Millis * 3_600_000, 86_400_000);
    let mut info = json!({
        "ID": id.to_string(), "TenantID": tenants[host.unit + 1].id.to_string(), "DisplayName": host.name, "AssetSource": "ksc",
        "CreatedAt": seen, "IsDeleted": index % 19 == 18, "IpAddress": [host.ipv4], "Fqdn": [host.fqdn],
        "MacAddress": [host.mac], "DirectCategories": if index.is_multiple_of(3) { json!(["Servers", "Monitored"]) } else { Value::Null },
        "Weight": LEVELS[3 - index % 4],
        "CiiCategory": if index % 8 == 7 { "CII" } else { "notCII" }, "OS": host.system.0, "OSVersion": host.system.1,
        "Sources": ["ksc", "kuma"], "LastVisible": seen + 300 * day,
        "Products": [{ "ProductVersion": "12.4.0.467", "ProductName": "Kaspersky Endpoint Security" }],
    });
    if index % 4 != 3 {
        info["KSC"] = json!({
            "GroupID": index % 7, "GroupName": "Managed devices", "StatusMask": [0, index % 5], "StatusID": index % 3,
            "RtProtectionState": 3, "EncryptionState": 1, "AntiSpamStatus": 2, "EmailAvStatus": 4, "DlpStatus": 5,
            "EdrStatus": 6, "LastAvBasesUpdate": seen + 299 * day, "LastInfoUpdate": seen + 298 * day,
            "LastUpdate": seen + 297 * day, "LastSystemStart": seen + 290 * day, "VirtualServerID": index % 2,
        });
    }
    if index % 8 == 7 {
        let model =
            |model: &str, version: &str| json!({ "Model": model, "Version": version, "Vendor": "Example Automation" });
        let risks: Vec<Value> = world.vulnerabilities.iter().skip(index % 3).take(2).enumerate().map(|(number, flaw)| {
            json!({
                "ID": number + 1, "Name": flaw.title, "Category": "vulnerability", "Description": flaw.id,
                "DescriptionURL": format!("https://risks.example.test/{}", flaw.id), "Severity": 3, "Cvss": flaw.cvss,
            })
        }).collect();
        info["KICS"] = json!({
            "status": "authorized", "risks": risks, "serverIP": "198.19.255.1", "connectorID": 4, "deviceID": index,
            "hardware": model("PLC-1200", "4.2"), "software": model("Firmware", "4.5.1"),
        });
    }
    json!({ "Data": {}, "ID": id.to_string(), "KSCServer": "ksc.example.test", "Name": host.name, "Type": "host", "HostInfo": info })
}

fn user(world: &World, tenants: &[Tenant], index: usize, id: Uuid) -> Value {
    let person = &world.people[index];
    let (tenant, since) = (&tenants[1 + index % 9], world.dawn() / 1_000);
    let full = format!("{} {}", person.first_name, person.last_name);
    let info = json!({
        "osmpId": id.to_string(), "tenantID": tenant.id.to_string(), "tenantName": tenant.name, "domain": "corp.example.test", "cn": full.trim(),
        "displayName": full.trim(), "distinguishedName": format!("CN={},DC=corp,DC=example,DC=test", person.account),
        "mail": person.email, "mailNickname": person.account, "mobile": "+00 000 0001", "objectSID": format!("S-1-5-21-1-2-3-{}", 1_000 + index),
        "samAccountName": person.account, "samAccountType": "805306368", "telephoneNumber": "+00 000 0002",
        "userPrincipalName": format!("{}@corp.example.test", person.account), "isArchived": !person.active,
        "memberOf": ["Domain Users"], "title": "Analyst", "division": "Operations", "department": "IT", "manager": "CN=p000",
        "location": "Berlin", "company": "Example", "streetAddress": "1 Example Street", "physicalDeliveryOfficeName": "B 12",
        "managedObjects": ["CN=printer"], "userAccountControl": "512", "whenCreated": since, "whenChanged": since + 1_000,
        "accountExpires": EXPIRES[index % 3], "badPasswordTime": since + 2_000,
    });
    let name = format!("CORP\\{}", person.account);
    json!({ "Data": {}, "ID": id.to_string(), "KSCServer": "", "Name": name, "Type": "user", "UserInfo": info })
}

fn incident(world: &World, index: usize, people: &[Value], id: &impl Fn(&str, usize) -> Uuid) -> Incident {
    let told = world.incident(index);
    let created = told.created_at / 1_000;
    let uuid = id("xdr incident", index);
    let (status, resolution) = match told.state {
        _ if index % 43 == 21 => (CUSTOM_STATUS, ""),
        0 => ("open", ""),
        1 => ("inProgress", ""),
        2 => ("hold", ""),
        3 => ("closed", RESOLUTIONS[index % 4]),
        _ => ("closed", "falsePositive"),
    };
    let changed = told.notes.iter().rev().find(|note| matches!(note.kind, NoteKind::Progress(..)));
    let persons = told.owners.iter().filter_map(|party| match party {
        Party::Person(person) => Some(*person as usize),
        Party::Team(_) | Party::Partner(_) => None,
    });
    let assignee = persons.clone().next();
    let alerts: Vec<Alert> = (0..index % 4).map(|place| alert(index * 4 + place, status, created, id)).collect();
    let history = history(&told, uuid, &alerts, created, assignee.map(|person| &people[person]));
    Incident {
        number: index + 1,
        id: uuid,
        // Now and then in the last unit, which is closed to most.
        tenant: if index % 29 == 13 { world.units.len() } else { told.unit.map_or(0, |unit| unit + 1) },
        external: told.link.clone().unwrap_or_default(),
        status,
        resolution,
        severity: severity(told.severity),
        priority: LEVELS[index % 4],
        manual: index.is_multiple_of(5),
        assignee,
        created,
        updated: told.updated_at / 1_000,
        status_changed: changed.map_or(created, |note| note.at / 1_000),
        first_event: told.occurred_at.map_or(created - 600_000, |at| at / 1_000),
        last_event: created - 500,
        technologies: TECHNOLOGIES[index % 4],
        tactics: (0..index % 3).map(|step| TACTICS[(index + step * 5) % 14]).collect(),
        techniques: techniques(world, &told),
        observables: observables(world, &told, index),
        rules: (0..index % 3).map(|step| (index + step) % RULES.len()).collect(),
        assets: assets(world, &told, index),
        alerts,
        history,
        nulls: index % 6 == 4,
        name: told.name,
        description: told.description.unwrap_or_default(),
    }
}

/// 1 (worst) to 5; 6 is unknown, and is not sent.
fn severity(grade: u8) -> Option<&'static str> {
    (grade < 6).then(|| LEVELS[usize::from(grade.clamp(1, 4)) - 1])
}

fn techniques(world: &World, told: &world::Incident) -> Vec<&'static str> {
    let techniques = told.threats.iter().map(|threat| world.threats[*threat as usize].technique);
    techniques.filter(|technique| !technique.is_empty()).collect()
}

fn observables(world: &World, told: &world::Incident, index: usize) -> Vec<Observable> {
    let address = |host: &u32| world.hosts[*host as usize].ipv4.clone();
    let details = if index.is_multiple_of(2) { "Peer of a beacon" } else { "" };
    let mut all: Vec<Observable> =
        told.hosts.iter().take(2).map(|host| Observable { kind: "ip", value: address(host), details }).collect();
    if index % 3 == 1 {
        all.push(Observable { kind: "sha256", value: format!("{:064x}", index * 7_919), details: "" });
        all.push(Observable { kind: "url", value: format!("https://c2.example.test/{index}?a=b"), details: "" });
    }
    all
}

fn assets(world: &World, told: &world::Incident, index: usize) -> Vec<Part> {
    let part = |(place, host): (usize, &u32)| Part {
        asset: Asset::Host(*host as usize),
        victim: place == 0,
        attacker: place == 2,
    };
    let mut parts: Vec<Part> = told.hosts.iter().enumerate().map(part).collect();
    if index % 3 == 2 {
        let user = Asset::User(index % world.people.len());
        parts.push(Part { asset: user, victim: index.is_multiple_of(2), attacker: true });
    }
    parts
}

fn alert(number: usize, status: &'static str, created: Millis, id: &impl Fn(&str, usize) -> Uuid) -> Alert {
    let status = if status == "closed" { "closed" } else { "inIncident" };
    let resolution = if status == "closed" { "falsePositive" } else { "" };
    Alert { number: 5_000 + number, id: id("xdr alert", number), status, resolution, updated: created }
}

/// Newest last.
fn history(
    told: &world::Incident,
    incident: Uuid,
    alerts: &[Alert],
    created: Millis,
    assignee: Option<&Value>,
) -> Vec<Value> {
    let record = |kind: &str, what: &str, id: Uuid, at: Millis, params: Value| json!({ "entityID": id.to_string(), "entityKind": kind, "tenantID": "", "type": what, "createdAt": time(at), "params": params });
    let mut all = vec![record("Incident", "incidentCreated", incident, created, json!({}))];
    for alert in alerts {
        let params = assignee.map_or(Value::Null, |person| json!({ "assignee": person["Name"] }));
        all.push(record("Alert", "alertAssigned", alert.id, created + 1, params));
    }
    for note in &told.notes {
        let at = note.at / 1_000;
        match note.kind {
            NoteKind::Progress(before, after) => {
                let params = json!({ "before": before, "after": after });
                all.push(record("Incident", "incidentStatusChanged", incident, at, params));
            }
            NoteKind::Regraded(..) => {
                all.push(record("Incident", "incidentPriorityChanged", incident, at, Value::Null))
            }
            NoteKind::Detection | NoteKind::Mitigation | NoteKind::Observation => {}
        }
    }
    all.sort_by(|a, b| a["createdAt"].as_str().cmp(&b["createdAt"].as_str()));
    all
}
