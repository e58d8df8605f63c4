//! One batch of a loader: needs of one class become one call of the federation.

use super::{
    cost::Costs,
    error::Fault,
    load::Delivered,
    need::Need,
    object::Erased,
    session::Session,
    store::{Loaded, erase},
};
use crate::{
    domain::{DetailParts, Key, Record, RecordKind, SourceName},
    federation::{self, Cost, FederationError},
    graphql::entity::{AllScopes, Health, IncidentConnection},
    source::Want,
};
use dataloader::BatchFn;
use futures_util::future::join_all;
use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

/// Needs that one call can serve together.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Class {
    Records(RecordKind, Want),
    Details(DetailParts, Want),
    /// Each need is a call of its own; they run at the same time.
    Single,
}

/// How a loader asks. Holds the session weakly: the session holds the loader.
pub(crate) struct Batch {
    class: Class,
    session: Weak<Session>,
}

impl Batch {
    pub(crate) fn new(class: Class, session: &Arc<Session>) -> Self {
        Batch { class, session: Arc::downgrade(session) }
    }
}

impl BatchFn<Need, Delivered> for Batch {
    async fn load(&mut self, needs: &[Need]) -> HashMap<Need, Delivered> {
        let Some(session) = self.session.upgrade() else { return HashMap::new() };
        match self.class {
            Class::Records(kind, want) => records(&session, kind, want, needs).await,
            Class::Details(parts, want) => details(&session, parts, want, needs).await,
            Class::Single => {
                let each = needs.iter().map(|need| async { (need.clone(), single(&session, need).await) });
                join_all(each).await.into_iter().collect()
            }
        }
    }
}

/// The keys of needs that have one, sorted: the loader hands them over in hash order.
fn keys(needs: &[Need]) -> Vec<Key> {
    let mut keys: Vec<Key> = needs
        .iter()
        .filter_map(|need| match need {
            Need::Record(_, key) | Need::Detail(_, key) => Some(key.clone()),
            _ => None,
        })
        .collect();
    keys.sort_unstable();
    keys
}

async fn records(session: &Session, kind: RecordKind, want: Want, needs: &[Need]) -> HashMap<Need, Delivered> {
    let keys = keys(needs);
    let batch = match kind {
        RecordKind::Incident => session.federation.fetch(&session.call, &keys, want).await,
        kind => session.federation.related(&session.call, kind, &keys, want).await,
    };
    delivered(needs, batch, erase)
}

async fn details(session: &Session, parts: DetailParts, want: Want, needs: &[Need]) -> HashMap<Need, Delivered> {
    let batch = session.federation.details(&session.call, parts, &keys(needs), want).await;
    delivered(needs, batch, |details| details as Arc<Erased>)
}

/// Every need gets an answer: the loader panics on one without.
fn delivered<T>(
    needs: &[Need],
    mut batch: federation::Batch<T>,
    erase: impl Fn(T) -> Arc<Erased>,
) -> HashMap<Need, Delivered> {
    let costs = Arc::new(Costs::new(std::mem::take(&mut batch.costs)));
    let embedded: Arc<[Record]> = std::mem::take(&mut batch.embedded).into();
    let mut answer = |need: &Need| {
        let (Need::Record(_, key) | Need::Detail(_, key)) = need else { return Loaded::Nothing };
        match (batch.found.remove(key), batch.failed.get(key)) {
            (Some(found), None) => Loaded::Found(erase(found)),
            (Some(found), Some(error)) => Loaded::Partly(erase(found), Fault::from(error)),
            (None, Some(error)) => Loaded::Failed(Fault::from(error)),
            (None, None) => Loaded::Nothing,
        }
    };
    let delivered = |need: &Need| {
        let delivered = Delivered { loaded: answer(need), embedded: embedded.clone(), costs: costs.clone() };
        (need.clone(), delivered)
    };
    needs.iter().map(delivered).collect()
}

async fn single(session: &Session, need: &Need) -> Delivered {
    let (loaded, costs) = match need {
        Need::Incidents(query) => match session.federation.incidents(&session.call, query).await {
            Ok(page) => {
                let connection = IncidentConnection::below_root(page);
                let costs = connection.costs();
                (Loaded::Found(Arc::new(connection) as Arc<Erased>), costs)
            }
            Err(error) => (Loaded::Failed(Fault::from(error)), vec![]),
        },
        Need::Health(name) => found(name, session.federation.probe(&session.call, name).await, |(probe, circuit)| {
            Arc::new(Health { probe, circuit })
        }),
        Need::Capabilities(name) => {
            found(name, session.federation.capabilities(&session.call, name).await, |capabilities| capabilities)
        }
        Need::Account(name) => {
            found(name, session.federation.account(&session.call, name).await, |owner| Arc::new(owner))
        }
        Need::Scopes(name) => {
            found(name, session.federation.scopes(&session.call, name).await, |scopes| Arc::new(AllScopes(scopes)))
        }
        Need::Table(name, format, filter) => {
            let table = session.federation.table(&session.call, name, *format, filter).await;
            found(name, table, |request| Arc::new(request))
        }
        Need::Record(..) | Need::Detail(..) => (Loaded::Nothing, vec![]),
    };
    Delivered { loaded, embedded: Arc::default(), costs: Arc::new(Costs::new(costs)) }
}

/// What one call to one source gave.
fn found<T>(
    name: &SourceName,
    (answer, cost): (Result<T, FederationError>, Cost),
    erase: impl FnOnce(T) -> Arc<Erased>,
) -> (Loaded, Vec<(SourceName, Cost)>) {
    let loaded = match answer {
        Ok(found) => Loaded::Found(erase(found)),
        Err(error) => Loaded::Failed(Fault::from(error)),
    };
    (loaded, vec![(name.clone(), cost)])
}
