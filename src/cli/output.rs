//! What is written to the terminal. A reader who leaves (`| head -1`) is no failure and ends nothing.

use super::failure::Failure;
use std::io::{self, ErrorKind, Write};

/// Writes a text to standard output. Fails when it cannot be written, unless nobody reads it any more.
pub(super) fn say(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::failed(format!("Standard output cannot be written ({error})."))),
    }
}

/// Writes a message to standard error, with a line end.
pub(super) fn complain(message: &str) {
    // Where standard error is gone there is no one left to tell; the exit code remains.
    let _ = writeln!(io::stderr().lock(), "{}", message.trim_end());
}
