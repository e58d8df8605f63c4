//! Every name under which something is logged, in one place: a search or a dashboard relies on them. Dotted, nouns from
//! the glossary, the unit at the end.

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
