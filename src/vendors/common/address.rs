//! Addresses of sources as configured.

use url::Url;

/// The address as anybody may see it: without user, password, query and fragment.
pub(in crate::vendors) fn shown_url(url: &Url) -> String {
    let mut url = url.clone();
    // Both fail only for addresses without a host, which hold no credentials either.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// Whether a credential would cross a network in clear text.
pub(in crate::vendors) fn sends_in_clear(base: &Url) -> bool {
    let loopback = match base.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    };
    base.scheme() == "http" && !loopback
}
