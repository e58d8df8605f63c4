//! The simulated incident system, in a process of its own: connections are kept open, and the parent may ask how many calls
//! came and set how long an answer takes.

use crate::Result;
use incident_gateway::sandbox::{Sandbox, SandboxOptions};
use std::io::{BufRead, stdin};
use std::time::Duration;
use tokio::net::TcpListener;

/// Serves until standard input ends. The first line out is address and token; then one line out for each line in:
/// `calls` is answered by their number, `latency <microseconds>` by `0`.
pub(crate) fn run() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let sandbox =
        Sandbox::new(SandboxOptions { seed: 1, incidents: 500, keep_alive: true, ..SandboxOptions::default() });
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    println!("http://{} {}", listener.local_addr()?, sandbox.token());
    let served = sandbox.clone();
    runtime.spawn(async move { served.serve(listener, std::future::pending()).await });
    for line in stdin().lock().lines() {
        let line = line?;
        match line.split_once(' ') {
            Some(("latency", micros)) => {
                sandbox.set_latency(Duration::from_micros(micros.parse()?));
                println!("0");
            }
            _ => println!("{}", sandbox.call_count()),
        }
    }
    Ok(())
}
