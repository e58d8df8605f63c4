//! Pictures of users. A row tells one by its path below the API, which gives it to those who are let in; so the gateway
//! passes it on.

use super::client::{API, Client, PICTURE};
use crate::{
    domain::{Picture, Text},
    source::{Call, Download, SourceError},
    upstream::{
        UpstreamRequest,
        header::{ACCEPT, HeaderValue},
    },
    vendors::common::handed_on,
};

/// Where an icon of a row is.
pub(super) fn picture(icon: Text) -> Picture {
    match icon.starts_with("https://") || icon.starts_with("http://") {
        true => Picture::Public(icon),
        false => Picture::Kept(icon.trim_start_matches('/').into()),
    }
}

/// Starts to fetch a picture by its path below the API.
///
/// # Errors
/// What is no path of a picture does not exist; the server refuses or fails; or it answers something that is no picture.
pub(super) async fn fetch(client: &Client, call: &Call, name: &str) -> Result<Download, SourceError> {
    let operation = PICTURE.operation;
    if !is_path(name) {
        return Err(SourceError::from_status(&client.source, operation, 404, None));
    }
    let request =
        UpstreamRequest::get(operation, format!("{API}/{name}")).header(ACCEPT, HeaderValue::from_static("image/*"));
    let failed = |error| SourceError::from_upstream(&client.source, operation, error);
    let stream = client.upstream.stream(&call.context, request).await.map_err(failed)?;
    if !stream.is_success() {
        let answer = stream.into_response().await.map_err(failed)?;
        return Err(client.refusal(PICTURE, &answer));
    }
    let media_type = stream.content_type().unwrap_or_default().to_ascii_lowercase();
    if !media_type.starts_with("image/") {
        return Err(SourceError::malformed(&client.source, operation, "with something that is no picture"));
    }
    Ok(handed_on(&client.source, operation, stream, media_type, None))
}

/// Whether a text is the path of a user's picture, and of nothing else: rows are the server's, and what they name is asked for
/// with the gateway's credential.
fn is_path(name: &str) -> bool {
    let (path, query) = name.split_once('?').unwrap_or((name, ""));
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
    let parts: Vec<&str> = path.split('/').collect();
    let whole = |part: &&str| !part.is_empty() && part.chars().all(plain) && !part.contains("..") && **part != *".";
    matches!(parts.as_slice(), ["users", _, "avatar"])
        && parts.iter().all(whole)
        && query.chars().all(|c| plain(c) || "=&".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_pictures_are_asked_for() {
        for (name, good) in [
            ("users/5b0f3c52-6d0c-4a94-9d3e-0a6f3f0a1c11/avatar?v=3fa9c1", true),
            ("users/1/avatar", true),
            ("users/../avatar", false),
            ("users/%2e%2e/avatar", false),
            ("users/1/../incidents/avatar", false),
            ("users//avatar", false),
            ("users/1/avatar/..", false),
            ("users/1/avatar#x", false),
            ("users/1/avatar?v=1 HTTP/1.1", false),
            ("incidents", false),
            ("", false),
        ] {
            assert_eq!(is_path(name), good, "{name}");
        }
    }

    #[test]
    fn an_icon_with_an_address_of_its_own_is_anybodys() {
        assert_eq!(picture("https://cdn.example/x.png".into()), Picture::Public("https://cdn.example/x.png".into()));
        assert_eq!(picture("/users/1/avatar".into()), Picture::Kept("users/1/avatar".into()));
    }
}
