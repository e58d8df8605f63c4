//! The settings of a source: the least that is needed, every switch, and what is told of mistakes.

use super::support::{at, json_reply};
use crate::support::call;
use incident_gateway::{
    config::Config as Gateway,
    domain::Picture,
    settings::{Environment, Mistake},
    vendors::{VendorConfig, adversarial::*},
};

const SMALLEST: &str = r#"
[sources.adv]
vendor = "adversarial"
url = "https://api.adversarial.com"
client_id = "arm_sa_1"
client_secret = { env = "ADV_SECRET" }
"#;

/// Each variable that no other vendor has, behind that of the source's name, and a value other than the default.
pub(crate) const VARIABLES: [(&str, &str); 7] = [
    ("CLIENT_ID", "arm_sa_2"),
    ("CLIENT_SECRET", "arm_sk_2"),
    ("FILTERS", "tags,times"),
    ("ARRAYS", "commas"),
    ("ORDER_BY", "words"),
    ("BATCH_IDS", "off"),
    ("MAX_PAGE_SIZE", "26"),
];

#[test]
fn every_setting_can_be_given_by_the_environment() {
    let mut environment: Environment = [
        ("INCIDENT_GATEWAY_SOURCES__ADV__VENDOR", "adversarial"),
        ("INCIDENT_GATEWAY_SOURCES__ADV__URL", "https://api.adversarial.com"),
    ]
    .into();
    for (end, value) in VARIABLES {
        environment.set(&format!("INCIDENT_GATEWAY_SOURCES__ADV__{end}"), value);
    }
    let loaded = Gateway::load("", &environment).unwrap();
    let VendorConfig::Adversarial(config) = &loaded.value.sources[0].1 else { panic!() };
    assert_eq!((config.client_id.as_str(), config.client_secret.expose()), ("arm_sa_2", "arm_sk_2"));
    assert_eq!(config.filters, [FilterGroup::Tags, FilterGroup::Times]);
    assert_eq!((config.arrays, config.order_by, config.batch_ids), (Arrays::Commas, OrderBy::Words, BatchIds::Off));
    assert_eq!(config.max_page_size, 26);
}

fn load(source: &str) -> Result<Config, Vec<String>> {
    let environment: Environment = [("ADV_SECRET", "arm_sk_1")].into();
    let loaded = Gateway::load(source, &environment);
    let loaded = loaded.map_err(|mistakes| mistakes.iter().map(Mistake::to_string).collect::<Vec<_>>())?;
    match &loaded.value.sources[0].1 {
        VendorConfig::Adversarial(config) => Ok(config.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_not_documented_is_off_unless_it_is_switched_on() {
    let config = load(SMALLEST).unwrap();
    assert_eq!((config.client_id.as_str(), config.client_secret.expose()), ("arm_sa_1", "arm_sk_1"));
    assert_eq!(config.filters, [FilterGroup::Words]);
    assert_eq!((config.arrays, config.order_by, config.batch_ids), (Arrays::Repeated, OrderBy::Off, BatchIds::Display));
    assert_eq!(config.max_page_size, 100);
}

#[test]
fn every_switch_can_be_set() {
    let switches = r#"
filters = ["words", "references", "people", "tags", "text", "search", "times"]
arrays = "brackets"
order_by = "minus"
batch_ids = "integer"
max_page_size = 25
"#;
    let config = load(&format!("{SMALLEST}{switches}")).unwrap();
    assert_eq!(config.filters.len(), 7);
    assert_eq!(
        (config.arrays, config.order_by, config.batch_ids),
        (Arrays::Brackets, OrderBy::Minus, BatchIds::Integer)
    );
    assert_eq!(config.max_page_size, 25);
    assert!(load(&format!("{SMALLEST}filters = []")).unwrap().filters.is_empty());
}

#[test]
fn mistakes_say_where_and_what() {
    for (source, said) in [
        (SMALLEST.replace("client_id", "client_di"), "client_id"),
        (SMALLEST.replace("client_secret = { env = \"ADV_SECRET\" }", ""), "client_secret"),
        (format!("{SMALLEST}filters = [\"moods\"]"), "moods"),
        (format!("{SMALLEST}order_by = \"sideways\""), "order_by"),
        (format!("{SMALLEST}max_page_size = 0"), "max_page_size"),
    ] {
        let mistakes = load(&source).unwrap_err();
        assert!(mistakes.iter().any(|mistake| mistake.contains(said)), "{said}: {mistakes:?}");
        assert!(!mistakes.concat().contains("arm_sk_1"));
    }
}

#[tokio::test]
async fn the_address_may_be_written_as_the_pages_write_it() {
    for (url, shown, path) in [
        ("http://localhost", "http://localhost/", "/api/v1/users/me"),
        ("http://localhost/api/", "http://localhost/", "/api/v1/users/me"),
        ("http://localhost/api/v1", "http://localhost/", "/api/v1/users/me"),
        ("http://user:word@localhost/behind/api?x=1", "http://localhost/behind", "/behind/api/v1/users/me"),
    ] {
        let source = at(url, move |request| {
            assert_eq!(request.url.path(), path);
            json_reply(200, r#"{"id":"1","email":"a@b","icon":"users/1/avatar?v=2"}"#)
        });
        assert_eq!(source.info().url, shown);
        let account = source.account(&call("address")).await.unwrap();
        assert_eq!(account.profile.avatar, Some(Picture::Kept("users/1/avatar?v=2".into())));
    }
}
