//! The small values that rows are made of. Each is read straight into what the domain keeps, with one copy at most.

use crate::domain::{NativeId, Text};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// An id as the server writes it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::vendors::ciso_assistant) struct Id(pub(in crate::vendors::ciso_assistant) NativeId);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct IdVisitor;
        impl Visitor<'_> for IdVisitor {
            type Value = Id;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an id")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Id, E> {
                if text.is_empty() { Err(E::custom("an empty id")) } else { Ok(Id(NativeId::new(text))) }
            }
        }
        from.deserialize_str(IdVisitor)
    }
}

/// One `{"id", "str"}`; `{}` where the record is hidden from the caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::vendors::ciso_assistant) enum Reference {
    To(NativeId, Option<Text>),
    Hidden,
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct ReferenceVisitor;
        impl<'de> Visitor<'de> for ReferenceVisitor {
            type Value = Reference;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object with id and str, or an id")
            }

            // Some members hold bare ids (`assets[].incidents`).
            fn visit_str<E: Error>(self, text: &str) -> Result<Reference, E> {
                if text.is_empty() {
                    Err(E::custom("an empty id"))
                } else {
                    Ok(Reference::To(NativeId::new(text), None))
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Reference, A::Error> {
                let (mut id, mut name) = (None, None);
                let mut empty = true;
                while let Some(key) = map.next_key::<Member>()? {
                    empty = false;
                    match key {
                        Member::Id => id = Some(map.next_value::<Id>()?),
                        Member::Name => name = map.next_value::<Option<Text>>()?,
                        Member::Other => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                match id {
                    Some(Id(id)) => Ok(Reference::To(id, name)),
                    None if empty => Ok(Reference::Hidden),
                    None => Err(A::Error::missing_field("id")),
                }
            }
        }
        from.deserialize_any(ReferenceVisitor)
    }
}

/// Members of a [`Reference`]; an identifier of its own, since serde's derived one would allow no bare id.
enum Member {
    Id,
    Name,
    Other,
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct MemberVisitor;
        impl Visitor<'_> for MemberVisitor {
            type Value = Member;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a member's name")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Member, E> {
                Ok(match text {
                    "id" => Member::Id,
                    "str" => Member::Name,
                    _ => Member::Other,
                })
            }
        }
        from.deserialize_identifier(MemberVisitor)
    }
}

/// A list of references: those that are shown, in the server's order, and how many are hidden. Null is an empty list.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(in crate::vendors::ciso_assistant) struct References {
    pub(in crate::vendors::ciso_assistant) shown: Vec<(NativeId, Option<Text>)>,
    pub(in crate::vendors::ciso_assistant) hidden: u32,
}

impl<'de> Deserialize<'de> for References {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct ReferencesVisitor;
        impl<'de> Visitor<'de> for ReferencesVisitor {
            type Value = References;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a list of references")
            }

            fn visit_unit<E: Error>(self) -> Result<References, E> {
                Ok(References::default())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<References, A::Error> {
                let mut references = References::default();
                while let Some(reference) = all.next_element()? {
                    match reference {
                        Reference::To(id, name) => references.shown.push((id, name)),
                        Reference::Hidden => references.hidden += 1,
                    }
                }
                Ok(references)
            }
        }
        from.deserialize_any(ReferencesVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn references_keep_order_and_count_the_hidden() {
        let all: References = read(r#"[{"str":"B","id":"2"},{},{"id":"1","x":[1]},{},"3"]"#).unwrap();
        let shown: Vec<_> = all.shown.iter().map(|(id, name)| (id.to_string(), name.as_deref())).collect();
        assert_eq!(shown, [("2".into(), Some("B")), ("1".into(), None), ("3".into(), None)]);
        assert_eq!(all.hidden, 2);
        assert_eq!(read::<References>("null").unwrap(), References::default());
        for json in ["7", "[null]", r#"[{"str":"nameless"}]"#, r#"[{"id":""}]"#, "[[]]"] {
            assert!(read::<References>(json).is_err(), "{json}");
        }
    }
}
