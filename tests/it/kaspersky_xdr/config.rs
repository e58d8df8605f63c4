//! The settings of a source.

use incident_gateway::{
    config::Config,
    settings::Environment,
    vendors::{VendorConfig, kaspersky_xdr},
};
use std::time::Duration;

fn load(settings: &str) -> Result<kaspersky_xdr::Config, String> {
    let text = format!("[sources.xdr]\nvendor = \"kaspersky-xdr\"\n{settings}");
    let loaded = Config::load(&text, &Environment::default());
    let loaded =
        loaded.map_err(|mistakes| mistakes.iter().map(|mistake| format!("{mistake}\n")).collect::<String>())?;
    match loaded.value.sources.into_iter().next() {
        Some((_, VendorConfig::KasperskyXdr(config))) => Ok(config),
        other => panic!("{other:?}"),
    }
}

#[test]
fn defaults_stand_in_for_what_is_left_out() {
    let config = load("url = \"https://api.xdr.example.test\"\ntoken = \"0123\"").unwrap();
    assert!(config.tenants.is_empty() && config.custom_statuses);
    assert_eq!(config.remember_tenants, Duration::from_secs(300));
    assert_eq!(config.token.expose(), "0123");
}

#[test]
fn everything_can_be_set() {
    let config = load(
        "url = \"https://api.xdr.example.test\"\ntoken = \"0123\"\ntenants = [\"a1d2c3b4-1111-4222-8333-444455556666\"]\n\
         remember_tenants_ms = 0\ncustom_statuses = false",
    );
    let config = config.unwrap();
    assert_eq!(config.tenants, ["a1d2c3b4-1111-4222-8333-444455556666"]);
    assert_eq!((config.remember_tenants, config.custom_statuses), (Duration::ZERO, false));
}

#[test]
fn mistakes_are_told_with_what_is_allowed() {
    let told = load("tenants = [\"Main\"]\nemail = \"a@b\"").unwrap_err();
    for part in [
        "xdr.url, line 1, column 10: is missing",
        "xdr.token, line 1, column 10: is missing",
        "tenants",
        "a UUID in lower case",
        "email",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

/// No tenants and wrong ones would both look like no incidents.
#[test]
fn tenants_that_name_nothing_are_refused_with_what_and_where() {
    let rest = "url = \"https://api.xdr.example.test\"\ntoken = \"0123\"\n";
    for (tenants, told) in [
        ("[]", "is empty: name the tenants to read, or leave it out"),
        ("[\"\"]", "each member must be a UUID in lower case; one is empty"),
        ("[\"Main\"]", "each member must be a UUID in lower case; one is \"Main\""),
        ("[\"a1d2c3b4-1111-4222-8333-444455556666\", \"7\"]", "each member must be a UUID in lower case; one is \"7\""),
        ("[\"A1D2C3B4-1111-4222-8333-444455556666\"]", "each member must be a UUID in lower case"),
        ("[\" a1d2c3b4-1111-4222-8333-444455556666\"]", "each member must be a UUID in lower case"),
        ("[7]", "each member must be a UUID in lower case"),
        ("\"a1d2c3b4-1111-4222-8333-444455556666\"", "a list, each member a UUID in lower case"),
    ] {
        let mistakes = load(&format!("{rest}tenants = {tenants}")).unwrap_err();
        assert!(mistakes.contains("sources.xdr.tenants, line 5, column 1") && mistakes.contains(told), "{mistakes}");
    }
    let environment = Environment::from([("INCIDENT_GATEWAY_SOURCES__XDR__TENANTS", "")]);
    let text = format!("[sources.xdr]\nvendor = \"kaspersky-xdr\"\n{rest}");
    let mistakes = Config::load(&text, &environment).unwrap_err();
    let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
    assert!(told.len() == 1 && told[0].contains("XDR__TENANTS") && told[0].contains("is empty"), "{told:?}");
}

#[test]
fn the_environment_alone_is_enough() {
    let environment = Environment::from([
        ("INCIDENT_GATEWAY_SOURCES__XDR__VENDOR", "kaspersky-xdr"),
        ("INCIDENT_GATEWAY_SOURCES__XDR__URL", "https://api.xdr.example.test"),
        ("INCIDENT_GATEWAY_SOURCES__XDR__TOKEN", "0123"),
        (
            "INCIDENT_GATEWAY_SOURCES__XDR__TENANTS",
            "a1d2c3b4-1111-4222-8333-444455556666,a1d2c3b4-1111-4222-8333-444455557777",
        ),
        ("INCIDENT_GATEWAY_SOURCES__XDR__REMEMBER_TENANTS_MS", "7"),
        ("INCIDENT_GATEWAY_SOURCES__XDR__CUSTOM_STATUSES", "false"),
    ]);
    let loaded = Config::load("", &environment).unwrap();
    let Some((_, VendorConfig::KasperskyXdr(config))) = loaded.value.sources.first() else { panic!("no source") };
    assert_eq!((config.tenants.len(), config.remember_tenants.as_millis(), config.custom_statuses), (2, 7, false));
    assert_eq!(loaded.warnings, []);
}

#[test]
fn a_token_that_would_cross_a_network_in_clear_is_warned_of() {
    for (url, warnings) in [("http://xdr.example.test", 1), ("http://127.0.0.1:1", 0), ("https://xdr.example.test", 0)]
    {
        let text =
            format!("[sources.xdr]\nvendor = \"kaspersky-xdr\"\nurl = \"{url}\"\ntoken = {{ env = \"XDR_TOKEN\" }}\n");
        let loaded = Config::load(&text, &Environment::from([("XDR_TOKEN", "0123")])).unwrap();
        assert_eq!(loaded.warnings.len(), warnings, "{url}");
    }
}
