//! The fuzz targets' bodies over a corpus (files of `tests/fixtures` and texts below) and 10,000 seeded inputs each.

use incident_gateway::fuzz;
use std::{fs, path::Path};

const INPUTS: usize = 10_000;

/// Numbers that follow from a seed (splitmix64): equal runs find equal faults.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// One of the texts, changed in a few places; or bytes of no origin.
    fn input(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        if self.below(10) == 0 {
            return (0..self.below(200)).map(|_| self.next() as u8).collect();
        }
        let mut bytes = corpus[self.below(corpus.len())].clone();
        for _ in 0..self.below(6) {
            let at = self.below(bytes.len());
            match self.below(5) {
                0 if !bytes.is_empty() => bytes[at] = self.next() as u8,
                1 if !bytes.is_empty() => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"\"{}[]:,0-null\\u"[self.below(15)]),
                3 => bytes.truncate(at),
                _ => {
                    let other = &corpus[self.below(corpus.len())];
                    let from = self.below(other.len());
                    let piece = other[from..(from + self.below(40)).min(other.len())].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        bytes
    }
}

fn run(name: &str, corpus: &[Vec<u8>], body: fn(&[u8])) {
    corpus.iter().for_each(|text| body(text));
    let seed = 1;
    let mut random = Random(seed);
    for number in 0..INPUTS {
        let input = random.input(corpus);
        let outcome = std::panic::catch_unwind(|| body(&input));
        assert!(outcome.is_ok(), "{name}, seed {seed}, input {number}: {:?}", String::from_utf8_lossy(&input));
    }
}

fn texts(all: &[&str]) -> Vec<Vec<u8>> {
    all.iter().map(|text| text.as_bytes().to_vec()).collect()
}

#[test]
fn ids() {
    let corpus =
        texts(&["SQpzb2MtYmVybGlu", "UwNncmM", "5f0eea2b-4d2f-4fb0-b81c-129e4d7ad043", "INC-1", "UgLDvFJTSy0wMDAwMQ"]);
    run("ids", &corpus, fuzz::ids);
}

#[test]
fn cursors() {
    let body: Vec<u8> = [&[1][..], &[0; 8], &[3], b"grc", &[2], b"42", &[1, 2, 3, 4, 5]].concat();
    let text: Vec<u8> = [&[3, 5][..], b"title", &[3], b"grc", &[2], b"42"].concat();
    run("cursors", &[body, text, vec![0, 1, b'a', 0], vec![4]], fuzz::cursors);
}

#[test]
fn wire() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/ciso-assistant/v3.15.1");
    let mut corpus = texts(&[
        r#"{"count":1,"next":null,"previous":null,"results":[{"id":"5f0eea2b-4d2f-4fb0-b81c-129e4d7ad043"}]}"#,
    ]);
    for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.unwrap().path();
        let recorded: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap_or_default();
        if recorded["request"]["path"].as_str().is_some_and(|path| path.starts_with("/api/incidents/")) {
            corpus.push(recorded["response"]["body"].to_string().into_bytes());
        }
    }
    let kaspersky = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kaspersky-xdr");
    for file in ["documented_example", "list_incidents_with_affected_and_history", "list_alerts"] {
        corpus.push(fs::read(kaspersky.join(format!("{file}.json"))).unwrap());
    }
    assert!(corpus.len() > 20, "{}", corpus.len());
    for name in ["list_incidents", "list_incidents_newer_envelope", "history_41", "odd_rows"] {
        let path = format!("{}/tests/fixtures/adversarial/{name}.json", env!("CARGO_MANIFEST_DIR"));
        corpus.push(fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}")));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cortex-xpanse");
    for name in ["get_incidents_full.json", "get_incidents_oddities.json", "extra_data.json"] {
        corpus.push(fs::read(folder.join(name)).unwrap());
    }
    run("wire", &corpus, fuzz::wire);
}

#[test]
fn search() {
    run("search", &texts(&["web store", "\"web store\" down", "a,b  \"", "ÄRGER \u{130} ß", "مرحبا"]), fuzz::search);
}

#[test]
fn documents() {
    let corpus = texts(&[
        "{ incidents(first: 3, filter: {severity: [HIGH], title: {contains: \"web [store\"}}) { nodes { id } } }",
        "query Q($a: Int = -1.5e3) { ...F @skip(if: $b) } # [{(\nfragment F on Query { a: viewer { name } }",
        "{ a(b: \"\"\" { \\\"\"\" [ \"\"\", c: \"\\\"[\") }",
    ]);
    run("documents", &corpus, fuzz::documents);
}

#[test]
fn settings() {
    let example = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/gateway.toml")).unwrap();
    let corpus = [example, b"[sources.a]\nvendor = \"ciso-assistant\"\nurl = \"http://x\"\ntoken = \"t\"\n".to_vec()];
    run("settings", &corpus, fuzz::settings);
}
