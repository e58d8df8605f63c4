//! The configuration: every mistake at once, every setting by environment, no secret shown, documents up to date.

use incident_gateway::config::{Config, config_document, config_schema};
use incident_gateway::settings::{Environment, Mistake};
use incident_gateway::telemetry::{LogFormat, LogLevel};
use incident_gateway::vendors::{VendorConfig, ciso_assistant::Credential};
use std::collections::BTreeSet;
use std::time::Duration;
use std::{fs, path::Path};

const SMALLEST: &str = r#"
[sources.grc]
vendor = "ciso-assistant"
url = "https://grc.example/"
token = { env = "GRC_TOKEN" }
"#;

fn mistakes(source: &str, environment: &Environment) -> Vec<String> {
    Config::load(source, environment).map(|loaded| loaded.value).unwrap_err().iter().map(Mistake::to_string).collect()
}

#[test]
fn smallest_configuration_has_the_documented_defaults() {
    let loaded = Config::load(SMALLEST, &[("GRC_TOKEN", "t0ken")].into()).unwrap();
    let config = loaded.value;
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert!(config.data_dir.is_none() && config.cursor_key.is_none() && config.public_url.is_none());
    assert_eq!((config.log.format, config.log.level), (LogFormat::Text, LogLevel::Info));
    assert_eq!((config.limits.request_timeout, config.limits.scan_rows), (Duration::from_secs(10), 10_000));
    let (name, VendorConfig::CisoAssistant(source)) = &config.sources[0] else { panic!("{:?}", config.sources) };
    assert_eq!((name.as_str(), source.url.as_str()), ("grc", "https://grc.example/"));
    assert!(matches!(&source.credential, Credential::Token(token) if token.expose() == "t0ken"));
    assert_eq!(source.policy, incident_gateway::upstream::Policy::standard());
    assert_eq!(loaded.warnings, []);
}

#[test]
fn all_mistakes_are_told_at_once_each_with_its_line() {
    let source = "\
listen = \"localhost\"
lissten = \"127.0.0.1:80\"
persistent_cursors = true
cursor_keys = 1

[log]
level = \"loud\"

[limits]
scan_rows = 5

[sources.grc]
vendor = \"ciso-assistant\"
url = \"grc.example\"
email = \"nobody\"

[sources.grc.policy]
concurrency = 0
retries = 3

[sources.grc.policy.network]
ca_file = \"/nonexistent\"

[sources.other]
vendor = \"ciso-asistant\"

[sources.Bad_Name]
vendor = \"ciso-assistant\"

[sources.both]
vendor = \"ciso-assistant\"
url = \"https://x.example/\"
token = { env = \"UNSET\" }
email = \"a@b\"
password = { file = \"/nonexistent\" }
";
    let expected = [
        "listen, line 1, column 1: must be an IP address and a port, as in \"127.0.0.1:8080\" or \"[::1]:8080\"; port 0 takes \
         a free one; it is \"localhost\".",
        "lissten, line 2, column 1: is not a setting. Did you mean \"listen\"?",
        "persistent_cursors, line 3, column 1: needs data_dir, where the key that signs cursors is kept, or cursor_key; \
         neither is set.",
        "cursor_keys, line 4, column 1: is not a setting. Did you mean \"cursor_key\"?",
        "log.level, line 7, column 1: must be \"error\", \"warn\", \"info\", \"debug\" or \"trace\"; it is \"loud\".",
        "limits.scan_rows, line 10, column 1: must be a whole number from 100 to 1000000; it is 5.",
        "sources.grc.password, line 12, column 10: is missing; email needs it. Or give a token instead of both.",
        "sources.grc.url, line 14, column 1: must be an address that begins with https:// or http://; it is \"grc.example\".",
        "sources.grc.email, line 15, column 1: must be an e-mail address; it is \"nobody\".",
        "sources.grc.policy.concurrency, line 18, column 1: must be a whole number from 1 to 1024; it is 0.",
        "sources.grc.policy.retries, line 19, column 1: is not a setting. Allowed here: breaker, cache, concurrency, \
         connect_timeout_ms, idle_timeout_ms, max_body_bytes, network, requests_per_minute, retry, share_calls, \
         total_timeout_ms.",
        "sources.grc.policy.network.ca_file, line 22, column 1: names a file that cannot be read: No such file or directory \
         (os error 2).",
        "sources.other.vendor, line 25, column 1: must be \"ciso-assistant\", \"eventlog-analyzer\", \"adversarial\", \"kaspersky-xdr\" or \"cortex-xpanse\"; it is \"ciso-asistant\".",
        "sources.Bad_Name, line 27, column 10: is not a name that can be used here: it must be 1 to 40 lower-case letters, \
         digits and hyphens, with no hyphen at either end.",
        "sources.both.token, line 33, column 1: needs the environment variable UNSET, which is not set.",
        "sources.both.token, line 33, column 1: cannot stand beside email and password. Keep one of the two ways.",
        "sources.both.password, line 35, column 1: needs the file /nonexistent, which does not exist.",
        "INCIDENT_GATEWAY_LOG_LEVEL (environment): is not the variable of a setting. Did you mean \
         INCIDENT_GATEWAY_LOG__LEVEL?",
    ];
    assert_eq!(mistakes(source, &[("INCIDENT_GATEWAY_LOG_LEVEL", "info")].into()), expected);
}

#[test]
fn names_of_sources_have_a_closed_form() {
    let named = |name: &str| SMALLEST.replace("grc]", &format!("{name:?}]"));
    let environment = Environment::from([("GRC_TOKEN", "t0ken")]);
    let longest = "a".repeat(40);
    for name in ["a", "0", "a-b", "a--b", "grc-2", &longest] {
        assert!(Config::load(&named(name), &environment).is_ok(), "{name}");
    }
    for name in ["", "-a", "a-", "A", "a_b", "a.b", "ä", "a b", "a\nb", &"a".repeat(41)] {
        assert_eq!(mistakes(&named(name), &environment).len(), 1, "{name}");
    }
    let twice = format!("{SMALLEST}{SMALLEST}");
    assert!(mistakes(&twice, &environment)[0].contains("line 7"), "{:?}", mistakes(&twice, &environment));
}

#[test]
fn at_least_one_source_is_needed() {
    for source in ["", "[sources]\n"] {
        let found = mistakes(source, &Environment::default());
        assert!(found.len() == 1 && found[0].contains("at least one source is needed"), "{found:?}");
    }
}

#[test]
fn public_hosts_have_no_ports() {
    let environment = Environment::from([("GRC_TOKEN", "t0ken")]);
    let with = |hosts: &str| format!("public_hosts = {hosts}\n{SMALLEST}");
    let loaded = Config::load(&with("[\"gw.example\", \"192.0.2.1\", \"2001:db8::1\"]"), &environment).unwrap();
    assert_eq!(loaded.value.server.public_hosts, ["gw.example", "192.0.2.1", "2001:db8::1"]);
    let told = |hosts: &str| mistakes(&with(hosts), &environment);
    let must = "public_hosts, line 1, column 1: each member must be a host name or an IP address, without a port";
    assert_eq!(told("[\"gw.example:8080\"]"), [format!("{must}; one is \"gw.example:8080\".")]);
    assert_eq!(
        told("[\"a:1\", \"ok\", \"[::1]\", 7]"),
        [format!("{must}; not so are \"a:1\", \"[::1]\", 7.")],
        "all of them"
    );
    for wrong in ["[\"http://gw.example\"]", "[\"\"]", "[\"*\"]", "[\"a b\"]", "\"gw.example\""] {
        assert_eq!(mistakes(&with(wrong), &environment).len(), 1, "{wrong}");
    }
}

#[test]
fn persistent_cursors_are_refused_without_a_place_for_their_key() {
    let with = |line: &str| format!("persistent_cursors = true\n{line}\n{SMALLEST}");
    let environment = Environment::from([("GRC_TOKEN", "t0ken"), ("KEY", "0123456789abcdef0123456789abcdef")]);
    assert!(mistakes(&with(""), &environment)[0].starts_with("persistent_cursors, line 1"));
    for line in ["data_dir = \"/tmp/x\"", "cursor_key = { env = \"KEY\" }"] {
        assert!(Config::load(&with(line), &environment).is_ok(), "{line}");
    }
    let short = mistakes(&with("cursor_key = { env = \"GRC_TOKEN\" }"), &environment);
    assert_eq!(short, ["cursor_key, line 2, column 1: is too short: at least 32 characters are needed."]);
}

/// Each variable, a value other than the default, and the line that `--print` then shows.
const VARIABLES: [(&str, &str, &str); 57] = [
    ("LISTEN", "[::1]:1", "listen = \"[::1]:1\""),
    ("PUBLIC_URL", "https://gw.example/x", "public_url = \"https://gw.example/x\""),
    ("PUBLIC_HOSTS", "gw.example,::1", "public_hosts = [\"gw.example\", \"::1\"]"),
    ("DATA_DIR", "/srv/gw", "data_dir = \"/srv/gw\""),
    ("CURSOR_KEY", "s3cret-s3cret-s3cret-s3cret-s3cret", "cursor_key = \"<secret>\""),
    ("PERSISTENT_CURSORS", "true", "persistent_cursors = true"),
    ("LOG__FORMAT", "json", "format = \"json\""),
    ("LOG__LEVEL", "debug", "level = \"debug\""),
    ("SERVER__HEAD_TIMEOUT_MS", "21", "head_timeout_ms = 21"),
    ("SERVER__BODY_TIMEOUT_MS", "22", "body_timeout_ms = 22"),
    ("SERVER__IDLE_TIMEOUT_MS", "23", "idle_timeout_ms = 23"),
    ("SERVER__STOP_TIMEOUT_MS", "24", "stop_timeout_ms = 24"),
    ("SERVER__MAX_CONNECTIONS", "25", "max_connections = 25"),
    ("SERVER__MAX_BODY_BYTES", "4096", "max_body_bytes = 4096"),
    ("LIMITS__REQUEST_TIMEOUT_MS", "1234", "request_timeout_ms = 1234"),
    ("LIMITS__SCAN_ROWS", "777", "scan_rows = 777"),
    ("LIMITS__SNAPSHOT_MS", "27", "snapshot_ms = 27"),
    ("LIMITS__SNAPSHOT_BYTES", "2097152", "snapshot_bytes = 2097152"),
    ("LIMITS__QUERY__BYTES", "2001", "bytes = 2001"),
    ("LIMITS__QUERY__TOKENS", "2002", "tokens = 2002"),
    ("LIMITS__QUERY__NESTING", "23", "nesting = 23"),
    ("LIMITS__QUERY__DEPTH", "24", "depth = 24"),
    ("LIMITS__QUERY__FIELDS", "25", "fields = 25"),
    ("LIMITS__QUERY__ALIASES", "26", "aliases = 26"),
    ("LIMITS__QUERY__ROOT_FIELDS", "27", "root_fields = 27"),
    ("LIMITS__QUERY__SPREADS", "28", "spreads = 28"),
    ("LIMITS__QUERY__NODES", "29", "nodes = 29"),
    ("LIMITS__QUERY__INTROSPECTION", "false", "introspection = false"),
    ("SOURCES__<NAME>__VENDOR", "ciso-assistant", "vendor = \"ciso-assistant\""),
    ("SOURCES__<NAME>__URL", "https://other.example/", "url = \"https://other.example/\""),
    ("SOURCES__<NAME>__TOKEN", "s3cret", "token = \"<secret>\""),
    ("SOURCES__<NAME>__EMAIL", "gw@grc.example", "email = \"gw@grc.example\""),
    ("SOURCES__<NAME>__PASSWORD", "s3cret", "password = \"<secret>\""),
    ("SOURCES__<NAME>__UI_URL", "https://ui.example/", "ui_url = \"https://ui.example/\""),
    ("SOURCES__<NAME>__REMEMBER_PEOPLE_MS", "0", "remember_people_ms = 0"),
    ("SOURCES__<NAME>__POLICY__CONNECT_TIMEOUT_MS", "11", "connect_timeout_ms = 11"),
    ("SOURCES__<NAME>__POLICY__TOTAL_TIMEOUT_MS", "12", "total_timeout_ms = 12"),
    ("SOURCES__<NAME>__POLICY__IDLE_TIMEOUT_MS", "13", "idle_timeout_ms = 13"),
    ("SOURCES__<NAME>__POLICY__CONCURRENCY", "14", "concurrency = 14"),
    ("SOURCES__<NAME>__POLICY__MAX_BODY_BYTES", "2048", "max_body_bytes = 2048"),
    ("SOURCES__<NAME>__POLICY__REQUESTS_PER_MINUTE", "15", "requests_per_minute = 15"),
    ("SOURCES__<NAME>__POLICY__SHARE_CALLS", "false", "share_calls = false"),
    ("SOURCES__<NAME>__POLICY__RETRY__REPEATS", "3", "repeats = 3"),
    ("SOURCES__<NAME>__POLICY__RETRY__FIRST_WAIT_MS", "16", "first_wait_ms = 16"),
    ("SOURCES__<NAME>__POLICY__RETRY__LONGEST_WAIT_MS", "17", "longest_wait_ms = 17"),
    ("SOURCES__<NAME>__POLICY__RETRY__BUDGET_PERCENT", "18", "budget_percent = 18"),
    ("SOURCES__<NAME>__POLICY__BREAKER__FAILURES", "19", "failures = 19"),
    ("SOURCES__<NAME>__POLICY__BREAKER__OPEN_MS", "120", "open_ms = 120"),
    ("SOURCES__<NAME>__POLICY__CACHE__LISTS_MS", "21", "lists_ms = 21"),
    ("SOURCES__<NAME>__POLICY__CACHE__DETAILS_MS", "22", "details_ms = 22"),
    ("SOURCES__<NAME>__POLICY__CACHE__REVISIONS_MS", "26", "revisions_ms = 26"),
    ("SOURCES__<NAME>__POLICY__CACHE__CATALOGUES_MS", "23", "catalogues_ms = 23"),
    ("SOURCES__<NAME>__POLICY__CACHE__STALE_MS", "24", "stale_ms = 24"),
    ("SOURCES__<NAME>__POLICY__CACHE__MAX_BYTES", "25", "max_bytes = 25"),
    ("SOURCES__<NAME>__POLICY__NETWORK__CA_FILE", "Cargo.toml", "ca_file = \"Cargo.toml\""),
    ("SOURCES__<NAME>__POLICY__NETWORK__CLIENT_CERTIFICATE", "Cargo.lock", "client_certificate = \"Cargo.lock\""),
    ("SOURCES__<NAME>__POLICY__NETWORK__PROXY", "http://proxy.example:3128/", "proxy = \"http://proxy.example:3128/\""),
];

/// Settings that only other vendors have; each is tested beside its vendor.
const OF_OTHER_VENDORS: [&str; 3] = ["CUSTOM_STATUSES", "REMEMBER_TENANTS_MS", "TENANTS"];

#[test]
fn every_setting_can_be_given_by_the_environment_alone() {
    let documented: BTreeSet<String> = Config::describe()
        .markdown()
        .split('`')
        .filter_map(|word| word.strip_prefix("INCIDENT_GATEWAY_").map(str::to_owned))
        .filter(|name| {
            OF_OTHER_VENDORS.iter().all(|other| name.strip_suffix(other).is_none_or(|rest| !rest.ends_with("__")))
        })
        .collect();
    // Those of a vendor alone are given where that vendor is tested.
    let others = crate::eventlog_analyzer::VARIABLES.iter().chain(&crate::cortex_xpanse::VARIABLES);
    let mut tested: BTreeSet<String> = VARIABLES.iter().chain(others).map(|(name, ..)| (*name).to_owned()).collect();
    tested.extend(crate::adversarial::VARIABLES.map(|(end, _)| format!("SOURCES__<NAME>__{end}")));
    assert_eq!(documented, tested, "every documented variable is tested, and no other");
    // Two ways to give a credential exclude each other, so that there are two rounds.
    for without in [["TOKEN"].as_slice(), &["EMAIL", "PASSWORD"]] {
        let given = VARIABLES.iter().filter(|(name, ..)| !without.iter().any(|end| name.ends_with(end)));
        let given: Vec<_> = given.collect();
        let mut environment = Environment::default();
        for (name, value, _) in &given {
            environment.set(&format!("INCIDENT_GATEWAY_{}", name.replace("<NAME>", "MY_GRC")), value);
        }
        let loaded = Config::load("", &environment).unwrap();
        assert_eq!(loaded.value.sources[0].0.as_str(), "my-grc");
        let printed = loaded.settings.print();
        for (name, _, line) in given {
            assert!(printed.lines().any(|printed| printed.starts_with(line)), "{name}: {printed}");
        }
    }
}

#[test]
fn secrets_are_neither_printed_nor_in_debug_nor_in_mistakes() {
    let environment =
        Environment::from([("TOKEN", "hunter2hunter2"), ("INCIDENT_GATEWAY_CURSOR_KEY", "hunter2hunter2")]);
    let source = "[sources.a]\nvendor = \"ciso-assistant\"\nurl = \"http://a.example/\"\ntoken = { env = \"TOKEN\" }\n\
                  [sources.b]\nvendor = \"ciso-assistant\"\nurl = \"https://b.example/\"\nemail = \"a@b\"\n\
                  password = \"hunter2hunter2\"\n";
    let found = mistakes(source, &environment).join("\n");
    assert!(found.contains("too short") && !found.contains("hunter2"), "{found}");
    let loaded = Config::load(source, &[("TOKEN", "hunter2hunter2")].into()).unwrap();
    let shown = format!("{:?} {:#?} {}", loaded, loaded.value, loaded.settings.print());
    assert!(!shown.contains("hunter2"), "{shown}");
    let warnings: Vec<String> = loaded.warnings.iter().map(Mistake::to_string).collect();
    assert!(warnings[0].starts_with("sources.a.url, line 3, column 1: begins with http://"), "{warnings:?}");
    assert!(warnings[1].starts_with("sources.b.password, line 9, column 1: holds the secret itself"), "{warnings:?}");
    assert!(!warnings.join("").contains("hunter2"));
}

#[test]
fn a_local_source_may_be_reached_without_tls() {
    for host in ["127.0.0.1:8000", "localhost", "[::1]:8000"] {
        let source = SMALLEST.replace("https://grc.example", &format!("http://{host}"));
        let loaded = Config::load(&source, &[("GRC_TOKEN", "t0ken")].into()).unwrap();
        assert_eq!(loaded.warnings, [], "{host}");
    }
}

#[test]
fn the_example_is_correct() {
    let source = fs::read_to_string(in_repository("examples/gateway.toml")).unwrap();
    let environment = Environment::from([
        ("GRC_TOKEN", "t0ken"),
        ("SUBSIDIARY_PASSWORD", "passw0rd"),
        ("EVENTLOG_TOKEN", "t0ken"),
        ("XPANSE_API_KEY", "k3y"),
        ("ADVERSARIAL_SECRET", "s3cret"),
        ("XDR_TOKEN", "t0ken"),
    ]);
    let loaded = Config::load(&source, &environment).unwrap();
    assert_eq!(loaded.value.sources.len(), 6);
    assert_eq!(loaded.warnings, []);
}

#[test]
fn generated_documents_are_up_to_date() {
    crate::generated::check("docs/CONFIG.md", &config_document());
    crate::generated::check("schema/config.schema.json", &config_schema());
}

fn in_repository(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
