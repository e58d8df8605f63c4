//! What one request has of the copies: every question of one list over many sources is asked through the same visit.
//!
//! Who finds no room waits for some, at most until half of his time is over, in turn with all others. What comes first helps
//! him: room as for everybody, or one of the few places, with which he reads a short page of each source to himself. A place is of
//! the request and not of one source: else two requests that need two places each could wait for each other.

use super::{
    copy::Copy,
    reader::{Asking, View},
    room::{Charge, Place, SHORT_PAGE, TYPICAL_ROW},
    shelf::{Admitted, Snapshots},
};
use crate::{
    federation::seek::LIST,
    source::{SourceError, SourceErrorKind},
    telemetry::events,
};
use std::sync::Arc;
use tokio::time::{Instant, timeout_at};

/// One request among the copies.
pub(in crate::federation) struct Visit<'a> {
    shelf: &'a Snapshots,
    /// Once it was needed. Locked while it is waited for: the request's other sources wait for the same one.
    place: tokio::sync::Mutex<Option<Arc<Place>>>,
}

impl<'a> Visit<'a> {
    pub(in crate::federation) fn new(shelf: &'a Snapshots) -> Self {
        Visit { shelf, place: tokio::sync::Mutex::default() }
    }

    /// Whether there is a copy for a question that was read to the source's end and is young enough.
    pub(in crate::federation) fn keeps(&self, asking: &Asking<'_>) -> bool {
        self.shelf.keeps(asking)
    }

    /// Reads on until `enough` is there, all is, or the bound is met: of rows, of memory, of the source's quota, of half the
    /// time that is left. The other half is for what comes after.
    ///
    /// # Errors
    /// The source failed, or there was no room for even one row of it. Late or out of quota is no failure where something was
    /// read before.
    pub(in crate::federation) async fn read(
        &self,
        asking: Asking<'_>,
        enough: impl Fn(&Copy) -> bool + Send + Sync,
    ) -> Result<View, SourceError> {
        let patience = asking.call.context.halfway();
        let mut charge = self.shelf.charge();
        let mut page = SHORT_PAGE.min(asking.capabilities.list.max_page_size.max(1)) * TYPICAL_ROW;
        loop {
            if let Some(view) = self.shelf.read(asking, patience, &enough, &mut charge).await? {
                return Ok(view);
            }
            match self.wait(page, patience).await {
                Some(Admission::Room(room)) => charge = room,
                Some(Admission::Place(place)) => return self.alone(asking, place).await,
                None => {
                    let what = "the gateway's memory for copies was in use by other requests for too long";
                    return Err(refuse(asking, SourceErrorKind::Timeout, what));
                }
            }
            // Rows for which that is too little are larger than others: the next time only a place helps.
            page = usize::MAX;
        }
    }

    /// Waits for room for so many bytes or for this request's place. None: not until then.
    async fn wait(&self, bytes: usize, until: Instant) -> Option<Admission> {
        let mut mine = match self.place.try_lock() {
            Ok(mine) => mine,
            Err(_) => timeout_at(until, self.place.lock()).await.ok()?,
        };
        if let Some(place) = &*mine {
            return Some(Admission::Place(place.clone()));
        }
        match self.shelf.wait(bytes, until).await? {
            Admitted::Room(room) => Some(Admission::Room(room)),
            Admitted::Place(place) => Some(Admission::Place(mine.insert(Arc::new(place)).clone())),
        }
    }

    /// A short page that nobody else sees, as long as the place is held.
    async fn alone(&self, asking: Asking<'_>, place: Arc<Place>) -> Result<View, SourceError> {
        let call = asking.call.background();
        let asking = Asking { call: &call, ..asking };
        let snapshot = self.shelf.alone(asking.want.rows, call.now);
        let fits = match place.allowance() {
            Some(mut room) => {
                let rows = (room.bytes() / TYPICAL_ROW).clamp(1, SHORT_PAGE);
                snapshot.begin(self.shelf, asking, rows, &mut room).await?
            }
            None => false,
        };
        if !fits {
            let what = "the gateway has no memory for even one of its rows at the moment";
            return Err(refuse(asking, SourceErrorKind::Unavailable, what));
        }
        events::snapshot_used(asking.source.info().name.as_str(), "short");
        Ok(View::of(snapshot, Some(place)))
    }
}

/// What came of waiting.
enum Admission {
    Room(Charge),
    Place(Arc<Place>),
}

/// `what` completes “The source “x” was not read: …”.
fn refuse(asking: Asking<'_>, kind: SourceErrorKind, what: &str) -> SourceError {
    let name = &asking.source.info().name;
    events::snapshot_used(name.as_str(), "refused");
    SourceError::new(kind, name, LIST, format!("The source “{name}” was not read: {what}."))
}
