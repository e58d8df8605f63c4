//! What has to be known of one Adversarial, and the switches for what its documents leave open.

use crate::{
    secret::Secret,
    settings::{Table, list, number, text, url, words},
    upstream::Policy,
    vendors::common::sends_in_clear,
};
use url::Url;

/// One configured Adversarial.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address of the server, with or without `/api` or `/api/v1` at its end; the vendor's own is
    /// `https://api.adversarial.com`.
    pub url: Url,
    /// The service account, `arm_sa_…`.
    pub client_id: String,
    pub client_secret: Secret,
    /// Which parameters of the list are used. The gateway looks at every row again all the same.
    pub filters: Vec<FilterGroup>,
    pub arrays: Arrays,
    pub order_by: OrderBy,
    pub batch_ids: BatchIds,
    /// Rows of a page at most.
    pub max_page_size: usize,
    pub policy: Policy,
}

/// Parameters of the list that are sure, or unsure, together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FilterGroup {
    /// `severity`, `status`, `source`, `threat_objectives`: their values are documented words.
    Words,
    /// `id`.
    References,
    /// `assigned_to`, `opened_by`, by the id of the user.
    People,
    /// `tags`, by the id of the tag.
    Tags,
    /// `title_contains`, `description_contains`.
    Text,
    /// `free_text`.
    Search,
    /// `created_date` and the other dates, as ranges of two.
    Times,
}

impl FilterGroup {
    const WORDS: [(&str, FilterGroup); 7] = [
        ("words", FilterGroup::Words),
        ("references", FilterGroup::References),
        ("people", FilterGroup::People),
        ("tags", FilterGroup::Tags),
        ("text", FilterGroup::Text),
        ("search", FilterGroup::Search),
        ("times", FilterGroup::Times),
    ];
}

/// How a parameter with several values is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrays {
    /// `status=New&status=Review`
    Repeated,
    /// `status[]=New&status[]=Review`
    Brackets,
    /// `status=New,Review`
    Commas,
}

impl Arrays {
    const WORDS: [(&str, Arrays); 3] =
        [("repeated", Arrays::Repeated), ("brackets", Arrays::Brackets), ("commas", Arrays::Commas)];
}

/// How the list is told an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OrderBy {
    /// Not at all: the gateway sorts.
    Off,
    /// `order_by=created_date desc`
    Words,
    /// `order_by=-created_date`
    Minus,
}

impl OrderBy {
    const WORDS: [(&str, OrderBy); 3] = [("off", OrderBy::Off), ("words", OrderBy::Words), ("minus", OrderBy::Minus)];
}

/// How the list's parameter `id` names incidents when several are wanted at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchIds {
    /// One call for each incident instead.
    Off,
    /// `INC-00041`
    Display,
    /// `41`
    Integer,
}

impl BatchIds {
    const WORDS: [(&str, BatchIds); 3] =
        [("off", BatchIds::Off), ("display", BatchIds::Display), ("integer", BatchIds::Integer)];
}

impl Config {
    /// With the defaults for everything else.
    pub fn new(url: Url, client_id: String, client_secret: Secret) -> Self {
        Config {
            url,
            client_id,
            client_secret,
            filters: vec![FilterGroup::Words],
            arrays: Arrays::Repeated,
            order_by: OrderBy::Off,
            batch_ids: BatchIds::Display,
            max_page_size: 100,
            policy: Policy::default(),
        }
    }

    /// The address to which `/api/v1/…` is appended.
    pub(super) fn base(&self) -> Url {
        let path = self.url.path().trim_end_matches('/');
        let above = path.strip_suffix("/api/v1").or_else(|| path.strip_suffix("/api")).unwrap_or(path);
        let mut base = self.url.clone();
        base.set_path(above);
        base
    }

    /// Reads, and thereby declares, the settings. None after a mistake, which has then been noted.
    pub fn declare(table: &mut Table<'_, '_>) -> Option<Self> {
        let base = table.required(
            "url",
            "Address of the server: `https://api.adversarial.com`, with or without the `/api` that its pages write.",
            url(),
        );
        let client_id = table.required(
            "client_id",
            "The credential service account, `arm_sa_…`.",
            text("the name of a service account", r"^[!-~]+$"),
        );
        let client_secret = table.secret("client_secret", "The secret of the service account, `arm_sk_…`.");
        if base.as_ref().is_some_and(sends_in_clear) {
            let what =
                "begins with http://: the credential and all incidents cross the network unencrypted. Use https://.";
            table.warn("url", what);
        }
        if client_secret.is_none() && !table.given("client_secret") {
            table.mistake("client_secret", "is missing; client_id needs it.");
        }
        let switches = Switches::declare(table);
        let policy = table.section("policy", "Limits of the conversation with this source.", Policy::declare);
        let mut config = Config::new(base?, client_id?, client_secret?);
        (config.filters, config.arrays, config.order_by) = (switches.filters, switches.arrays, switches.order_by);
        (config.batch_ids, config.max_page_size) = (switches.batch_ids, switches.max_page_size);
        config.policy = policy;
        Some(config)
    }
}

/// The settings for what the vendor's documents leave open.
struct Switches {
    filters: Vec<FilterGroup>,
    arrays: Arrays,
    order_by: OrderBy,
    batch_ids: BatchIds,
    max_page_size: usize,
}

impl Switches {
    fn declare(table: &mut Table<'_, '_>) -> Self {
        let filters = table.or(
            "filters",
            "Which parameters of the list narrow what the server sends; the gateway looks at every row again. All have \
             documented names; the values of `words` are documented as well, those of the others are not.",
            list(words(&FilterGroup::WORDS)),
            vec![FilterGroup::Words],
        );
        let arrays = table.or(
            "arrays",
            "How a parameter with several values is written, which is not documented: `repeated` (`status=New&status=Review`), \
             `brackets` (`status[]=New&status[]=Review`) or `commas` (`status=New,Review`).",
            words(&Arrays::WORDS),
            Arrays::Repeated,
        );
        let order_by = table.or(
            "order_by",
            "How the list is told an order, which is not documented: `off` (the gateway reads and sorts), `words` \
             (`created_date desc`) or `minus` (`-created_date`). Not `off` also says that the server breaks ties by id.",
            words(&OrderBy::WORDS),
            OrderBy::Off,
        );
        let batch_ids = table.or(
            "batch_ids",
            "How several incidents are asked for by id: in one list call by `display` (`INC-00041`) or `integer` (`41`) \
             ids, or `off`, one by one. Those that the list call does not bring are asked for one by one until \
             the list was seen to give what it is asked for.",
            words(&BatchIds::WORDS),
            BatchIds::Display,
        );
        let rows = table.or(
            "max_page_size",
            "Rows of a page at most. The vendor's own client asks for 100; the limit is not documented.",
            number(1..=1_000),
            100,
        );
        Switches { filters, arrays, order_by, batch_ids, max_page_size: usize::try_from(rows).unwrap_or(100) }
    }
}
