//! The environment as a value, so that nothing below reads the process's own, and tests need not change it.

use std::collections::BTreeMap;
use std::env;

/// Every variable of ours begins with this.
pub const PREFIX: &str = "INCIDENT_GATEWAY_";

/// Variables by name.
#[derive(Clone, Default)]
pub struct Environment {
    /// None where the value is not UTF-8.
    variables: BTreeMap<String, Option<String>>,
}

impl Environment {
    /// The environment of this process, as it is now. Variables whose very name is not UTF-8 are left out.
    pub fn of_process() -> Self {
        let named = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()))
        };
        Environment { variables: env::vars_os().filter_map(named).collect() }
    }

    /// Adds or replaces a variable.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), Some(value.to_owned()));
    }

    /// The value of a variable; an error says in words why there is none.
    pub fn value(&self, name: &str) -> Result<&str, &'static str> {
        match self.variables.get(name) {
            Some(Some(value)) => Ok(value),
            Some(None) => Err("is not UTF-8 text"),
            None => Err("is not set"),
        }
    }

    /// The value of a variable that may be absent; an error if it is not UTF-8.
    pub(super) fn optional(&self, name: &str) -> Result<Option<&str>, &'static str> {
        match self.variables.get(name) {
            None => Ok(None),
            Some(_) => self.value(name).map(Some),
        }
    }

    /// Names of our own variables.
    pub(super) fn ours(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str).filter(|name| name.starts_with(PREFIX))
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Self {
        Environment { variables: variables.map(|(name, value)| (name.to_owned(), Some(value.to_owned()))).into() }
    }
}

/// A path's variable: `sources.my-grc.url` is `INCIDENT_GATEWAY_SOURCES__MY_GRC__URL`.
pub(super) fn variable(path: &[String]) -> String {
    let parts: Vec<String> = path.iter().map(|part| part.to_ascii_uppercase().replace('-', "_")).collect();
    format!("{PREFIX}{}", parts.join("__"))
}
