//! The floor: what a gateway costs that does nothing but to make the calls and to hand on their bytes. Server, client,
//! allocator and threads are those of the gateway that is measured here.

use crate::child::{Child, Usage};
use crate::record::Recorded;
use crate::{FLOOR, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::ListenerExt;
use futures_util::future::try_join_all;
use futures_util::stream::TryStreamExt;
use incident_gateway::upstream::{Policy, ReqwestTransport, Transport};
use std::io::{BufRead, stdin};
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::process::Command;

struct Plan {
    transport: ReqwestTransport,
    waves: Vec<Vec<Recorded>>,
}

/// Serves until standard input ends. Line in: the calls as JSON, wave by wave. Line out: host and port.
pub(crate) fn run() -> Result<()> {
    let mut lines = stdin().lock().lines();
    let waves = serde_json::from_str(&lines.next().ok_or("no calls were told")??)?;
    let plan = Plan { transport: ReqwestTransport::new(&Policy::default())?, waves };
    let runtime = tokio::runtime::Runtime::new()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    println!("{}", listener.local_addr()?);
    let router = Router::new().route("/graphql", post(forward)).with_state(Arc::new(plan));
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    runtime.spawn(async move { axum::serve(listener, router).await });
    lines.for_each(drop);
    Ok(())
}

impl Plan {
    async fn call(&self, call: &Recorded) -> Result<Vec<Bytes>> {
        let answer = self.transport.send(call.request()?).await?;
        if answer.status != call.status {
            return Err(format!("{} answered {} instead of {}", call.url, answer.status, call.status).into());
        }
        Ok(answer.body.try_collect().await?)
    }

    async fn answer(&self) -> Result<Vec<u8>> {
        let mut pieces = Vec::new();
        for wave in &self.waves {
            pieces.extend(try_join_all(wave.iter().map(|call| self.call(call))).await?);
        }
        Ok(pieces.concat().concat())
    }
}

async fn forward(State(plan): State<Arc<Plan>>, _request: Bytes) -> Response {
    match plan.answer().await {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => {
            eprintln!("The floor failed: {error}");
            (StatusCode::BAD_GATEWAY, error.to_string()).into_response()
        }
    }
}

/// The process, from outside.
pub(crate) struct Floor {
    child: Child,
    /// Host and port.
    pub(crate) address: String,
}

impl Floor {
    pub(crate) async fn start(waves: &[Vec<Recorded>]) -> Result<Self> {
        let mut child = Child::start(Command::new(std::env::current_exe()?).arg(FLOOR))?;
        child.say(&serde_json::to_string(waves)?).await?;
        let address = child.hear().await?;
        Ok(Floor { child, address })
    }

    /// What it used until now.
    pub(crate) fn usage(&self) -> Result<Usage> {
        self.child.usage()
    }
}
