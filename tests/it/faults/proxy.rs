//! A faulty TCP proxy: passes bytes both ways, knows nothing of HTTP, and misbehaves at random, on connections that are kept open
//! as well. What befalls a connection follows from the seed and from how many came before it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::sleep;

/// What befalls a connection, after so many bytes from the server.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// Reset at once.
    Refused,
    /// Accepted, and then nothing.
    Silence,
    /// What the client sends gets through; then both sides are reset.
    Deaf,
    Reset(usize),
    /// Ended as if all had been said.
    Closed(usize),
    /// Nothing comes any more, and the connection stays.
    Stuck(usize),
    /// Every byte from there on is another.
    Garbled(usize),
    /// Every so many bytes, a pause.
    Slow(usize, Duration),
    /// Everything comes so late.
    Late(Duration),
}

/// Numbers that follow from a seed (splitmix64).
fn number(seed: u64, place: u64) -> u64 {
    let mut z = seed.wrapping_add(place.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Fate {
    fn drawn(seed: u64, connection: u64) -> Self {
        let draw = |nth: u64, below: u64| number(seed, connection * 8 + nth) % below;
        // Within a head, within a body, or some answers later.
        let bytes = [200, 2_000, 40_000][draw(0, 3) as usize];
        let (after, pause) = (draw(1, bytes) as usize, Duration::from_millis(draw(2, 400)));
        match draw(3, 9) {
            0 => Fate::Refused,
            1 => Fate::Silence,
            2 => Fate::Deaf,
            3 => Fate::Reset(after),
            4 => Fate::Closed(after),
            5 => Fate::Stuck(after),
            6 => Fate::Garbled(after),
            7 => Fate::Slow(1 + after / 4, pause / 10),
            _ => Fate::Late(pause),
        }
    }
}

/// The proxy before one server.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
    accepting: AbortHandle,
}

struct Shared {
    behind: SocketAddr,
    seed: u64,
    /// Of a hundred connections, so many meet a fate.
    percent: AtomicU64,
    connections: AtomicU64,
    befallen: AtomicUsize,
    talks: Mutex<Vec<AbortHandle>>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.close();
    }
}

impl Proxy {
    /// Well until it is told otherwise.
    pub(super) async fn before(behind: SocketAddr, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            behind,
            seed,
            percent: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            befallen: AtomicUsize::new(0),
            talks: Mutex::default(),
        });
        let all = shared.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let fate = all.fate();
                let behind = all.behind;
                // Either side may leave at any time.
                let talk = tokio::spawn(async move { drop(talk(client, behind, fate).await) });
                all.talks.lock().unwrap().push(talk.abort_handle());
            }
        });
        Proxy { address, shared, accepting: accepting.abort_handle() }
    }

    /// From now on; connections that are open end.
    pub(super) fn misbehave(&self, percent: u64) {
        self.shared.percent.store(percent, SeqCst);
        self.close();
    }

    /// How many connections met a fate.
    pub(super) fn befallen(&self) -> usize {
        self.shared.befallen.load(SeqCst)
    }

    /// How many are open now.
    pub(super) fn open(&self) -> usize {
        self.shared.talks.lock().unwrap().iter().filter(|talk| !talk.is_finished()).count()
    }

    fn close(&self) {
        self.shared.talks.lock().unwrap().drain(..).for_each(|talk| talk.abort());
    }
}

impl Shared {
    fn fate(&self) -> Option<Fate> {
        let connection = self.connections.fetch_add(1, SeqCst);
        let meets = number(self.seed, connection * 8 + 7) % 100 < self.percent.load(SeqCst);
        meets.then(|| {
            self.befallen.fetch_add(1, SeqCst);
            Fate::drawn(self.seed, connection)
        })
    }
}

async fn talk(mut client: TcpStream, behind: SocketAddr, fate: Option<Fate>) -> std::io::Result<()> {
    match fate {
        Some(Fate::Refused) => return client.set_zero_linger(),
        Some(Fate::Silence) => return client.read_to_end(&mut Vec::new()).await.map(drop),
        _ => {}
    }
    let mut server = TcpStream::connect(behind).await?;
    if let Some(Fate::Deaf) = fate {
        let mut request = vec![0; 16_384];
        let length = client.read(&mut request).await?;
        server.write_all(&request[..length]).await?;
        server.readable().await?;
        return client.set_zero_linger();
    }
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let ended = tokio::select! {
        ended = copy(&mut from_client, &mut to_server) => ended.map(|_| End::Closed),
        ended = answers(&mut from_server, &mut to_client, fate) => ended,
    };
    if let End::Reset = ended? {
        client.set_zero_linger()?;
    }
    Ok(())
}

enum End {
    Closed,
    Reset,
}

/// Passes on what the server says, until its fate has come.
async fn answers(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
    fate: Option<Fate>,
) -> std::io::Result<End> {
    let (mut piece, mut passed) = (vec![0; 16_384], 0);
    loop {
        let length = from.read(&mut piece).await?;
        if length == 0 {
            return Ok(End::Closed);
        }
        let piece = &mut piece[..length];
        // How much of it comes before what befalls the connection.
        let well = |after: usize| after.saturating_sub(passed).min(length);
        let whole = |after: usize| passed + length <= after;
        match fate {
            Some(Fate::Reset(after) | Fate::Closed(after) | Fate::Stuck(after)) if !whole(after) => {
                to.write_all(&piece[..well(after)]).await?;
                return match fate {
                    Some(Fate::Reset(_)) => Ok(End::Reset),
                    Some(Fate::Stuck(_)) => std::future::pending().await,
                    _ => Ok(End::Closed),
                };
            }
            Some(Fate::Garbled(after)) => {
                // No byte of text stays one, so that nothing false can be taken for true.
                piece[well(after)..].iter_mut().for_each(|byte| *byte |= 0x80);
                to.write_all(piece).await?;
            }
            Some(Fate::Slow(bytes, pause)) => {
                for part in piece.chunks(bytes) {
                    to.write_all(part).await?;
                    sleep(pause).await;
                }
            }
            Some(Fate::Late(pause)) => {
                sleep(pause).await;
                to.write_all(piece).await?;
            }
            _ => to.write_all(piece).await?,
        }
        passed += length;
    }
}
