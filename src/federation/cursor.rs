//! Where a walk through a list stands, as an opaque text for the client to hand back.
//!
//! The text is base64url of: version, moment of issue, fingerprint of the query, body, and 16 bytes of an HMAC-SHA-256
//! over all before. The body of an incident cursor is the last row's position and, for each source, how many of its rows
//! lie at or before it. An offset is a hint: the position decides (see [`super::seek`]),
//! so that a source's name may be shortened to a hash and rows may come and go.

use super::merge::Entry;
use crate::domain::{Key, NativeId, Order, Position, SortKey, SourceName, Time};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
};

/// Format of the body. A change of the format is a new number.
const VERSION: u8 = 1;
const FINGERPRINT: usize = 16;
const SIGNATURE: usize = 16;
const HEAD: usize = 1 + 8 + FINGERPRINT;
/// How long a cursor can be used, in seconds.
const VALID_S: i64 = 24 * 60 * 60;
/// No cursor of ours is longer, in characters.
const MAX_TEXT: usize = 4_096;
/// Longer sort keys are cut here, in bytes; the cut ones are told apart by a hash. As much as leaves a cursor of five sources
/// below 1 KiB with all else at its longest: titles of most vendors then fit whole, and a cut one costs a call to fetch the incident.
const MAX_SORT_TEXT: usize = 256;

/// What cursors are signed with. Made outside: from configuration, from the data directory, or for the process.
#[derive(Clone)]
pub struct CursorKey(pub [u8; 32]);

impl fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CursorKey(***)")
    }
}

/// Why a cursor cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CursorFault {
    /// Empty or only spaces.
    Blank,
    /// Not given out by this gateway, or changed since.
    Forged,
    /// Of another release of the gateway.
    UnknownVersion,
    /// Given out for another filter, order, kind of list or viewer.
    OtherQuery,
    /// Older than 24 hours.
    Outdated,
}

impl fmt::Display for CursorFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CursorFault::Blank => "`after` cannot be blank. Leave it out to start at the beginning.",
            CursorFault::Forged => "`after` is no cursor that this gateway has given out. Leave it out to start again.",
            CursorFault::UnknownVersion => {
                "`after` is a cursor of another release of this gateway. Leave it out to start again."
            }
            CursorFault::OtherQuery => {
                "`after` is a cursor of another list, filter, order or viewer. Ask as for the page that it came with, or \
                 leave it out to start again."
            }
            CursorFault::Outdated => "`after` is a cursor older than 24 hours. Leave it out to start again.",
        })
    }
}

impl std::error::Error for CursorFault {}

/// What makes two requests walk the same list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Fingerprint([u8; FINGERPRINT]);

impl Fingerprint {
    /// Of everything that `query` hashes. Stable between runs of one build.
    pub(super) fn of(query: &impl Hash) -> Self {
        let mut hasher = Sha(Sha256::new());
        query.hash(&mut hasher);
        let digest = hasher.0.finalize();
        let mut bytes = [0; FINGERPRINT];
        bytes.copy_from_slice(&digest[..FINGERPRINT]);
        Fingerprint(bytes)
    }
}

/// SHA-256 fed by `Hash`: unlike the maps' hashers it has no seed and cannot be steered into a collision.
struct Sha(Sha256);

impl Hasher for Sha {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        first_eight(&self.0.clone().finalize())
    }
}

fn first_eight(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Signs and checks cursors.
#[derive(Clone)]
pub(super) struct Signer(Hmac<Sha256>);

impl Signer {
    pub(super) fn new(key: &CursorKey) -> Self {
        Signer(Hmac::new_from_slice(&key.0).expect("HMAC takes keys of any length"))
    }

    pub(super) fn seal(&self, now: Time, query: Fingerprint, body: &[u8]) -> String {
        let mut bytes = Vec::with_capacity(HEAD + body.len() + SIGNATURE);
        bytes.push(VERSION);
        bytes.extend_from_slice(&now.timestamp().to_be_bytes());
        bytes.extend_from_slice(&query.0);
        bytes.extend_from_slice(body);
        let signature = self.0.clone().chain_update(&bytes).finalize().into_bytes();
        bytes.extend_from_slice(&signature[..SIGNATURE]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The body of a cursor that this gateway gave out for this query within the last day.
    pub(super) fn open(&self, text: &str, now: Time, query: Fingerprint) -> Result<Vec<u8>, CursorFault> {
        if text.trim().is_empty() {
            return Err(CursorFault::Blank);
        }
        if text.len() > MAX_TEXT {
            return Err(CursorFault::Forged);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CursorFault::Forged)?;
        if bytes.len() < HEAD + SIGNATURE {
            return Err(CursorFault::Forged);
        }
        let (signed, signature) = bytes.split_at(bytes.len() - SIGNATURE);
        if signed[0] != VERSION {
            return Err(CursorFault::UnknownVersion);
        }
        self.0.clone().chain_update(signed).verify_truncated_left(signature).map_err(|_| CursorFault::Forged)?;
        let mut issued = [0; 8];
        issued.copy_from_slice(&signed[1..9]);
        if now.timestamp().saturating_sub(i64::from_be_bytes(issued)) > VALID_S {
            return Err(CursorFault::Outdated);
        }
        if signed[9..HEAD] != query.0 {
            return Err(CursorFault::OtherQuery);
        }
        Ok(signed[HEAD..].to_vec())
    }
}

/// The position that a page goes on after. The text of its sort key may have been cut.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Mark {
    pub(super) position: Position,
    /// Where the sort key's text was cut: hash of the whole.
    cut: Option<u64>,
}

impl Mark {
    pub(super) fn new(position: Position) -> Self {
        Mark { position, cut: None }
    }

    /// Whether the sort key is not known whole.
    pub(super) fn is_cut(&self) -> bool {
        self.cut.is_some()
    }

    /// The mark with its whole sort key, if `position` is the one that was cut.
    pub(super) fn completed(self, position: Position) -> Self {
        match &position.sort {
            Some(SortKey::Text(text)) if self.cut == Some(hash_of(text)) && self.position.key == position.key => {
                Mark::new(position)
            }
            _ => self,
        }
    }

    /// Whether a row comes after this mark. Where the text of the mark was cut, rows that begin with all that is left
    /// of it are told apart by their number: `offset` rows of the source lay at or before the mark. That is only as good as the
    /// number: of titles alike for so long, some may repeat or be missed when sources fail or change meanwhile.
    pub(super) fn precedes(&self, order: Order, row: &Entry, offset: u64) -> bool {
        if let (Some(_), Some(SortKey::Text(start)), Some(SortKey::Text(text))) =
            (self.cut, &self.position.sort, &row.position.sort)
            && text.starts_with(&**start)
        {
            return row.end > offset;
        }
        order.compare(&self.position, &row.position) == Ordering::Less
    }
}

/// What an incident cursor says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) mark: Mark,
    offsets: Vec<(u32, u64)>,
}

impl Place {
    /// How many rows of a source lie at or before the mark, as far as was known then.
    pub(super) fn offset(&self, source: &SourceName) -> u64 {
        let name = short_name(source);
        self.offsets.iter().find(|(other, _)| *other == name).map_or(0, |(_, offset)| *offset)
    }

    /// The body of a cursor.
    pub(super) fn decode(body: &[u8]) -> Result<Self, CursorFault> {
        let mut input = Input(body);
        let mut cut = None;
        let sort = match input.byte()? {
            0 => None,
            1 => Some(SortKey::Time(i64::from_be_bytes(input.array()?))),
            2 => Some(SortKey::Rank(input.byte()?)),
            3 => Some(SortKey::Text(input.text()?.into())),
            4 => {
                cut = Some(u64::from_be_bytes(input.array()?));
                Some(SortKey::Text(input.text()?.into()))
            }
            _ => return Err(CursorFault::Forged),
        };
        let source = SourceName::new(input.text()?);
        let key = Key { source, native: NativeId::new(input.text()?) };
        let mut offsets = Vec::new();
        while !input.0.is_empty() {
            offsets.push((u32::from_be_bytes(input.array()?), input.number()?));
        }
        Ok(Place { mark: Mark { position: Position { sort, key }, cut }, offsets })
    }
}

/// Writes the body of an incident cursor. Sources that are at their beginning need not be named.
pub(super) fn encode_place<'a>(position: &Position, offsets: impl Iterator<Item = (&'a SourceName, u64)>) -> Vec<u8> {
    let mut out = Vec::with_capacity(160);
    match &position.sort {
        None => out.push(0),
        Some(SortKey::Time(time)) => {
            out.push(1);
            out.extend_from_slice(&time.to_be_bytes());
        }
        Some(SortKey::Rank(rank)) => out.extend_from_slice(&[2, *rank]),
        Some(SortKey::Text(text)) if text.len() <= MAX_SORT_TEXT => {
            out.push(3);
            write_text(text, &mut out);
        }
        Some(SortKey::Text(text)) => {
            out.push(4);
            out.extend_from_slice(&hash_of(text).to_be_bytes());
            write_text(&text[..text.floor_char_boundary(MAX_SORT_TEXT)], &mut out);
        }
    }
    write_text(position.key.source.as_str(), &mut out);
    write_text(&position.key.native.to_string(), &mut out);
    for (source, offset) in offsets.filter(|(_, offset)| *offset > 0) {
        out.extend_from_slice(&short_name(source).to_be_bytes());
        write_number(offset, &mut out);
    }
    out
}

/// Writes a text so that [`Input::text`] reads it.
pub(super) fn write_text(text: &str, out: &mut Vec<u8>) {
    write_number(text.len() as u64, out);
    out.extend_from_slice(text.as_bytes());
}

/// Seven bits a byte, the lowest first; the high bit says that more follow.
pub(super) fn write_number(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// A body being read. It was signed by us, so that a fault means a changed format.
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], CursorFault> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(CursorFault::Forged)?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, CursorFault> {
        Ok(self.take(1)?[0])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], CursorFault> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N)?);
        Ok(bytes)
    }

    pub(super) fn number(&mut self) -> Result<u64, CursorFault> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(CursorFault::Forged)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, CursorFault> {
        let length = usize::try_from(self.number()?).map_err(|_| CursorFault::Forged)?;
        std::str::from_utf8(self.take(length)?).map_err(|_| CursorFault::Forged)
    }
}

fn hash_of(text: &str) -> u64 {
    first_eight(&Sha256::digest(text.as_bytes()))
}

fn short_name(source: &SourceName) -> u32 {
    (hash_of(source.as_str()) >> 32) as u32
}

/// Any bytes are the body of a cursor or a fault; what was read is written and read again as the same.
pub(super) fn fuzz(body: &[u8]) {
    let Ok(place) = Place::decode(body) else { return };
    if place.mark.is_cut() {
        // The cut text cannot be made whole again, so it cannot be written.
        return;
    }
    let again = Place::decode(&encode_place(&place.mark.position, std::iter::empty()));
    let again = again.expect("what is written can be read");
    assert_eq!(again.mark.position.key, place.mark.position.key);
}
