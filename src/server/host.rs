//! Which host a request may name. A page of any site can have its own name point at loopback and then ask the gateway as if
//! it were that site (DNS rebinding); what the browser cannot hide is the name.

use super::ServerState;
use super::answer::Problem;
use super::identify::RequestId;
use crate::graphql::ErrorCode;
use axum::extract::{Extension, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use std::net::{IpAddr, Ipv6Addr};

/// Lets requests pass that name a host of ours.
pub(super) async fn check(
    State(state): State<ServerState>,
    Extension(id): Extension<RequestId>,
    request: Request,
    next: Next,
) -> Response {
    match refusal(&request, &state.options.public_hosts) {
        None => next.run(request).await,
        Some(problem) => problem.response(&id),
    }
}

fn refusal(request: &Request, public: &[String]) -> Option<Problem> {
    let mut named = request.headers().get_all(header::HOST).iter();
    // Without exception, also for HTTP/1.0: whoever reads two hosts reads the wrong one.
    let (Some(host), None) = (named.next(), named.next()) else {
        return Some(Problem::bad_request("The request must have the header Host, exactly once."));
    };
    // A target in absolute form goes before the header, but neither may be foreign.
    let target = request.uri().authority().map(|authority| authority.as_str());
    let ours = |authority: &str| is_ours(authority, public);
    if host.to_str().is_ok_and(ours) && target.is_none_or(ours) {
        return None;
    }
    let message = "The gateway does not answer for the host that the request names: only for this machine's own names, as \
                   localhost, and for those in the setting public_hosts.";
    Some(Problem::new(StatusCode::MISDIRECTED_REQUEST, message).with_code(ErrorCode::Forbidden))
}

/// Whether `authority` (a host, perhaps with a port, which may be any) is loopback or one of `public`.
fn is_ours(authority: &str, public: &[String]) -> bool {
    let Some(host) = without_port(authority) else { return false };
    let address: Option<IpAddr> = host.parse().ok();
    if address.is_some_and(|address| address.to_canonical().is_loopback()) {
        return true;
    }
    // A name may end with the dot of the root.
    let host = host.strip_suffix('.').unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || public.iter().any(|name| match address {
            Some(address) => name.parse().is_ok_and(|own: IpAddr| own.to_canonical() == address.to_canonical()),
            None => name.strip_suffix('.').unwrap_or(name).eq_ignore_ascii_case(host),
        })
}

/// The host of an authority, an IPv6 address without its brackets. None where it is not written as one.
fn without_port(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            host.parse::<Ipv6Addr>().ok()?;
            (host, rest)
        }
        None => authority.find(':').map_or((authority, ""), |at| authority.split_at(at)),
    };
    match port.strip_prefix(':') {
        None => port.is_empty().then_some(host),
        Some(port) => port.bytes().all(|byte| byte.is_ascii_digit()).then_some(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_the_public_hosts_are_ours() {
        let public = ["Gateway.Example".to_owned(), "192.0.2.7".to_owned(), "2001:db8::7".to_owned()];
        for (authority, ours) in [
            ("localhost", true),
            ("LocalHost:8080", true),
            ("localhost.", true),
            ("localhost:", true),
            ("127.0.0.1", true),
            ("127.9.8.7:1", true),
            ("[::1]", true),
            ("[::1]:8080", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("gateway.example", true),
            ("gateway.example.:443", true),
            ("192.0.2.7:8080", true),
            ("[2001:DB8::7]:1", true),
            ("", false),
            (":8080", false),
            (".", false),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("evil.example:localhost", false),
            ("localhost:80:80", false),
            ("localhost:8o", false),
            ("evil@localhost", false),
            ("localhost@evil.example", false),
            ("localhost/evil", false),
            ("127.0.0.1.evil.example", false),
            ("127.1", false),
            ("0177.0.0.1", false),
            ("2130706433", false),
            ("0.0.0.0", false),
            ("[::]", false),
            ("::1", false),
            ("[::1", false),
            ("[localhost]", false),
            ("[::1]x", false),
            ("192.0.2.8", false),
            ("xgateway.example", false),
        ] {
            assert_eq!(is_ours(authority, &public), ours, "{authority:?}");
        }
    }
}
