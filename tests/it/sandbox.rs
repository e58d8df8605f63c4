//! What the sandbox promises beyond the recordings: a world that is a function of its arguments and holds every
//! oddity, filters and orderings that agree with a plain computation, rights, tokens, faults, counted calls, releases.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]

mod access;
mod faults;
mod reading;
mod tokens;
mod world;
mod writing;

use crate::recordings::client::{Answer, Client};
use incident_gateway::sandbox::{Sandbox, SandboxOptions};
use serde_json::Value;

/// A served sandbox and one caller.
struct Bench {
    sandbox: Sandbox,
    client: Client,
    token: String,
}

impl Bench {
    async fn new(options: SandboxOptions) -> Bench {
        let sandbox = Sandbox::new(options);
        let client = Client::new(&sandbox).await;
        let token = sandbox.token().to_owned();
        Bench { sandbox, client, token }
    }

    /// 200 incidents, seen by the account that a gateway is given.
    async fn standard() -> Bench {
        Bench::new(SandboxOptions { incidents: 200, ..SandboxOptions::default() }).await
    }

    /// 200 incidents, seen by the admin.
    async fn admin() -> Bench {
        let bench = Bench::standard().await;
        bench.called_by("admin")
    }

    fn token_of(&self, name: &str) -> String {
        let email = format!("{name}@example.test");
        self.sandbox.accounts().into_iter().find(|account| account.email == email).unwrap().token
    }

    fn called_by(mut self, name: &str) -> Bench {
        self.token = self.token_of(name);
        self
    }

    async fn get(&self, target: &str) -> Answer {
        self.client.get(target, &self.token).await
    }

    /// The JSON of a `GET` that succeeds.
    async fn json(&self, target: &str) -> Value {
        let answer = self.get(target).await;
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        answer.json()
    }

    /// `results` of a list.
    async fn rows(&self, target: &str) -> Vec<Value> {
        self.json(target).await["results"].as_array().unwrap().clone()
    }

    async fn send(&self, method: &str, target: &str, body: Value) -> Answer {
        self.client.send_json(method, target, &self.token, &body).await
    }
}

fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}
