//! Every name under which something is logged or counted, in one place: a search or a dashboard relies on them. Nouns from
//! the glossary, the unit at the end; dotted in the log, as Prometheus wants them in `/metrics`.

use super::metrics::Family;

/// Name of the configured source, as in the configuration.
pub(crate) const SOURCE_ID: &str = "source.id";
/// What was asked of the vendor, in our words (`list_incidents`); a closed set for each vendor.
pub(crate) const VENDOR_OPERATION: &str = "vendor.operation";
/// HTTP status that the vendor gave.
pub(crate) const VENDOR_STATUS: &str = "vendor.status";
/// The vendor's own words, cut. Nowhere but in the log.
pub(crate) const VENDOR_BODY: &str = "vendor.body";
/// Kind of the record that could not be read (`incident`, `asset`, ...).
pub(crate) const ITEM_KIND: &str = "item.kind";
/// Native id of that record, empty when it had none.
pub(crate) const ITEM_ID: &str = "item.id";
/// Id of the request to the gateway, as given to the client in its answer.
pub(crate) const REQUEST_ID: &str = "request.id";
/// Milliseconds from sending to the last byte read (to the head, for a download).
pub(crate) const DURATION_MS: &str = "duration_ms";
/// Our own word for what went wrong, from a closed set.
pub(crate) const ERROR_KIND: &str = "error.kind";
/// The causes, outermost first, joined by `: `.
pub(crate) const ERROR_CAUSE: &str = "error.cause";
/// Method of a request to the gateway.
pub(crate) const HTTP_METHOD: &str = "http.method";
/// Route of a request to the gateway, never its path: a path may hold a token.
pub(crate) const HTTP_ROUTE: &str = "http.route";
/// HTTP status that the gateway gave.
pub(crate) const HTTP_STATUS: &str = "http.status";

/// Requests to the gateway.
pub(super) static REQUESTS: Family = Family::counter(
    "incident_gateway_requests_total",
    &["route", "status"],
    "Requests to the gateway that were answered, by route and HTTP status.",
);
/// Their time.
pub(super) static REQUEST_TIME: Family = Family::histogram(
    "incident_gateway_request_duration_seconds",
    &["route"],
    "Time from a request to the head of its answer.",
);
/// Errors told to clients.
pub(super) static ERRORS: Family = Family::counter(
    "incident_gateway_errors_total",
    &["code"],
    "GraphQL errors in answers, by their code (`docs/ERRORS.md`). What failed of a list stands in its reports and is counted with the calls.",
);
/// Calls to sources.
pub(super) static CALLS: Family = Family::counter(
    "incident_gateway_source_calls_total",
    &["source", "operation", "outcome"],
    "HTTP calls to sources, each attempt: `2xx` to `5xx` by status, or what kept the answer away (`timeout`, `connect`, …).",
);
/// Their time.
pub(super) static CALL_TIME: Family = Family::histogram(
    "incident_gateway_source_call_duration_seconds",
    &["source"],
    "Time from sending to the last byte; for a download, to the head.",
);
/// Repetitions.
pub(super) static REPEATS: Family = Family::counter(
    "incident_gateway_source_repeats_total",
    &["source", "operation"],
    "Calls that were made again after a failure.",
);
/// Calls saved by sharing.
pub(super) static SHARED: Family = Family::counter(
    "incident_gateway_source_shared_total",
    &["source", "operation"],
    "Reads answered by a call that another request made at the same time.",
);
/// Answers from memory.
pub(super) static REMEMBERED: Family = Family::counter(
    "incident_gateway_source_remembered_total",
    &["source", "operation", "freshness"],
    "Reads answered from memory: `fresh`, `ageing` (renewed meanwhile), or `stale` (the source is not there).",
);
/// State of the circuit.
pub(super) static CIRCUIT: Family = Family::gauge(
    "incident_gateway_source_circuit",
    &["source"],
    "Whether calls go through: 0 closed, 1 half open, 2 open. Absent until it changes for the first time.",
);
/// Calls that the circuit refused.
pub(super) static CIRCUIT_REFUSALS: Family = Family::counter(
    "incident_gateway_source_circuit_refusals_total",
    &["source", "operation"],
    "Calls that were not made because the circuit was open.",
);
/// Waits for a quota.
pub(super) static QUOTA_WAITS: Family = Family::histogram(
    "incident_gateway_source_quota_wait_seconds",
    &["source"],
    "Time that calls waited for the source's quota; those that need not wait are not counted.",
);
/// Calls without room in the quota.
pub(super) static QUOTA_REFUSALS: Family = Family::counter(
    "incident_gateway_source_quota_refusals_total",
    &["source", "operation"],
    "Calls that were not made because the quota had no room before their deadline.",
);
/// Tokens.
pub(super) static TOKENS: Family = Family::counter(
    "incident_gateway_source_tokens_total",
    &["source", "outcome"],
    "Tokens fetched: `renewed`, or why there was none.",
);
/// Unreadable records.
pub(super) static MALFORMED: Family = Family::counter(
    "incident_gateway_source_malformed_total",
    &["source", "kind"],
    "Records of a source that could not be read, wholly or in part, and answers of another shape.",
);
/// Unknown words.
pub(super) static UNKNOWN_WORDS: Family = Family::counter(
    "incident_gateway_source_unknown_words_total",
    &["source", "kind"],
    "Words outside of the documented set, shown as `OTHER` or `UNKNOWN` with the source's own word.",
);

/// Uses of snapshots.
pub(super) static SNAPSHOTS: Family = Family::counter(
    "incident_gateway_snapshots_total",
    &["source", "outcome"],
    "Reads answered from a snapshot of a source that cannot sort or filter itself: `kept` (no row was read for it), `read` (to the source's end), `partial` (there is more), `short` (no room was left, and a short page was read for this request alone), `refused` (no room in time).",
);
/// Memory of all snapshots.
pub(super) static SNAPSHOT_BYTES: Family = Family::gauge(
    "incident_gateway_snapshot_bytes",
    &[],
    "Memory of all snapshots and of rows on their way into them, as estimated for the bound `limits.snapshot_bytes`, which it never exceeds.",
);

/// All of them, in the order of the documentation.
pub(super) static FAMILIES: [&Family; 17] = [
    &REQUESTS,
    &REQUEST_TIME,
    &ERRORS,
    &CALLS,
    &CALL_TIME,
    &REPEATS,
    &SHARED,
    &REMEMBERED,
    &CIRCUIT,
    &CIRCUIT_REFUSALS,
    &QUOTA_WAITS,
    &QUOTA_REFUSALS,
    &TOKENS,
    &MALFORMED,
    &UNKNOWN_WORDS,
    &SNAPSHOTS,
    &SNAPSHOT_BYTES,
];
