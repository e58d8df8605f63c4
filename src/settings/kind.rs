//! Kinds of values: what is allowed, how it is read, how it is shown again.

use super::declared::Shape;
use regex::Regex;
use serde_json::json;
use std::net::{Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;
use toml_edit::{Array, Value};
use url::Url;

/// A value as it was given.
#[derive(Clone, Copy)]
pub struct Raw<'a>(pub(super) Given<'a>);

#[derive(Clone, Copy)]
pub(super) enum Given<'a> {
    Document(&'a Value),
    Environment(&'a str),
}

impl<'a> Raw<'a> {
    fn text(self) -> Option<&'a str> {
        match self.0 {
            Given::Document(value) => value.as_str(),
            Given::Environment(text) => Some(text),
        }
    }

    fn integer(self) -> Option<i64> {
        match self.0 {
            Given::Document(value) => value.as_integer(),
            Given::Environment(text) => text.parse().ok(),
        }
    }

    fn boolean(self) -> Option<bool> {
        match self.0 {
            Given::Document(value) => value.as_bool(),
            Given::Environment(text) => text.parse().ok(),
        }
    }

    /// Members of a list; in the environment separated by commas, none in an empty text.
    fn members(self) -> Option<Vec<Raw<'a>>> {
        match self.0 {
            Given::Document(value) => {
                Some(value.as_array()?.iter().map(|member| Raw(Given::Document(member))).collect())
            }
            Given::Environment("") => Some(Vec::new()),
            Given::Environment(text) => {
                Some(text.split(',').map(|member| Raw(Given::Environment(member.trim()))).collect())
            }
        }
    }

    /// For a message: short, on one line.
    pub(super) fn shown(self) -> String {
        let quoted = |text: &str| match text.chars().count() {
            0 => "empty".to_owned(),
            1..=80 => format!("{text:?}"),
            length => format!("a text of {length} characters"),
        };
        match self.0 {
            Given::Environment(text) => quoted(text),
            Given::Document(Value::String(text)) => quoted(text.value()),
            Given::Document(Value::Array(_)) => "a list".to_owned(),
            Given::Document(Value::InlineTable(_)) => "a table".to_owned(),
            Given::Document(value) => value.to_string().trim().to_owned(),
        }
    }
}

/// Why a value is refused.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is not what the kind's phrase says.
    NotThis,
    /// A reason of its own, going on from the place: “holds a password, which …”.
    Because(String),
}

/// A kind of value.
pub trait Kind {
    /// What it is read into.
    type Value;

    /// What is allowed, for people and for editors.
    fn shape(&self) -> Shape;

    /// The value, or why it is refused.
    fn read(&self, raw: Raw<'_>) -> Result<Self::Value, Refusal>;

    /// The value as TOML; reading it gives the value again.
    fn show(&self, value: &Self::Value) -> Value;
}

macro_rules! kind {
    ($(#[$doc:meta])* $name:ident -> $value:ty, $raw:ident => $read:expr, $shown:ident => $show:expr, $phrase:expr, $schema:expr) => {
        $(#[$doc])*
        pub fn $name() -> impl Kind<Value = $value> {
            struct This;
            impl Kind for This {
                type Value = $value;
                fn shape(&self) -> Shape {
                    Shape { phrase: $phrase.to_owned(), schema: $schema }
                }
                fn read(&self, $raw: Raw<'_>) -> Result<$value, Refusal> {
                    $read
                }
                fn show(&self, $shown: &$value) -> Value {
                    $show
                }
            }
            This
        }
    };
}

kind!(
    /// `true` or `false`.
    boolean -> bool,
    raw => raw.boolean().ok_or(Refusal::NotThis),
    value => Value::from(*value),
    "true or false",
    json!({ "type": "boolean" })
);

kind!(
    /// Where to listen: an IP address and a port.
    address -> SocketAddr,
    raw => raw.text().and_then(|text| text.parse().ok()).ok_or(Refusal::NotThis),
    value => Value::from(value.to_string()),
    "an IP address and a port, as in \"127.0.0.1:8080\" or \"[::1]:8080\"; port 0 takes a free one",
    json!({ "type": "string", "examples": ["127.0.0.1:8080"] })
);

kind!(
    /// A path in the file system; a relative one starts at the working directory.
    path -> PathBuf,
    raw => raw.text().filter(|text| !text.is_empty()).map(PathBuf::from).ok_or(Refusal::NotThis),
    value => Value::from(value.to_string_lossy().into_owned()),
    "a path",
    json!({ "type": "string", "minLength": 1 })
);

kind!(
    /// A base address over HTTP(S), without credentials, query or fragment.
    url -> Url,
    raw => read_url(raw),
    value => Value::from(value.as_str()),
    "an address that begins with https:// or http://",
    json!({ "type": "string", "format": "uri", "pattern": "^https?://" })
);

fn read_url(raw: Raw<'_>) -> Result<Url, Refusal> {
    let text = raw.text().ok_or(Refusal::NotThis)?;
    let url = Url::parse(text).map_err(|_| match text.contains('@') {
        // There may be a password before it, and the usual message would repeat the value.
        true => Refusal::Because("is not an address that begins with https:// or http://.".into()),
        false => Refusal::NotThis,
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::Because("must not hold a user name or a password; there are settings for them.".into()));
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Refusal::NotThis);
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(Refusal::Because("must end with the path; leave out what begins with ? or #.".into()));
    }
    Ok(url)
}

/// Characters of host names and IP addresses; the same as a pattern for editors.
const HOST: &str = "^[A-Za-z0-9._:-]+$";

kind!(
    /// A host as requests name it: see [`is_host`].
    host -> String,
    raw => raw.text().filter(|text| is_host(text)).map(str::to_owned).ok_or(Refusal::NotThis),
    value => Value::from(value.as_str()),
    HOST_PHRASE,
    json!({ "type": "string", "pattern": HOST })
);

/// What [`is_host`] wants, with its article.
pub const HOST_PHRASE: &str = "a host name or an IP address, without a port";

/// Whether a text is the name or the IP address of a host, an IPv6 address without brackets, and no port.
pub fn is_host(text: &str) -> bool {
    let characters = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte));
    !text.is_empty() && characters(text) && (!text.contains(':') || text.parse::<Ipv6Addr>().is_ok())
}

/// A whole number within bounds.
pub fn number(range: RangeInclusive<u64>) -> impl Kind<Value = u64> {
    Number(range, "a whole number")
}

struct Number(RangeInclusive<u64>, &'static str);

impl Kind for Number {
    type Value = u64;

    fn shape(&self) -> Shape {
        let (least, most) = (self.0.start(), self.0.end());
        let schema = json!({ "type": "integer", "minimum": least, "maximum": most });
        Shape { phrase: format!("{} from {least} to {most}", self.1), schema }
    }

    fn read(&self, raw: Raw<'_>) -> Result<u64, Refusal> {
        let number = raw.integer().and_then(|number| u64::try_from(number).ok());
        number.filter(|number| self.0.contains(number)).ok_or(Refusal::NotThis)
    }

    fn show(&self, value: &u64) -> Value {
        Value::from(i64::try_from(*value).unwrap_or(i64::MAX))
    }
}

/// A time in whole milliseconds; the setting's name ends with `_ms`.
pub fn duration_ms(range: RangeInclusive<u64>) -> impl Kind<Value = Duration> {
    struct Milliseconds(Number);
    impl Kind for Milliseconds {
        type Value = Duration;
        fn shape(&self) -> Shape {
            self.0.shape()
        }
        fn read(&self, raw: Raw<'_>) -> Result<Duration, Refusal> {
            self.0.read(raw).map(Duration::from_millis)
        }
        fn show(&self, value: &Duration) -> Value {
            self.0.show(&u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
        }
    }
    Milliseconds(Number(range, "a whole number of milliseconds"))
}

/// One word of a closed set.
pub fn words<T: Copy + PartialEq + 'static>(words: &'static [(&'static str, T)]) -> impl Kind<Value = T> {
    struct Words<T: 'static>(&'static [(&'static str, T)]);
    impl<T: Copy + PartialEq> Kind for Words<T> {
        type Value = T;
        fn shape(&self) -> Shape {
            let words: Vec<&str> = self.0.iter().map(|&(word, _)| word).collect();
            Shape { phrase: one_of(&words), schema: json!({ "enum": words }) }
        }
        fn read(&self, raw: Raw<'_>) -> Result<T, Refusal> {
            let given = raw.text();
            self.0.iter().find(|&&(word, _)| given == Some(word)).map(|&(_, value)| value).ok_or(Refusal::NotThis)
        }
        fn show(&self, value: &T) -> Value {
            let word = self.0.iter().find(|(_, other)| other == value).map_or("", |&(word, _)| word);
            Value::from(word)
        }
    }
    Words(words)
}

/// `"a"`, `"a" or "b"`, `"a", "b" or "c"`.
pub(super) fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// Text that matches a pattern, which is one both for the crate `regex` and for JSON Schema. `phrase` tells people what
/// that is, with its article.
pub fn text(phrase: &'static str, pattern: &'static str) -> impl Kind<Value = String> {
    struct Text(&'static str, &'static str);
    impl Kind for Text {
        type Value = String;
        fn shape(&self) -> Shape {
            Shape { phrase: self.0.to_owned(), schema: json!({ "type": "string", "pattern": self.1 }) }
        }
        fn read(&self, raw: Raw<'_>) -> Result<String, Refusal> {
            let pattern = Regex::new(self.1).expect("patterns are part of the program, and tests read every setting");
            raw.text().filter(|text| pattern.is_match(text)).map(str::to_owned).ok_or(Refusal::NotThis)
        }
        fn show(&self, value: &String) -> Value {
            Value::from(value.as_str())
        }
    }
    Text(phrase, pattern)
}

/// A list, in the environment separated by commas.
pub fn list<K: Kind>(member: K) -> impl Kind<Value = Vec<K::Value>> {
    struct List<K>(K);
    impl<K: Kind> Kind for List<K> {
        type Value = Vec<K::Value>;
        fn shape(&self) -> Shape {
            let member = self.0.shape();
            let schema = json!({ "type": "array", "items": member.schema });
            Shape { phrase: format!("a list, each member {}", member.phrase), schema }
        }
        fn read(&self, raw: Raw<'_>) -> Result<Vec<K::Value>, Refusal> {
            let (mut values, mut others) = (Vec::new(), Vec::new());
            for member in raw.members().ok_or(Refusal::NotThis)? {
                match self.0.read(member) {
                    Ok(value) => values.push(value),
                    Err(Refusal::NotThis) => others.push(member.shown()),
                    Err(because) => return Err(because),
                }
            }
            let phrase = self.0.shape().phrase;
            match others.as_slice() {
                [] => Ok(values),
                [one] => Err(Refusal::Because(format!("each member must be {phrase}; one is {one}."))),
                all => Err(Refusal::Because(format!("each member must be {phrase}; not so are {}.", all.join(", ")))),
            }
        }
        fn show(&self, value: &Vec<K::Value>) -> Value {
            Value::Array(value.iter().map(|member| self.0.show(member)).collect::<Array>())
        }
    }
    List(member)
}
