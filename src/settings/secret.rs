//! Where a secret comes from, and how it is fetched. Nothing here puts a secret, or a part of one, into a message.

use super::declared::Shape;
use super::environment::Environment;
use super::suggest::nearest;
use crate::secret::Secret;
use serde_json::json;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use toml_edit::{Array, InlineTable, TableLike, Value};

/// Stands for a secret wherever settings are shown.
pub(super) const HIDDEN: &str = "<secret>";

/// What a secret must be in the document.
pub(super) const PHRASE: &str =
    "{ env = \"VARIABLE\" }, { file = \"PATH\" } or { command = [\"PROGRAM\", \"ARGUMENT\", …] }";

/// Longest secret, in bytes: no token is near it, and a wrong path may be a huge file.
const MAX_BYTES: u64 = 64 * 1024;
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) enum Origin {
    Variable(String),
    File(PathBuf),
    /// Program and arguments; at least the program.
    Command(Vec<String>),
}

impl Origin {
    /// Fails with what is wrong, going on from the place.
    pub(super) fn read(table: &dyn TableLike) -> Result<Self, String> {
        let known = ["env", "file", "command"];
        if let Some((name, _)) = table.iter().find(|(name, _)| !known.contains(name)) {
            let meant = nearest(name, known).map(|meant| format!(" Did you mean \"{meant}\"?")).unwrap_or_default();
            return Err(format!("must be {PHRASE}; \"{name}\" is none of these.{meant}"));
        }
        let mut members = table.iter();
        let (Some((name, item)), None) = (members.next(), members.next()) else {
            return Err(format!("must be exactly one of {PHRASE}."));
        };
        let text = item.as_str().filter(|text| !text.is_empty());
        let origin = match name {
            "env" => text.map(|text| Origin::Variable(text.to_owned())),
            "file" => text.map(|text| Origin::File(text.into())),
            _ => item.as_array().and_then(words).map(Origin::Command),
        };
        origin.ok_or_else(|| match name {
            "command" => "has a command that must be a list of texts, the program first.".to_owned(),
            _ => format!("has a member \"{name}\" that must be a text, and not an empty one."),
        })
    }

    /// Fails with what is wrong, going on from the place.
    pub(super) fn look_up(&self, environment: &Environment) -> Result<Secret, String> {
        let text = match self {
            Origin::Variable(name) => {
                let value = environment.value(name);
                value
                    .map(str::to_owned)
                    .map_err(|why| format!("needs the environment variable {name}, which {why}."))?
            }
            Origin::File(path) => {
                read_text(path).map_err(|why| format!("needs the file {}, which {why}.", path.display()))?
            }
            Origin::Command(words) => {
                run(words).map_err(|why| format!("needs the answer of the command {}, which {why}.", words[0]))?
            }
        };
        check(text).map_err(|what| format!("{what} It comes from {}.", self.named()))
    }

    fn named(&self) -> String {
        match self {
            Origin::Variable(name) => format!("the environment variable {name}"),
            Origin::File(path) => format!("the file {}", path.display()),
            Origin::Command(words) => format!("the command {}", words[0]),
        }
    }

    /// What should be better about it.
    pub(super) fn warning(&self) -> Option<String> {
        let Origin::File(path) = self else { return None };
        readable_by_others(path).then(|| {
            let path = path.display();
            format!("names the file {path}, which others than its owner can read. Run: chmod 600 {path}")
        })
    }

    pub(super) fn show(&self) -> Value {
        let (name, value) = match self {
            Origin::Variable(name) => ("env", Value::from(name.as_str())),
            Origin::File(path) => ("file", Value::from(path.to_string_lossy().into_owned())),
            Origin::Command(words) => ("command", Value::Array(words.iter().map(String::as_str).collect::<Array>())),
        };
        Value::InlineTable(InlineTable::from_iter([(name, value)]))
    }
}

fn words(array: &Array) -> Option<Vec<String>> {
    let words: Option<Vec<String>> = array.iter().map(|word| word.as_str().map(str::to_owned)).collect();
    words.filter(|words| words.first().is_some_and(|program| !program.is_empty()))
}

/// The one shape of every secret.
pub(super) fn shape() -> Shape {
    let text = json!({ "type": "string", "minLength": 1 });
    let one = |name: &str, value: serde_json::Value| json!({ "type": "object", "properties": { name: value }, "required": [name], "additionalProperties": false });
    let command = json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 });
    let schema =
        json!({ "oneOf": [one("env", text.clone()), one("file", text.clone()), one("command", command), text] });
    Shape { phrase: "a secret".to_owned(), schema }
}

/// A text that can be a secret. Fails with what is wrong, going on from the place.
pub(super) fn check(text: String) -> Result<Secret, String> {
    if text.trim().is_empty() {
        return Err("is an empty secret.".to_owned());
    }
    if text.chars().any(char::is_control) {
        return Err("holds a line break or another character that cannot be part of a secret.".to_owned());
    }
    Ok(Secret::from(text))
}

fn read_text(path: &Path) -> Result<String, String> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "the gateway may not read".to_owned(),
        io::ErrorKind::IsADirectory => "is a folder".to_owned(),
        _ => format!("cannot be read ({error})"),
    })?;
    one_line(bytes)
}

/// Cuts one line end from the end: editors and `echo` add it.
fn one_line(bytes: Vec<u8>) -> Result<String, String> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("is longer than {MAX_BYTES} bytes"));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

#[cfg(unix)]
fn readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o044 != 0)
}

#[cfg(not(unix))]
fn readable_by_others(_path: &Path) -> bool {
    false
}

/// What a program writes to its standard output. No shell; its complaints go where ours go.
fn run(words: &[String]) -> Result<String, String> {
    let started = Command::new(&words[0]).args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = started.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        _ => format!("cannot be started ({error})"),
    })?;
    let until = Instant::now() + COMMAND_TIMEOUT;
    let answer = answer_of(&mut child, until);
    // After a refusal only; one that ended by itself is not there any more.
    if answer.is_err() {
        let _ = child.kill();
        let _ = child.wait();
    }
    one_line(answer?)
}

fn answer_of(child: &mut Child, until: Instant) -> Result<Vec<u8>, String> {
    let slow = || format!("did not end within {} seconds", COMMAND_TIMEOUT.as_secs());
    let stdout = child.stdout.take().expect("standard output is piped");
    let (sender, receiver) = mpsc::channel();
    // In a thread of its own: whatever the program started may hold the pipe open for ever.
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.take(MAX_BYTES + 1).read_to_end(&mut bytes);
        sender.send(read.map(|_| bytes))
    });
    let left = until.saturating_duration_since(Instant::now());
    let bytes = receiver.recv_timeout(left).map_err(|_| slow())?.map_err(|error| format!("broke off ({error})"))?;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(bytes),
            Ok(Some(status)) => return Err(ended(status)),
            Ok(None) if Instant::now() < until => thread::sleep(Duration::from_millis(5)),
            Ok(None) => return Err(slow()),
            Err(error) => return Err(format!("was lost ({error})")),
        }
    }
}

fn ended(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("failed with exit code {code}"),
        None => "was ended by a signal".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(script: &str) -> Result<Vec<u8>, String> {
        let mut child = Command::new("sh").args(["-c", script]).stdout(Stdio::piped()).spawn().unwrap();
        let answer = answer_of(&mut child, Instant::now() + Duration::from_millis(300));
        child.kill().unwrap();
        child.wait().unwrap();
        answer
    }

    #[test]
    fn a_command_that_does_not_end_is_given_up() {
        assert_eq!(answer("echo s3cret"), Ok(b"s3cret\n".to_vec()));
        for script in ["sleep 5", "echo s3cret; exec sleep 5", "exec >&-; sleep 5"] {
            let began = Instant::now();
            assert_eq!(answer(script), Err("did not end within 10 seconds".to_owned()), "{script}");
            assert!(began.elapsed() < Duration::from_secs(3), "{script}");
        }
    }
}
