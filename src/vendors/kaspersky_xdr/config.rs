//! What has to be known of one Kaspersky XDR.

use crate::vendors::common::sends_in_clear;
use crate::{
    secret::Secret,
    settings::{Table, boolean, duration_ms, list, text, url},
    upstream::Policy,
};
use std::time::Duration;
use url::Url;

/// One configured Kaspersky XDR.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address of the API, to which `/xdr/api/v1/…` is appended.
    pub url: Url,
    /// An API token, made in the product's console.
    pub token: Secret,
    /// UUIDs of the tenants to read. Empty, which settings can only say by leaving it out: all that the server names to
    /// this token.
    pub tenants: Vec<String>,
    /// How long the list of tenants is remembered, and which of them may not be read. Zero: not at all; requests at the
    /// same moment still share one reading.
    pub remember_tenants: Duration,
    /// Whether incidents may have statuses of custom workflows, as from release 1.2 on.
    pub custom_statuses: bool,
    pub policy: Policy,
}

impl Config {
    /// Default of [`Config::remember_tenants`].
    pub const REMEMBER_TENANTS: Duration = Duration::from_secs(5 * 60);

    /// With the defaults for everything else.
    pub fn new(url: Url, token: Secret) -> Self {
        Config {
            url,
            token,
            tenants: Vec::new(),
            remember_tenants: Self::REMEMBER_TENANTS,
            custom_statuses: true,
            policy: Policy::default(),
        }
    }

    /// Reads, and thereby declares, the settings. None after a mistake, which has then been noted.
    pub fn declare(table: &mut Table<'_, '_>) -> Option<Self> {
        let base = table.required(
            "url",
            "Address of the API, `https://api.` and the name of the server as a rule; `/xdr/api/v1/…` is appended.",
            url(),
        );
        let token = table.secret(
            "token",
            "An API token of an account with the right to read incidents, made under Settings, API tokens. It must allow \
             the lists of incidents, alerts and tenants.",
        );
        let uuid = text("a UUID in lower case", "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$");
        let tenants = table.optional(
            "tenants",
            "The tenants to read. Without it all that the server names to this token, which must then allow their list. With it, \
             those that the server does not name are told with every list.",
            list(uuid),
        );
        let remember_tenants = table.or(
            "remember_tenants_ms",
            "How long it is remembered which tenants there are and which of them may not be read; 0: not at all.",
            duration_ms(0..=86_400_000),
            Self::REMEMBER_TENANTS,
        );
        let custom_statuses = table.or(
            "custom_statuses",
            "Whether incidents may have statuses of custom workflows, as from release 1.2 on. `false` spares the gateway to \
             look again at what the server's filter by status gives.",
            boolean(),
            true,
        );
        let policy = table.section("policy", "Limits of the conversation with this source.", Policy::declare);
        if tenants.as_ref().is_some_and(Vec::is_empty) {
            let what = "is empty: name the tenants to read, or leave it out to read all that the server names.";
            table.mistake("tenants", what);
        }
        if base.as_ref().is_some_and(sends_in_clear) {
            let what = "begins with http://: the token and all incidents cross the network unencrypted. Use https://.";
            table.warn("url", what);
        }
        if token.is_none() && !table.given("token") {
            table.mistake("token", "is missing.");
        }
        Some(Config {
            url: base?,
            token: token?,
            tenants: tenants.unwrap_or_default(),
            remember_tenants,
            custom_statuses,
            policy,
        })
    }
}
