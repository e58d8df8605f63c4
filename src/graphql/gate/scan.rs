//! How long and how deep a request is, told before anything parses it: parsers and readers recurse, and a stack has an end.

use serde_json::{Map, Value};
use std::cmp::Ordering;

/// How many steps of a path are told, and how long each: a name in variables may be of any length.
const STEPS: u64 = 4;
const STEP: usize = 40;

/// Measures of a document's text, or of variables.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Measure {
    /// Lexical tokens without comments; in variables: values.
    pub tokens: u64,
    /// The deepest nesting of brackets; in variables: of lists and objects.
    pub nesting: u64,
}

/// Measures a document in one pass. Brackets in strings, block strings and comments do not count. For a text that is no
/// GraphQL the numbers are what a reader would meet before it gives up, or more.
pub(super) fn document(text: &str) -> Measure {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text).as_bytes();
    let (mut depth, mut measure) = (0u64, Measure::default());
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => continue,
            b'#' => {
                rest = skip(rest, |byte| !matches!(byte, b'\n' | b'\r'));
                continue;
            }
            b'{' | b'[' | b'(' => {
                depth += 1;
                measure.nesting = measure.nesting.max(depth);
            }
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            b'"' => match rest {
                [b'"', b'"', block @ ..] => rest = skip_block(block),
                _ => rest = skip_string(rest),
            },
            b'.' => rest = rest.strip_prefix(b"..").unwrap_or(rest),
            b'-' | b'0'..=b'9' => {
                rest = skip(rest, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'+' | b'-'));
            }
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => rest = skip(rest, |byte| byte.is_ascii_alphanumeric() || byte == b'_'),
            _ => {}
        }
        measure.tokens += 1;
    }
    measure
}

fn skip(rest: &[u8], belongs: impl Fn(u8) -> bool) -> &[u8] {
    &rest[rest.iter().position(|byte| !belongs(*byte)).unwrap_or(rest.len())..]
}

/// What follows a string, in which a backslash takes the next byte along. An unclosed string ends with its line, and is
/// then a mistake for the parser to tell.
fn skip_string(mut rest: &[u8]) -> &[u8] {
    loop {
        match rest {
            [] => return rest,
            [b'"' | b'\n' | b'\r', after @ ..] => return after,
            [b'\\', next, after @ ..] if !matches!(next, b'\n' | b'\r') => rest = after,
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

/// Measures variables; the map itself is no level and no value.
pub(super) fn variables(variables: &Map<String, Value>) -> Measure {
    let mut measure = Measure::default();
    let mut left: Vec<(&Value, u64)> = variables.values().map(|value| (value, 1)).collect();
    while let Some((value, depth)) = left.pop() {
        measure.tokens += 1;
        match value {
            Value::Array(items) => left.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(members) => left.extend(members.values().map(|member| (member, depth + 1))),
            _ => continue,
        }
        measure.nesting = measure.nesting.max(depth);
    }
    measure
}

/// The way to a value that nests deepest, as far as it helps to find it: `$filter.or[0].or[0]…`. Empty without variables.
pub(super) fn deepest(variables: &Map<String, Value>) -> String {
    let short = |name: &str| match name.char_indices().nth(STEP) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    };
    let mut deepest = (0, String::new());
    let mut left: Vec<(&Value, u64, String)> =
        variables.iter().map(|(name, value)| (value, 1, format!("${}", short(name)))).collect();
    while let Some((value, depth, at)) = left.pop() {
        let below = |step: &dyn Fn() -> String| match depth.cmp(&(STEPS + 1)) {
            Ordering::Less => at.clone() + &step(),
            Ordering::Equal => format!("{at}…"),
            Ordering::Greater => at.clone(),
        };
        match value {
            Value::Array(items) => {
                let items = items.iter().enumerate();
                left.extend(items.map(|(index, item)| (item, depth + 1, below(&|| format!("[{index}]")))));
            }
            Value::Object(members) => {
                let members = members.iter();
                left.extend(members.map(|(name, member)| (member, depth + 1, below(&|| format!(".{}", short(name))))));
            }
            _ => continue,
        }
        if depth > deepest.0 {
            deepest = (depth, at);
        }
    }
    deepest.1
}

/// What must hold for any text: the body of a fuzz target.
pub(crate) fn check(text: &str) {
    let measure = document(text);
    let brackets = text.bytes().filter(|byte| matches!(byte, b'{' | b'[' | b'(')).count() as u64;
    assert!(measure.nesting <= brackets && measure.nesting <= measure.tokens && measure.tokens <= text.len() as u64);
    // Comments and what separates tokens change nothing.
    assert_eq!(document(&format!("#[{{(\"\n, {text}")), measure);
    // Brackets around a text whose strings are closed are one level more.
    if !text.contains(['"', '#', '\u{feff}']) {
        let around = document(&format!("[\n{text}\n]"));
        assert!(around.nesting >= measure.nesting && around.nesting <= measure.nesting + 1);
        assert_eq!(around.tokens, measure.tokens + 2);
        assert_eq!(document(&format!("\"\"\"{text}\"\"\"")), Measure { tokens: 1, nesting: 0 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn brackets_count_outside_strings_and_comments() {
        for (text, tokens, nesting) in [
            ("", 0, 0),
            ("{ a }", 3, 1),
            ("{ a(b: [{c: 1}]) }", 14, 4),
            ("{ a(b: \"[[[\") }", 8, 2),
            ("{ a(b: \"\\\"[[[\") }", 8, 2),
            ("{ a(b: \"\") [ ] }", 10, 2),
            ("{ a(b: \"\"\" [[[ \" \\\"\"\" [[ \"\"\") [ ] }", 10, 2),
            ("{ a # [[[ \" \n b }", 4, 1),
            ("{ a # \\\n [ ] }", 5, 2),
            ("}}}} { a }", 7, 1),
            ("\"[[[\n[", 2, 1),
            ("\"\\\n[", 2, 1),
            ("\u{feff}{ ...F, -1.5e+3 }", 5, 1),
            ("{ é }", 4, 1),
        ] {
            assert_eq!(document(text), Measure { tokens, nesting }, "{text}");
        }
    }

    #[test]
    fn variables_count_lists_and_objects() {
        let Value::Object(given) = json!({ "a": 1, "b": [{ "c": [1] }] }) else { unreachable!() };
        assert_eq!(variables(&given), Measure { tokens: 5, nesting: 3 });
        assert_eq!(variables(&Map::new()), Measure::default());
    }

    #[test]
    fn the_deepest_value_is_told_by_its_variable_and_the_first_steps_to_it() {
        let deep = |levels: usize| (0..levels).fold(json!("x"), |inner, _| json!([inner]));
        let told = |given: Value| {
            let Value::Object(given) = given else { unreachable!() };
            deepest(&given)
        };
        assert_eq!(told(json!({})), "");
        assert_eq!(told(json!({ "a": 1 })), "");
        assert_eq!(told(json!({ "a": [[]], "b": { "or": [1, { "not": {} }] }, "c": 1 })), "$b.or[1].not");
        assert_eq!(told(json!({ "b": { "or": [deep(2)] }, "a": [[]] })), "$b.or[0][0]");
        assert_eq!(told(json!({ "b": { "or": [deep(3)] } })), "$b.or[0][0][0]");
        assert_eq!(told(json!({ "b": { "or": [deep(4)] } })), "$b.or[0][0][0]…");
        assert_eq!(told(json!({ "b": { "or": [deep(40)] } })), "$b.or[0][0][0]…");
        let long = "é".repeat(41);
        assert_eq!(told(json!({ &long: { &long[..80]: [] } })), format!("${0}….{0}", &long[..80]));
    }

    /// Tokens as they can be written, with how they change the depth.
    fn token() -> impl Strategy<Value = (String, i32)> {
        prop_oneof![
            prop_oneof![Just("{"), Just("["), Just("(")].prop_map(|text| (text.to_owned(), 1)),
            prop_oneof![Just("}"), Just("]"), Just(")")].prop_map(|text| (text.to_owned(), -1)),
            prop_oneof![Just("..."), Just("$"), Just("@"), Just(":"), Just("!"), Just("="), Just("|"), Just("&")]
                .prop_map(|text| (text.to_owned(), 0)),
            "[_A-Za-z][_0-9A-Za-z]{0,9}".prop_map(|text| (text, 0)),
            "-?(0|[1-9][0-9]{0,5})(\\.[0-9]{1,3})?(e[+-]?[0-9]{1,2})?".prop_map(|text| (text, 0)),
            "([ a-z{}\\[\\]()#é]|\\\\[\"\\\\nu]){0,12}".prop_map(|text| (format!("\"{text}\""), 0)),
            "([ a-z{}\\[\\]()#é\n]|\\\\\"\"\"){0,12}".prop_map(|text| (format!("\"\"\"{text} \"\"\""), 0)),
        ]
    }

    fn space() -> impl Strategy<Value = String> {
        prop_oneof![Just(" ".to_owned()), Just(",".to_owned()), Just("\r\n\t".to_owned()), "#[ {\\[(\"\\\\]{0,6}\n"]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_token_counts_once_and_nothing_else(tokens in prop::collection::vec((token(), space()), 0..80)) {
            let text: String = tokens.iter().map(|((token, _), space)| format!("{token}{space}")).collect();
            let (mut depth, mut nesting) = (0i32, 0i32);
            for ((_, change), _) in &tokens {
                depth = (depth + change).max(0);
                nesting = nesting.max(depth);
            }
            prop_assert_eq!(document(&text), Measure { tokens: tokens.len() as u64, nesting: nesting as u64 }, "{}", text);
        }

        #[test]
        fn any_text_has_a_measure(text in "\\PC*|[\\[\\]{}()\"#\\\\\n .a0-]{0,60}") {
            check(&text);
        }
    }
}
