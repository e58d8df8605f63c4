//! `docs/VENDORS.md`: what each vendor's sources can do, as their capabilities say, what is odd about each, as its module
//! page says, and which of its members is which of our fields, as the tables of `conformance::fields` say and prove.

use super::Five;
use crate::{conformance::fields::table, generated::check};
use incident_gateway::sandbox::Vendor;
use serde_json::{Value, json};
use std::{fmt::Write, fs, path::Path};

const HEAD: &str = "# Vendors

What a source of each vendor can do, as `sources { capabilities { … } }` tells it with the default configuration, and what to
know about each API. Made from the code by `UPDATE=1 cargo test generated`.

A field that a source never fills is null there. A filter or an order that a source does not apply itself is applied by the
gateway, which then reads up to `limits.scan_rows` rows. A value that a vendor has no word for matches nothing there, and the
source is not asked.

The tables go from members of a vendor's answers to the fields of the schema that they are in. A test takes each member away
and sees the field change. What has no field of its own, or only counts rows, is in no table; of rows it is in `raw`.
";

/// Names as people write them.
fn title(vendor: Vendor) -> &'static str {
    match vendor {
        Vendor::CisoAssistant => "CISO Assistant",
        Vendor::EventlogAnalyzer => "ManageEngine EventLog Analyzer",
        Vendor::Adversarial => "Adversarial",
        Vendor::KasperskyXdr => "Kaspersky XDR",
        Vendor::CortexXpanse => "Cortex Xpanse",
    }
}

/// The module page of a vendor, without its marks.
fn page(vendor: Vendor) -> String {
    let module = vendor.word().replace('-', "_");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/vendors/{module}/mod.rs"));
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line).to_owned() + "\n").collect()
}

fn words(all: &Value) -> String {
    let all: Vec<&str> = all.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

/// The table of fields, by call.
fn fields(vendor: Vendor) -> String {
    let (mut text, mut call) = (String::new(), String::new());
    for line in table(vendor.word()) {
        if line.call != call {
            writeln!(text, "\nFrom `{}`:\n\n| Member | Field | |\n|---|---|---|", line.call).unwrap();
            call.clone_from(&line.call);
        }
        let quoted = |all: &[String]| all.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ");
        writeln!(text, "| {} | {} | {} |", quoted(&line.members), quoted(&line.ours), line.remark).unwrap();
    }
    text
}

/// `HIGH` = `Trouble`, …
fn meanings(all: &Value, ours: &str, theirs: &str) -> String {
    let mean = |one: &Value| match one[theirs].as_str().unwrap() {
        "" => one[ours].as_str().unwrap().to_owned(),
        word => format!("{} = “{word}”", one[ours].as_str().unwrap()),
    };
    all.as_array().unwrap().iter().map(mean).collect::<Vec<_>>().join(", ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn generated_vendors() {
    let five = Five::start(10).await;
    let query =
        "{ sources { name capabilities { read filter orderBy maxPageSize totalCount assumedTimeZone exports reports
        readComments history severities { severity sourceSeverity } statuses { status sourceStatus } } } }";
    let sources = five.ask(query, json!({})).await["sources"].take();
    let mut document = HEAD.to_owned();
    for vendor in Vendor::ALL {
        let source = sources.as_array().unwrap().iter().find(|source| source["name"] == vendor.word()).unwrap();
        let can = &source["capabilities"];
        writeln!(document, "\n## {} (`{vendor}`)\n\n{}", title(vendor), page(vendor)).unwrap();
        writeln!(document, "| | |\n|---|---|").unwrap();
        let yes = |value: &Value| if *value == json!(true) { "yes" } else { "no" };
        let zone = can["assumedTimeZone"].as_str().map_or("given with each time", |_| "as configured (`time_zone`)");
        for (name, told) in [
            ("Fields", words(&can["read"])),
            ("Filters by itself", words(&can["filter"])),
            ("Sorts by itself", words(&can["orderBy"])),
            ("Rows of a page", can["maxPageSize"].to_string()),
            ("Total", can["totalCount"].as_str().unwrap().to_owned()),
            ("Severities", meanings(&can["severities"], "severity", "sourceSeverity")),
            ("Statuses", meanings(&can["statuses"], "status", "sourceStatus")),
            ("Comments, history", format!("{}, {}", yes(&can["readComments"]), yes(&can["history"]))),
            ("Tables, reports", format!("{}; {}", words(&can["exports"]), words(&can["reports"]))),
            ("Zone of times", zone.to_owned()),
        ] {
            writeln!(document, "| {name} | {told} |").unwrap();
        }
        document.push_str(&fields(vendor));
    }
    check("docs/VENDORS.md", &document);
}
