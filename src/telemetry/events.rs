//! One function for each thing worth telling. Each takes plain values, so that a caller cannot hand over a header, a token
//! or a whole answer by mistake. Logged and counted together, so that both always agree.

use super::names::{
    CALL_TIME, CALLS, CIRCUIT, CIRCUIT_REFUSALS, MALFORMED, QUOTA_REFUSALS, QUOTA_WAITS, REMEMBERED, REPEATS, SHARED,
    SNAPSHOT_BYTES, SNAPSHOTS, TOKENS, UNKNOWN_WORDS,
};
use super::names::{
    DURATION_MS, ERROR_CAUSE, ERROR_KIND, ITEM_ID, ITEM_KIND, REQUEST_ID, SOURCE_ID, VENDOR_BODY, VENDOR_OPERATION,
    VENDOR_STATUS,
};
use std::collections::BTreeSet;
use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Longest piece of a vendor's answer that is written to the log, in characters.
pub const VENDOR_WORDS_MAX_CHARS: usize = 2_000;

/// Longest description of a malformed item, in characters: a decoder may quote the item itself.
const PROBLEM_MAX_CHARS: usize = 300;

/// One HTTP call to a vendor.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// Name of the source.
    pub source: &'a str,
    /// What was asked, in our words.
    pub operation: &'a str,
    /// Id of the request that caused it.
    pub request_id: &'a str,
}

/// A vendor answered, with whatever status.
pub fn call_finished(call: Call<'_>, status: u16, duration: Duration) {
    let class = ["1xx", "2xx", "3xx", "4xx", "5xx"].get(usize::from(status / 100).wrapping_sub(1)).unwrap_or(&"none");
    CALLS.add(&[call.source, call.operation, class]);
    CALL_TIME.observe(&[call.source], duration);
    tracing::debug!(
        { SOURCE_ID } = call.source,
        { VENDOR_OPERATION } = call.operation,
        { VENDOR_STATUS } = status,
        { DURATION_MS } = milliseconds(duration),
        { REQUEST_ID } = call.request_id,
        "{} answered {} with {status}",
        call.source,
        call.operation
    );
}

/// A call brought no usable answer. `kind` is our word; the causes behind it are for the log only.
pub fn call_failed(call: Call<'_>, kind: &str, cause: Option<&(dyn Error + 'static)>, duration: Duration) {
    CALLS.add(&[call.source, call.operation, kind]);
    CALL_TIME.observe(&[call.source], duration);
    tracing::warn!(
        { SOURCE_ID } = call.source,
        { VENDOR_OPERATION } = call.operation,
        { ERROR_KIND } = kind,
        { ERROR_CAUSE } = causes(cause).as_str(),
        { DURATION_MS } = milliseconds(duration),
        { REQUEST_ID } = call.request_id,
        "{} did not answer {}: {kind}",
        call.source,
        call.operation
    );
}

/// What a vendor said when it refused, at `warn`: whoever was shown the request's id should find this line by default.
/// Not for answers to a login: they may repeat the password.
pub fn vendor_refused(call: Call<'_>, status: u16, body: &[u8]) {
    let words = head(body, VENDOR_WORDS_MAX_CHARS);
    tracing::warn!(
        { SOURCE_ID } = call.source,
        { VENDOR_OPERATION } = call.operation,
        { VENDOR_STATUS } = status,
        { VENDOR_BODY } = words.as_str(),
        { REQUEST_ID } = call.request_id,
        "{} refused {} with {status}",
        call.source,
        call.operation
    );
}

/// A source gave a new token.
pub fn credential_renewed(source: &str, request_id: &str) {
    TOKENS.add(&[source, "renewed"]);
    tracing::info!({ SOURCE_ID } = source, { REQUEST_ID } = request_id, "{source} gave a new token");
}

/// A source gave no token. `kind` is our word.
pub fn credential_failed(source: &str, kind: &str, request_id: &str) {
    TOKENS.add(&[source, kind]);
    tracing::warn!(
        { SOURCE_ID } = source,
        { ERROR_KIND } = kind,
        { REQUEST_ID } = request_id,
        "{source} gave no token: {kind}"
    );
}

/// One item of a vendor's answer could not be read and was left out, or that part of it which could not. `id` is its native id if that could be read;
/// `problem` says where and why.
pub fn malformed_item(call: Call<'_>, kind: &str, id: Option<&str>, problem: &str) {
    MALFORMED.add(&[call.source, kind]);
    tracing::warn!(
        { SOURCE_ID } = call.source,
        { VENDOR_OPERATION } = call.operation,
        { ITEM_KIND } = kind,
        { ITEM_ID } = id.unwrap_or_default(),
        { ERROR_CAUSE } = head(problem.as_bytes(), PROBLEM_MAX_CHARS).as_str(),
        { REQUEST_ID } = call.request_id,
        "{} sent an unreadable {kind}; what is broken was left out",
        call.source
    );
}

/// A vendor used a word of a closed set that we do not know; the item is shown with the word as it is. `place` names the
/// member and the word. Counted each time, logged once for each word of a source, as every page may have it again.
pub fn unknown_word(call: Call<'_>, kind: &str, place: &str) {
    UNKNOWN_WORDS.add(&[call.source, kind]);
    let place = head(place.as_bytes(), PROBLEM_MAX_CHARS);
    if !is_news(format!("{} {kind} {place}", call.source)) {
        return;
    }
    tracing::info!(
        { SOURCE_ID } = call.source,
        { VENDOR_OPERATION } = call.operation,
        { ITEM_KIND } = kind,
        { ERROR_CAUSE } = place.as_str(),
        { REQUEST_ID } = call.request_id,
        "{} used a word that the gateway does not know ({kind}); it is passed on as it is",
        call.source
    );
}

/// Most words that are remembered as told; beyond them only the count tells more.
const TOLD_MAX: usize = 1_000;

fn is_news(word: String) -> bool {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    told.len() < TOLD_MAX && told.insert(word)
}

/// A vendor printed times without a zone in hours that its clock shows twice (the first was taken) or not at all (read by
/// the clock before).
pub fn uncertain_times(call: Call<'_>, twice: u32, never: u32) {
    tracing::info!(
        { SOURCE_ID } = call.source,
        { VENDOR_OPERATION } = call.operation,
        { REQUEST_ID } = call.request_id,
        "{} printed {twice} times in an hour that occurs twice, and {never} in one that does not occur",
        call.source
    );
}

/// A call that failed is made again after a pause.
pub fn call_repeated(source: &str, operation: &str, request_id: &str, pause: Duration) {
    REPEATS.add(&[source, operation]);
    tracing::info!(
        { SOURCE_ID } = source,
        { VENDOR_OPERATION } = operation,
        { DURATION_MS } = milliseconds(pause),
        { REQUEST_ID } = request_id,
        "{operation} is tried again at {source}"
    );
}

/// A request was answered by a call that another one made.
pub fn call_shared(source: &str, operation: &str) {
    SHARED.add(&[source, operation]);
    tracing::debug!({ SOURCE_ID } = source, { VENDOR_OPERATION } = operation, "{operation} at {source} was shared");
}

/// A request was answered from memory. `freshness` is our word.
pub fn answer_remembered(source: &str, operation: &str, freshness: &str) {
    REMEMBERED.add(&[source, operation, freshness]);
    tracing::debug!(
        { SOURCE_ID } = source,
        { VENDOR_OPERATION } = operation,
        "{operation} at {source} was remembered ({freshness})"
    );
}

/// A source is left in peace, tried again, or asked as ever. `state` is our word.
pub fn circuit_changed(source: &str, state: &str) {
    let number = ["closed", "half_open", "open"].iter().position(|word| *word == state).unwrap_or_default();
    CIRCUIT.set(&[source], number as f64);
    tracing::warn!({ SOURCE_ID } = source, "the circuit of {source} is {state} now");
}

/// A call was not made because its source is left in peace.
pub fn circuit_refused(source: &str, operation: &str) {
    CIRCUIT_REFUSALS.add(&[source, operation]);
    tracing::debug!({ SOURCE_ID } = source, { VENDOR_OPERATION } = operation, "{source} is left in peace");
}

/// A call waited for a quota.
pub fn quota_waited(source: &str, operation: &str, duration: Duration) {
    QUOTA_WAITS.observe(&[source], duration);
    tracing::debug!(
        { SOURCE_ID } = source,
        { VENDOR_OPERATION } = operation,
        { DURATION_MS } = milliseconds(duration),
        "{operation} waited for the quota of {source}"
    );
}

/// A call was not made because the quota has no room before its deadline.
pub fn quota_refused(source: &str, operation: &str) {
    QUOTA_REFUSALS.add(&[source, operation]);
    tracing::info!(
        { SOURCE_ID } = source,
        { VENDOR_OPERATION } = operation,
        "the quota of {source} has no room for {operation} in time"
    );
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn head(text: &[u8], max_chars: usize) -> String {
    // No character is longer than four bytes, so that a huge body is not decoded for its beginning.
    let text = &text[..text.len().min(max_chars * 4)];
    String::from_utf8_lossy(text).chars().take(max_chars).collect()
}

fn causes(mut cause: Option<&(dyn Error + 'static)>) -> String {
    let mut text = String::new();
    while let Some(error) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// A read was answered from a snapshot. `outcome` is our word.
pub fn snapshot_used(source: &str, outcome: &str) {
    SNAPSHOTS.add(&[source, outcome]);
    tracing::debug!({ SOURCE_ID } = source, "a snapshot of {source} was used ({outcome})");
}

/// All snapshots together take another amount of memory now.
pub fn snapshots_resized(bytes: usize) {
    SNAPSHOT_BYTES.set(&[], bytes as f64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::capture::Lines;
    use crate::telemetry::{LogFormat, LogLevel, LogOptions};

    const CALL: Call<'static> = Call { source: "ciso", operation: "list_incidents", request_id: "r-7" };

    fn told(level: LogLevel, tell: impl Fn()) -> Vec<serde_json::Value> {
        let (lines, _guard) = Lines::start(LogOptions { format: LogFormat::Json, level, color: false });
        tell();
        lines.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn vendor_words_are_cut_to_their_head() {
        let lines = told(LogLevel::Debug, || vendor_refused(CALL, 400, "é".repeat(5_000).as_bytes()));
        assert_eq!(lines[0]["vendor.body"].as_str().unwrap().chars().count(), VENDOR_WORDS_MAX_CHARS);
        assert_eq!(lines[0]["vendor.status"], 400);
    }

    #[test]
    fn every_refusal_is_found_by_the_id_of_its_request() {
        let lines = told(LogLevel::Info, || {
            vendor_refused(CALL, 404, b"{}");
            vendor_refused(CALL, 500, b"<html>");
        });
        let told: Vec<_> =
            lines.iter().map(|line| (&line["level"], &line["vendor.body"], &line["request.id"])).collect();
        let (level, id) = (&"WARN".into(), &"r-7".into());
        assert_eq!(told, [(level, &"{}".into(), id), (level, &"<html>".into(), id)]);
    }

    #[test]
    fn an_unknown_word_is_told_once_for_each_source() {
        let other = Call { source: "other", ..CALL };
        let lines = told(LogLevel::Info, || {
            for call in [CALL, CALL, other, CALL] {
                unknown_word(call, "incident", "status: \"paused\"");
            }
            unknown_word(CALL, "incident", "status: \"gone\"");
        });
        let told: Vec<_> =
            lines.iter().map(|line| (line["source.id"].as_str(), line["error.cause"].as_str())).collect();
        let (paused, gone) = (Some("status: \"paused\""), Some("status: \"gone\""));
        assert_eq!(told, [(Some("ciso"), paused), (Some("other"), paused), (Some("ciso"), gone)]);
        assert_eq!(lines[0]["level"], "INFO");
    }

    #[test]
    fn a_failure_names_every_cause_once() {
        let cause = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "reset by peer");
        let lines = told(LogLevel::Info, || call_failed(CALL, "cut", Some(&cause), Duration::from_millis(1_500)));
        assert_eq!(lines[0]["error.cause"], "reset by peer");
        assert_eq!(lines[0]["duration_ms"], 1_500);
        assert_eq!(lines[0]["message"], "ciso did not answer list_incidents: cut");
    }

    #[test]
    fn a_line_break_in_vendor_words_does_not_make_a_line() {
        let options = LogOptions { format: LogFormat::Text, level: LogLevel::Debug, color: false };
        let (lines, _guard) = Lines::start(options);
        vendor_refused(CALL, 400, b"first\nINFO forged \x1b[31m");
        assert_eq!(lines.text().lines().count(), 1, "{}", lines.text());
        assert!(!lines.text().contains('\u{1b}'));
    }

    #[test]
    fn a_malformed_item_is_told_with_kind_and_id() {
        let lines = told(LogLevel::Info, || malformed_item(CALL, "incident", Some("i-1"), "name: missing"));
        assert_eq!(lines[0]["item.kind"], "incident");
        assert_eq!(lines[0]["item.id"], "i-1");
        assert_eq!(lines[0]["error.cause"], "name: missing");
    }
}
