//! Faults that a sandbox can be told to show: what they are, how they are written on a command line, which one a
//! request meets. How each looks on the wire is in `wire.rs`.

use std::fmt;
use std::str::FromStr;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// That status with a JSON `{"detail": …}` body; nothing is done. `503`
    Status(u16),
    /// 429 with `Retry-After` in seconds; nothing is done. `429:2`
    RetryAfter429(u64),
    /// That status with an HTML page, as the real server's 500; nothing is done. `html:500`
    HtmlError(u16),
    /// The right answer, ended in the middle of its body by a closed connection. `cut`
    CutBody,
    /// 200, `application/json`, bytes that are not JSON; nothing is done. `garbage`
    Garbage,
    /// 200, `application/json`, no byte; nothing is done. `empty`
    EmptyBody,
    /// The right answer, announced as `text/html`. `content-type`
    WrongContentType,
    /// The right answer, so many milliseconds late. `slow:200`
    SlowMs(u64),
    /// No answer, ever; the connection stays open. `hang`
    Hang,
    /// 401 `Invalid token.`; a token that came from a login is revoked, so that only a new login helps. `expired`
    ExpiredToken,
    /// 302 to a path that does not exist. `redirect`
    Redirect,
    /// The right answer, but the middle item of its `results` (or its only object) has members of the wrong type. `malformed`
    MalformedItem,
    /// The right answer, 128 bytes every 100 ms. `drip`
    SlowDrip,
}

/// One fault: where, what, how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Beginning of the request path, or `*` for every path.
    pub path: String,
    /// What goes wrong.
    pub kind: FaultKind,
    /// How many matching requests meet it; `None`: all.
    pub times: Option<u32>,
}

/// Text: `kind`, `kind@/path`, `kind*times` or `kind@/path*times`; kinds as in [`FaultKind`]. Example: `503@/api/threats/*3`.
///
/// Fails with a sentence that says what is allowed.
impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Fault, String> {
        let (rest, times) = match text.rsplit_once('*') {
            Some((rest, times)) if !times.is_empty() && times.bytes().all(|b| b.is_ascii_digit()) => {
                (rest, Some(times.parse().map_err(|_| format!("'{times}' is too often"))?))
            }
            _ => (text, None),
        };
        let (kind, path) = rest.split_once('@').unwrap_or((rest, "*"));
        if path != "*" && !path.starts_with('/') {
            return Err(format!("the path '{path}' of fault '{text}' must start with / or be *"));
        }
        Ok(Fault { path: path.to_owned(), kind: kind.parse()?, times })
    }
}

impl FromStr for FaultKind {
    type Err = String;

    fn from_str(text: &str) -> Result<FaultKind, String> {
        let (word, number) = text.split_once(':').map_or((text, None), |(word, number)| (word, Some(number)));
        let number = match number.map(str::parse::<u64>) {
            None => None,
            Some(Ok(number)) => Some(number),
            Some(Err(_)) => return Err(format!("'{text}': a number must follow the colon")),
        };
        let status = |code: u64| u16::try_from(code).ok().filter(|code| (400..=599).contains(code));
        let kind = match (word, number) {
            ("429", seconds) => FaultKind::RetryAfter429(seconds.unwrap_or(1)),
            ("html", code) => FaultKind::HtmlError(status(code.unwrap_or(500)).ok_or("html: a status of 400 to 599")?),
            ("cut", None) => FaultKind::CutBody,
            ("garbage", None) => FaultKind::Garbage,
            ("empty", None) => FaultKind::EmptyBody,
            ("content-type", None) => FaultKind::WrongContentType,
            ("slow", ms) => FaultKind::SlowMs(ms.unwrap_or(1_000)),
            ("hang", None) => FaultKind::Hang,
            ("expired", None) => FaultKind::ExpiredToken,
            ("redirect", None) => FaultKind::Redirect,
            ("malformed", None) => FaultKind::MalformedItem,
            ("drip", None) => FaultKind::SlowDrip,
            (code, None) => match code.parse().ok().and_then(status) {
                Some(code) => FaultKind::Status(code),
                None => return Err(unknown(text)),
            },
            _ => return Err(unknown(text)),
        };
        Ok(kind)
    }
}

fn unknown(text: &str) -> String {
    format!(
        "unknown fault '{text}'; known: a status of 400 to 599, 429:SECONDS, html:STATUS, cut, garbage, empty, \
         content-type, slow:MS, hang, expired, redirect, malformed, drip"
    )
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FaultKind::Status(code) => write!(f, "{code}"),
            FaultKind::RetryAfter429(seconds) => write!(f, "429:{seconds}"),
            FaultKind::HtmlError(code) => write!(f, "html:{code}"),
            FaultKind::CutBody => f.write_str("cut"),
            FaultKind::Garbage => f.write_str("garbage"),
            FaultKind::EmptyBody => f.write_str("empty"),
            FaultKind::WrongContentType => f.write_str("content-type"),
            FaultKind::SlowMs(ms) => write!(f, "slow:{ms}"),
            FaultKind::Hang => f.write_str("hang"),
            FaultKind::ExpiredToken => f.write_str("expired"),
            FaultKind::Redirect => f.write_str("redirect"),
            FaultKind::MalformedItem => f.write_str("malformed"),
            FaultKind::SlowDrip => f.write_str("drip"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if self.path != "*" {
            write!(f, "@{}", self.path)?;
        }
        match self.times {
            Some(times) => write!(f, "*{times}"),
            None => Ok(()),
        }
    }
}

/// The first fault that meets a request to `path`; its count goes down by one.
pub(super) fn meet(faults: &mut [Fault], path: &str) -> Option<FaultKind> {
    let fault =
        faults.iter_mut().find(|f| f.times != Some(0) && (f.path == "*" || path.starts_with(f.path.as_str())))?;
    if let Some(times) = &mut fault.times {
        *times -= 1;
    }
    Some(fault.kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_written_and_read_alike() {
        for text in [
            "503",
            "429:7@/api/threats/*3",
            "html:502",
            "cut",
            "garbage",
            "empty@/api/*1",
            "content-type",
            "slow:20",
            "hang@/",
            "expired*2",
            "redirect",
            "malformed",
            "drip",
        ] {
            assert_eq!(text.parse::<Fault>().unwrap().to_string(), text);
        }
        assert_eq!("cut@**2".parse::<Fault>(), "cut*2".parse());
        let short: Fault = "500".parse().unwrap();
        assert_eq!(short, Fault { path: "*".into(), kind: FaultKind::Status(500), times: None });
        assert_eq!("503*2".parse::<Fault>().unwrap().times, Some(2));
    }

    #[test]
    fn a_wrong_word_names_the_allowed_ones() {
        for text in ["", "explode", "200", "slow:x", "cut:3", "503@api", "html:200", "99999"] {
            assert!(text.parse::<Fault>().is_err(), "{text}");
        }
        assert!("explode".parse::<Fault>().unwrap_err().contains("garbage"));
    }

    #[test]
    fn a_fault_is_met_as_often_as_it_says() {
        let mut faults = vec!["503@/api/threats/*2".parse().unwrap(), "500@*".parse().unwrap()];
        let met: Vec<_> = (0..3).map(|_| meet(&mut faults, "/api/threats/")).collect();
        let (first, later) = (Some(FaultKind::Status(503)), Some(FaultKind::Status(500)));
        assert_eq!(met, [first, first, later]);
        assert_eq!(meet(&mut faults, "/api/assets/"), later);
        assert_eq!(meet(&mut [], "/api/"), None);
    }
}
