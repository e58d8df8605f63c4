//! Whom the gateway trusts and how it is trusted, over loopback. `tests/fixtures/tls/make.sh` makes the certificates.

use super::*;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::path::PathBuf;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

/// Serves 200 over TLS with a certificate; who comes must show one too, if so asked. Gives its port.
async fn serve(name: &str, demands_certificate: bool) -> u16 {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificates = [CertificateDer::from_pem_file(fixture(&format!("{name}.pem"))).unwrap()];
    let key = PrivateKeyDer::from_pem_file(fixture(&format!("{name}.key"))).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(fixture("ca.pem")).unwrap()).unwrap();
    let config = match demands_certificate {
        true => {
            let verifier = WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
            ServerConfig::builder().with_client_cert_verifier(verifier)
        }
        false => ServerConfig::builder().with_no_client_auth(),
    };
    let acceptor = TlsAcceptor::from(Arc::new(config.with_single_cert(certificates.into(), key).unwrap()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut socket) = acceptor.accept(socket).await else { return };
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") && socket.read_buf(&mut head).await.is_ok_and(|bytes| bytes > 0) {}
                let _ = socket.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await;
                let _ = socket.shutdown().await;
            });
        }
    });
    port
}

async fn ask(port: u16, network: Network) -> Result<u16, UpstreamErrorKind> {
    let policy = Policy { network, ..Policy::default() };
    let transport = Arc::new(ReqwestTransport::new(&policy).unwrap());
    let base = format!("https://127.0.0.1:{port}/").parse().unwrap();
    let options = UpstreamOptions { name: "a".into(), base, policy, transport, credential: static_token() };
    let answer = Upstream::new(options).send(&context(), list()).await;
    answer.map(|answer| answer.status).map_err(|error| error.kind())
}

fn trusting(client: Option<&str>) -> Network {
    Network { ca_file: Some(fixture("ca.pem")), client_certificate: client.map(fixture), proxy: None }
}

#[tokio::test]
async fn an_authority_of_ones_own_is_trusted_where_it_is_configured_and_nowhere_else() {
    let port = serve("server", false).await;
    assert_eq!(ask(port, trusting(None)).await, Ok(204));
    assert_eq!(ask(port, Network::default()).await, Err(UpstreamErrorKind::Tls));
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_even_from_a_trusted_authority() {
    let port = serve("elsewhere", false).await;
    assert_eq!(ask(port, trusting(None)).await, Err(UpstreamErrorKind::Tls));
}

#[tokio::test]
async fn the_gateway_shows_its_own_certificate() {
    let port = serve("server", true).await;
    assert_eq!(ask(port, trusting(Some("client.pem"))).await, Ok(204));
    assert!(ask(port, trusting(None)).await.is_err());
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_named_at_the_start() {
    let none = fixture("nothing.pem");
    let script = fixture("make.sh");
    for (network, told) in [
        (Network { ca_file: Some(none.clone()), ..Network::default() }, "cannot be read"),
        (Network { ca_file: Some(script.clone()), ..Network::default() }, "holds no PEM certificates"),
        (Network { client_certificate: Some(none), ..Network::default() }, "cannot be read"),
        (Network { client_certificate: Some(script), ..Network::default() }, "with its private key"),
        (Network { client_certificate: Some(fixture("ca.pem")), ..Network::default() }, "with its private key"),
    ] {
        let policy = Policy { network, ..Policy::default() };
        let error = ReqwestTransport::new(&policy).err().unwrap().to_string();
        assert!(error.contains("fixtures/tls/") && error.contains(told), "{error}");
    }
}

#[tokio::test]
async fn a_proxy_is_used_where_it_is_configured() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let seen = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && socket.read_buf(&mut head).await.unwrap() > 0 {}
        socket.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        String::from_utf8(head).unwrap()
    });
    let policy = Policy { network: Network { proxy: Some(proxy), ..Network::default() }, ..Policy::default() };
    let transport = Arc::new(ReqwestTransport::new(&policy).unwrap());
    // A name that nobody has: only the proxy is asked.
    let base = "http://vendor.test/".parse().unwrap();
    let options = UpstreamOptions { name: "a".into(), base, policy, transport, credential: static_token() };
    assert_eq!(Upstream::new(options).send(&context(), list()).await.unwrap().status, 204);
    assert!(seen.await.unwrap().starts_with("GET http://vendor.test/api/incidents/ HTTP/1.1\r\n"));
}
