//! JSON text under construction.

/// The buffer that rendering fills: compact JSON.
#[derive(Default)]
pub(crate) struct Json(String);

impl Json {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Json(String::with_capacity(bytes))
    }

    /// Text that is JSON already.
    pub(crate) fn raw(&mut self, json: &str) {
        self.0.push_str(json);
    }

    /// A string value, escaped.
    pub(crate) fn text(&mut self, text: &str) {
        self.0.push('"');
        // Most texts need no escape; what does is left to serde_json, without its quotes.
        if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
            self.0.push_str(text);
        } else {
            let escaped = serde_json::to_string(text).expect("text is always JSON");
            self.0.push_str(&escaped[1..escaped.len() - 1]);
        }
        self.0.push('"');
    }

    /// A string value of which the writer knows that nothing needs an escape.
    pub(crate) fn plain(&mut self, write: impl FnOnce(&mut String)) {
        self.0.push('"');
        write(&mut self.0);
        self.0.push('"');
    }

    pub(crate) fn integer(&mut self, value: i64) {
        self.0.push_str(itoa::Buffer::new().format(value));
    }

    /// A number; what JSON cannot say (NaN, infinities) becomes null.
    pub(crate) fn float(&mut self, value: f64) {
        match serde_json::Number::from_f64(value) {
            Some(number) => self.0.push_str(&number.to_string()),
            None => self.raw("null"),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes back all after the first `length` bytes.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.0.truncate(length);
    }

    /// Writes again what stands in `range`.
    pub(crate) fn repeat(&mut self, range: std::ops::Range<usize>) {
        self.0.extend_from_within(range);
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn texts_are_written_as_serde_writes_them(text in any::<String>()) {
            let mut json = Json::default();
            json.text(&text);
            prop_assert_eq!(json.0, serde_json::to_string(&text).unwrap());
        }

        #[test]
        fn floats_survive(value in any::<f64>()) {
            let mut json = Json::default();
            json.float(value);
            prop_assert_eq!(json.0.parse::<f64>().ok(), value.is_finite().then_some(value), "{}", json.0);
        }
    }
}
