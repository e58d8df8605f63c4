use super::*;
use crate::secret::Secret;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Colour {
    Red,
    Blue,
}

/// One setting of each kind.
#[derive(PartialEq, Debug)]
struct Example {
    count: u64,
    wait: Duration,
    loud: bool,
    folder: Option<PathBuf>,
    colour: Colour,
    hosts: Vec<String>,
    inner: Option<String>,
    shops: Vec<(String, Shop)>,
}

#[derive(Debug)]
struct Shop {
    url: url::Url,
    token: Option<Secret>,
}

impl PartialEq for Shop {
    fn eq(&self, other: &Self) -> bool {
        let token = |shop: &Shop| shop.token.as_ref().map(|token| token.expose().to_owned());
        self.url == other.url && token(self) == token(other)
    }
}

fn declare(table: &mut Table<'_, '_>) -> Option<Example> {
    let count = table.or("count", "How many.", number(1..=9), 3);
    let wait = table.or("wait_ms", "How long.", duration_ms(1..=60_000), Duration::from_secs(2));
    let loud = table.or("loud", "Whether it is heard.", boolean(), false);
    let folder = table.optional("folder", "Where. Nowhere without it.", path());
    let colour = table.or("colour", "Which.", words(&[("red", Colour::Red), ("blue", Colour::Blue)]), Colour::Red);
    let hosts = table.or("hosts", "Who.", list(text("a host name", "^[a-z.]+$")), Vec::new());
    let inner = table.section("inner", "Below.", |table| {
        table.optional("mail", "Whom to tell. Nobody without it.", text("an e-mail address", "^[^@]+@[^@]+$"))
    });
    let shops = table.named(("shops", "Shops."), ("lower-case letters", "^[a-z-]+$"), |table| {
        table.variant("brand", "Which kind.", &[Variant { word: "corner", doc: "A corner shop.", read: shop }])
    });
    Some(Example { count, wait, loud, folder, colour, hosts, inner, shops })
}

fn shop(table: &mut Table<'_, '_>) -> Option<Shop> {
    let url = table.required("url", "Where it is.", url());
    let token = table.secret("token", "How to get in. Open to all without it.");
    Some(Shop { url: url?, token })
}

fn good(source: &str, environment: &Environment) -> Loaded<Example> {
    read(source, environment, declare).unwrap()
}

fn wrong(source: &str, environment: &Environment) -> Vec<String> {
    read(source, environment, declare).unwrap_err().iter().map(ToString::to_string).collect()
}

fn none() -> Environment {
    Environment::default()
}

const FULL: &str = r#"
count = 7
wait_ms = 1500
loud = true
folder = "/tmp/x"
colour = "blue"
hosts = ["a.b", "c"]
inner = { mail = "a@b" }
[shops.corner-one]
brand = "corner"
url = "https://shop.example/base/"
token = { env = "TOKEN" }
"#;

#[test]
fn reads_every_kind() {
    let loaded = good(FULL, &[("TOKEN", "s3cret")].into());
    let shop =
        Shop { url: "https://shop.example/base/".parse().unwrap(), token: Some(Secret::from("s3cret".to_owned())) };
    let expected = Example {
        count: 7,
        wait: Duration::from_millis(1500),
        loud: true,
        folder: Some("/tmp/x".into()),
        colour: Colour::Blue,
        hosts: vec!["a.b".into(), "c".into()],
        inner: Some("a@b".into()),
        shops: vec![("corner-one".into(), shop)],
    };
    assert_eq!(loaded.value, expected);
    assert_eq!(loaded.warnings, []);
}

#[test]
fn an_empty_document_gives_the_defaults() {
    let value = good("", &none()).value;
    assert_eq!((value.count, value.wait, value.loud, value.colour), (3, Duration::from_secs(2), false, Colour::Red));
    assert!(value.folder.is_none() && value.inner.is_none() && value.hosts.is_empty() && value.shops.is_empty());
}

#[test]
fn all_mistakes_are_told_at_once_in_order() {
    let source = "count = 10\nwait_ms = \"5s\"\nlod = true\ncolour = 3\nhosts = [\"a\", \"B\"]\n\n[inner]\nmail = \"x\"\n\n\
                  [shops.a]\nbrand = \"corner\"\ntoken = 5\n[shops.b]\nbrand = \"corned\"\nmore = 1\n[shops.C]\n[shops]\nd = 1\n";
    let environment = Environment::from([("INCIDENT_GATEWAY_LOUD", "yes"), ("INCIDENT_GATEWAY_CUONT", "1")]);
    let expected = [
        "count, line 1, column 1: must be a whole number from 1 to 9; it is 10.",
        "wait_ms, line 2, column 1: must be a whole number of milliseconds from 1 to 60000; it is \"5s\".",
        "lod, line 3, column 1: is not a setting. Did you mean \"loud\"?",
        "colour, line 4, column 1: must be \"red\" or \"blue\"; it is 3.",
        "hosts, line 5, column 1: each member must be a host name; one is \"B\".",
        "inner.mail, line 8, column 1: must be an e-mail address; it is \"x\".",
        "shops.a.url, line 10, column 8: is missing. It must be an address that begins with https:// or http://.",
        "shops.a.token, line 12, column 1: must be { env = \"VARIABLE\" }, { file = \"PATH\" } or { command = [\"PROGRAM\", \
         \"ARGUMENT\", …] }.",
        "shops.b.brand, line 14, column 1: must be \"corner\"; it is \"corned\".",
        "shops.C, line 16, column 8: is not a name that can be used here: it must be lower-case letters.",
        "shops.d, line 18, column 1: must be a table.",
        "INCIDENT_GATEWAY_CUONT (environment): is not the variable of a setting. Did you mean INCIDENT_GATEWAY_COUNT?",
        "INCIDENT_GATEWAY_LOUD (environment): must be true or false; it is \"yes\".",
    ];
    assert_eq!(wrong(source, &environment), expected);
}

#[test]
fn every_kind_is_read_from_the_environment_and_goes_before_the_document() {
    let environment = Environment::from([
        ("INCIDENT_GATEWAY_COUNT", "9"),
        ("INCIDENT_GATEWAY_WAIT_MS", "10"),
        ("INCIDENT_GATEWAY_LOUD", "false"),
        ("INCIDENT_GATEWAY_FOLDER", "/srv"),
        ("INCIDENT_GATEWAY_COLOUR", "red"),
        ("INCIDENT_GATEWAY_HOSTS", "x, y.z"),
        ("INCIDENT_GATEWAY_INNER__MAIL", "c@d"),
        ("INCIDENT_GATEWAY_SHOPS__CORNER_ONE__URL", "http://other/"),
        ("INCIDENT_GATEWAY_SHOPS__CORNER_ONE__TOKEN", "direct"),
        ("INCIDENT_GATEWAY_SHOPS__NEW_SHOP__BRAND", "corner"),
        ("INCIDENT_GATEWAY_SHOPS__NEW_SHOP__URL", "http://new/"),
    ]);
    let loaded = good(FULL, &environment);
    let value = loaded.value;
    assert_eq!((value.count, value.wait, value.loud), (9, Duration::from_millis(10), false));
    assert_eq!((value.folder, value.colour), (Some("/srv".into()), Colour::Red));
    assert_eq!((value.hosts, value.inner), (vec!["x".to_owned(), "y.z".into()], Some("c@d".into())));
    assert_eq!(value.shops[0].1.url.as_str(), "http://other/");
    assert_eq!(value.shops[0].1.token.as_ref().unwrap().expose(), "direct");
    assert_eq!((value.shops[1].0.as_str(), value.shops[1].1.url.as_str()), ("new-shop", "http://new/"));
    assert_eq!(loaded.warnings, [], "a secret in the environment is where it should be");
    let printed = loaded.settings.print();
    assert!(printed.contains("token = \"<secret>\" # from INCIDENT_GATEWAY_SHOPS__CORNER_ONE__TOKEN\n"), "{printed}");
}

#[test]
fn a_variable_that_two_settings_share_is_a_mistake() {
    let source = "[shops.a-b]\nbrand = \"corner\"\nurl = \"http://a/\"\n[shops.a_b]\n";
    assert_eq!(wrong(source, &none()).len(), 1, "the second name is no name");
    let mut environment = Environment::from([("INCIDENT_GATEWAY_X__Y", "1")]);
    let found = read("x__y = 2\n[x]\ny = 3\n", &environment, two_with_one_variable).unwrap_err();
    assert_eq!(
        found[0].to_string(),
        "INCIDENT_GATEWAY_X__Y (environment): belongs to both x__y and x.y; rename one of the two tables."
    );
    environment = none();
    assert_eq!(read("x__y = 2\n[x]\ny = 3\n", &environment, two_with_one_variable).unwrap().value, (2, 3));
}

fn two_with_one_variable(table: &mut Table<'_, '_>) -> Option<(u64, u64)> {
    let outer = table.or("x__y", "One.", number(0..=9), 0);
    Some((outer, table.section("x", "Two.", |table| table.or("y", "Two.", number(0..=9), 0))))
}

#[test]
fn what_is_printed_reads_back_the_same() {
    let environment = Environment::from([("TOKEN", "s3cret")]);
    for source in ["", FULL] {
        let first = good(source, &environment);
        let printed = first.settings.print();
        assert!(!printed.contains("s3cret"), "{printed}");
        let second = good(&printed, &environment);
        assert_eq!(first.value, second.value, "{printed}");
        assert_eq!(printed, second.settings.print());
    }
    assert!(good(FULL, &environment).settings.print().contains("token = { env = \"TOKEN\" }\n"));
}

#[test]
fn what_is_not_toml_is_told_without_its_line() {
    let found = wrong("count = 1\ntoken = \"hunter2\n", &none());
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("line 2, column ") && found[0].contains("cannot be read as TOML ("), "{found:?}");
    assert!(!found[0].contains("hunter2"), "{found:?}");
}

#[test]
fn an_address_with_a_password_is_refused_without_repeating_it() {
    for address in ["https://me:hunter2@host/", "https://me:hunter2@ho st/", "hunter2@host", "ftp://x:hunter2@host/"] {
        let source = format!("[shops.a]\nbrand = \"corner\"\nurl = \"{address}\"\n");
        let found = wrong(&source, &none());
        assert!(found.len() == 1 && !found[0].contains("hunter2"), "{found:?}");
    }
    for address in ["https://host/?a=1", "https://host/#a", "host", "file:///etc/passwd"] {
        let source = format!("[shops.a]\nbrand = \"corner\"\nurl = \"{address}\"\n");
        assert_eq!(wrong(&source, &none()).len(), 1, "{address}");
    }
}

fn token(source: &str) -> Result<(String, Vec<String>), Vec<String>> {
    let source = format!("[shops.a]\nbrand = \"corner\"\nurl = \"http://a/\"\ntoken = {source}\n");
    let environment = Environment::from([("SET", "s3cret"), ("EMPTY", " "), ("LINES", "s3\ncret")]);
    match read(&source, &environment, declare) {
        Ok(loaded) => {
            let secret = loaded.value.shops[0].1.token.clone().unwrap();
            Ok((secret.expose().to_owned(), loaded.warnings.iter().map(ToString::to_string).collect()))
        }
        Err(mistakes) => Err(mistakes.iter().map(ToString::to_string).collect()),
    }
}

#[test]
fn a_secret_is_fetched_from_where_the_document_says() {
    assert_eq!(token("{ env = \"SET\" }"), Ok(("s3cret".into(), vec![])));
    assert_eq!(token("{ command = [\"printf\", \"s3 %s\\\\n\", \"$HOME;\"] }"), Ok(("s3 $HOME;".into(), vec![])));
    let (secret, warnings) = token("\"s3cret\"").unwrap();
    assert_eq!(secret, "s3cret");
    assert!(warnings.len() == 1 && warnings[0].starts_with("shops.a.token, line 4"), "{warnings:?}");
    assert!(!warnings[0].contains("s3cret"), "{warnings:?}");
}

#[test]
fn a_secret_may_come_from_a_variable_called_like_ours() {
    let source = "[shops.a]\nbrand = \"corner\"\nurl = \"http://a/\"\ntoken = { env = \"INCIDENT_GATEWAY_SHOP\" }\n\
                  [shops.b]\nbrand = \"corner\"\nurl = \"http://b/\"\ntoken = { env = \"INCIDENT_GATEWAY_SHOP\" }\n";
    let loaded = good(source, &[("INCIDENT_GATEWAY_SHOP", "s3cret")].into());
    assert!(loaded.value.shops.iter().all(|(_, shop)| shop.token.as_ref().unwrap().expose() == "s3cret"));
}

#[test]
fn a_file_with_a_secret_is_read_without_its_line_end() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let source = format!("{{ file = {:?} }}", file.display().to_string());
    assert!(token(&source).unwrap_err()[0].contains("which does not exist."));
    for written in ["s3cret", "s3cret\n", "s3cret\r\n"] {
        std::fs::write(&file, written).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
        assert_eq!(token(&source), Ok(("s3cret".into(), vec![])));
    }
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o640)).unwrap();
    let (_, warnings) = token(&source).unwrap();
    assert!(warnings[0].contains("chmod 600"), "{warnings:?}");
    std::fs::write(&file, "s3cret\n\n").unwrap();
    assert!(token(&source).unwrap_err()[0].contains("holds a line break"));
    std::fs::write(&file, vec![b'x'; 70_000]).unwrap();
    assert!(token(&source).unwrap_err()[0].contains("longer than 65536 bytes"));
}

#[test]
fn a_secret_that_cannot_be_had_is_a_mistake_that_does_not_show_it() {
    let cases = [
        ("{ env = \"UNSET\" }", "needs the environment variable UNSET, which is not set."),
        ("{ env = \"EMPTY\" }", "is an empty secret. It comes from the environment variable EMPTY."),
        (
            "{ env = \"LINES\" }",
            "holds a line break or another character that cannot be part of a secret. It comes from",
        ),
        ("{ envv = \"SET\" }", "\"envv\" is none of these. Did you mean \"env\"?"),
        ("{ env = \"SET\", file = \"x\" }", "must be exactly one of"),
        ("{ }", "must be exactly one of"),
        ("{ env = \"\" }", "has a member \"env\" that must be a text"),
        ("{ command = \"pass show x\" }", "must be a list of texts, the program first."),
        ("{ command = [] }", "must be a list of texts, the program first."),
        ("{ command = [\"/nonexistent\"] }", "the command /nonexistent, which does not exist."),
        ("{ command = [\"false\"] }", "the command false, which failed with exit code 1."),
        ("{ command = [\"true\"] }", "is an empty secret. It comes from the command true."),
        ("\"\"", "is an empty secret."),
        ("[\"s3cret\"]", "must be { env"),
    ];
    for (source, expected) in cases {
        let found = token(source).unwrap_err();
        assert!(found.len() == 1 && found[0].contains(expected), "{source}: {found:?}");
        assert!(!found[0].contains("s3"), "{found:?}");
    }
}

#[test]
fn the_schema_describes_each_setting() {
    let schema = describe(declare).json_schema("Example", "https://example.org/x");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let properties = &schema["properties"];
    assert_eq!(properties["count"]["maximum"], 9);
    assert_eq!(properties["count"]["default"], 3);
    assert_eq!(properties["colour"]["enum"], serde_json::json!(["red", "blue"]));
    assert_eq!(properties["inner"]["properties"]["mail"]["type"], "string");
    let shop = &properties["shops"]["additionalProperties"]["oneOf"][0];
    assert_eq!(shop["properties"]["brand"]["const"], "corner");
    assert_eq!(shop["required"], serde_json::json!(["brand", "url"]));
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn the_documentation_names_each_setting_with_its_variable() {
    let page = describe(declare).markdown();
    for name in ["COUNT", "WAIT_MS", "INNER__MAIL", "SHOPS__<NAME>__TOKEN", "SHOPS__<NAME>__BRAND"] {
        assert!(page.contains(&format!("`{PREFIX}{name}`")), "{name}: {page}");
    }
}
