//! What the gateway tells about itself: log lines, and counters at `/metrics`. Knows nothing of incidents or HTTP; whoever has
//! something to tell calls one function of [`events`], and every name stands in `names`.

pub mod events;
pub mod life;
pub mod metrics;
mod names;

use std::fmt;
use std::str::FromStr;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::SetGlobalDefaultError;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::{Registry, fmt as lines};

/// How log lines look.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LogFormat {
    /// One readable line each.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// The least important line that is still written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LogLevel {
    /// Somebody must act.
    Error,
    /// We recovered, but it should not stay so.
    Warn,
    /// Life cycle.
    #[default]
    Info,
    /// A few lines per request.
    Debug,
    /// Everything.
    Trace,
}

/// A word that names no [`LogLevel`] or [`LogFormat`]; it says which words there are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownWord {
    allowed: &'static str,
}

impl fmt::Display for UnknownWord {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "allowed: {}", self.allowed)
    }
}

impl std::error::Error for UnknownWord {}

impl FromStr for LogLevel {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        match word {
            "error" => Ok(LogLevel::Error),
            "warn" => Ok(LogLevel::Warn),
            "info" => Ok(LogLevel::Info),
            "debug" => Ok(LogLevel::Debug),
            "trace" => Ok(LogLevel::Trace),
            _ => Err(UnknownWord { allowed: "error, warn, info, debug, trace" }),
        }
    }
}

impl FromStr for LogFormat {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        match word {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err(UnknownWord { allowed: "text, json" }),
        }
    }
}

/// How to log. The environment (`NO_COLOR`, a terminal or not) is read by the caller.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogOptions {
    pub format: LogFormat,
    pub level: LogLevel,
    /// Colours in text lines; without meaning for JSON.
    pub color: bool,
}

/// Starts logging to standard error for the whole process. Fails when it was started before; the first one stays.
pub fn start(options: LogOptions) -> Result<(), SetGlobalDefaultError> {
    tracing::subscriber::set_global_default(subscriber(options, std::io::stderr))
}

fn subscriber<W>(options: LogOptions, writer: W) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = lines::layer().with_writer(writer).with_ansi(options.color).with_target(false);
    let layer: Box<dyn Layer<Registry> + Send + Sync> = match options.format {
        LogFormat::Text => Box::new(layer.with_filter(filter(options.level))),
        LogFormat::Json => {
            let layer = layer.json().flatten_event(true).with_current_span(false).with_span_list(false);
            Box::new(layer.with_filter(filter(options.level)))
        }
    };
    tracing_subscriber::registry().with(layer)
}

/// Libraries stay at `info` at most: what they would print below that (headers, addresses) is not ours to vouch for.
fn filter(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    Targets::new().with_default(level.min(LevelFilter::INFO)).with_target(env!("CARGO_CRATE_NAME"), level)
}

#[cfg(test)]
pub(crate) mod capture {
    //! Reads back what was logged, for tests of this folder and of those that log.

    use super::*;
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    /// Everything written so far.
    #[derive(Clone, Default)]
    pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Lines {
        /// Logs of this thread go here until the guard is dropped.
        pub(crate) fn start(options: LogOptions) -> (Self, tracing::subscriber::DefaultGuard) {
            let lines = Lines::default();
            let writer = lines.clone();
            let guard = tracing::subscriber::set_default(subscriber(options, move || writer.clone()));
            (lines, guard)
        }

        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::capture::Lines;
    use super::*;

    fn logged(format: LogFormat, level: LogLevel, tell: impl Fn()) -> String {
        let (lines, _guard) = Lines::start(LogOptions { format, level, color: false });
        tell();
        lines.text()
    }

    #[test]
    fn text_and_json_carry_the_same_fields() {
        let tell = || events::credential_renewed("ciso", "r-1");
        let text = logged(LogFormat::Text, LogLevel::Info, tell);
        assert!(text.contains("source.id=\"ciso\"") && text.contains("request.id=\"r-1\""), "{text}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
        let json: serde_json::Value = serde_json::from_str(&logged(LogFormat::Json, LogLevel::Info, tell)).unwrap();
        assert_eq!(json["source.id"], "ciso");
        assert_eq!(json["request.id"], "r-1");
        assert_eq!(json["level"], "INFO");
    }

    #[test]
    fn a_level_hides_what_is_less_important() {
        let tell = || events::credential_renewed("ciso", "r-1");
        assert_eq!(logged(LogFormat::Text, LogLevel::Warn, tell), "");
    }

    #[test]
    fn libraries_are_silent_below_info() {
        let tell = || {
            tracing::debug!(target: "hyper", "a header");
            tracing::info!(target: "hyper", "a life sign");
        };
        let text = logged(LogFormat::Text, LogLevel::Trace, tell);
        assert!(!text.contains("a header") && text.contains("a life sign"), "{text}");
    }

    #[test]
    fn words_are_read_and_others_refused_with_the_list() {
        assert_eq!("debug".parse(), Ok(LogLevel::Debug));
        assert_eq!("json".parse(), Ok(LogFormat::Json));
        assert_eq!("loud".parse::<LogLevel>().unwrap_err().to_string(), "allowed: error, warn, info, debug, trace");
    }
}
