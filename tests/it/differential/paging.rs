//! Lists that an incident holds: their pages, and cursors signed as the gateway signs them.

use super::{facts::Failure, resolve::bad_input};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// What the API of these tests signs with (`support::api`).
const KEY: [u8; 32] = [8; 32];

pub(super) fn size(first: Option<Value>) -> Result<usize, Failure> {
    match first.map_or(25, |first| first.as_i64().unwrap()) {
        size @ 1..=100 => Ok(usize::try_from(size).unwrap()),
        _ => bad_input(),
    }
}

/// A field of an incident that shows a list.
pub(super) struct List {
    field: String,
    source: String,
    incident: String,
}

impl List {
    pub(super) fn new(field: &str, source: &str, incident: &str) -> Self {
        List { field: field.into(), source: source.into(), incident: incident.into() }
    }

    pub(super) fn of(field: &str, incident: &Value) -> Self {
        let told = |name: &str| incident[name].as_str().unwrap();
        List::new(field, told("$source_name"), told("$native"))
    }

    fn signature(&self, text: &[u8]) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&KEY).unwrap();
        let List { field, source, incident } = self;
        mac.update(format!("place\0{field}\0{source}\0{incident}\0").as_bytes());
        mac.update(text);
        mac.finalize().into_bytes()[..16].to_vec()
    }

    pub(super) fn cursor(&self, index: usize, id: &str) -> Value {
        let text = format!("1 {index} {id}").into_bytes();
        json!(URL_SAFE_NO_PAD.encode([text.clone(), self.signature(&text)].concat()))
    }

    /// Index and id that a cursor names.
    pub(super) fn place(&self, after: Option<Value>) -> Result<Option<(usize, String)>, Failure> {
        let Some(after) = after else { return Ok(None) };
        let after = after.as_str().unwrap();
        if after.trim().is_empty() {
            return bad_input();
        }
        let bytes = URL_SAFE_NO_PAD.decode(after).unwrap_or_default();
        let (text, signature) = bytes.split_at(bytes.len().saturating_sub(16));
        if bytes.is_empty() || self.signature(text) != signature {
            return Err(("CURSOR_INVALID", String::new()));
        }
        let text = String::from_utf8(text.to_vec()).unwrap();
        match text.splitn(3, ' ').collect::<Vec<_>>()[..] {
            [_, index, id] => Ok(Some((index.parse().unwrap(), id.to_owned()))),
            _ => panic!("{text}"),
        }
    }

    /// A page of edges at hand. A cursor names the item; where it has gone, its index says where to go on.
    pub(super) fn cut(
        &self,
        ty: &str,
        mut edges: Vec<Value>,
        first: Option<Value>,
        after: Option<Value>,
    ) -> Result<Value, Failure> {
        let id =
            |edge: &Value| edge["node"].get("native").unwrap_or(&edge["node"]["$native"]).as_str().unwrap().to_owned();
        for (index, edge) in edges.iter_mut().enumerate() {
            edge["cursor"] = self.cursor(index, &id(edge));
        }
        let total = edges.len();
        let start = self.place(after)?.map_or(0, |(index, named)| {
            let at = |index: &usize| edges.get(*index).is_some_and(|edge| id(edge) == named);
            Some(index).filter(at).or((0..total).find(at)).map_or(index.min(total), |index| index + 1)
        });
        let end = total.min(start + size(first)?);
        let shown = edges[start..end].to_vec();
        let ends = [shown.first(), shown.last()].map(|edge| edge.map_or(Value::Null, |edge| edge["cursor"].clone()));
        Ok(json!({
            "$type": ty,
            "nodes": shown.iter().map(|edge| edge["node"].clone()).collect::<Value>(),
            "edges": shown,
            "totalCount": total,
            "pageInfo": {
                "$type": "PageInfo", "hasNextPage": end < total, "hasPreviousPage": start > 0, "startCursor": ends[0],
                "endCursor": ends[1],
            },
        }))
    }
}
