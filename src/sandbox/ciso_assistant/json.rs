//! Compact JSON written straight into bytes, in the order of the calls, non-ASCII unescaped, as the real server writes it.

use crate::sandbox::clock::Micros;
use uuid::Uuid;

/// A JSON text under construction. Every `key` must be followed by one value; every `open` by its `close`.
pub(super) struct Json {
    out: Vec<u8>,
    comma: bool,
}

impl Json {
    pub(super) fn new() -> Json {
        Json { out: Vec::with_capacity(1024), comma: false }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.out
    }

    fn separate(&mut self) {
        if self.comma {
            self.out.push(b',');
        }
        self.comma = true;
    }

    pub(super) fn open(&mut self, bracket: u8) -> &mut Json {
        self.separate();
        self.out.push(bracket);
        self.comma = false;
        self
    }

    pub(super) fn close(&mut self, bracket: u8) -> &mut Json {
        self.out.push(bracket);
        self.comma = true;
        self
    }

    pub(super) fn key(&mut self, key: &str) -> &mut Json {
        self.string(key);
        self.out.push(b':');
        self.comma = false;
        self
    }

    pub(super) fn string(&mut self, text: &str) -> &mut Json {
        self.separate();
        serde_json::to_writer(&mut self.out, text).expect("writing text into memory cannot fail");
        self
    }

    /// Text that needs no escape: numbers, words of JSON, digits.
    pub(super) fn raw(&mut self, text: &str) -> &mut Json {
        self.separate();
        self.out.extend_from_slice(text.as_bytes());
        self
    }

    pub(super) fn null(&mut self) -> &mut Json {
        self.raw("null")
    }

    pub(super) fn bool(&mut self, value: bool) -> &mut Json {
        self.raw(if value { "true" } else { "false" })
    }

    pub(super) fn int(&mut self, value: i64) -> &mut Json {
        self.raw(&value.to_string())
    }

    pub(super) fn text(&mut self, text: Option<&str>) -> &mut Json {
        match text {
            Some(text) => self.string(text),
            None => self.null(),
        }
    }

    pub(super) fn uuid(&mut self, id: Uuid) -> &mut Json {
        self.separate();
        let mut buffer = [0; uuid::fmt::Hyphenated::LENGTH];
        self.out.push(b'"');
        self.out.extend_from_slice(id.hyphenated().encode_lower(&mut buffer).as_bytes());
        self.out.push(b'"');
        self
    }

    pub(super) fn time(&mut self, time: Micros) -> &mut Json {
        self.separate();
        self.out.push(b'"');
        self.out.extend_from_slice(rfc3339(time).as_bytes());
        self.out.push(b'"');
        self
    }

    pub(super) fn maybe_time(&mut self, time: Option<Micros>) -> &mut Json {
        match time {
            Some(time) => self.time(time),
            None => self.null(),
        }
    }

    /// Empty arrays for members that the simulation never fills.
    pub(super) fn empty_lists(&mut self, keys: &[&str]) -> &mut Json {
        for key in keys {
            self.key(key).raw("[]");
        }
        self
    }

    /// Nulls for members that the simulation never fills.
    pub(super) fn nulls(&mut self, keys: &[&str]) -> &mut Json {
        for key in keys {
            self.key(key).null();
        }
        self
    }
}

/// `2026-04-02T08:15:00Z`, or `…00.000001Z` when there is a fraction: always six digits then.
pub(super) fn rfc3339(time: Micros) -> String {
    let fraction = time.rem_euclid(1_000_000);
    let mut text = seconds(time, 'T');
    if fraction != 0 {
        text.push_str(&format!(".{fraction:06}"));
    }
    text.push('Z');
    text
}

/// `2026-04-02 08:15:00` with any letter between date and time; UTC.
pub(super) fn seconds(time: Micros, between: char) -> String {
    let (day, second) = (time.div_euclid(86_400_000_000), time.rem_euclid(86_400_000_000) / 1_000_000);
    let (year, month, day) = civil(day);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}{between}{hour:02}:{minute:02}:{second:02}")
}

/// Year, month and day of a number of days since 1970-01-01 (Gregorian; eras of 400 years start on 1 March).
pub(super) fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (month, shift) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + shift, month, day - (153 * ((month + 9) % 12) + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_stand_between_values_only() {
        let mut json = Json::new();
        json.open(b'{')
            .key("a")
            .open(b'[')
            .int(1)
            .int(2)
            .open(b'{')
            .close(b'}')
            .close(b']')
            .key("b")
            .null()
            .close(b'}');
        assert_eq!(String::from_utf8(json.finish()).unwrap(), r#"{"a":[1,2,{}],"b":null}"#);
    }

    #[test]
    fn times_are_written_as_chrono_writes_them() {
        for time in
            [0, 1, -1, 951_782_400_000_000, 1_795_160_856_389_365, -62_135_596_800_000_000, 253_402_300_799_999_999]
        {
            let expected = chrono::DateTime::from_timestamp_micros(time).unwrap();
            let style = if time.rem_euclid(1_000_000) == 0 { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%.6fZ" };
            assert_eq!(rfc3339(time), expected.format(style).to_string());
        }
        assert_eq!(seconds(1_795_160_856_389_365, ' '), "2026-11-20 07:47:36");
    }
}
