//! The settings of this vendor: what must be given, what is guessed, what is refused.

use incident_gateway::{
    config::Config,
    domain::Severity,
    settings::{Environment, Mistake},
    vendors::{
        VendorConfig,
        eventlog_analyzer::{FirstIndex, Grades, ResponseType},
    },
};

fn load(settings: &str) -> Result<incident_gateway::vendors::eventlog_analyzer::Config, Vec<String>> {
    let source = format!("[sources.ela]\nvendor = \"eventlog-analyzer\"\n{settings}");
    let loaded = Config::load(&source, &Environment::from([("T", "t0ken")]));
    let mut config = loaded.map_err(|all| all.iter().map(Mistake::to_string).collect::<Vec<_>>())?.value;
    match config.sources.remove(0).1 {
        VendorConfig::EventlogAnalyzer(config) => Ok(config),
        other => panic!("{other:?}"),
    }
}

const SMALLEST: &str = "url = \"https://ela.example:8400\"\ntoken = { env = \"T\" }\ntime_zone = \"Asia/Kolkata\"\n";

#[test]
fn address_token_and_zone_are_enough() {
    let config = load(SMALLEST).unwrap();
    assert_eq!((config.url.as_str(), config.token.expose()), ("https://ela.example:8400/", "t0ken"));
    assert_eq!(config.time_zone, chrono_tz::Asia::Kolkata);
    assert_eq!((config.response_type, config.first_index), (ResponseType::Server, FirstIndex::Unknown));
    assert_eq!(config.grades, Grades::new(Severity::High, Severity::Low).unwrap());
    assert!(config.unassigned_filter && config.read_users && config.incident_time_is_added);
    assert_eq!(config.users_path, "/api/v2/meta/users");
}

#[test]
fn every_guess_can_be_switched() {
    let settings = "response_type = \"client\"\nfirst_index = \"1\"\nseverity_trouble = \"medium\"\n\
                    severity_attention = \"informational\"\nunassigned_filter = false\nread_users = false\n\
                    users_path = \"/api/v2/users\"\nincident_time_is_added = false\n";
    let config = load(&format!("{SMALLEST}{settings}")).unwrap();
    assert_eq!((config.response_type, config.first_index), (ResponseType::Client, FirstIndex::One));
    assert_eq!(config.grades, Grades::new(Severity::Medium, Severity::Informational).unwrap());
    assert!(!config.unassigned_filter && !config.read_users && !config.incident_time_is_added);
    assert_eq!(config.users_path, "/api/v2/users");
}

#[test]
fn mistakes_say_what_and_where() {
    for (settings, expected) in [
        ("url = \"https://ela.example\"\n", vec!["time_zone", "token"]),
        (&SMALLEST.replace("Asia/Kolkata", "Asia/Atlantis"), vec!["time_zone"]),
        (&SMALLEST.replace("Asia/Kolkata", "+05:30"), vec!["time_zone"]),
        (&format!("{SMALLEST}severity_trouble = \"low\"\nseverity_attention = \"high\"\n"), vec!["severity_attention"]),
        (&format!("{SMALLEST}severity_attention = \"high\"\n"), vec!["severity_attention"]),
        (&format!("{SMALLEST}severity_trouble = \"critical\"\n"), vec!["severity_trouble"]),
        (&format!("{SMALLEST}first_index = \"2\"\n"), vec!["first_index"]),
        (&format!("{SMALLEST}users_path = \"users?x=1\"\n"), vec!["users_path"]),
        (&format!("{SMALLEST}password = \"x\"\n"), vec!["password"]),
    ] {
        let told = load(settings).unwrap_err();
        assert_eq!(told.len(), expected.len(), "{settings}: {told:?}");
        for (told, name) in told.iter().zip(expected) {
            assert!(told.contains(&format!("sources.ela.{name}")), "{told}");
        }
    }
}

/// Each variable of this vendor alone, a value other than the default, and the line that `--print` then shows.
pub(crate) const VARIABLES: [(&str, &str, &str); 9] = [
    ("SOURCES__<NAME>__TIME_ZONE", "America/New_York", "time_zone = \"America/New_York\""),
    ("SOURCES__<NAME>__RESPONSE_TYPE", "client", "response_type = \"client\""),
    ("SOURCES__<NAME>__SEVERITY_TROUBLE", "medium", "severity_trouble = \"medium\""),
    ("SOURCES__<NAME>__SEVERITY_ATTENTION", "informational", "severity_attention = \"informational\""),
    ("SOURCES__<NAME>__FIRST_INDEX", "1", "first_index = \"1\""),
    ("SOURCES__<NAME>__UNASSIGNED_FILTER", "false", "unassigned_filter = false"),
    ("SOURCES__<NAME>__INCIDENT_TIME_IS_ADDED", "false", "incident_time_is_added = false"),
    ("SOURCES__<NAME>__READ_USERS", "false", "read_users = false"),
    ("SOURCES__<NAME>__USERS_PATH", "/api/v2/users", "users_path = \"/api/v2/users\""),
];

#[test]
fn every_setting_can_be_given_by_the_environment_alone() {
    let mut environment = Environment::default();
    let all = [
        ("SOURCES__<NAME>__VENDOR", "eventlog-analyzer"),
        ("SOURCES__<NAME>__URL", "https://ela.example/"),
        ("SOURCES__<NAME>__TOKEN", "s3cret"),
    ];
    for (name, value) in all.into_iter().chain(VARIABLES.map(|(name, value, _)| (name, value))) {
        environment.set(&format!("INCIDENT_GATEWAY_{}", name.replace("<NAME>", "MY_LOGS")), value);
    }
    let printed = Config::load("", &environment).unwrap().settings.print();
    for (name, _, line) in VARIABLES {
        assert!(printed.lines().any(|printed| printed.starts_with(line)), "{name}: {printed}");
    }
    assert!(!printed.contains("s3cret"));
}
