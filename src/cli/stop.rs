//! Being told to stop: Ctrl-C and SIGTERM alike. The first stops gracefully, the second at once.

use super::failure::{Failure, UNFINISHED};
use crate::telemetry::life;
use std::future::Future;
use std::io;
use tokio::sync::oneshot;

/// Listens for both signals from now on; ready at the first. The second one ends the process.
pub(super) fn asked() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let mut signals =
        Signals::new().map_err(|error| Failure::failed(format!("Signals cannot be received ({error}).")))?;
    let (first, asked) = oneshot::channel();
    tokio::spawn(async move {
        signals.next().await;
        life::stopping();
        // Nobody waits any more when serving has ended by itself.
        let _ = first.send(());
        signals.next().await;
        life::stopped(false);
        std::process::exit(i32::from(UNFINISHED));
    });
    Ok(async move {
        // Fails only when the runtime ends, and with it all that could be stopped.
        let _ = asked.await;
    })
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Signals)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
