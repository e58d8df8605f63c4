//! Cursors of lists that an incident holds: where a page of its assets, comments and the like ended.
//!
//! The text is base64url of version, index and id, and of 16 bytes of an HMAC-SHA-256 over these, the list and its incident:
//! a cursor of another list or incident is none. Nothing else is in it that a client would not know, and it does not age,
//! so that it holds for as long as the list does.

use super::error::{ErrorCode, Fault};
use crate::domain::{Key, NativeId};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::sync::Arc;

const VERSION: &str = "1";
const SIGNATURE: usize = 16;

/// Makes and reads such cursors.
#[derive(Clone)]
pub(crate) struct Places(Arc<Hmac<Sha256>>);

/// One list of one incident.
#[derive(Clone)]
pub(crate) struct ListPlaces {
    places: Places,
    list: &'static str,
    incident: Key,
}

/// A place in a list that is at hand.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Place {
    pub index: usize,
    pub id: NativeId,
}

impl Places {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
        // Sets these signatures apart from others made with the same key.
        mac.update(b"place\0");
        Places(Arc::new(mac))
    }

    /// Of the field `list` of an incident.
    pub(crate) fn of(&self, list: &'static str, incident: &Key) -> ListPlaces {
        ListPlaces { places: self.clone(), list, incident: incident.clone() }
    }
}

impl ListPlaces {
    /// The cursor of a place.
    pub(crate) fn cursor(&self, place: &Place) -> String {
        let mut bytes = format!("{VERSION} {} {}", place.index, place.id).into_bytes();
        let signature = self.mac(&bytes).finalize().into_bytes();
        bytes.extend_from_slice(&signature[..SIGNATURE]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The place that a cursor of this list names.
    ///
    /// # Errors
    /// A fault that names the argument.
    pub(crate) fn place(&self, after: &str) -> Result<Place, Fault> {
        if after.trim().is_empty() {
            return Err(Fault::input("after", "is blank; leave it out to start at the beginning."));
        }
        let refuse = || {
            let what = "`after` is no cursor of this list: it was given out for another list or incident, or changed.";
            Fault::new(ErrorCode::CursorInvalid, what)
        };
        self.parse(after).ok_or_else(refuse)
    }

    fn parse(&self, after: &str) -> Option<Place> {
        let bytes = URL_SAFE_NO_PAD.decode(after).ok()?;
        let (text, signature) = bytes.split_at_checked(bytes.len().checked_sub(SIGNATURE)?)?;
        self.mac(text).verify_truncated_left(signature).ok()?;
        let (version, rest) = std::str::from_utf8(text).ok()?.split_once(' ')?;
        let (index, id) = rest.split_once(' ')?;
        (version == VERSION).then_some(Place { index: index.parse().ok()?, id: NativeId::new(id) })
    }

    fn mac(&self, text: &[u8]) -> Hmac<Sha256> {
        let mut mac = (*self.places.0).clone();
        let native = self.incident.native.to_string();
        // No name of a list or source has a zero byte, so that no two lists are written alike.
        for part in [self.list, self.incident.source.as_str(), &native] {
            mac.update(part.as_bytes());
            mac.update(b"\0");
        }
        mac.update(text);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SourceName;

    fn list(key: u8, list: &'static str, source: &str, incident: &str) -> ListPlaces {
        Places::new([key; 32]).of(list, &Key::new(&SourceName::new(source), incident))
    }

    #[test]
    fn a_cursor_holds_for_its_list_and_incident_only() {
        let place = Place { index: 3, id: NativeId::new("a b") };
        let assets = list(1, "assets", "grc", "i");
        let cursor = assets.cursor(&place);
        assert_eq!(assets.place(&cursor).unwrap(), place);
        for other in [
            list(1, "threats", "grc", "i"),
            list(1, "assets", "soc", "i"),
            list(1, "assets", "grc", "j"),
            list(2, "assets", "grc", "i"),
        ] {
            assert_eq!(other.place(&cursor).unwrap_err().code, ErrorCode::CursorInvalid);
        }
    }

    #[test]
    fn a_changed_cursor_is_refused() {
        let assets = list(1, "assets", "grc", "i");
        let cursor = assets.cursor(&Place { index: 3, id: NativeId::new("a") });
        let bytes = URL_SAFE_NO_PAD.decode(&cursor).unwrap();
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert!(assets.place(&URL_SAFE_NO_PAD.encode(changed)).is_err(), "{place}");
        }
        for text in ["x", "", " ", &cursor[1..], &"A".repeat(5_000)] {
            assert!(assets.place(text).is_err(), "{text}");
        }
    }
}
