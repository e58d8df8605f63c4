//! Names of records: which source, which record there, and the opaque text that says both to a client.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{cmp::Ordering, fmt, str::FromStr, sync::Arc};
use uuid::Uuid;

/// Name of a source in the configuration, as in `soc-berlin`. A clone is a reference count.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName(Arc<str>);

impl SourceName {
    /// Any text is a name here; what configuration allows is checked there.
    pub fn new(name: &str) -> Self {
        SourceName(name.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A source's own id of one of its records, kept byte for byte. Ordered as its text.
///
/// Most vendors use lower-case UUIDs, which are kept as 16 bytes without an allocation; no one outside sees which.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NativeId(Repr);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    /// Text in the one form that `Uuid` prints, so that nothing is lost.
    Uuid(Uuid),
    Text(Arc<str>),
}

/// Room for the text of an id that is kept as bytes.
type IdBuffer = [u8; uuid::fmt::Hyphenated::LENGTH];

fn room() -> IdBuffer {
    [0; uuid::fmt::Hyphenated::LENGTH]
}

impl NativeId {
    pub fn new(text: &str) -> Self {
        // Of the forms that are read as a UUID only the one with hyphens has this length; in lower case it is canonical.
        let canonical =
            text.len() == uuid::fmt::Hyphenated::LENGTH && !text.bytes().any(|byte| byte.is_ascii_uppercase());
        match Uuid::try_parse(text) {
            Ok(uuid) if canonical => NativeId(Repr::Uuid(uuid)),
            _ => NativeId(Repr::Text(text.into())),
        }
    }

    /// The text, where the id is kept as such and not inside itself.
    pub(super) fn kept_as_text(&self) -> Option<&str> {
        match &self.0 {
            Repr::Uuid(_) => None,
            Repr::Text(text) => Some(text),
        }
    }

    /// What an id that somebody typed may stand for: the id as written and, of a UUID in other letters or without hyphens,
    /// the same in the one form that sources give.
    pub fn typed(text: &str) -> impl Iterator<Item = Self> {
        let written = NativeId::new(text);
        let canonical = Uuid::try_parse(text).ok().map(NativeId::from).filter(|id| *id != written);
        std::iter::once(written).chain(canonical)
    }

    /// The id's text, written into `buffer` where it is not kept as text.
    fn text<'a>(&'a self, buffer: &'a mut IdBuffer) -> &'a str {
        match &self.0 {
            Repr::Uuid(uuid) => uuid.hyphenated().encode_lower(buffer),
            Repr::Text(text) => text,
        }
    }

    /// Whether this is a UUID in canonical form.
    pub fn is_uuid(&self) -> bool {
        matches!(self.0, Repr::Uuid(_))
    }
}

impl From<Uuid> for NativeId {
    fn from(uuid: Uuid) -> Self {
        NativeId(Repr::Uuid(uuid))
    }
}

impl Ord for NativeId {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            // Canonical texts of UUIDs compare as their bytes.
            (Repr::Uuid(a), Repr::Uuid(b)) => a.cmp(b),
            _ => self.text(&mut room()).cmp(other.text(&mut room())),
        }
    }
}

impl PartialOrd for NativeId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for NativeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text(&mut room()))
    }
}

impl fmt::Debug for NativeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Which record of which source.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key {
    pub source: SourceName,
    pub native: NativeId,
}

impl Key {
    pub fn new(source: &SourceName, native: impl Into<NativeId>) -> Self {
        Key { source: source.clone(), native: native.into() }
    }
}

impl From<&str> for NativeId {
    fn from(text: &str) -> Self {
        NativeId::new(text)
    }
}

/// What kind of thing a global id names. The letters are part of every id ever given out: never change one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum IdKind {
    Source,
    Incident,
    Asset,
    Threat,
    Owner,
    Evidence,
    Scope,
    Tag,
    Term,
    RelatedRecord,
    Comment,
    Activity,
}

impl IdKind {
    const LETTERS: [(IdKind, u8); 12] = [
        (IdKind::Source, b'S'),
        (IdKind::Incident, b'I'),
        (IdKind::Asset, b'A'),
        (IdKind::Threat, b'T'),
        (IdKind::Owner, b'O'),
        (IdKind::Evidence, b'E'),
        (IdKind::Scope, b'F'),
        (IdKind::Tag, b'L'),
        (IdKind::Term, b'Q'),
        (IdKind::RelatedRecord, b'R'),
        (IdKind::Comment, b'C'),
        (IdKind::Activity, b'H'),
    ];

    fn letter(self) -> u8 {
        Self::LETTERS.iter().find(|(kind, _)| *kind == self).map_or(b'?', |(_, letter)| *letter)
    }

    fn of(letter: u8) -> Option<IdKind> {
        Self::LETTERS.iter().find(|(_, other)| *other == letter).map(|(kind, _)| *kind)
    }
}

/// A record as clients name it: kind, source and native id in one opaque text.
///
/// Text form: base64url without padding of the kind's letter, one byte with the length of the source's name, the name,
/// and the native id's bytes. It is not signed and stable for ever; a golden test pins it. A source's own id has
/// an empty native part.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct GlobalId {
    pub kind: IdKind,
    pub key: Key,
}

impl GlobalId {
    /// The longest name of a source that an id can hold, in bytes. Configuration allows less.
    pub const MAX_SOURCE_NAME: usize = 255;
    /// The longest text that is looked at; a longer one is no id.
    const MAX_TEXT: usize = 2_048;

    pub fn new(kind: IdKind, key: Key) -> Self {
        GlobalId { kind, key }
    }

    /// Appends the text form of the id of a record.
    pub fn write(kind: IdKind, key: &Key, out: &mut String) {
        let mut bytes = [0u8; 96];
        let mut buffer = room();
        let (source, native) = (key.source.as_str().as_bytes(), key.native.text(&mut buffer).as_bytes());
        let length = 2 + source.len() + native.len();
        let name_length = u8::try_from(source.len()).unwrap_or(u8::MAX);
        if length <= bytes.len() {
            bytes[0] = kind.letter();
            bytes[1] = name_length;
            bytes[2..2 + source.len()].copy_from_slice(source);
            bytes[2 + source.len()..length].copy_from_slice(native);
            URL_SAFE_NO_PAD.encode_string(&bytes[..length], out);
        } else {
            let whole = [&[kind.letter(), name_length], source, native].concat();
            URL_SAFE_NO_PAD.encode_string(whole, out);
        }
    }
}

impl fmt::Display for GlobalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        GlobalId::write(self.kind, &self.key, &mut text);
        f.write_str(&text)
    }
}

/// The text is no id that this gateway could have given out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotAnId;

impl fmt::Display for NotAnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an id given out by this gateway")
    }
}

impl FromStr for GlobalId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        if text.len() > Self::MAX_TEXT {
            return Err(NotAnId);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| NotAnId)?;
        let [letter, length, rest @ ..] = bytes.as_slice() else { return Err(NotAnId) };
        let kind = IdKind::of(*letter).ok_or(NotAnId)?;
        let (source, native) = rest.split_at_checked(usize::from(*length)).ok_or(NotAnId)?;
        let source = std::str::from_utf8(source).map_err(|_| NotAnId)?;
        let native = std::str::from_utf8(native).map_err(|_| NotAnId)?;
        if source.is_empty() || native.is_empty() != (kind == IdKind::Source) {
            return Err(NotAnId);
        }
        Ok(GlobalId { kind, key: Key { source: SourceName::new(source), native: NativeId::new(native) } })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(source: &str, native: &str) -> Key {
        Key::new(&SourceName::new(source), native)
    }

    /// Ids are kept by clients, in links and in tables: these texts may never change.
    #[test]
    fn texts_are_pinned() {
        let uuid = "5f0eea2b-4d2f-4fb0-b81c-129e4d7ad043";
        for (kind, key, text) in [
            (
                IdKind::Incident,
                key("soc-berlin", uuid),
                "SQpzb2MtYmVybGluNWYwZWVhMmItNGQyZi00ZmIwLWI4MWMtMTI5ZTRkN2FkMDQz",
            ),
            (IdKind::Source, key("grc", ""), "UwNncmM"),
            (IdKind::Owner, key("ela", "42"), "TwNlbGE0Mg"),
            (IdKind::RelatedRecord, key("ü", "RSK-00001"), "UgLDvFJTSy0wMDAwMQ"),
        ] {
            assert_eq!(GlobalId::new(kind, key.clone()).to_string(), text);
            assert_eq!(text.parse(), Ok(GlobalId::new(kind, key)));
        }
    }

    #[test]
    fn letters_are_distinct() {
        let letters: std::collections::HashSet<u8> = IdKind::LETTERS.iter().map(|(_, letter)| *letter).collect();
        assert_eq!(letters.len(), IdKind::LETTERS.len());
    }

    #[test]
    fn native_ids_keep_every_byte_and_order_as_text() {
        let texts =
            ["5F0EEA2B-4D2F-4FB0-B81C-129E4D7AD043", "5f0eea2b4d2f4fb0b81c129e4d7ad043", "INC-00001", "", "7", "ü"];
        let mut ids: Vec<NativeId> = texts.iter().map(|text| NativeId::new(text)).collect();
        ids.push(NativeId::new("5f0eea2b-4d2f-4fb0-b81c-129e4d7ad043"));
        assert!(ids[6].is_uuid() && !ids[0].is_uuid() && !ids[1].is_uuid());
        ids.sort();
        let shown: Vec<String> = ids.iter().map(NativeId::to_string).collect();
        let mut sorted = shown.clone();
        sorted.sort();
        assert_eq!(shown, sorted);
        assert!(texts.iter().all(|text| shown.iter().any(|other| other == text)));
    }

    #[test]
    fn other_forms_of_a_uuid_stay_text() {
        let canonical = "5f0eea2b-4d2f-4fb0-b81c-129e4d7ad043";
        assert!(NativeId::new(canonical).is_uuid());
        let forms = [format!("{{{canonical}}}"), format!("urn:uuid:{canonical}"), canonical.replace("5f0e", "5f0E")];
        for text in forms.into_iter().chain([canonical.replace('-', ""), canonical.replace('5', "g")]) {
            let id = NativeId::new(&text);
            assert!(!id.is_uuid() && id.to_string() == text, "{text}");
        }
    }

    #[test]
    fn refuses_what_it_never_gave_out() {
        for text in ["", "!", "SQ", "SQpz", "WgNncmM", "UwNncmMx", "SQNncmM", "SQAx", "UwNncmM=", " UwNncmM"] {
            assert_eq!(text.parse::<GlobalId>(), Err(NotAnId), "{text}");
        }
        assert_eq!("A".repeat(4_096).parse::<GlobalId>(), Err(NotAnId));
    }
}
