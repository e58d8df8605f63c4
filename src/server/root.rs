//! `/`: leads a browser to GraphiQL, and tells who does not follow what there is.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

const PAGE: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Incident Gateway</title>
<h1>Incident Gateway</h1>
<ul>
<li><a href="/graphiql"><code>/graphiql</code></a>: ask in the browser</li>
<li><code>/graphql</code>: send queries here, by POST as JSON (<code>{"query": "…", "variables": {…}}</code>) or by GET;
<a href="/graphql?query=%7B%20sources%20%7B%20name%20%7D%20%7D">an example</a></li>
<li><a href="/schema.graphql"><code>/schema.graphql</code></a>: what can be asked</li>
<li><a href="/health/live"><code>/health/live</code></a>, <a href="/health/ready"><code>/health/ready</code></a>: how the
gateway is</li>
<li><a href="/metrics"><code>/metrics</code></a>: what it counted, for Prometheus</li>
</ul>
</html>
"#;

pub(super) async fn page() -> Response {
    let policy =
        HeaderValue::from_static("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    // Relative, so that it holds below any path of a proxy.
    let to = HeaderValue::from_static("graphiql");
    let headers = [(header::CONTENT_SECURITY_POLICY, policy), (header::LOCATION, to)];
    (StatusCode::TEMPORARY_REDIRECT, headers, Html(PAGE)).into_response()
}
