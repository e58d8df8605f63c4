//! A server in front of a sandbox that can be told to misbehave on the connection itself. One request on each connection.

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinHandle};
use tokio_rustls::TlsAcceptor;

/// What becomes of a request.
#[derive(Clone, Debug)]
pub(crate) enum Manner {
    /// It is passed on, and so is the answer.
    Polite,
    /// Nobody listens.
    Absent,
    /// The connection is reset before the request is read.
    ResetBefore,
    /// The connection is reset once the request is read.
    ResetAfter,
    /// Nothing is ever said.
    Silent,
    /// These bytes are said, then the connection ends.
    Says(String),
    /// These bytes are said, one every so often.
    Drips(String, Duration),
    /// The head of an answer in pieces, then pieces without end.
    Endless,
}

/// The server.
pub(crate) struct Rude {
    pub address: SocketAddr,
    behind: SocketAddr,
    manner: Arc<Mutex<Manner>>,
    open: Arc<AtomicUsize>,
    accepting: Mutex<JoinHandle<()>>,
    talks: Arc<Mutex<Vec<AbortHandle>>>,
}

impl Rude {
    pub(crate) async fn before(behind: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (manner, open) = (Arc::new(Mutex::new(Manner::Polite)), Arc::new(AtomicUsize::new(0)));
        let talks = Arc::default();
        let mut rude = Rude { address, behind, manner, open, accepting: Mutex::new(tokio::spawn(async {})), talks };
        rude.accepting = Mutex::new(rude.accept(listener));
        rude
    }

    /// From now on. Connections that are open end.
    pub(crate) async fn be(&self, manner: Manner) {
        let absent = matches!(manner, Manner::Absent);
        let was_absent = matches!(std::mem::replace(&mut *self.manner.lock().unwrap(), manner), Manner::Absent);
        self.talks.lock().unwrap().drain(..).for_each(|talk| talk.abort());
        if absent {
            let accepting = std::mem::replace(&mut *self.accepting.lock().unwrap(), tokio::spawn(async {}));
            accepting.abort();
            let _ = accepting.await;
        } else if was_absent {
            let listener = TcpListener::bind(self.address).await.unwrap();
            *self.accepting.lock().unwrap() = self.accept(listener);
        }
    }

    /// Connections that are open now.
    pub(crate) fn open(&self) -> usize {
        self.open.load(SeqCst)
    }

    fn accept(&self, listener: TcpListener) -> JoinHandle<()> {
        let (manner, open, talks, behind) = (self.manner.clone(), self.open.clone(), self.talks.clone(), self.behind);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let manner = manner.lock().unwrap().clone();
                let open = Open::new(open.clone());
                let talk = tokio::spawn(async move {
                    let _open = open;
                    // The other side may leave at any time.
                    let _ = talk(socket, manner, behind).await;
                });
                talks.lock().unwrap().push(talk.abort_handle());
            }
        })
    }
}

struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(count: Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, SeqCst);
        Open(count)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

async fn talk(mut socket: TcpStream, manner: Manner, behind: SocketAddr) -> std::io::Result<()> {
    if matches!(manner, Manner::ResetBefore) {
        return socket.set_zero_linger();
    }
    let head = head_of(&mut socket).await?;
    match manner {
        Manner::Polite => pass_on(head, &mut socket, behind).await?,
        Manner::Says(text) => socket.write_all(text.as_bytes()).await?,
        Manner::Drips(text, pause) => {
            for byte in text.bytes() {
                socket.write_all(&[byte]).await?;
                tokio::time::sleep(pause).await;
            }
        }
        Manner::Endless => {
            socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[").await?;
            loop {
                socket.write_all(&[b' '; 65_536]).await?;
            }
        }
        Manner::ResetAfter => socket.set_zero_linger()?,
        // Until the other side has had enough.
        Manner::Silent => drop(socket.read_to_end(&mut Vec::new()).await),
        Manner::ResetBefore | Manner::Absent => {}
    }
    Ok(())
}

async fn head_of(socket: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if socket.read_buf(&mut head).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(head)
}

async fn pass_on(mut head: Vec<u8>, socket: &mut (impl AsyncWrite + Unpin), behind: SocketAddr) -> std::io::Result<()> {
    let mut behind = TcpStream::connect(behind).await?;
    head.truncate(head.len() - 2);
    head.extend_from_slice(b"Connection: close\r\n\r\n");
    behind.write_all(&head).await?;
    tokio::io::copy(&mut behind, socket).await?;
    Ok(())
}

/// A file of `tests/fixtures/tls`.
pub(crate) fn certificate(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

/// Passes everything on, over TLS with the certificate that `shown` names at that moment.
pub(crate) async fn over_tls(shown: Arc<Mutex<&'static str>>, behind: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let name = *shown.lock().unwrap();
            tokio::spawn(async move {
                let chain = vec![CertificateDer::from_pem_file(certificate(&format!("{name}.pem"))).unwrap()];
                let key = PrivateKeyDer::from_pem_file(certificate(&format!("{name}.key"))).unwrap();
                let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
                let mut socket = TlsAcceptor::from(Arc::new(config)).accept(socket).await?;
                let head = head_of(&mut socket).await?;
                pass_on(head, &mut socket, behind).await?;
                socket.shutdown().await
            });
        }
    });
    address
}
