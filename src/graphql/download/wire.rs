//! A download request as JSON, inside a signed token. Only tests that a table can be filtered by have a form.

use crate::{
    domain::{
        ExportFormat, Key, NativeId, OwnerRef, Search, SourceName, TagRef, Test, Time, TimeField, TimeRange, Vocabulary,
    },
    source::DownloadRequest,
};
use serde_json::{Value, json};

pub(super) fn to_json(request: &DownloadRequest) -> Value {
    match request {
        DownloadRequest::Table { format, tests } => {
            json!({ "table": format.name(), "tests": tests.iter().map(test_to_json).collect::<Vec<_>>() })
        }
        DownloadRequest::Report { format, incident } => {
            json!({ "report": format.name(), "incident": incident.to_string() })
        }
        DownloadRequest::Attachment { evidence } => json!({ "attachment": evidence.to_string() }),
        DownloadRequest::Picture { name } => json!({ "picture": name }),
    }
}

pub(super) fn from_json(value: &Value) -> Option<DownloadRequest> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    if let Some(format) = text("table") {
        let tests = value.get("tests")?.as_array()?.iter().map(test_from_json).collect::<Option<Vec<_>>>()?;
        return Some(DownloadRequest::Table { format: ExportFormat::named(format)?, tests });
    }
    if let Some(format) = text("report") {
        let incident = NativeId::new(text("incident")?);
        return Some(DownloadRequest::Report { format: ExportFormat::named(format)?, incident });
    }
    if let Some(name) = text("picture") {
        return Some(DownloadRequest::Picture { name: name.to_owned() });
    }
    Some(DownloadRequest::Attachment { evidence: NativeId::new(text("attachment")?) })
}

/// A test without a form becomes null, which no one reads back: such a token is refused, never wider than it was.
fn test_to_json(test: &Test) -> Value {
    let one = |name: &str, values: Value| json!([name, values]);
    match test {
        Test::Severity(all) => one("severity", words(all)),
        Test::Status(all) => one("status", words(all)),
        Test::Detection(all) => one("detection", words(all)),
        Test::Search(search) => one("search", json!(search.terms())),
        Test::Assets(all) => one("assets", keys(all)),
        Test::Threats(all) => one("threats", keys(all)),
        Test::Qualifications(all) => one("qualifications", keys(all)),
        Test::Entities(all) => one("entities", keys(all)),
        Test::RelatedRecords(all) => one("related", keys(all)),
        Test::Scopes(all) => one("scopes", keys(all)),
        Test::Owners(all) => {
            let key = |owner: &OwnerRef| if let OwnerRef::Key(key) = owner { Some(key.clone()) } else { None };
            all.iter().map(key).collect::<Option<Vec<Key>>>().map_or(Value::Null, |all| one("owners", keys(&all)))
        }
        Test::Tags(all) => {
            let key = |tag: &TagRef| if let TagRef::Key(key) = tag { Some(key.clone()) } else { None };
            all.iter().map(key).collect::<Option<Vec<Key>>>().map_or(Value::Null, |all| one("tags", keys(&all)))
        }
        Test::Time(field, range) => {
            let time = |time: Option<Time>| time.map(|time| time.to_rfc3339());
            json!(["time", format!("{field:?}"), time(range.since), time(range.until)])
        }
        _ => Value::Null,
    }
}

fn test_from_json(value: &Value) -> Option<Test> {
    let parts = value.as_array()?;
    let name = parts.first()?.as_str()?;
    if name == "time" {
        return time_from_json(parts);
    }
    let values = parts.get(1)?;
    Some(match name {
        "severity" => Test::Severity(named(values)?),
        "status" => Test::Status(named(values)?),
        "detection" => Test::Detection(named(values)?),
        "search" => {
            let terms = values.as_array()?.iter().map(|term| Some(format!("\"{}\"", term.as_str()?)));
            Test::Search(Search::parse(&terms.collect::<Option<Vec<_>>>()?.join(" ")))
        }
        "assets" => Test::Assets(read_keys(values)?),
        "threats" => Test::Threats(read_keys(values)?),
        "qualifications" => Test::Qualifications(read_keys(values)?),
        "entities" => Test::Entities(read_keys(values)?),
        "related" => Test::RelatedRecords(read_keys(values)?),
        "scopes" => Test::Scopes(read_keys(values)?),
        "owners" => Test::Owners(read_keys(values)?.into_iter().map(OwnerRef::Key).collect()),
        "tags" => Test::Tags(read_keys(values)?.into_iter().map(TagRef::Key).collect()),
        _ => return None,
    })
}

fn time_from_json(parts: &[Value]) -> Option<Test> {
    const FIELDS: [TimeField; 10] = [
        TimeField::Created,
        TimeField::Updated,
        TimeField::StatusChanged,
        TimeField::Occurred,
        TimeField::Detected,
        TimeField::Reported,
        TimeField::Responded,
        TimeField::Contained,
        TimeField::Resolved,
        TimeField::Due,
    ];
    let name = parts.get(1)?.as_str()?;
    let field = FIELDS.into_iter().find(|field| format!("{field:?}") == name)?;
    let time = |value: &Value| match value {
        Value::Null => Some(None),
        Value::String(text) => text.parse::<Time>().ok().map(Some),
        _ => None,
    };
    Some(Test::Time(field, TimeRange { since: time(parts.get(2)?)?, until: time(parts.get(3)?)? }))
}

fn words<V: Vocabulary>(all: &[V]) -> Value {
    all.iter().map(|word| Value::from(word.name())).collect()
}

fn named<V: Vocabulary>(values: &Value) -> Option<Vec<V>> {
    values.as_array()?.iter().map(|word| V::named(word.as_str()?)).collect()
}

fn keys(all: &[Key]) -> Value {
    all.iter().map(|key| json!([key.source.as_str(), key.native.to_string()])).collect()
}

fn read_keys(values: &Value) -> Option<Vec<Key>> {
    let key = |value: &Value| {
        let [source, native] = value.as_array()?.as_slice() else { return None };
        Some(Key::new(&SourceName::new(source.as_str()?), native.as_str()?))
    };
    values.as_array()?.iter().map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Detection, Severity, TextTest};

    #[test]
    fn what_is_written_is_read_back() {
        let key = |native: &str| Key::new(&SourceName::new("grc"), native);
        let time = |text: &str| text.parse().ok();
        let tests = vec![
            Test::Severity(vec![Severity::High]),
            Test::Status(vec![]),
            Test::Detection(vec![Detection::External]),
            Test::Search(Search::parse("a \"b c\"")),
            Test::Assets(vec![key("1")]),
            Test::Threats(vec![key("2")]),
            Test::Qualifications(vec![key("3")]),
            Test::Entities(vec![key("entities/4")]),
            Test::RelatedRecords(vec![key("5")]),
            Test::Scopes(vec![key("6")]),
            Test::Owners(vec![OwnerRef::Key(key("7"))]),
            Test::Tags(vec![TagRef::Key(key("8"))]),
            Test::Time(TimeField::Updated, TimeRange { since: time("2026-01-01T00:00:00.123456Z"), until: None }),
        ];
        let request = DownloadRequest::Table { format: ExportFormat::Xlsx, tests };
        assert_eq!(from_json(&to_json(&request)), Some(request));
        let attachment = DownloadRequest::Attachment { evidence: NativeId::new("9") };
        assert_eq!(from_json(&to_json(&attachment)), Some(attachment));
        let picture = DownloadRequest::Picture { name: "users/1/avatar?v=2".into() };
        assert_eq!(from_json(&to_json(&picture)), Some(picture));
    }

    #[test]
    fn a_test_without_a_form_is_never_left_out() {
        for test in [
            Test::Title(TextTest::default()),
            Test::Owners(vec![OwnerRef::Email("a@b".into())]),
            Test::Tags(vec![TagRef::Name("x".into())]),
        ] {
            let request = DownloadRequest::Table { format: ExportFormat::Csv, tests: vec![test] };
            assert_eq!(from_json(&to_json(&request)), None);
        }
    }
}
