//! What every simulated vendor gives: answers to requests, what a gateway must be configured with, how it refuses.

use crate::sandbox::clock::Clock;
use crate::sandbox::wire::{Reply, Request};
use crate::sandbox::{Login, Release};

/// The server of one vendor.
pub(super) trait Simulation: Send + Sync {
    /// The answer to one request.
    fn answer(&self, request: &Request, clock: &Clock) -> Reply;

    /// Ends the credential that a request carries, if it is one that ends.
    fn expire_token(&self, request: &Request);

    /// The vendor's own body for a refusal or failure with that status.
    fn refusal(&self, status: u16) -> Reply;

    /// What a gateway has to be configured with, by the name of its setting.
    fn secrets(&self) -> Vec<(&'static str, String)>;

    /// Where the rows of a list answer stand, as a JSON pointer.
    fn rows(&self) -> &'static str;

    /// Everybody who may call, where there are several.
    fn logins(&self) -> Vec<Login> {
        Vec::new()
    }

    /// Another release from the next request on, where several are simulated.
    fn set_release(&self, _release: Release) {}

    /// Whether connections stay open after an answer.
    fn keeps_alive(&self) -> bool {
        true
    }
}
