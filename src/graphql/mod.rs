//! The public shape: one schema, answered by plan.
//!
//! Read in this order: `entity/incident.rs` (one line for each GraphQL field), `object` (what such a line is), `plan` →
//! `load` → `render` (the three steps), `answer` (how the three hang on a root field), `query` (the root fields),
//! `gate` (what happens before). Nothing here names a vendor.

mod answer;
mod batch;
mod cost;
mod download;
mod entity;
mod enums;
mod error;
mod faults;
mod gate;
mod input;
mod json;
mod leaf;
mod load;
mod need;
mod object;
mod places;
mod plan;
mod query;
mod records;
mod render;
mod scalar;
mod session;
mod store;

pub use error::{ErrorCode, errors_document};
pub use gate::QueryLimits;

use crate::{
    federation::{Federation, FederationError},
    source::{self, Call},
    telemetry::life,
};
use answer::{size_hint, write_value};
use async_graphql::{
    EmptyMutation, EmptySubscription, SDLExportOptions, Schema, ServerError, ValidationMode,
    parser::types::OperationType,
};
use download::Downloads;
use error::Fault;
use gate::Gate;
use json::Json;
use load::Loaders;
use places::Places;
use query::Query;
use serde_json::{Map, Value};
use session::Session;
use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// What the API needs beside its federation.
pub struct ApiOptions {
    /// Signs the addresses of downloads.
    pub download_key: [u8; 32],
    /// Where clients reach the gateway, as `http://127.0.0.1:8080`.
    pub base_url: String,
    /// What one document may ask for.
    pub limits: QueryLimits,
}

/// A GraphQL request as a client sends it.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub query: String,
    pub operation_name: Option<String>,
    pub variables: Map<String, Value>,
    /// Only queries may run: the client used a method that must not change anything.
    pub queries_only: bool,
}

/// A GraphQL answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// JSON.
    pub body: String,
    /// Whether execution began: then the answer has `data`, which may be null.
    pub executed: bool,
    /// The request was refused because only queries may run.
    pub not_a_query: bool,
}

/// Why a download is not served.
#[derive(Clone, Debug)]
pub struct DownloadRefused {
    pub code: ErrorCode,
    /// For clients.
    pub message: Cow<'static, str>,
}

/// The GraphQL API over a federation.
pub struct Api {
    schema: Schema<Query, EmptyMutation, EmptySubscription>,
    gate: Gate,
    sdl: String,
    federation: Arc<Federation>,
    downloads: Arc<Downloads>,
    places: Places,
}

impl Api {
    pub fn new(federation: Arc<Federation>, options: ApiOptions) -> Self {
        let schema = schema();
        let sdl = print(&schema);
        let places = Places::new(options.download_key);
        let downloads = Arc::new(Downloads::new(options.download_key, options.base_url));
        Api { gate: Gate::new(&sdl, options.limits), schema, sdl, federation, downloads, places }
    }

    /// The schema in GraphQL's own language.
    pub fn sdl(&self) -> &str {
        &self.sdl
    }

    /// Answers a request. `call` says who asks and until when.
    pub async fn execute(&self, request: Request, call: &Call) -> Response {
        let request_id = call.context.request_id.clone();
        let Request { query, operation_name, variables, queries_only } = request;
        let admitted = match self.gate.admit(&query, operation_name.as_deref(), variables) {
            Ok(admitted) => admitted,
            Err(errors) => return refused(errors, &request_id),
        };
        if queries_only && admitted.operation != OperationType::Query {
            let error = ServerError::new("This method takes queries only; send the operation by POST.", None);
            return Response { not_a_query: true, ..refused(vec![error], &request_id) };
        }
        let session = Arc::new(Session {
            call: call.clone(),
            federation: self.federation.clone(),
            downloads: self.downloads.clone(),
            places: self.places.clone(),
            loaders: Loaders::default(),
            errors_left_out: AtomicUsize::new(0),
        });
        let mut response = self.schema.execute(admitted.request.data(session.clone())).await;
        faults::sort(&mut response.errors, &admitted.keys);
        faults::limit(&mut response.errors, session.errors_left_out.load(Ordering::Relaxed));
        let mut json = Json::with_capacity(size_hint(&response.data) + 128);
        json.raw("{\"data\":");
        write_value(&response.data, &mut json);
        if !response.errors.is_empty() {
            json.raw(",\"errors\":");
            write_errors(response.errors, &request_id, &mut json);
        }
        json.raw("}");
        Response { body: json.into_text(), executed: true, not_a_query: false }
    }

    /// The file behind an address that an answer gave, as a stream from its source.
    ///
    /// # Errors
    /// The address was not made by this gateway for this caller, or has ended; or the source fails.
    pub async fn download(&self, token: &str, call: &Call) -> Result<source::Download, DownloadRefused> {
        let offer = self.downloads.offer(token, &call.caller.scope, call.now).map_err(DownloadRefused::from)?;
        let download = self.federation.download(call, &offer.source, &offer.request).await;
        download.map_err(|error: FederationError| DownloadRefused::from(Fault::from(error)))
    }
}

impl From<Fault> for DownloadRefused {
    fn from(fault: Fault) -> Self {
        DownloadRefused { code: fault.code, message: fault.message }
    }
}

/// The schema in GraphQL's own language, without any source.
pub fn sdl() -> String {
    print(&schema())
}

fn print(schema: &Schema<Query, EmptyMutation, EmptySubscription>) -> String {
    schema.sdl_with_options(SDLExportOptions::new().include_specified_by().prefer_single_line_descriptions())
}

/// What must hold for any text of a document, before it is parsed: the body of a fuzz target.
pub(crate) fn fuzz_document(text: &str) {
    gate::check_scan(text);
}

/// The engine's own checks are reduced to `Fast`: the gate has checked the document, and changed it. Its limit of depth
/// counts fragments as levels; the gate's limits stand before it.
fn schema() -> Schema<Query, EmptyMutation, EmptySubscription> {
    Schema::build(Query, EmptyMutation, EmptySubscription)
        .validation_mode(ValidationMode::Fast)
        .limit_recursive_depth(usize::MAX)
        .finish()
}

fn refused(errors: Vec<ServerError>, request_id: &str) -> Response {
    let mut json = Json::with_capacity(256);
    json.raw("{\"errors\":");
    write_errors(errors, request_id, &mut json);
    json.raw("}");
    Response { body: json.into_text(), executed: false, not_a_query: false }
}

/// Every error has a code and the request's id.
fn write_errors(errors: Vec<ServerError>, request_id: &str, json: &mut Json) {
    let complete = |mut error: ServerError| {
        let mut extensions = error.extensions.take().unwrap_or_default();
        if extensions.get("code").is_none() {
            use crate::domain::Vocabulary;
            extensions.set("code", ErrorCode::BadUserInput.name());
        }
        if let Some(async_graphql::Value::String(code)) = extensions.get("code") {
            life::error_told(code);
        }
        extensions.set("requestId", request_id);
        error.extensions = Some(extensions);
        error
    };
    let errors: Vec<ServerError> = errors.into_iter().map(complete).collect();
    json.raw(&serde_json::to_string(&errors).expect("errors are JSON"));
}
