//! From tests to the parameters of the list. Each parameter takes one value; a second one of the same name is nowhere
//! documented.

use super::config::Config;
use super::map::CREATOR;
use super::words;
use crate::domain::{NativeId, OwnerRef, SourceName, Test};

/// Parameters with their values, not yet encoded.
pub(super) type Parameters = Vec<(&'static str, String)>;

/// Why there is no query.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoQuery {
    /// No incident can pass.
    NothingMatches,
    /// A test that the capabilities do not allow.
    NotPossible,
}

/// The parameters for tests that must all hold.
pub(super) fn query(tests: &[Test], source: &SourceName, config: &Config) -> Result<Parameters, NoQuery> {
    let mut query = Parameters::new();
    for test in tests {
        let (name, value) = parameter(test, source, config)?;
        match query.iter().find(|(other, _)| *other == name) {
            // An incident has one value of each.
            Some((_, other)) if *other != value => return Err(NoQuery::NothingMatches),
            Some(_) => {}
            None => query.push((name, value)),
        }
    }
    Ok(query)
}

fn parameter(test: &Test, source: &SourceName, config: &Config) -> Result<(&'static str, String), NoQuery> {
    let code = |code: Option<&'static str>| code.map(str::to_owned).ok_or(NoQuery::NothingMatches);
    match test {
        Test::Severity(values) => {
            let severity = *one(values)?;
            Ok(("severity", code(words::severity_code(severity, config.grades))?))
        }
        Test::Status(values) => Ok(("status", code(words::status_code(*one(values)?))?)),
        Test::Owners(owners) => {
            let id = owner(one(owners)?, source)?.to_string();
            // Anything else is nobody's id, and -1 would list what nobody is assigned to.
            match is_number(&id) {
                true => Ok(("assignee", id)),
                false => Err(NoQuery::NothingMatches),
            }
        }
        Test::CreatedBy(owners) => {
            let id = owner(one(owners)?, source)?.to_string();
            let name = id.strip_prefix(CREATOR).ok_or(NoQuery::NothingMatches)?;
            Ok(("created_by", name.to_owned()))
        }
        Test::Unassigned(true) if config.unassigned_filter => Ok(("assignee", "-1".to_owned())),
        _ => Err(NoQuery::NotPossible),
    }
}

fn one<T>(values: &[T]) -> Result<&T, NoQuery> {
    match values {
        [] => Err(NoQuery::NothingMatches),
        [value] => Ok(value),
        _ => Err(NoQuery::NotPossible),
    }
}

fn owner<'a>(owner: &'a OwnerRef, source: &SourceName) -> Result<&'a NativeId, NoQuery> {
    match owner {
        OwnerRef::Key(key) if key.source == *source => Ok(&key.native),
        OwnerRef::Key(_) => Err(NoQuery::NothingMatches),
        // To be looked up before.
        OwnerRef::Email(_) | OwnerRef::SourceId(_) => Err(NoQuery::NotPossible),
    }
}

/// Whether a text is a number as ids are: digits, and few enough for 64 bits.
pub(super) fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<i64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{IncidentStatus, Key, Severity};
    use crate::secret::Secret;
    use crate::vendors::eventlog_analyzer::Grades;

    fn config() -> Config {
        let url = "http://server.test".parse().unwrap();
        Config::new(url, Secret::from("t".to_owned()), chrono_tz::UTC)
    }

    fn owner_key(native: &str) -> Vec<OwnerRef> {
        vec![OwnerRef::Key(Key::new(&SourceName::new("ela"), native))]
    }

    fn asked(tests: &[Test]) -> Result<String, NoQuery> {
        let query = query(tests, &SourceName::new("ela"), &config())?;
        Ok(query.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&"))
    }

    #[test]
    fn each_test_is_one_parameter() {
        let tests = [
            Test::Severity(vec![Severity::High]),
            Test::Status(vec![IncidentStatus::InProgress]),
            Test::Owners(owner_key("302")),
            Test::CreatedBy(owner_key("name/gokul.sn+test")),
        ];
        let expected = "severity=trouble&status=in_progress&assignee=302&created_by=gokul.sn+test";
        assert_eq!(asked(&tests).unwrap(), expected);
        assert_eq!(asked(&[Test::Unassigned(true)]).unwrap(), "assignee=-1");
    }

    #[test]
    fn what_no_incident_can_have_is_not_asked_for() {
        for tests in [
            vec![Test::Severity(vec![Severity::Medium])],
            vec![Test::Status(vec![IncidentStatus::Resolved])],
            vec![Test::Owners(owner_key("-1"))],
            vec![Test::Owners(owner_key("99999999999999999999"))],
            vec![Test::Owners(owner_key("name/admin"))],
            vec![Test::Owners(Vec::new())],
            vec![Test::CreatedBy(owner_key("302"))],
            vec![Test::Owners(vec![OwnerRef::Key(Key::new(&SourceName::new("other"), "302"))])],
            vec![Test::Owners(owner_key("302")), Test::Unassigned(true)],
            vec![Test::Severity(vec![Severity::High]), Test::Severity(vec![Severity::Low])],
        ] {
            assert_eq!(asked(&tests), Err(NoQuery::NothingMatches), "{tests:?}");
        }
    }

    #[test]
    fn what_the_server_cannot_be_asked_never_becomes_a_parameter() {
        for test in [
            Test::Severity(vec![Severity::High, Severity::Low]),
            Test::Unassigned(false),
            Test::Published(true),
            Test::Owners(vec![OwnerRef::Email("a@b".into())]),
        ] {
            assert_eq!(asked(std::slice::from_ref(&test)), Err(NoQuery::NotPossible), "{test:?}");
        }
        let without = Config { unassigned_filter: false, ..config() };
        let query = query(&[Test::Unassigned(true)], &SourceName::new("ela"), &without);
        assert_eq!(query, Err(NoQuery::NotPossible));
    }

    #[test]
    fn severities_follow_the_configuration() {
        let grades = Grades::new(Severity::Medium, Severity::Informational).unwrap();
        let config = Config { grades, ..config() };
        let tests = [Test::Severity(vec![Severity::Medium])];
        let query = query(&tests, &SourceName::new("ela"), &config).unwrap();
        assert_eq!(query, [("severity", "trouble".to_owned())]);
        for (trouble, attention) in [
            (Severity::Low, Severity::High),
            (Severity::High, Severity::High),
            (Severity::Critical, Severity::Low),
            (Severity::High, Severity::Unknown),
        ] {
            assert_eq!(Grades::new(trouble, attention), None);
        }
    }
}
