//! Taking an address to listen on, or saying clearly why not.

use super::failure::Failure;
use crate::settings::{HOST_PHRASE, is_host};
use crate::telemetry::life;
use std::io::ErrorKind;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// `--listen`.
pub(super) fn parse(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "an IP address and a port are needed, as in 127.0.0.1:8080 or [::1]:8080".to_owned())
}

/// `--public-host`, as the setting `public_hosts` takes it.
pub(super) fn parse_host(text: &str) -> Result<String, String> {
    if is_host(text) { Ok(text.to_owned()) } else { Err(format!("{HOST_PHRASE}, is needed")) }
}

/// Listens; the address with the real port.
pub(super) async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let listener = TcpListener::bind(address).await.map_err(|error| refused(address, &error))?;
    let address = listener.local_addr().map_err(|error| refused(address, &error))?;
    Ok((listener, address))
}

fn refused(address: SocketAddr, error: &std::io::Error) -> Failure {
    let advice = "Choose another one with --listen ADDRESS:PORT; port 0 takes a free one.";
    match error.kind() {
        ErrorKind::AddrInUse => Failure::in_use(format!("Cannot listen on {address}: the port is in use. {advice}")),
        ErrorKind::AddrNotAvailable => {
            Failure::failed(format!("Cannot listen on {address}: this machine does not have the address. {advice}"))
        }
        ErrorKind::PermissionDenied => Failure::failed(format!(
            "Cannot listen on {address}: this user may not; ports below 1024 often need more rights. {advice}"
        )),
        _ => Failure::failed(format!("Cannot listen on {address} ({error}). {advice}")),
    }
}

/// Refuses to let strangers in, unless that was asked for; then warns.
pub(super) fn guard(address: SocketAddr, allowed: bool) -> Result<(), Failure> {
    match notice(address) {
        None => Ok(()),
        Some(notice) if allowed => {
            life::warned(notice);
            Ok(())
        }
        Some(_) => Err(Failure::mistake(format!(
            "Will not listen on {address}: callers are not asked who they are yet, so that everybody who reaches this address \
             could read everything. Listen on 127.0.0.1, behind a proxy that asks; or accept it with \
             --allow-unauthenticated-access."
        ))),
    }
}

/// What everybody has to be told about an address that others than this machine can reach.
pub(super) fn notice(address: SocketAddr) -> Option<String> {
    let open = !address.ip().to_canonical().is_loopback();
    open.then(|| {
        format!(
            "listening on {address} without asking callers who they are (--allow-unauthenticated-access): everybody who \
             reaches this address can read everything"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_may_ask_unless_told_otherwise() {
        for (address, local) in [
            ("127.0.0.1:1", true),
            ("127.9.9.9:1", true),
            ("[::1]:1", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("0.0.0.0:1", false),
            ("[::]:1", false),
            ("192.0.2.1:1", false),
            ("[::ffff:192.0.2.1]:1", false),
        ] {
            let address: SocketAddr = address.parse().unwrap();
            assert_eq!(guard(address, false).is_ok(), local, "{address}");
            assert!(guard(address, true).is_ok());
        }
    }
}
