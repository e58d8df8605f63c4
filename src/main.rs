//! Starts the command line; no logic.

#![forbid(unsafe_code)]

use std::process::ExitCode;

/// Answers are many small allocations on many threads, which this allocator serves faster than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    incident_gateway::cli::run()
}
