//! Settings: each from the environment alone, what must be given, what is warned of.

use incident_gateway::{
    config::Config,
    settings::{Environment, Mistake},
    vendors::{VendorConfig, cortex_xpanse::*},
};

/// Each variable of this vendor alone, a value other than the default, and the line that `--print` then shows.
pub(crate) const VARIABLES: [(&str, &str, &str); 8] = [
    ("SOURCES__<NAME>__API_KEY", "s3cret", "api_key = \"<secret>\""),
    ("SOURCES__<NAME>__API_KEY_ID", "71", "api_key_id = \"71\""),
    ("SOURCES__<NAME>__API_KEY_TYPE", "advanced", "api_key_type = \"advanced\""),
    ("SOURCES__<NAME>__UNDOCUMENTED__SORTS_BY_TIME", "false", "sorts_by_time = false"),
    ("SOURCES__<NAME>__UNDOCUMENTED__SORTS_BY_ID", "false", "sorts_by_id = false"),
    ("SOURCES__<NAME>__UNDOCUMENTED__SORTS_IDS_AS_NUMBERS", "true", "sorts_ids_as_numbers = true"),
    ("SOURCES__<NAME>__UNDOCUMENTED__FILTERS_STARRED", "true", "filters_starred = true"),
    ("SOURCES__<NAME>__UNDOCUMENTED__FILTERS_DESCRIPTION", "true", "filters_description = true"),
];

const SMALLEST: &str = "[sources.asm]\nvendor = \"cortex-xpanse\"\nurl = \"https://api-acme.example/\"\n";

#[test]
fn every_setting_can_be_given_by_the_environment_alone() {
    let mut environment = Environment::default();
    let base = [("SOURCES__<NAME>__VENDOR", "cortex-xpanse"), ("SOURCES__<NAME>__URL", "https://api-acme.example/")];
    for (name, value) in base.into_iter().chain(VARIABLES.map(|(name, value, _)| (name, value))) {
        environment.set(&format!("INCIDENT_GATEWAY_{}", name.replace("<NAME>", "MY_ASM")), value);
    }
    let loaded = Config::load("", &environment).unwrap();
    let printed = loaded.settings.print();
    for (name, _, line) in VARIABLES {
        assert!(printed.lines().any(|printed| printed.starts_with(line)), "{name}: {printed}");
    }
    let VendorConfig::CortexXpanse(config) = &loaded.value.sources[0].1 else { panic!("another vendor") };
    assert_eq!((config.key.expose(), config.key_id.as_str(), config.key_kind), ("s3cret", "71", KeyKind::Advanced));
    let all = Undocumented {
        sorts_by_time: false,
        sorts_by_id: false,
        sorts_ids_as_numbers: true,
        filters_starred: true,
        filters_description: true,
    };
    assert_eq!(config.undocumented, all);
    assert!(!format!("{config:?} {printed}").contains("s3cret"));
}

#[test]
fn what_is_missing_is_named_and_the_rest_has_defaults() {
    let mistakes: Vec<String> =
        Config::load(SMALLEST, &Environment::default()).unwrap_err().iter().map(Mistake::to_string).collect();
    assert_eq!(mistakes.len(), 2, "{mistakes:?}");
    assert!(
        mistakes.iter().any(|what| what.starts_with("sources.asm.api_key,") && what.ends_with("is missing.")),
        "{mistakes:?}"
    );
    assert!(mistakes.iter().any(|what| what.starts_with("sources.asm.api_key_id,")), "{mistakes:?}");
    let source = format!("{SMALLEST}api_key = {{ env = \"KEY\" }}\napi_key_id = \"7\"\n").replace("https", "http");
    let loaded = Config::load(&source, &[("KEY", "k")].into()).unwrap();
    let VendorConfig::CortexXpanse(config) = &loaded.value.sources[0].1 else { panic!("another vendor") };
    assert_eq!((config.key_kind, config.undocumented), (KeyKind::Standard, Undocumented::default()));
    assert_eq!(loaded.warnings.len(), 1);
    assert!(loaded.warnings[0].to_string().contains("unencrypted"));
}
