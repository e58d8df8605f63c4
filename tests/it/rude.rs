//! A server in front of a sandbox that can be told to misbehave on the connection itself. One request on each connection.

use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// What becomes of a request.
#[derive(Clone, Debug)]
pub(crate) enum Manner {
    /// It is passed on, and so is the answer.
    Polite,
    /// Nobody listens: connections are refused.
    Absent,
    /// A black hole: attempts to connect are neither accepted nor refused.
    Unconnected,
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
    /// The request is passed on and done; the connection is reset instead of the answer.
    Loses,
    /// Over TLS, it shows this certificate of `tests/fixtures/tls` instead of its own.
    Shows(&'static str),
    /// So towards requests whose path begins with this, polite to others.
    At(&'static str, Box<Manner>),
    /// So towards so many requests, then polite.
    Times(Arc<AtomicUsize>, Box<Manner>),
}

impl Manner {
    /// So towards the first `count` requests only.
    pub(crate) fn times(self, count: usize) -> Self {
        Manner::Times(Arc::new(AtomicUsize::new(count)), Box::new(self))
    }

    /// So towards requests whose path begins with `path` only.
    pub(crate) fn at(self, path: &'static str) -> Self {
        Manner::At(path, Box::new(self))
    }

    /// How it shows towards this request.
    fn towards(self, request: &[u8]) -> Self {
        let path = request.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        match self {
            Manner::At(start, manner) if path.starts_with(start.as_bytes()) => manner.towards(request),
            Manner::Times(left, manner) if left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok() => {
                manner.towards(request)
            }
            Manner::At(..) | Manner::Times(..) => Manner::Polite,
            manner => manner,
        }
    }
}

/// The server.
pub(crate) struct Rude {
    pub address: SocketAddr,
    behind: SocketAddr,
    /// The certificate that it shows when it is polite; without one it speaks in clear.
    certificate: Option<&'static str>,
    manner: Arc<Mutex<Manner>>,
    open: Arc<AtomicUsize>,
    accepting: Mutex<JoinHandle<()>>,
    talks: Arc<Mutex<Vec<AbortHandle>>>,
}

impl Rude {
    pub(crate) async fn before(behind: SocketAddr) -> Self {
        Self::with(behind, None).await
    }

    /// The same over TLS, with the certificate `server` of `tests/fixtures/tls`. Knows [`Manner::Polite`] and
    /// [`Manner::Shows`].
    pub(crate) async fn over_tls(behind: SocketAddr) -> Self {
        Self::with(behind, Some("server")).await
    }

    async fn with(behind: SocketAddr, certificate: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (manner, open) = (Arc::new(Mutex::new(Manner::Polite)), Arc::new(AtomicUsize::new(0)));
        let talks = Arc::default();
        let mut rude =
            Rude { address, behind, certificate, manner, open, accepting: Mutex::new(tokio::spawn(async {})), talks };
        rude.accepting = Mutex::new(rude.accept(listener));
        rude
    }

    /// From now on. Connections that are open end.
    pub(crate) async fn be(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner.clone();
        self.talks.lock().unwrap().drain(..).for_each(|talk| talk.abort());
        let accepting = std::mem::replace(&mut *self.accepting.lock().unwrap(), tokio::spawn(async {}));
        accepting.abort();
        let _ = accepting.await;
        let next = match manner {
            Manner::Absent => return,
            Manner::Unconnected => tokio::spawn(black_hole(self.address).await),
            _ => self.accept(TcpListener::bind(self.address).await.unwrap()),
        };
        *self.accepting.lock().unwrap() = next;
    }

    /// Connections that are open now.
    pub(crate) fn open(&self) -> usize {
        self.open.load(SeqCst)
    }

    fn accept(&self, listener: TcpListener) -> JoinHandle<()> {
        let (manner, open, talks, behind) = (self.manner.clone(), self.open.clone(), self.talks.clone(), self.behind);
        let certificate = self.certificate;
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let manner = manner.lock().unwrap().clone();
                let open = Open::new(open.clone());
                let talk = tokio::spawn(async move {
                    let _open = open;
                    // The other side may leave at any time.
                    let _ = match (certificate, manner) {
                        (None, manner) => talk(socket, manner, behind).await,
                        (Some(_), Manner::Shows(other)) => talk_over_tls(socket, other, behind).await,
                        (Some(own), _) => talk_over_tls(socket, own, behind).await,
                    };
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

/// Fills the queue of those who want to connect, of a socket that never accepts: who comes after it hears nothing. Gives what
/// has to be awaited meanwhile.
async fn black_hole(address: SocketAddr) -> impl Future<Output = ()> {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    let listener = socket.listen(0).unwrap();
    let mut waiting = Vec::new();
    while let Ok(connected) = timeout(Duration::from_millis(100), TcpStream::connect(address)).await {
        waiting.push(connected.unwrap());
    }
    async move {
        let _held = (listener, waiting);
        std::future::pending::<()>().await;
    }
}

async fn talk(mut socket: TcpStream, manner: Manner, behind: SocketAddr) -> std::io::Result<()> {
    if matches!(manner, Manner::ResetBefore) {
        return socket.set_zero_linger();
    }
    let request = request_of(&mut socket).await?;
    match manner.towards(&request) {
        Manner::Polite => pass_on(request, &mut socket, behind).await?,
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
        Manner::Loses => {
            pass_on(request, &mut Vec::new(), behind).await?;
            socket.set_zero_linger()?;
        }
        Manner::ResetBefore | Manner::ResetAfter => socket.set_zero_linger()?,
        // Until the other side has had enough.
        Manner::Silent => drop(socket.read_to_end(&mut Vec::new()).await),
        Manner::Absent | Manner::Unconnected | Manner::Shows(_) | Manner::At(..) | Manner::Times(..) => {}
    }
    Ok(())
}

async fn talk_over_tls(socket: TcpStream, name: &str, behind: SocketAddr) -> std::io::Result<()> {
    let mut socket = encrypted(socket, name).await?;
    let request = request_of(&mut socket).await?;
    pass_on(request, &mut socket, behind).await?;
    socket.shutdown().await
}

/// A head, and as much of a body as it announces.
async fn request_of(socket: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Vec<u8>> {
    let mut request = Vec::new();
    let mut missing = None;
    while missing != Some(0) {
        if socket.read_buf(&mut request).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let end = request.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
        missing = end.map(|end| (end + announced(&request[..end])).saturating_sub(request.len()));
    }
    Ok(request)
}

/// The length of the body behind a head.
fn announced(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    length.map_or(0, |length| length.trim().parse().unwrap())
}

/// Sends a request to `behind` and its whole answer to `socket`.
async fn pass_on(request: Vec<u8>, socket: &mut (impl AsyncWrite + Unpin), behind: SocketAddr) -> std::io::Result<()> {
    let mut behind = TcpStream::connect(behind).await?;
    let line = request.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    behind.write_all(&[&request[..line], b"Connection: close\r\n", &request[line..]].concat()).await?;
    tokio::io::copy(&mut behind, socket).await?;
    Ok(())
}

/// A file of `tests/fixtures/tls`.
pub(crate) fn certificate(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

/// The other half of a connection over TLS, with this certificate.
async fn encrypted(socket: TcpStream, name: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let chain = vec![CertificateDer::from_pem_file(certificate(&format!("{name}.pem"))).unwrap()];
    let key = PrivateKeyDer::from_pem_file(certificate(&format!("{name}.key"))).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    TlsAcceptor::from(Arc::new(config)).accept(socket).await
}
