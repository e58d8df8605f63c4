//! The program itself, as a user starts it: what it prints, what it answers, how it ends.

use crate::http::{Answer, LIMIT, query};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

/// The program with an environment of its own, so that no setting of whoever runs the tests gets in.
fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_incident-gateway"));
    command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    // Whatever asks this proxy fails.
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"] {
        command.env(name, "http://127.0.0.1:9");
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// What a program says that ends by itself.
async fn output(mut command: Command) -> (i32, String, String) {
    let output: Output = timeout(LIMIT, command.output()).await.unwrap().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

async fn run(arguments: &[&str]) -> (i32, String, String) {
    output(program(arguments)).await
}

/// A program that goes on.
struct Running {
    child: Child,
    lines: tokio::io::Lines<BufReader<ChildStdout>>,
    /// What it has printed so far.
    printed: String,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Running { child, lines, printed: String::new() }
    }

    /// The address in the next line that has one after `before`.
    async fn address(&mut self, before: &str) -> SocketAddr {
        loop {
            let line = self.line().await;
            if let Some((_, rest)) = line.split_once(before) {
                let end = rest.find(|c: char| c == '/' || c == ')' || c.is_whitespace()).unwrap_or(rest.len());
                return rest[..end].parse().unwrap_or_else(|_| panic!("{line}"));
            }
        }
    }

    async fn line(&mut self) -> String {
        let line = timeout(LIMIT, self.lines.next_line()).await.unwrap().unwrap();
        let line = line.unwrap_or_else(|| panic!("no more lines after: {}", self.printed));
        self.printed.push_str(&line);
        self.printed.push('\n');
        line
    }

    fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.child.id().unwrap());
        let sent = std::process::Command::new("sh").args(["-c", &command]).status().unwrap();
        assert!(sent.success());
    }

    /// Its exit code and what it wrote to standard error.
    async fn end(mut self) -> (i32, String) {
        let mut errors = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        let work = async {
            stderr.read_to_string(&mut errors).await.unwrap();
            self.child.wait().await.unwrap().code().unwrap()
        };
        let code = timeout(LIMIT, work).await.unwrap();
        (code, errors)
    }
}

/// A sandbox of its own process, and a configuration file with it as its only source.
struct World {
    sandbox: Running,
    address: SocketAddr,
    folder: tempfile::TempDir,
}

impl World {
    async fn start(arguments: &[&str]) -> Self {
        let arguments = [&["sandbox", "--listen", "127.0.0.1:0", "--incidents", "20"], arguments].concat();
        let mut sandbox = Running::start(program(&arguments));
        let address = sandbox.address("http://").await;
        let mut line = String::new();
        while !line.contains("Token ") {
            line = sandbox.line().await;
        }
        let folder = tempfile::tempdir().unwrap();
        let world = World { sandbox, address, folder };
        world.write(line.split_whitespace().nth(1).unwrap());
        world
    }

    fn write(&self, token: &str) {
        let address = self.address;
        let text = format!(
            "listen = \"127.0.0.1:0\"\n[sources.grc]\nvendor = \"ciso-assistant\"\nurl = \"http://{address}/\"\n\
             token = {{ env = \"TOKEN\" }}\n[sources.grc.policy]\ntotal_timeout_ms = 60000\n"
        );
        std::fs::write(self.folder.path().join("gateway.toml"), text).unwrap();
        std::fs::write(self.folder.path().join("token"), token).unwrap();
    }

    fn config(&self) -> String {
        self.folder.path().join("gateway.toml").display().to_string()
    }

    /// A command with this configuration.
    fn command(&self, command: &str, more: &[&str]) -> Command {
        let config = self.config();
        let mut command = program(&[&[command, "--config", &config], more].concat());
        command.env("TOKEN", std::fs::read_to_string(self.folder.path().join("token")).unwrap());
        command
    }

    async fn serve(&self) -> (Running, SocketAddr) {
        let mut gateway = Running::start(self.command("serve", &[]));
        let address = gateway.address("http://").await;
        (gateway, address)
    }
}

const QUERY: &str = "{ incidents(first: 2) { nodes { title } } }";

fn titles(answer: &Answer) -> usize {
    let answer = answer.json();
    assert_eq!(answer.get("errors"), None, "{answer}");
    answer["data"]["incidents"]["nodes"].as_array().unwrap().len()
}

#[tokio::test]
async fn demo_answers_the_query_that_it_prints() {
    let began = Instant::now();
    let mut demo = Running::start(program(&["demo", "--listen", "127.0.0.1:0", "--incidents", "30"]));
    let address = demo.address("GraphQL   http://").await;
    let mut line = String::new();
    while !line.contains("curl ") {
        line = demo.line().await;
    }
    let body = line.split("-d '").nth(1).unwrap().trim_end_matches('\'');
    let document = serde_json::from_str::<Value>(body).unwrap()["query"].as_str().unwrap().to_owned();
    let answer = query(address, &document).await;
    assert_eq!(titles(&answer), 5);
    assert_eq!(asked(&answer), FIVE.map(|name| (name.to_owned(), "OK".to_owned())), "all five answer");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(demo.printed.contains(&format!("http://{address}/schema.graphql")), "{}", demo.printed);
    let total = query(address, "{ incidents { totalCount } }").await;
    assert!(total.json()["data"]["incidents"]["totalCount"].as_u64().unwrap() > 10, "{total:?}");
    let url = format!("http://{address}/");
    assert_eq!(run(&["health", "--url", &url]).await, (0, "ready\n".into(), String::new()));
    demo.signal("INT");
    assert_eq!(demo.end().await, (0, String::new()), "a demonstration that ran well leaves no line in the log");
}

/// What `demo` starts, in its order.
const FIVE: [&str; 5] = ["ciso-assistant", "eventlog-analyzer", "adversarial", "kaspersky-xdr", "cortex-xpanse"];

/// Who was asked for a list, and how each answered.
fn asked(answer: &Answer) -> Vec<(String, String)> {
    let answer = answer.json();
    let reports = answer["data"]["incidents"]["sources"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    reports.map(|report| (text(&report["source"]["name"]), text(&report["status"]))).collect()
}

#[tokio::test]
async fn demo_starts_the_systems_that_are_named_each_once() {
    let named = ["--vendor", "kaspersky-xdr", "--vendor", "ciso-assistant", "--vendor", "kaspersky-xdr"];
    let options = [&["demo", "--listen", "127.0.0.1:0", "--incidents", "30", "--strict-limits"], &named[..]].concat();
    let mut demo = Running::start(program(&options));
    let address = demo.address("GraphQL   http://").await;
    while !demo.line().await.contains("Stop with") {}
    let answer = query(address, "{ incidents(first: 9) { sources { source { name } status } } }").await;
    assert_eq!(asked(&answer), ["ciso-assistant", "kaspersky-xdr"].map(|name| (name.to_owned(), "OK".to_owned())));
    assert!(demo.printed.contains("2 simulated systems with 30 made-up incidents each."), "{}", demo.printed);
    assert!(demo.printed.contains("the vendors' own requests per minute"), "{}", demo.printed);
}

/// Who compares the gateway with the systems themselves needs what these take as credentials.
#[tokio::test]
async fn demo_prints_its_sources_as_a_configuration_that_works() {
    let mut demo = Running::start(program(&["demo", "--listen", "127.0.0.1:0", "--incidents", "12", "--print-config"]));
    while !demo.line().await.contains("Stop with") {}
    let (_, rest) = demo.printed.split_once("The sources, as a configuration:").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("gateway.toml");
    std::fs::write(&file, rest.trim_end().trim_end_matches("Stop with Ctrl-C.")).unwrap();
    let (code, text, errors) = run(&["doctor", "--json", "--config", file.to_str().unwrap()]).await;
    assert_eq!(code, 0, "{text} {errors}");
    assert!(FIVE.iter().all(|name| text.contains(name)), "{text}");
}

#[tokio::test]
async fn demo_refuses_what_it_cannot_start_and_says_why() {
    for (options, message) in [
        (["--vendor", "acme"], "unknown vendor 'acme'; known: ciso-assistant, eventlog-analyzer, adversarial, "),
        (["--public-host", "gw.example:8080"], "a host name or an IP address, without a port, is needed"),
        (["--public-host", "a b"], "a host name or an IP address, without a port, is needed"),
        (["--incidents", "200001"], "--incidents 200001 for each of 5 systems is more than 1000000 together."),
    ] {
        let (code, out, errors) = run(&[&["demo", "--listen", "127.0.0.1:0"][..], &options].concat()).await;
        assert_eq!((code, out.as_str()), (2, ""), "{options:?}");
        assert!(errors.contains(message), "{options:?}: {errors}");
    }
}

#[tokio::test]
async fn an_address_in_use_is_a_clear_message() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let world = World::start(&[]).await;
    let commands = [
        program(&["demo", "--listen", &address]),
        program(&["sandbox", "--listen", &address]),
        world.command("serve", &["--listen", &address]),
    ];
    for command in commands {
        let (code, out, errors) = output(command).await;
        assert_eq!((code, out.as_str()), (3, ""));
        let last = errors.lines().last().unwrap_or_default();
        assert_eq!(
            last,
            format!(
                "Cannot listen on {address}: the port is in use. Choose another one with --listen ADDRESS:PORT; port 0 takes \
                 a free one."
            )
        );
    }
}

#[tokio::test]
async fn listening_beyond_this_machine_is_refused_unless_it_is_allowed() {
    let world = World::start(&[]).await;
    let (demo, sandbox) = (program(&["demo", "--listen", "0.0.0.0:0"]), program(&["sandbox", "--listen", "0.0.0.0:0"]));
    for command in [demo, sandbox, world.command("serve", &["--listen", "[::]:0"])] {
        let (code, _, errors) = output(command).await;
        assert_eq!(code, 2);
        assert!(errors.contains("--allow-unauthenticated-access"), "{errors}");
    }
    let allowed = ["--listen", "0.0.0.0:0", "--allow-unauthenticated-access"];
    let mut gateway = Running::start(world.command("serve", &allowed));
    let line = gateway.line().await;
    assert!(line.starts_with("Incident Gateway at http://localhost:"), "{line}");
    let line = gateway.line().await;
    assert!(line.contains("(--allow-unauthenticated-access)"), "also where the log is off: {line}");
    gateway.signal("TERM");
    let (code, errors) = gateway.end().await;
    assert_eq!(code, 0);
    assert!(errors.contains("WARN listening on 0.0.0.0:0 without asking callers who they are"), "{errors}");
}

#[tokio::test]
async fn both_signals_stop_gracefully_and_requests_in_flight_are_answered() {
    let world = World::start(&["--latency", "1000"]).await;
    for signal in ["TERM", "INT"] {
        let (gateway, address) = world.serve().await;
        let asked = tokio::spawn(async move { query(address, QUERY).await });
        tokio::time::sleep(Duration::from_millis(700)).await;
        gateway.signal(signal);
        assert_eq!(titles(&asked.await.unwrap()), 2);
        let (code, errors) = gateway.end().await;
        assert_eq!(code, 0);
        assert!(errors.contains("INFO stopping") && errors.contains("INFO stopped"), "{errors}");
        assert!(!errors.contains('\u{1b}'), "no colours where there is no terminal: {errors}");
    }
}

#[tokio::test]
async fn a_second_signal_stops_at_once() {
    let world = World::start(&["--fault", "hang"]).await;
    let (mut gateway, address) = world.serve().await;
    let asked =
        tokio::spawn(async move { tokio::net::TcpStream::connect(address).await.map(|stream| (stream, address)) });
    let (mut stream, _) = asked.await.unwrap().unwrap();
    let body = format!("{{\"query\":{QUERY:?}}}");
    let head = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ";
    tokio::io::AsyncWriteExt::write_all(&mut stream, format!("{head}{}\r\n\r\n{body}", body.len()).as_bytes())
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    gateway.signal("TERM");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(gateway.child.try_wait().unwrap().is_none(), "it waits for the request in flight");
    let began = Instant::now();
    gateway.signal("INT");
    let (code, errors) = gateway.end().await;
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(code, 4);
    assert!(errors.contains("stopped before all requests were answered"), "{errors}");
}

#[tokio::test]
async fn doctor_tells_how_each_source_is() {
    let world = World::start(&[]).await;
    let (code, text, errors) = output(world.command("doctor", &[])).await;
    assert_eq!((code, errors.as_str()), (0, ""), "{text}");
    assert!(text.starts_with(&format!("grc (http://{}", world.address)), "{text}");
    for line in
        ["well", "reachable            yes", "credential accepted  yes", "clock difference     none", "latency "]
    {
        assert!(text.contains(line), "{line}: {text}");
    }
    let (code, text, _) = output(world.command("doctor", &["--json"])).await;
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &found["ok"]), (0, &Value::Bool(true)));
    let source = &found["sources"][0];
    assert_eq!((&source["name"], &source["release"]), (&"grc".into(), &"v3.15.1".into()), "{text}");
    assert!(source["clockDifferenceMs"].as_f64().unwrap().abs() < 5_000.0, "{text}");
    assert!(source["latencyMs"].as_f64().unwrap() > 0.0, "{text}");
    world.write("a-wrong-token");
    let (code, text, _) = output(world.command("doctor", &["--json"])).await;
    let found: Value = serde_json::from_str(&text).unwrap();
    let source = &found["sources"][0];
    assert_eq!((code, &found["ok"], &source["status"]), (1, &false.into(), &"UNAUTHENTICATED".into()), "{text}");
    assert_eq!((&source["reachable"], &source["credentialAccepted"]), (&true.into(), &false.into()), "{text}");
    assert!(!text.contains("a-wrong-token"), "{text}");
}

#[tokio::test]
async fn doctor_tells_a_source_that_is_not_there() {
    let world = World::start(&[]).await;
    world.sandbox.signal("TERM");
    let doctor = (world.command("doctor", &["--json"]), world.command("doctor", &[]));
    let World { sandbox, folder: _folder, .. } = world;
    assert_eq!(sandbox.end().await.0, 0);
    let (code, text, _) = output(doctor.0).await;
    let found: Value = serde_json::from_str(&text).unwrap();
    let source = &found["sources"][0];
    assert_eq!((code, &source["reachable"], &source["credentialAccepted"]), (1, &false.into(), &Value::Null), "{text}");
    let (code, text, errors) = output(doctor.1).await;
    assert_eq!(errors.lines().count(), 1, "{errors}");
    assert!(errors.contains("add --log-level warn"), "{errors}");
    assert!(code == 1 && text.contains("not well") && text.contains("cannot be reached."), "{text}");
}

#[tokio::test]
async fn check_config_tells_all_mistakes_or_what_is_in_effect() {
    let world = World::start(&[]).await;
    let (code, out, errors) = output(world.command("check-config", &["--print"])).await;
    assert_eq!(code, 0, "{errors}");
    assert!(out.contains("token = { env = \"TOKEN\" }\n") && out.contains("total_timeout_ms = 60000\n"), "{out}");
    assert_eq!(errors, format!("{} is correct: 1 source (grc).\n", world.config()));
    std::fs::write(world.config(), "listen = 1\nlog = 2\n[sources.x]\nvendor = \"y\"\n").unwrap();
    let (code, out, errors) = output(world.command("check-config", &[])).await;
    assert_eq!((code, out.as_str(), errors.lines().count()), (2, "", 4), "{errors}");
    assert!(errors.starts_with(&format!("{} has 3 mistakes:\n  listen, line 1", world.config())), "{errors}");
    let (served, _, told) = output(world.command("serve", &[])).await;
    assert_eq!((served, told), (2, errors), "serve tells the same");
    let missing = Path::new("/nonexistent/gateway.toml").display().to_string();
    let (code, _, errors) = run(&["serve", "--config", &missing]).await;
    assert!(code == 2 && errors.contains("cannot be read: there is no such file."), "{errors}");
    let (code, _, errors) = run(&["check-config"]).await;
    assert!(code == 2 && errors.contains("give --config FILE"), "{errors}");
}

#[tokio::test]
async fn the_environment_alone_is_a_configuration() {
    let world = World::start(&[]).await;
    let mut command = program(&["serve"]);
    let token = std::fs::read_to_string(world.folder.path().join("token")).unwrap();
    command.env("INCIDENT_GATEWAY_LISTEN", "127.0.0.1:0");
    command.env("INCIDENT_GATEWAY_SOURCES__GRC__VENDOR", "ciso-assistant");
    command.env("INCIDENT_GATEWAY_SOURCES__GRC__URL", format!("http://{}/", world.address));
    command.env("INCIDENT_GATEWAY_SOURCES__GRC__TOKEN", token);
    let mut gateway = Running::start(command);
    let address = gateway.address("http://").await;
    assert_eq!(titles(&query(address, QUERY).await), 2);
}

#[tokio::test]
async fn every_log_line_is_json_when_asked_for_and_carries_the_request_id() {
    let world = World::start(&[]).await;
    let mut gateway = Running::start(world.command("serve", &["--log-format", "json", "--log-level", "debug"]));
    let address = gateway.address("http://").await;
    let id = query(address, QUERY).await.header("x-request-id").to_owned();
    gateway.signal("TERM");
    let (_, errors) = gateway.end().await;
    let lines: Vec<Value> = errors.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let of_request: Vec<&Value> = lines.iter().filter(|line| line["request.id"] == *id).collect();
    let told = |key: &str| of_request.iter().any(|line| line.get(key).is_some());
    assert!(told("http.route") && told("vendor.operation"), "{errors}");
    // At the start the gateway looks at its sources by itself.
    let of_nobody = |line: &&Value| {
        line.get("vendor.operation").is_some() && line["request.id"] != *id && line["request.id"] != "start"
    };
    assert_eq!(lines.iter().filter(of_nobody).count(), 0, "{errors}");
}

#[tokio::test]
async fn schema_is_the_one_that_is_kept() {
    let kept = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/schema.graphql")).unwrap();
    let (code, printed, told) = run(&["schema"]).await;
    assert_eq!((code, told.as_str()), (0, ""));
    // Not `assert_eq`: it would print both schemas.
    assert!(printed == kept, "what is printed differs from schema/schema.graphql");
}

#[tokio::test]
async fn a_reader_who_leaves_is_no_failure() {
    let program = env!("CARGO_BIN_EXE_incident-gateway");
    let script = format!("({program} schema; echo $? >&2) | true");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).stdin(Stdio::null()).kill_on_drop(true);
    assert_eq!(output(command).await, (0, String::new(), "0\n".into()));
}

#[tokio::test]
async fn health_tells_a_gateway_that_is_not_there() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let (code, out, errors) = run(&["health", "--url", &url]).await;
    assert_eq!((code, out.as_str()), (1, ""));
    assert_eq!(errors, format!("The gateway at http://{free}/health/ready is not ready: nothing listens there.\n"));
    let world = World::start(&[]).await;
    let (code, _, errors) = run(&["health", "--url", &format!("http://{}", world.address)]).await;
    assert!(code == 1 && errors.contains("is it an Incident Gateway?"), "{errors}");
    assert_eq!(run(&["health", "--url", "https://gateway.example"]).await.0, 2);
}

#[tokio::test]
async fn sandbox_shows_what_it_is_told_to() {
    let options =
        ["--seed", "7", "--release", "3.20.8", "--now", "2026-01-02T03:04:05Z", "--fault", "503@/api/threats/*1"];
    let mut world = World::start(&options).await;
    assert!(
        world.sandbox.printed.contains("CISO Assistant 3.20.8, simulated, 20 incidents"),
        "{}",
        world.sandbox.printed
    );
    let account = world.sandbox.line().await;
    assert!(account.contains("gateway@example.test") && account.contains("gateway-password"), "{account}");
    let token = std::fs::read_to_string(world.folder.path().join("token")).unwrap();
    let ask = |path: &'static str| {
        let head = format!("GET {path}\nAuthorization: Token {token}");
        let address = world.address;
        async move { crate::http::send(address, &head, b"").await }
    };
    let incidents = ask("/api/incidents/?limit=100").await;
    assert!(incidents.status == 200 && incidents.json()["count"].as_u64().unwrap() > 5, "{incidents:?}");
    assert_eq!((ask("/api/threats/").await.status, ask("/api/threats/").await.status), (503, 200));
    let (code, _, errors) = run(&["sandbox", "--fault", "explode"]).await;
    assert!(code == 2 && errors.contains("unknown fault 'explode'"), "{errors}");
    world.sandbox.signal("TERM");
    assert_eq!(world.sandbox.end().await.0, 0);
}

#[tokio::test]
async fn help_names_the_exit_codes() {
    let (code, out, _) = run(&["--help"]).await;
    assert!(code == 0 && out.contains("Exit codes:"), "{out}");
    assert!(!out.contains('\u{1b}'), "{out}");
    assert_eq!(run(&["nothing"]).await.0, 2);
    assert_eq!(run(&["demo", "--listen", "8080"]).await.0, 2);
}
