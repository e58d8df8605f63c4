//! What has to be known of one Cortex Xpanse.

use crate::{
    secret::Secret,
    settings::{Table, boolean, text, url, words},
    upstream::{Policy, Rate},
    vendors::common::sends_in_clear,
};
use url::Url;

/// One configured Cortex Xpanse.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address of the API, `https://api-<tenant>`, to which `/public_api/…` is appended.
    pub url: Url,
    pub key: Secret,
    /// The number of the key, which the server shows beside it.
    pub key_id: String,
    pub key_kind: KeyKind,
    pub policy: Policy,
    pub undocumented: Undocumented,
}

/// How a key proves itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyKind {
    /// It is sent with each request.
    Standard,
    /// It signs each request and is never sent.
    Advanced,
}

/// Behaviour that the vendor's documents leave open. What is false here is done by the gateway.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Undocumented {
    /// Lists are sorted by time, nothing left out, so that pages can follow each other.
    pub sorts_by_time: bool,
    /// Lists can be sorted by `incident_id`, as the list of allowed values says; the text beside it names other fields.
    pub sorts_by_id: bool,
    /// `incident_id` sorts as a number.
    pub sorts_ids_as_numbers: bool,
    /// `starred` can be filtered with `eq`.
    pub filters_starred: bool,
    /// The filter on `description` ignores letter case.
    pub filters_description: bool,
}

impl Default for Undocumented {
    fn default() -> Self {
        Undocumented {
            sorts_by_time: true,
            sorts_by_id: true,
            sorts_ids_as_numbers: false,
            filters_starred: false,
            filters_description: false,
        }
    }
}

/// Calls for extra data that the server takes within a minute (published document); other operations have no limit.
const EXTRA_DATA: Rate = Rate { operations: Some(&[super::client::EXTRA_DATA.operation]), per_minute: 10 };

impl Config {
    /// With the defaults for everything else.
    pub fn new(url: Url, key_id: impl Into<String>, key: Secret, key_kind: KeyKind) -> Self {
        let (policy, undocumented) = (Policy::default(), Undocumented::default());
        Config { url, key, key_id: key_id.into(), key_kind, policy, undocumented }
    }

    /// Reads, and thereby declares, the settings. None after a mistake, which has then been noted.
    pub fn declare(table: &mut Table<'_, '_>) -> Option<Self> {
        let base = table.required(
            "url",
            "Address of the API, `https://api-<tenant>`, to which `/public_api/…` is appended.",
            url(),
        );
        let key = table.secret("api_key", "The API key whose role the gateway shall have.");
        let key_id = table.required(
            "api_key_id",
            "The number that the server shows beside the key.",
            text("the number of a key, as in \"7\"", r"^[0-9A-Za-z_-]+$"),
        );
        let key_kind = table.or(
            "api_key_type",
            "The security level that the key was made with: `standard` is sent with each request, `advanced` signs each.",
            words(&[("standard", KeyKind::Standard), ("advanced", KeyKind::Advanced)]),
            KeyKind::Standard,
        );
        let undocumented = table.section(
            "undocumented",
            "Behaviour that the vendor's documents leave open. What is false is done by the gateway, at the cost of more calls.",
            Undocumented::declare,
        );
        let policy = table.section("policy", "Limits of the conversation with this source.", |table| {
            Policy::declare_over(table, Policy { rates: vec![EXTRA_DATA], ..Policy::standard() })
        });
        if base.as_ref().is_some_and(sends_in_clear) {
            let what =
                "begins with http://: the credential and all incidents cross the network unencrypted. Use https://.";
            table.warn("url", what);
        }
        if !table.given("api_key") {
            table.mistake("api_key", "is missing.");
        }
        Some(Config { url: base?, key: key?, key_id: key_id?, key_kind, policy, undocumented })
    }
}

impl Undocumented {
    fn declare(table: &mut Table<'_, '_>) -> Self {
        let default = Undocumented::default();
        let mut assume = |name, doc, value| table.or(name, doc, boolean(), value);
        Undocumented {
            sorts_by_time: assume(
                "sorts_by_time",
                "The server sorts by times to the millisecond. What happened in the same millisecond is sorted by the \
                 gateway.",
                default.sorts_by_time,
            ),
            sorts_by_id: assume(
                "sorts_by_id",
                "The server sorts by `incident_id`. If false, lists for which any order will do are read by creation time, \
                 which may miss incidents of one millisecond that stand on both sides of a page's end.",
                default.sorts_by_id,
            ),
            sorts_ids_as_numbers: assume(
                "sorts_ids_as_numbers",
                "The server sorts `incident_id` as a number, not as text.",
                default.sorts_ids_as_numbers,
            ),
            filters_starred: assume(
                "filters_starred",
                "The server filters `starred` with the operator `eq`.",
                default.filters_starred,
            ),
            filters_description: assume(
                "filters_description",
                "The server ignores letter case when it filters by `description`.",
                default.filters_description,
            ),
        }
    }
}
