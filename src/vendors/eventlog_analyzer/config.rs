//! What has to be known of one EventLog Analyzer, and where it is a guess how a real server behaves.

use crate::{
    domain::Severity,
    secret::Secret,
    settings::{Kind, Raw, Refusal, Shape, Table, boolean, text, url, words},
    upstream::{Policy, Rate},
    vendors::common::sends_in_clear,
};
use chrono_tz::Tz;
use serde_json::json;
use toml_edit::Value;
use url::Url;

/// One configured EventLog Analyzer.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address of the server, to which `/api/v2/…` is appended: with or without a path and a slash at the end.
    pub url: Url,
    /// A token made in the product's pages; it has no life that the gateway could prolong.
    pub token: Secret,
    /// The zone of the times that the server prints without one.
    pub time_zone: Tz,
    pub response_type: ResponseType,
    pub grades: Grades,
    pub first_index: FirstIndex,
    /// Whether the filter `assignee=-1` lists what nobody is assigned to. Inferred, not documented.
    pub unassigned_filter: bool,
    /// Whether names of users are read. That there is such a call is documented, its path and shape are not.
    pub read_users: bool,
    /// Path of that call.
    pub users_path: String,
    /// Whether `incident_time` of a piece of evidence is when it was added. Inferred from one example.
    pub incident_time_is_added: bool,
    pub policy: Policy,
}

/// Whose representation the server is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResponseType {
    Server,
    Client,
}

/// Which index the list's first row has. Not documented.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FirstIndex {
    Zero,
    One,
    /// Pages are asked for so that none of both loses a row; one row may come twice.
    Unknown,
}

/// What the two lower of the server's three severities mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grades {
    trouble: Severity,
    attention: Severity,
}

impl Default for Grades {
    /// High and low.
    fn default() -> Self {
        Grades { trouble: Severity::High, attention: Severity::Low }
    }
}

impl Grades {
    /// None unless the first is worse than the second: what was read can then be written back, and sorts as there.
    pub fn new(trouble: Severity, attention: Severity) -> Option<Grades> {
        (Severity::Critical < trouble && trouble < attention && attention < Severity::Unknown)
            .then_some(Grades { trouble, attention })
    }

    /// Of critical, trouble and attention.
    pub(super) fn severities(self) -> [Severity; 3] {
        [Severity::Critical, self.trouble, self.attention]
    }
}

impl Config {
    /// Calls that the server takes within a minute (published document, all operations together).
    pub const CALLS_PER_MINUTE: u32 = 60;
    /// Default of [`Config::users_path`]: by analogy with the documented `/meta/log-fields`.
    pub const USERS_PATH: &str = "/api/v2/meta/users";

    /// With the defaults for everything else.
    pub fn new(url: Url, token: Secret, time_zone: Tz) -> Self {
        Config {
            url,
            token,
            time_zone,
            response_type: ResponseType::Server,
            grades: Grades::default(),
            first_index: FirstIndex::Unknown,
            unassigned_filter: true,
            read_users: true,
            users_path: Self::USERS_PATH.to_owned(),
            incident_time_is_added: true,
            policy: Policy::default(),
        }
    }

    /// Reads, and thereby declares, the settings. None after a mistake, which has then been noted.
    pub fn declare(table: &mut Table<'_, '_>) -> Option<Self> {
        let base = table.required(
            "url",
            "Address of the server, to which `/api/v2/…` is appended; it may have a path, with or without a slash at its end.",
            url(),
        );
        let token = table.secret(
            "token",
            "An AuthToken with the scopes `incident.READ` and, unless `read_users` is false, `users.READ`. It is made in the \
             product under Settings, Admin Settings, API Settings.",
        );
        let time_zone = table.required(
            "time_zone",
            "The zone of the server's clock, by its name in the IANA database: the server prints times without one.",
            ZoneName,
        );
        let response_type = table.or(
            "response_type",
            "Whose representation the server is asked for. With `client`, `time_zone` is the zone of the token's user.",
            words(&[("server", ResponseType::Server), ("client", ResponseType::Client)]),
            ResponseType::Server,
        );
        let grades = grades(table);
        let first_index = table.or(
            "first_index",
            "Which index the first row of the list has, which is not documented. Unless it is known, pages overlap by a row \
             where that is needed to lose none.",
            words(&[("unknown", FirstIndex::Unknown), ("0", FirstIndex::Zero), ("1", FirstIndex::One)]),
            FirstIndex::Unknown,
        );
        let (unassigned_filter, incident_time_is_added) = guesses(table);
        let (read_users, users_path) = users(table);
        let policy = table.section("policy", "Limits of the conversation with this source.", |table| {
            Policy::declare_over(
                table,
                Policy { rates: vec![Rate::of_all(Self::CALLS_PER_MINUTE)], ..Policy::standard() },
            )
        });
        if base.as_ref().is_some_and(sends_in_clear) {
            let what =
                "begins with http://: the credential and all incidents cross the network unencrypted. Use https://.";
            table.warn("url", what);
        }
        if token.is_none() && !table.given("token") {
            table.mistake("token", "is missing.");
        }
        Some(Config {
            url: base?,
            token: token?,
            time_zone: time_zone?,
            response_type,
            grades: grades?,
            first_index,
            unassigned_filter,
            read_users,
            users_path,
            incident_time_is_added,
            policy,
        })
    }
}

fn grades(table: &mut Table<'_, '_>) -> Option<Grades> {
    let choices = || {
        words(&[
            ("high", Severity::High),
            ("medium", Severity::Medium),
            ("minor", Severity::Minor),
            ("low", Severity::Low),
            ("informational", Severity::Informational),
        ])
    };
    let default = Grades::default();
    let trouble = table.or("severity_trouble", "What the server's `Trouble` means here.", choices(), default.trouble);
    let doc = "What the server's `Attention` means here; less severe than `severity_trouble`.";
    let attention = table.or("severity_attention", doc, choices(), default.attention);
    let grades = Grades::new(trouble, attention);
    if grades.is_none() {
        table.mistake("severity_attention", "must be less severe than severity_trouble.");
    }
    grades
}

/// Readings of the document that a real server may refute.
fn guesses(table: &mut Table<'_, '_>) -> (bool, bool) {
    let unassigned = table.or(
        "unassigned_filter",
        "Whether the server lists what nobody is assigned to when asked for `assignee=-1`, which is not documented. If not, \
         the gateway looks itself.",
        boolean(),
        true,
    );
    let added = table.or(
        "incident_time_is_added",
        "Whether `incident_time` of a piece of evidence tells when it was added to the incident, which is not documented.",
        boolean(),
        true,
    );
    (unassigned, added)
}

fn users(table: &mut Table<'_, '_>) -> (bool, String) {
    let read = table.or(
        "read_users",
        "Whether the users are read, for names and e-mail addresses of owners. Where the server has no such call, owners \
         have an id only.",
        boolean(),
        true,
    );
    let path = table.or(
        "users_path",
        "Path of the call that lists the users; the document names the call, not its path.",
        text("a path of letters, digits, slashes, hyphens, dots and underscores", r"^(/[A-Za-z0-9._-]+)+$"),
        Config::USERS_PATH.to_owned(),
    );
    (read, path)
}

/// A zone by its name in the IANA database.
struct ZoneName;

impl Kind for ZoneName {
    type Value = Tz;

    fn shape(&self) -> Shape {
        let phrase = "a zone of the IANA database, as \"Europe/Berlin\" or \"UTC\"".to_owned();
        Shape { phrase, schema: json!({ "type": "string", "examples": ["Europe/Berlin", "UTC"] }) }
    }

    fn read(&self, raw: Raw<'_>) -> Result<Tz, Refusal> {
        text("", r"^\S+$").read(raw)?.parse().map_err(|_| Refusal::NotThis)
    }

    fn show(&self, value: &Tz) -> Value {
        Value::from(value.name())
    }
}
