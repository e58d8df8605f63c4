//! What has to be known of one CISO Assistant.

use crate::{
    secret::Secret,
    settings::{Table, duration_ms, text, url},
    upstream::Policy,
    vendors::common::{sends_in_clear, shown_url},
};
use std::time::Duration;
use url::Url;

/// One configured CISO Assistant.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address of the server, to which `/api/…` is appended: with or without a path and a slash at the end.
    pub url: Url,
    pub credential: Credential,
    /// Address of the pages that people open, where it is not that of the API; `Incident.url` begins with it.
    pub ui_url: Option<Url>,
    pub policy: Policy,
    /// How long the lists of actors and teams, which the server gives only as a whole, are remembered. Zero: not at
    /// all; requests at the same moment still share one reading.
    pub remember_people: Duration,
}

impl Config {
    /// Default of [`Config::remember_people`].
    pub const REMEMBER_PEOPLE: Duration = Duration::from_secs(5 * 60);

    /// With the defaults for everything else.
    pub fn new(url: Url, credential: Credential) -> Self {
        Config { url, credential, ui_url: None, policy: Policy::default(), remember_people: Self::REMEMBER_PEOPLE }
    }

    /// The address as anybody may see it: without user, password, query and fragment.
    pub(super) fn shown_url(&self) -> String {
        shown_url(&self.url)
    }

    /// Address of the pages that people open, without a slash at its end.
    pub(super) fn pages(&self) -> String {
        shown_url(self.ui_url.as_ref().unwrap_or(&self.url)).trim_end_matches('/').to_owned()
    }
}

/// How the gateway proves who it is.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A token as the server gave it, best a long-lived one.
    Token(Secret),
    /// An account that logs in for tokens. One with a second factor cannot.
    Password { email: String, password: Secret },
}

impl Config {
    /// Reads, and thereby declares, the settings. None after a mistake, which has then been noted.
    pub fn declare(table: &mut Table<'_, '_>) -> Option<Self> {
        let base = table.required(
            "url",
            "Address of the server, to which `/api/…` is appended; it may have a path, with or without a slash at its end.",
            url(),
        );
        let token = table.secret(
            "token",
            "A personal access token of the account whose rights the gateway shall have. Instead of `email` and `password`.",
        );
        let email = table.optional(
            "email",
            "The account to log in with, together with `password`. One with a second factor needs a `token` instead.",
            text("an e-mail address", r"^[^@\s]+@[^@\s]+$"),
        );
        let password = table.secret("password", "The password of the account in `email`.");
        let ui_url = table.optional(
            "ui_url",
            "Address of the pages that people open, where it is not that of `url`; links to incidents begin with it.",
            url(),
        );
        let remember_people = table.or(
            "remember_people_ms",
            "How long the lists of people and teams are remembered, which the server gives only as a whole; 0: not at all.",
            duration_ms(0..=86_400_000),
            Self::REMEMBER_PEOPLE,
        );
        let policy = table.section("policy", "Limits of the conversation with this source.", Policy::declare);
        if base.as_ref().is_some_and(sends_in_clear) {
            let what =
                "begins with http://: the credential and all incidents cross the network unencrypted. Use https://.";
            table.warn("url", what);
        }
        let credential = credential(table, token, email, password);
        Some(Config { url: base?, credential: credential?, ui_url, policy, remember_people })
    }
}

fn credential(
    table: &mut Table<'_, '_>,
    token: Option<Secret>,
    email: Option<String>,
    password: Option<Secret>,
) -> Option<Credential> {
    let (name, what) = match ["token", "email", "password"].map(|name| table.given(name)) {
        [true, false, false] => return token.map(Credential::Token),
        [false, true, true] => return Some(Credential::Password { email: email?, password: password? }),
        [false, false, false] => ("token", "is missing. Give a token, or email and password."),
        [false, true, false] => ("password", "is missing; email needs it. Or give a token instead of both."),
        [false, false, true] => ("email", "is missing; password needs it. Or give a token instead of both."),
        [true, _, _] => ("token", "cannot stand beside email and password. Keep one of the two ways."),
    };
    table.mistake(name, what);
    None
}
