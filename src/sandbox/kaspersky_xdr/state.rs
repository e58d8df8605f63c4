//! What the simulated server holds.

use serde_json::Value;
use uuid::Uuid;

/// Milliseconds since 1970: the resolution of every stored time.
pub(super) type Millis = i64;

pub(super) struct Tenant {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) description: &'static str,
    pub(super) below: Vec<usize>,
    /// Whether only the administrator's token may read it.
    pub(super) closed: bool,
}

/// Somebody whose token is taken.
pub(super) struct Account {
    pub(super) name: &'static str,
    pub(super) token: String,
    pub(super) sees: Sees,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sees {
    Everything,
    /// All tenants but the closed ones.
    Open,
    Nothing,
}

/// An asset, and its part in an incident.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) asset: Asset,
    pub(super) victim: bool,
    pub(super) attacker: bool,
}

/// Index into the prepared hosts or accounts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asset {
    Host(usize),
    User(usize),
}

pub(super) struct Observable {
    pub(super) kind: &'static str,
    pub(super) value: String,
    pub(super) details: &'static str,
}

pub(super) struct Incident {
    pub(super) number: usize,
    pub(super) id: Uuid,
    pub(super) tenant: usize,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) external: String,
    /// As rows show it.
    pub(super) status: &'static str,
    pub(super) resolution: &'static str,
    /// None: the member is absent.
    pub(super) severity: Option<&'static str>,
    pub(super) priority: &'static str,
    pub(super) manual: bool,
    /// Index into the accounts of people.
    pub(super) assignee: Option<usize>,
    pub(super) created: Millis,
    pub(super) updated: Millis,
    pub(super) status_changed: Millis,
    pub(super) first_event: Millis,
    pub(super) last_event: Millis,
    pub(super) technologies: &'static [&'static str],
    pub(super) tactics: Vec<&'static str>,
    pub(super) techniques: Vec<&'static str>,
    pub(super) observables: Vec<Observable>,
    pub(super) rules: Vec<usize>,
    pub(super) assets: Vec<Part>,
    pub(super) alerts: Vec<Alert>,
    /// Newest last.
    pub(super) history: Vec<Value>,
    /// Whether empty lists are sent as null, as its language does.
    pub(super) nulls: bool,
}

pub(super) struct Alert {
    pub(super) number: usize,
    pub(super) id: Uuid,
    pub(super) status: &'static str,
    pub(super) resolution: &'static str,
    pub(super) updated: Millis,
}

pub(super) struct State {
    pub(super) tenants: Vec<Tenant>,
    pub(super) accounts: Vec<Account>,
    /// `{"ID", "Name"}` of everybody.
    pub(super) people: Vec<Value>,
    /// Assets as rows show them, without the part that they have.
    pub(super) hosts: Vec<Value>,
    pub(super) users: Vec<Value>,
    pub(super) rules: Vec<Value>,
    pub(super) incidents: Vec<Incident>,
}

impl State {
    /// Whether an account may read a tenant.
    pub(super) fn may(&self, account: usize, tenant: usize) -> bool {
        match self.accounts[account].sees {
            Sees::Everything => true,
            Sees::Open => !self.tenants[tenant].closed,
            Sees::Nothing => false,
        }
    }
}
