//! How one record is read: as it is where it is sound, without the members that are broken where it is not.

use super::scalar::Scalar;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A record of the server.
pub(in crate::vendors) trait Row: DeserializeOwned {
    /// Members without which a record would be put in a wrong place: if one is broken, the record is left out. Any
    /// other broken member is left out by itself.
    const ESSENTIAL: &'static [&'static str] = &[Self::ID];
    /// The member that names a record; for the log.
    const ID: &'static str = "id";
}

/// A row that could not be read, or not wholly.
#[derive(Debug)]
pub(in crate::vendors) struct Broken {
    /// The row's id, where that much could be read.
    pub(in crate::vendors) id: Option<String>,
    /// Where and why; for the log.
    pub(in crate::vendors) problem: String,
}

/// Bytes that are no text cost the characters that they stand in, not the page.
pub(in crate::vendors) fn text(body: &[u8]) -> Cow<'_, str> {
    // `from_utf8_lossy` alone looks at each character, which takes several times as long as this check.
    std::str::from_utf8(body).map_or_else(|_| String::from_utf8_lossy(body), Cow::Borrowed)
}

/// Reads one record; without the members that are broken, where it can be read without them. These are then told.
pub(in crate::vendors) fn read_record<T: Row>(json: &str) -> Result<(T, Option<Broken>), Broken> {
    let problem = match serde_json::from_str(json) {
        Ok(record) => return Ok((record, None)),
        Err(error) => error.to_string(),
    };
    // What is no object is no record, not one without members.
    let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(json) else {
        return Err(Broken { id: None, problem });
    };
    let mut members: Vec<(String, &RawValue)> = members.into_iter().collect();
    let id = members.iter().find(|(name, _)| name == T::ID).and_then(|(_, id)| id_text(id));
    let broken = Broken { id, problem };
    loop {
        let (lines, ends) = one_member_a_line(&members);
        match serde_json::from_str(&lines) {
            Ok(record) => return Ok((record, Some(broken))),
            // The line tells which member it was.
            Err(error) => match ends.iter().position(|end| error.line() <= *end) {
                Some(member) if !T::ESSENTIAL.contains(&members[member].0.as_str()) => drop(members.remove(member)),
                Some(_) | None => return Err(broken),
            },
        }
    }
}

/// The members as an object, each beginning a line, and the last line of each.
fn one_member_a_line(members: &[(String, &RawValue)]) -> (String, Vec<usize>) {
    let (mut text, mut line, mut ends) = (String::from("{"), 1, Vec::with_capacity(members.len()));
    for (position, (name, value)) in members.iter().enumerate() {
        text.push_str(if position == 0 { "\n" } else { ",\n" });
        text.push_str(&serde_json::Value::from(name.as_str()).to_string());
        text.push(':');
        text.push_str(value.get());
        line += 1 + value.get().matches('\n').count();
        ends.push(line);
    }
    // On the last member's line: a mistake in that one may be found at the brace. Something that is missing is found there,
    // too, and stays missing until no member is left.
    text.push('}');
    (text, ends)
}

/// An id that is a text or a number.
fn id_text(id: &RawValue) -> Option<String> {
    serde_json::from_str(id.get()).ok().map(|Scalar(text)| text.into())
}
