//! Every recorded exchange with a running CISO Assistant is played against the sandbox, and the answers are compared.
//!
//! `cases` says how each is prepared, `compare` what counts as equal and which exemptions there are. A recording
//! without preparation fails, so does a preparation without recording.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

mod cases;
pub(crate) mod client;
mod compare;

use cases::{Caller, Case, Step};
use chrono::{DateTime, Utc};
use client::{Answer, Client};
use compare::{Comparison, Ids};
use incident_gateway::sandbox::{Release, Sandbox, SandboxOptions};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// One recorded exchange.
#[derive(Debug, Deserialize)]
pub(crate) struct Recording {
    request: RecordedRequest,
    response: RecordedResponse,
    #[serde(default)]
    note: String,
}

#[derive(Debug, Deserialize)]
struct RecordedRequest {
    method: String,
    path: String,
    query: String,
    headers: BTreeMap<String, String>,
    body: Value,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RecordedResponse {
    status: u16,
    content_type: String,
    headers: BTreeMap<String, String>,
    body: Value,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ciso-assistant")
}

fn read(release: &str) -> BTreeMap<String, Recording> {
    let mut recordings = BTreeMap::new();
    for file in std::fs::read_dir(fixtures().join(release)).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let recording = serde_json::from_slice(&std::fs::read(&path).unwrap());
        recordings.insert(name, recording.unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    }
    recordings
}

/// The recorded server's clock when the recordings were made.
fn recorded_at() -> DateTime<Utc> {
    "2026-11-20T07:50:00Z".parse().unwrap()
}

/// One sandbox in the state of the recorded server, and what was learnt of its ids.
struct Play<'a> {
    recordings: &'a BTreeMap<String, Recording>,
    cases: &'a BTreeMap<&'static str, Case>,
    sandbox: Sandbox,
    client: Client,
    ids: Ids,
}

impl<'a> Play<'a> {
    async fn new(
        release: Release,
        recordings: &'a BTreeMap<String, Recording>,
        cases: &'a BTreeMap<&'static str, Case>,
        case: &Case,
    ) -> Play<'a> {
        let file = fixtures().join(format!("world-v{release}.json"));
        let mut world: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        for step in case.given {
            if let Step::Incident { id, name, ref_id, folder } = step {
                let folders = world["folders"].as_array().unwrap();
                let folder = folders.iter().find(|f| f["name"] == *folder).unwrap()["id"].clone();
                let incident = json!({
                    "id": id, "name": name, "ref_id": ref_id, "folder": folder, "status": "new", "severity": 3,
                    "created_at": "2026-11-20T07:40:00Z", "updated_at": "2026-11-20T07:40:00Z",
                });
                world["incidents"].as_array_mut().unwrap().push(incident);
            }
        }
        let ids = Ids::of(&world);
        let options = SandboxOptions { release, now: recorded_at(), ..SandboxOptions::default() };
        let sandbox = Sandbox::with_objects(options, &world).unwrap();
        let client = Client::new(&sandbox).await;
        Play { recordings, cases, sandbox, client, ids }
    }

    /// Sends a recorded request, in the sandbox's ids.
    async fn send(&self, recording: &Recording, caller: Caller) -> Answer {
        let request = &recording.request;
        let mut headers = Vec::new();
        for (name, value) in &request.headers {
            match (name.as_str(), value.as_str()) {
                ("Authorization", "Token <redacted>") => headers.push((name.clone(), self.credential(caller).await)),
                ("Content-Length", _) => {}
                _ => headers.push((name.clone(), value.clone())),
            }
        }
        let body = match &request.body {
            Value::Null => String::new(),
            Value::String(raw) => raw.clone(),
            body => body.to_string(),
        };
        let target =
            if request.query.is_empty() { request.path.clone() } else { format!("{}?{}", request.path, request.query) };
        self.client.send(&request.method, &self.ids.translate(&target), &headers, &self.ids.translate(&body)).await
    }

    async fn credential(&self, caller: Caller) -> String {
        let account = |name: &str| {
            let accounts = self.sandbox.accounts();
            accounts.into_iter().find(|account| account.email == format!("{name}@example.test")).unwrap()
        };
        let token = match caller {
            Caller::Admin => account("admin").token,
            Caller::Analyst => account("analyst").token,
            Caller::Reader => account("reader").token,
            Caller::Nobody => account("nobody").token,
            Caller::LoggedOut => {
                let token = account("admin").token;
                let headers = [("Authorization".to_owned(), format!("Token {token}"))];
                let answer = self.client.send("POST", "/api/iam/logout/", &headers, "").await;
                assert_eq!(answer.status, 204);
                token
            }
        };
        format!("Token {token}")
    }

    /// Brings the sandbox into the state before a case, then plays the case. The differences found.
    async fn play(&mut self, name: &str) -> Vec<String> {
        let case = &self.cases[name];
        for step in case.given {
            match step {
                Step::Incident { .. } => {}
                Step::Played(before) => {
                    let recording = &self.recordings[*before];
                    let answer = self.send(recording, self.cases[*before].caller).await;
                    let differences = Comparison::new(before, recording, &mut self.ids).differences(&answer);
                    assert_eq!(differences, Vec::<String>::new(), "{before}, on the way to {name}");
                }
                Step::Sent { method, path, body } => {
                    let headers = [
                        ("Authorization".to_owned(), self.credential(Caller::Admin).await),
                        ("Content-Type".to_owned(), "application/json".to_owned()),
                    ];
                    let answer = self.client.send(method, &self.ids.translate(path), &headers, body).await;
                    assert!(answer.status < 300, "{method} {path}, on the way to {name}: {answer:?}");
                }
            }
        }
        let recording = &self.recordings[name];
        let answer = self.send(recording, case.caller).await;
        Comparison::new(name, recording, &mut self.ids).differences(&answer)
    }
}

async fn play_all(release: Release, count: usize) {
    let recordings = read(&format!("v{release}"));
    let cases = cases::of(release);
    let (recorded, prepared): (BTreeSet<&str>, BTreeSet<&str>) =
        (recordings.keys().map(String::as_str).collect(), cases.keys().copied().collect());
    assert_eq!(recorded, prepared, "left: recordings, right: prepared cases");
    assert_eq!(recorded.len(), count);
    let mut failures = Vec::new();
    for (name, case) in &cases {
        let mut play = Play::new(release, &recordings, &cases, case).await;
        failures.extend(play.play(name).await.into_iter().map(|difference| format!("{name}: {difference}")));
    }
    assert!(failures.is_empty(), "{} differences\n{}", failures.len(), failures.join("\n"));
}

#[tokio::test]
async fn the_sandbox_answers_every_recorded_request_of_3_15_1_as_the_server_did() {
    play_all(Release::V3_15_1, 156).await;
}

#[tokio::test]
async fn the_sandbox_answers_every_recorded_request_of_3_20_8_as_the_server_did() {
    play_all(Release::V3_20_8, 33).await;
}

#[test]
fn every_exemption_is_of_a_recorded_case() {
    let (older, later) = (cases::of(Release::V3_15_1), cases::of(Release::V3_20_8));
    for exemption in compare::EXEMPTIONS {
        assert!(older.contains_key(exemption.case) || later.contains_key(exemption.case), "{}", exemption.case);
    }
}
