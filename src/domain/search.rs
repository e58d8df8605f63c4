//! Free-text search and tests on one text.

use super::Text;
use regex::{Regex, RegexBuilder};
use std::fmt;

/// Words and phrases that must all occur, any case. Made from what a person typed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Search {
    /// In lower case; none empty. No terms at all match everything.
    terms: Vec<String>,
}

impl Search {
    /// Words are parted by white space; double quotes hold a phrase together. A quote without its partner is a
    /// character like any other.
    pub fn parse(typed: &str) -> Self {
        let mut terms = Vec::new();
        let mut rest = typed.trim_start();
        while !rest.is_empty() {
            let quoted = rest.strip_prefix('"').and_then(|inside| inside.split_once('"'));
            let (term, after) = quoted.unwrap_or_else(|| rest.split_once(char::is_whitespace).unwrap_or((rest, "")));
            if !term.trim().is_empty() {
                terms.push(term.to_lowercase());
            }
            rest = after.trim_start();
        }
        Search { terms }
    }

    /// The terms, in lower case.
    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    /// Whether every term occurs in at least one of the texts.
    pub fn matches<'a>(&self, texts: impl Iterator<Item = Option<&'a str>> + Clone) -> bool {
        if self.terms.is_empty() {
            return true;
        }
        let folded: Vec<String> = texts.flatten().map(str::to_lowercase).collect();
        self.terms.iter().all(|term| folded.iter().any(|text| text.contains(term)))
    }
}

/// Tests on one text; what is given must hold together. A missing text passes none.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct TextTest {
    /// In lower case.
    contains: Option<String>,
    /// In lower case.
    equals: Option<Vec<String>>,
    matches: Option<Pattern>,
}

impl TextTest {
    pub fn new(contains: Option<&str>, equals: Option<&[String]>, matches: Option<Pattern>) -> Self {
        TextTest {
            contains: contains.map(str::to_lowercase),
            equals: equals.map(|all| all.iter().map(|text| text.to_lowercase()).collect()),
            matches,
        }
    }

    /// The part that must be in the text, in lower case.
    pub fn contained(&self) -> Option<&str> {
        self.contains.as_deref()
    }

    /// The texts of which it must be one, in lower case.
    pub fn equal(&self) -> Option<&[String]> {
        self.equals.as_deref()
    }

    /// Whether a regular expression must match as well.
    pub fn has_pattern(&self) -> bool {
        self.matches.is_some()
    }

    pub fn matches(&self, text: Option<&Text>) -> bool {
        if *self == TextTest::default() {
            return true;
        }
        let Some(text) = text else { return false };
        let folded = text.to_lowercase();
        self.contains.as_ref().is_none_or(|part| folded.contains(part))
            && self.equals.as_ref().is_none_or(|all| all.contains(&folded))
            && self.matches.as_ref().is_none_or(|pattern| pattern.0.is_match(text))
    }
}

/// A regular expression, unanchored, without look-around and back-references; its cost is linear in the text.
#[derive(Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// The largest program that a pattern may compile to, in bytes.
    const MAX_PROGRAM: usize = 256 * 1024;

    /// # Errors
    /// Says what is wrong with the pattern, without repeating it: a sentence without its subject.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        match RegexBuilder::new(pattern).size_limit(Self::MAX_PROGRAM).build() {
            Ok(regex) => Ok(Pattern(regex)),
            Err(regex::Error::CompiledTooBig(_)) => Err("is too large a pattern.".into()),
            Err(_) => Err("is not a regular expression (without look-around and back-references).".into()),
        }
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}
impl Eq for Pattern {}
impl std::hash::Hash for Pattern {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}
impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_phrases_and_blanks_are_nothing() {
        for (typed, terms) in [
            ("", &[][..]),
            ("   ", &[]),
            ("\"\"", &[]),
            ("\" \" x", &["x"]),
            ("Web  store", &["web", "store"]),
            ("\"Web store\" down", &["web store", "down"]),
            ("a,b", &["a,b"]),
            ("5\" disk", &["5\"", "disk"]),
            ("\"open", &["\"open"]),
            ("ÄRGER", &["ärger"]),
        ] {
            assert_eq!(Search::parse(typed).terms(), terms, "{typed:?}");
        }
    }

    #[test]
    fn every_term_must_occur_somewhere() {
        let texts = [Some("Web store slow"), None, Some("INC-7")];
        assert!(Search::parse("STORE inc").matches(texts.into_iter()));
        assert!(!Search::parse("store inc-8").matches(texts.into_iter()));
        assert!(!Search::parse("\"store inc\"").matches(texts.into_iter()));
        assert!(Search::parse(" ").matches([None].into_iter()));
    }

    #[test]
    fn tests_hold_together() {
        let text: Text = "Phishing Mail".into();
        let test = |c: Option<&str>, e: Option<&[String]>, m: Option<&str>| {
            TextTest::new(c, e, m.map(|m| Pattern::parse(m).unwrap())).matches(Some(&text))
        };
        assert!(test(Some("SHING"), Some(&["phishing mail".into()]), Some("^Phish")));
        assert!(!test(Some("shing"), None, Some("^phish")));
        assert!(test(None, None, Some("(?i)^phish")));
        assert!(!test(None, Some(&[]), None));
        assert!(TextTest::default().matches(None));
        assert!(!TextTest::new(Some(""), None, None).matches(None));
        assert!(Pattern::parse("(a").is_err() && Pattern::parse("(?=a)").is_err());
        assert!(Pattern::parse("((a{100}){100}){100}").is_err());
    }
}
