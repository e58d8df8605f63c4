//! Every filter at every vendor: the report names its field, whoever looks at it, and what rows do not tell does not match.

use super::{Five, Setting};
use incident_gateway::{
    domain::{GlobalId, IdKind, Key, SourceName},
    sandbox::Vendor,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Filters, and the fields that reports call them by. `ID` stands for an id of the source's own.
const FILTERS: [(&str, &str, IdKind); 40] = [
    ("REFERENCE", "references: [\"x\"]", IdKind::Incident),
    ("TEXT", "search: \"vpn\"", IdKind::Incident),
    ("TITLE", "title: { contains: \"a\" }", IdKind::Incident),
    ("DESCRIPTION", "description: { contains: \"a\" }", IdKind::Incident),
    ("COMPUTED_DESCRIPTION", "computedDescription: { contains: \"a\" }", IdKind::Incident),
    ("SEVERITY", "severity: [HIGH]", IdKind::Incident),
    ("SEVERITY", "severity: [HIGH, LOW, UNKNOWN]", IdKind::Incident),
    ("STATUS", "status: [NEW]", IdKind::Incident),
    ("STATUS", "status: [NEW, OTHER]", IdKind::Incident),
    ("PHASE", "phase: OPEN", IdKind::Incident),
    ("RESOLUTION", "resolution: [TRUE_POSITIVE]", IdKind::Incident),
    ("PRIORITY", "priority: [HIGH]", IdKind::Incident),
    ("DETECTION", "detection: [INTERNAL]", IdKind::Incident),
    ("ORIGINS", "origins: [\"SIEM\"]", IdKind::Incident),
    ("CATEGORIES", "categories: [\"x\"]", IdKind::Incident),
    ("OWNERS", "owners: [{ email: \"nobody@example.test\" }]", IdKind::Incident),
    ("OWNERS", "unassigned: true", IdKind::Incident),
    ("OWNERS", "unassigned: false", IdKind::Incident),
    ("CREATED_BY", "createdBy: [{ id: ID }]", IdKind::Owner),
    ("CREATED_MANUALLY", "createdManually: true", IdKind::Incident),
    ("ASSETS", "assetIds: [ID]", IdKind::Asset),
    ("THREATS", "threatIds: [ID]", IdKind::Threat),
    ("TAGS", "tags: [{ id: ID }]", IdKind::Tag),
    ("QUALIFICATIONS", "qualificationIds: [ID]", IdKind::Term),
    ("ENTITIES", "entityIds: [ID]", IdKind::RelatedRecord),
    ("RELATED_RECORDS", "relatedRecordIds: [ID]", IdKind::RelatedRecord),
    ("SCOPE", "scopeIds: [ID]", IdKind::Scope),
    ("PUBLISHED", "published: true", IdKind::Incident),
    ("STARRED", "starred: true", IdKind::Incident),
    ("CLOUD_MANAGEMENT", "cloudManagement: [MANAGED]", IdKind::Incident),
    ("CLOUD_INTEGRATION", "cloudIntegrations: [\"AWS\"]", IdKind::Incident),
    ("CREATED_AT", "created: { since: \"2026-05-01T00:00:00Z\" }", IdKind::Incident),
    ("UPDATED_AT", "updated: { since: \"2026-05-01T00:00:00Z\" }", IdKind::Incident),
    ("STATUS_CHANGED_AT", "statusChanged: { since: \"2026-05-01T00:00:00Z\" }", IdKind::Incident),
    ("OCCURRED_AT", "occurred: { since: \"2026-05-01T00:00:00Z\" }", IdKind::Incident),
    ("DETECTED_AT", "detected: {}", IdKind::Incident),
    ("RESPONDED_AT", "responded: {}", IdKind::Incident),
    ("CONTAINED_AT", "contained: {}", IdKind::Incident),
    ("RESOLVED_AT", "resolved: {}", IdKind::Incident),
    ("DUE_AT", "due: {}", IdKind::Incident),
];

fn id(kind: IdKind, vendor: Vendor, native: &str) -> String {
    json!(GlobalId::new(kind, Key::new(&SourceName::new(vendor.word()), native)).to_string()).to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_report_names_the_field_of_every_filter_whoever_applies_it() {
    let five = Five::with(Setting::of(12)).await;
    for (field, filter, kind) in FILTERS {
        for vendor in Vendor::ALL {
            let filter =
                filter.replace("ID]", &format!("{}]", id(kind, vendor, "00000000-0000-4000-8000-000000000001")));
            let filter =
                filter.replace("ID }", &format!("{} }}", id(kind, vendor, "00000000-0000-4000-8000-000000000001")));
            // Plain, inside of another, and turned round: then absent values match, and nobody can be skipped for having none.
            for (written, turned) in [
                (filter.clone(), false),
                (format!("or: [{{ {filter} }}]"), false),
                (format!("not: {{ {filter} }}"), true),
            ] {
                let query = format!(
                    "{{ incidents(first: 1, filter: {{ sources: [\"{vendor}\"], {written} }}) {{ sources {{ source {{ name }} status
                       skippedReason filteredBySource filteredByGateway error {{ code }} }} }} }}"
                );
                let page = five.ask(&query, json!({})).await;
                let reports = page["incidents"]["sources"].as_array().unwrap();
                let report = reports.iter().find(|report| report["source"]["name"] == vendor.word()).unwrap();
                assert_eq!(report["error"], Value::Null, "{vendor} {written}: {report}");
                let named = ["filteredBySource", "filteredByGateway"]
                    .iter()
                    .any(|member| report[member].as_array().unwrap().contains(&json!(field)));
                let reason = report["skippedReason"].as_str().unwrap_or_default();
                let skipped =
                    reason.contains(field) || (reason.contains("can match the filter") && written.starts_with("or"));
                // Names that nobody has are looked up first, and are then no condition any more.
                let looked_up = field == "OWNERS" && turned;
                assert!(named || skipped || looked_up, "{vendor} {written}: {report}");
            }
        }
    }
}

/// What a source tells only per incident is not looked at: it does not match, and the report names the field.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_on_assets_finds_what_rows_tell_of_them_and_names_them() {
    let five = Five::with(Setting::of(12)).await;
    for vendor in Vendor::ALL {
        let source = format!("sources: [\"{vendor}\"]");
        let query = format!(
            "{{ incidents(first: 100, filter: {{ {source} }}) {{ nodes {{ id assets(first: 100) {{ nodes {{ id }} }} }} }} }}"
        );
        let page = five.ask(&query, json!({})).await;
        let nodes = page["incidents"]["nodes"].as_array().unwrap();
        let having = |asset: &Value| -> BTreeSet<&str> {
            let has = |node: &&Value| node["assets"]["nodes"].as_array().unwrap().iter().any(|one| one["id"] == *asset);
            nodes.iter().filter(has).map(|node| node["id"].as_str().unwrap()).collect()
        };
        let assets: BTreeSet<&str> = nodes
            .iter()
            .flat_map(|node| node["assets"]["nodes"].as_array().unwrap())
            .map(|asset| asset["id"].as_str().unwrap())
            .collect();
        assert_eq!(assets.is_empty(), vendor == Vendor::Adversarial, "{vendor}");
        let mut found_some = assets.is_empty();
        for asset in assets.iter().take(6) {
            let query = format!(
                "{{ incidents(first: 100, filter: {{ {source}, assetIds: [{}] }}) {{ nodes {{ id }} sources {{ status filteredBySource
                   filteredByGateway error {{ code }} }} }} }}",
                json!(asset)
            );
            let page = five.ask(&query, json!({})).await;
            let found: BTreeSet<&str> = page["incidents"]["nodes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|node| node["id"].as_str().unwrap())
                .collect();
            let there = having(&json!(asset));
            let report =
                page["incidents"]["sources"].as_array().unwrap().iter().find(|one| one["status"] == "OK").unwrap();
            let by = |member: &str| report[member].as_array().unwrap().contains(&json!("ASSETS"));
            assert!(by("filteredBySource") || by("filteredByGateway"), "{vendor}: {report}");
            assert!(found.is_subset(&there), "{vendor}: never one without it");
            match vendor {
                // Only the detail tells all, or any.
                Vendor::CortexXpanse => {}
                Vendor::EventlogAnalyzer => assert!(found.is_empty(), "{vendor}: {found:?}"),
                _ => assert_eq!(found, there, "{vendor}"),
            }
            found_some |= !found.is_empty();
        }
        let told = ![Vendor::CortexXpanse, Vendor::EventlogAnalyzer].contains(&vendor);
        assert!(found_some || !told, "{vendor}");
    }
}
