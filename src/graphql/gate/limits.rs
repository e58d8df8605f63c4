//! What a document and its variables may ask for, and the refusal of what asks for more.

use crate::graphql::error::{ErrorCode, Fault};

/// Limits of one GraphQL document. Counts take fragments as if they were written where they are spread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueryLimits {
    /// Length of the document, in bytes.
    pub bytes: u64,
    /// Lexical tokens of the document; and values in the variables, lists and objects among them.
    pub tokens: u64,
    /// How deep brackets may nest in the document, and lists and objects in the variables.
    pub nesting: u64,
    /// How deep fields may nest, `__typename` among them; below `__schema` and `__type` it is [`Self::SCHEMA_DEPTH`].
    pub depth: u64,
    /// Fields.
    pub fields: u64,
    /// Fields with an alias.
    pub aliases: u64,
    /// Fields of the operation itself.
    pub root_fields: u64,
    /// Fragment spreads.
    pub spreads: u64,
    /// Records that lists can have at most, by their page sizes, nested lists multiplied.
    pub nodes: u64,
    /// Whether `__schema` and `__type` are answered.
    pub introspection: bool,
}

impl QueryLimits {
    /// How deep fields may nest below `__schema` and `__type`. What tools send is 14 deep (types of types of types), and
    /// does not depend on the schema, so that it is no setting.
    pub const SCHEMA_DEPTH: u64 = 20;
}

impl Default for QueryLimits {
    /// 256 KiB, 15,000 tokens, 64 brackets, 15 deep, 500 fields, 30 aliases, 20 root fields, 200 spreads, 50,000 nodes.
    fn default() -> Self {
        QueryLimits {
            bytes: 256 * 1024,
            tokens: 15_000,
            nesting: 64,
            depth: 15,
            fields: 500,
            aliases: 30,
            root_fields: 20,
            spreads: 200,
            nodes: 50_000,
            introspection: true,
        }
    }
}

/// Refuses a number above its limit. In `sentence` the first `{}` is where the number stands: “The document has {} tokens”.
///
/// # Errors
/// `COST_LIMIT`, with the number and the limit.
pub(super) fn at_most(limit: u64, number: u64, sentence: &str) -> Result<(), Fault> {
    if number <= limit {
        return Ok(());
    }
    let shown = if number == u64::MAX { "far too many".to_owned() } else { number.to_string() };
    let message = format!("{}; at most {limit} are allowed.", sentence.replacen("{}", &shown, 1));
    Err(Fault { limit: Some((number, limit)), ..Fault::new(ErrorCode::CostLimit, message) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_the_number_and_the_limit() {
        assert_eq!(at_most(3, 3, "{} things"), Ok(()));
        let fault = at_most(3, 4, "The document has {} things").unwrap_err();
        assert_eq!(fault.message, "The document has 4 things; at most 3 are allowed.");
        assert_eq!((fault.code, fault.limit), (ErrorCode::CostLimit, Some((4, 3))));
        assert!(at_most(3, 4, "{} things in `{}`").unwrap_err().message.starts_with("4 things in `{}`;"));
        assert!(at_most(3, u64::MAX, "{} things").unwrap_err().message.starts_with("far too many things"));
    }
}
