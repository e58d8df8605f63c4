//! How deep a request nests, told before anything parses it: parsers and readers recurse, and a stack has an end.

use serde_json::{Map, Value};

/// The deepest nesting of brackets in a document, and of lists and objects in variables. Queries of people and tools stay
/// below twenty; a thread's stack holds several times as much.
pub(super) const MAX_DEPTH: usize = 64;

/// The deepest nesting of brackets in a document. Strings, block strings and comments do not count.
pub(super) fn of_document(text: &str) -> usize {
    let mut rest = text.as_bytes();
    let (mut depth, mut deepest) = (0usize, 0usize);
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'{' | b'[' | b'(' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            b'#' => {
                let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
                rest = &rest[end..];
            }
            b'"' => match rest {
                [b'"', b'"', block @ ..] => rest = skip_block(block),
                // An unclosed string ends with its line, and is then a mistake for the parser to tell.
                _ => rest = skip_string(rest),
            },
            _ => {}
        }
    }
    deepest
}

/// What follows a string, in which a backslash takes the next byte along.
fn skip_string(mut rest: &[u8]) -> &[u8] {
    loop {
        match rest {
            [] => return rest,
            [b'"' | b'\n' | b'\r', after @ ..] => return after,
            [b'\\', _, after @ ..] => rest = after,
            [_, after @ ..] => rest = after,
        }
    }
}

/// What follows a block string, in which only `\"""` is an escape.
fn skip_block(mut rest: &[u8]) -> &[u8] {
    loop {
        match rest {
            [] => return rest,
            [b'\\', b'"', b'"', b'"', after @ ..] => rest = after,
            [b'"', b'"', b'"', after @ ..] => return after,
            [_, after @ ..] => rest = after,
        }
    }
}

/// The deepest nesting of lists and objects in variables; the map itself is one level.
pub(super) fn of_variables(variables: &Map<String, Value>) -> usize {
    let mut deepest = 0;
    let mut left: Vec<(&Value, usize)> = variables.values().map(|value| (value, 1)).collect();
    while let Some((value, depth)) = left.pop() {
        deepest = deepest.max(depth);
        match value {
            Value::Array(items) => left.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(members) => left.extend(members.values().map(|member| (member, depth + 1))),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn brackets_count_outside_strings_and_comments() {
        for (text, depth) in [
            ("", 0),
            ("{ a }", 1),
            ("{ a(b: [{c: 1}]) }", 4),
            ("{ a(b: \"[[[\") }", 2),
            ("{ a(b: \"\\\"[[[\") }", 2),
            ("{ a(b: \"\") [ ] }", 2),
            ("{ a(b: \"\"\" [[[ \" \\\"\"\" [[ \"\"\") [ ] }", 2),
            ("{ a # [[[ \" \n b }", 1),
            ("{ a # \\\n [ ] }", 2),
            ("}}}} { a }", 1),
            ("\"[[[\n[", 1),
        ] {
            assert_eq!(of_document(text), depth, "{text}");
        }
    }

    #[test]
    fn variables_count_lists_and_objects() {
        let Value::Object(variables) = json!({ "a": 1, "b": [{ "c": [1] }] }) else { unreachable!() };
        assert_eq!(of_variables(&variables), 4);
    }
}
