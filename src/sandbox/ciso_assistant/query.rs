//! Query strings as the real server reads them: repeated parameters, the last one winning where one is wanted,
//! limit and offset, the links to the neighbouring pages.

use uuid::Uuid;

/// Without a usable `limit` a page has so many rows.
const DEFAULT_LIMIT: usize = 5_000;

/// Decoded parameters in the order they were sent.
pub(super) struct Query {
    path: String,
    pairs: Vec<(String, String)>,
}

impl Query {
    pub(super) fn new(path: &str, query: &str) -> Query {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        });
        Query { path: path.to_owned(), pairs: pairs.collect() }
    }

    /// The names that occur, each once.
    pub(super) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in &self.pairs {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// All values of a parameter.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        self.pairs.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The value that counts when only one is wanted: the last.
    pub(super) fn last(&self, name: &str) -> Option<&str> {
        self.pairs.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The ids of `id=a,b,c`; `None` without filter; `Err` when one of them is not a uuid.
    pub(super) fn ids(&self) -> Result<Option<Vec<Uuid>>, ()> {
        let Some(text) = self.last("id").filter(|text| !text.trim().is_empty()) else { return Ok(None) };
        let ids: Result<Vec<Uuid>, ()> =
            text.split(',').map(str::trim).filter(|id| !id.is_empty()).map(|id| uuid(id).ok_or(())).collect();
        ids.map(Some)
    }

    pub(super) fn page(&self) -> Page {
        let number = |name| self.last(name).and_then(whole_number);
        Page {
            limit: number("limit").filter(|&limit| limit > 0).unwrap_or(DEFAULT_LIMIT),
            offset: number("offset").unwrap_or(0),
        }
    }

    /// Path and query of the page before and after, without host, parameters sorted by name.
    pub(super) fn neighbours(&self, page: Page, count: usize) -> (Option<String>, Option<String>) {
        let end = page.offset.saturating_add(page.limit);
        let next = (end < count).then(|| self.link(page.limit, Some(end)));
        let previous =
            (page.offset > 0).then(|| self.link(page.limit, page.offset.checked_sub(page.limit).filter(|&o| o > 0)));
        (next, previous)
    }

    fn link(&self, limit: usize, offset: Option<usize>) -> String {
        let mut pairs: Vec<(&str, String)> = self
            .pairs
            .iter()
            .filter(|(name, _)| name != "limit" && name != "offset")
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        pairs.push(("limit", limit.to_string()));
        pairs.extend(offset.map(|offset| ("offset", offset.to_string())));
        // Stable: values of a repeated parameter keep their order.
        pairs.sort_by(|a, b| a.0.cmp(b.0));
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        format!("{}?{}", self.path, pairs.join("&"))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) limit: usize,
    pub(super) offset: usize,
}

/// A uuid as the real server reads it: any letter case, with or without dashes, braces or `urn:uuid:`.
pub(super) fn uuid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok()
}

/// A whole number that is not negative; numbers beyond what a page can have count as the largest.
fn whole_number(text: &str) -> Option<usize> {
    let text = text.trim();
    let digits = text.strip_prefix('+').unwrap_or(text);
    let digital = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digital.then(|| digits.parse().unwrap_or(usize::MAX))
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match tail {
            [high, low, ..] if *first == b'%' => hex(*high).zip(hex(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|digit| digit as u8)
}

fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// The terms of a search: spaces and commas separate, quotes hold together.
pub(super) fn search_terms(text: &str) -> Vec<String> {
    let text = text.replace('\0', "");
    let mut terms = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(&letter) = letters.peek() {
        if letter.is_whitespace() {
            letters.next();
            continue;
        }
        let mut word = String::new();
        let mut quote = None;
        while let Some(&letter) = letters.peek() {
            match quote {
                None if letter.is_whitespace() => break,
                // A quote that is never closed is a letter like any other.
                None if (letter == '"' || letter == '\'') && letters.clone().skip(1).any(|l| l == letter) => {
                    quote = Some(letter)
                }
                Some(open) if letter == open => quote = None,
                _ => {}
            }
            word.push(letter);
            letters.next();
        }
        split_word(&word, &mut terms);
    }
    terms
}

fn split_word(word: &str, terms: &mut Vec<String>) {
    let word = word.trim_matches(',');
    let quoted = word.len() > 1
        && (word.starts_with('"') || word.starts_with('\''))
        && word.chars().next() == word.chars().last();
    if quoted {
        let quote = &word[..1];
        terms.push(word[1..word.len() - 1].replace(&format!("\\{quote}"), quote).replace("\\\\", "\\"));
    } else {
        terms.extend(word.split(',').map(str::trim).filter(|term| !term.is_empty()).map(str::to_owned));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_are_no_positive_number_mean_the_default() {
        for (query, limit, offset) in [
            ("", 5_000, 0),
            ("limit=0", 5_000, 0),
            ("limit=-3", 5_000, 0),
            ("limit=x&offset=-1", 5_000, 0),
            ("limit=2&limit=7", 7, 0),
            ("limit=1000000&offset=12", 1_000_000, 12),
            ("limit=99999999999999999999", usize::MAX, 0),
        ] {
            assert_eq!(Query::new("/", query).page(), Page { limit, offset }, "{query}");
        }
    }

    #[test]
    fn neighbours_carry_all_parameters_sorted() {
        let query = Query::new("/api/x/", "severity=2&ordering=severity,-name&offset=2&limit=2&severity=1&search=a+b");
        let (next, previous) = query.neighbours(query.page(), 5);
        assert_eq!(
            next.unwrap(),
            "/api/x/?limit=2&offset=4&ordering=severity%2C-name&search=a+b&severity=2&severity=1"
        );
        assert_eq!(previous.unwrap(), "/api/x/?limit=2&ordering=severity%2C-name&search=a+b&severity=2&severity=1");
        let query = Query::new("/api/x/", "limit=2&offset=500");
        assert_eq!(query.neighbours(query.page(), 60), (None, Some("/api/x/?limit=2&offset=498".to_owned())));
    }

    #[test]
    fn ids_are_comma_separated_and_the_last_parameter_wins() {
        let (a, b) = ("90dd6c26-4ab7-41fc-8a6f-a508d5c7c8f5", "9cbcd39fa4a64c618a8e07ff1e2b6675");
        let ids = |query: &str| Query::new("/", query).ids();
        assert_eq!(ids(&format!("id={a},%20{},", b.to_uppercase())).unwrap().unwrap().len(), 2);
        assert_eq!(ids(&format!("id={a}&id={b}")).unwrap().unwrap(), vec![uuid(b).unwrap()]);
        assert_eq!(ids("id="), Ok(None));
        assert_eq!(ids(&format!("id={a},nope")), Err(()));
    }

    #[test]
    fn searches_split_at_spaces_and_commas_outside_quotes() {
        assert_eq!(search_terms("a, b c,d"), ["a", "b", "c", "d"]);
        assert_eq!(search_terms("\"a b\" c"), ["a b", "c"]);
        assert_eq!(search_terms("x,\"a b\""), ["x", "\"a b\""]);
        assert!(search_terms("  , ").is_empty());
        assert_eq!(search_terms("it's"), ["it's"]);
    }

    #[test]
    fn percent_and_plus_are_decoded() {
        assert_eq!(decode("a+b%2Bc%zz%C3%A9%"), "a b+c%zzé%");
    }
}
