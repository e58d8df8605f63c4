//! The configuration as a command needs it: read, or all its mistakes told.

use super::ConfigArguments;
use super::failure::Failure;
use crate::config::Config;
use crate::settings::{Environment, Loaded, Mistake};
use std::fs;
use std::io::ErrorKind;

/// A configuration and what it is called in messages.
pub(super) struct Configuration {
    pub(super) loaded: Loaded<Config>,
    pub(super) name: String,
}

impl ConfigArguments {
    /// Reads the file and the environment.
    pub(super) fn load(&self) -> Result<Configuration, Failure> {
        let (source, name) = match &self.config {
            Some(path) => {
                (fs::read_to_string(path).map_err(|error| self.unreadable(&error))?, path.display().to_string())
            }
            None => (String::new(), "The environment".to_owned()),
        };
        match Config::load(&source, &Environment::of_process()) {
            Ok(loaded) => Ok(Configuration { loaded, name }),
            Err(mistakes) => Err(Failure::mistake(told(&name, &mistakes, self.config.is_none()))),
        }
    }

    fn unreadable(&self, error: &std::io::Error) -> Failure {
        let path = self.config.as_deref().map(|path| path.display().to_string()).unwrap_or_default();
        let what = match error.kind() {
            ErrorKind::NotFound => "there is no such file".to_owned(),
            ErrorKind::PermissionDenied => "this user may not read it".to_owned(),
            ErrorKind::IsADirectory => "it is a folder".to_owned(),
            ErrorKind::InvalidData => "it is not UTF-8 text".to_owned(),
            _ => error.to_string(),
        };
        Failure::mistake(format!(
            "The configuration {path} cannot be read: {what}. examples/gateway.toml is one to begin with."
        ))
    }
}

fn told(name: &str, mistakes: &[Mistake], no_file: bool) -> String {
    let count = match mistakes.len() {
        1 => "1 mistake".to_owned(),
        count => format!("{count} mistakes"),
    };
    let mut text = format!("{name} has {count}:\n");
    for mistake in mistakes {
        text.push_str(&format!("  {mistake}\n"));
    }
    if no_file {
        text.push_str("No configuration file was named: give --config FILE, or try incident-gateway demo.\n");
    }
    text
}
