//! What several vendors share: reading records that are partly broken, remembering lists, addresses, plain meanings.
//! Knows no vendor.

mod address;
mod answer;
mod record;
mod remembered;
mod revisions;
mod scalar;

pub(in crate::vendors) use address::{sends_in_clear, shown_url};
pub(in crate::vendors) use answer::{handed_on, told};
pub(in crate::vendors) use record::{Broken, Row, read_record, text};
pub(in crate::vendors) use remembered::Remembered;
pub(in crate::vendors) use revisions::Revisions;
pub(in crate::vendors) use scalar::{Id, Moment, Scalar, is_usual};
