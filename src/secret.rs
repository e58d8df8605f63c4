//! A text that must not be shown. It cannot be printed or serialized by accident: there is one way out, [`Secret::expose`],
//! so that a search for it finds every place that handles a password or a token.

use std::fmt;

/// A password, a token or a key. `Debug` shows asterisks; `Display` and `Serialize` do not exist on purpose.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The text itself. Whoever calls this answers for where it goes: a header marked as sensitive or a request body,
    /// never a log line or an error.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Secret(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The length is hidden as well: it tells a short password from a long one.
        out.write_str("Secret(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_shows_itself() {
        let secret = Secret::from("hunter2".to_owned());
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "Secret(***) Some(Secret(***))");
        assert_eq!(secret.expose(), "hunter2");
    }
}
