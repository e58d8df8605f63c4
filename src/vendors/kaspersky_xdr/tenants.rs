//! Tenants: every list wants to know of which, and refuses all if one of them may not be read.
//!
//! They are configured, or else all that the server names; remembered, since every request needs them. Those that may not be
//! read are found by asking for each apart, remembered too, and told with every list that lacks their rows.

use super::client::{Client, Endpoint, TENANTS, is_uuid};
use super::map::{Mapper, text};
use super::wire::{Page, TenantRow};
use crate::vendors::common::Remembered;
use crate::{
    domain::{Link, NativeId, RawJson, Record, Rows, Scope, ScopeKind, Text},
    source::{Call, CatalogRequest, Found, SourceError, Want},
    upstream::{UpstreamResponse, uri},
};
use futures_util::future::join_all;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::time::Instant;

/// No incident has it: what it is asked for with costs next to nothing.
pub(super) const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// A tenant that is not in a list older than this may be new; a younger list is believed.
const BELIEVED: Duration = Duration::from_secs(3);

/// The tenants of one server.
pub(super) struct Tenants {
    /// Empty: all that the server names.
    configured: Vec<NativeId>,
    list: Remembered<Known>,
    withheld: Remembered<BTreeSet<NativeId>>,
    keep: Duration,
}

/// All tenants that the server names, in its order.
struct Known {
    all: Vec<Tenant>,
    malformed: u32,
}

struct Tenant {
    id: NativeId,
    name: Option<Text>,
    description: Option<Text>,
    root: Option<bool>,
    parent: Option<usize>,
    raw: Option<RawJson>,
}

/// An answer, and the tenants that were wanted but not asked for as they may not be read.
pub(super) struct Asked {
    pub(super) answer: UpstreamResponse,
    pub(super) withheld: Vec<NativeId>,
}

impl Tenants {
    pub(super) fn new(client: &Client, configured: Vec<NativeId>, keep: Duration) -> Self {
        Tenants {
            configured,
            list: Remembered::new(&client.source, TENANTS.operation),
            withheld: Remembered::new(&client.source, "find_readable_tenants"),
            keep,
        }
    }

    /// Whether the operator said which tenants to read.
    pub(super) fn configured(&self) -> &[NativeId] {
        &self.configured
    }

    /// The tenants to read.
    pub(super) async fn ids(&self, client: &Client, call: &Call) -> Result<Vec<NativeId>, SourceError> {
        if !self.configured.is_empty() {
            return Ok(self.configured.clone());
        }
        let known = self.known(client, call, self.since()).await?;
        Ok(known.all.iter().map(|tenant| tenant.id.clone()).filter(is_uuid).collect())
    }

    /// Asks for rows of the wanted tenants; `query` makes the query for those that are asked for. If they are refused
    /// together, they are tried apart, and asked for without those that may not be read.
    pub(super) async fn ask(
        &self,
        client: &Client,
        call: &Call,
        list: Endpoint,
        wanted: &[NativeId],
        query: impl Fn(&[NativeId]) -> String,
    ) -> Result<Asked, SourceError> {
        let known = self.withheld.known(call, self.since()).unwrap_or_default();
        let (readable, withheld) = part(wanted, &known);
        let hopeless = readable.is_empty();
        let asked = if hopeless { wanted } else { &readable };
        let begun = Instant::now();
        let answer = client.ask(call, list, &query(asked)).await?;
        if answer.status != 403 || asked.len() < 2 || hopeless {
            return Ok(Asked { answer, withheld: if hopeless { Vec::new() } else { withheld } });
        }
        let known = self.withheld.value(call, Some(begun), || self.tried(client, call, list)).await?;
        let (readable, withheld) = part(wanted, &known);
        if readable.is_empty() {
            return Ok(Asked { answer, withheld: Vec::new() });
        }
        let answer = client.ask(call, list, &query(&readable)).await?;
        Ok(Asked { answer, withheld })
    }

    /// Tries each tenant apart.
    async fn tried(&self, client: &Client, call: &Call, list: Endpoint) -> Result<BTreeSet<NativeId>, SourceError> {
        let all = self.ids(client, call).await?;
        let tried = all.iter().map(async |tenant| {
            let query = uri::query([("page", "1"), ("tenantID", &tenant.to_string()), ("id", NOBODY)]);
            let answer = client.ask(call, list, &query).await?;
            if answer.status == 403 {
                return Ok(Some(tenant.clone()));
            }
            client.check(list, &answer).map(|()| None)
        });
        let tried: Result<Vec<Option<NativeId>>, SourceError> = join_all(tried).await.into_iter().collect();
        Ok(tried?.into_iter().flatten().collect())
    }

    /// Tenants by id.
    pub(super) async fn by_ids(
        &self,
        client: &Client,
        mapper: &Mapper,
        call: &Call,
        ids: &[NativeId],
        want: Want,
    ) -> Result<Found<Record>, SourceError> {
        let mut known = self.known(client, call, self.since()).await?;
        if !ids.iter().all(|id| known.all.iter().any(|tenant| tenant.id == *id)) {
            known = self.known(client, call, Instant::now().checked_sub(BELIEVED)).await?;
        }
        let places = (0..known.all.len()).filter(|place| ids.contains(&known.all[*place].id));
        let scope =
            |place: usize| (known.all[place].id.clone(), Record::Scope(Arc::new(known.scope(mapper, place, want))));
        Ok(Found { items: places.map(scope).collect(), malformed: known.malformed, ..Found::default() })
    }

    /// A page of all tenants, cut from the remembered list.
    pub(super) async fn catalog(
        &self,
        client: &Client,
        mapper: &Mapper,
        call: &Call,
        request: &CatalogRequest,
    ) -> Result<Rows<Record>, SourceError> {
        let known = self.known(client, call, self.since()).await?;
        let total = known.all.len();
        let start = usize::try_from(request.offset).unwrap_or(total).min(total);
        let end = start.saturating_add(request.limit).min(total);
        let scope = |place| Record::Scope(Arc::new(known.scope(mapper, place, request.want)));
        Ok(Rows {
            items: (start..end).map(scope).collect(),
            total: Some(total as u64),
            more: end < total,
            consumed: end - start,
            malformed: known.malformed,
            ..Rows::default()
        })
    }

    async fn known(&self, client: &Client, call: &Call, since: Option<Instant>) -> Result<Arc<Known>, SourceError> {
        let read = async || {
            let answer = client.ask(call, TENANTS, "").await?;
            let page: Page<TenantRow> = client.open(call, TENANTS, &answer, true)?;
            let malformed = client.tell_broken(call, TENANTS, page.problems.iter());
            Ok(Known::new(page, malformed))
        };
        self.list.value(call, since, read).await
    }

    /// None where the clock has not run that long: nothing is older then.
    fn since(&self) -> Option<Instant> {
        Instant::now().checked_sub(self.keep)
    }
}

/// Those that may be read, and those that may not.
fn part(wanted: &[NativeId], withheld: &BTreeSet<NativeId>) -> (Vec<NativeId>, Vec<NativeId>) {
    wanted.iter().cloned().partition(|id| !withheld.contains(id))
}

impl Known {
    fn new(page: Page<TenantRow>, malformed: u32) -> Self {
        let rows: Vec<(TenantRow, Option<RawJson>)> = page.rows.into_iter().map(|(_, row, raw)| (row, raw)).collect();
        let parents: Vec<Option<usize>> = rows.iter().map(|(row, _)| parent(&rows, row)).collect();
        let tenant = |((row, raw), parent): ((TenantRow, _), _)| Tenant {
            id: NativeId::new(&row.id.unwrap_or_default()),
            name: text(row.name),
            description: text(row.description),
            root: row.is_root,
            parent,
            raw,
        };
        Known { all: rows.into_iter().zip(parents).map(tenant).collect(), malformed }
    }

    fn scope(&self, mapper: &Mapper, place: usize, want: Want) -> Scope {
        let tenant = &self.all[place];
        let link = |place: usize| {
            let tenant = &self.all[place];
            Link { key: mapper.key(&tenant.id.to_string()), name: tenant.name.clone() }
        };
        let mut path = vec![place];
        // A ring of parents must not become an endless path.
        while let Some(above) = self.all[path[path.len() - 1]].parent.filter(|above| !path.contains(above)) {
            path.push(above);
        }
        Scope {
            key: mapper.key(&tenant.id.to_string()),
            kind: ScopeKind::Tenant,
            name: tenant.name.clone(),
            description: tenant.description.clone(),
            root: tenant.root,
            parent: tenant.parent.map(link),
            path: path.into_iter().rev().map(link).collect(),
            raw: tenant.raw.clone().filter(|_| want.raw),
        }
    }
}

/// The tenant that names this one as below it; whether only the next level is named is not documented, so that it is the
/// one that names fewest.
fn parent(rows: &[(TenantRow, Option<RawJson>)], child: &TenantRow) -> Option<usize> {
    let below = |row: &TenantRow| row.subtenants.as_ref().map_or(0, Vec::len);
    let names =
        |row: &TenantRow| row.id != child.id && row.subtenants.iter().flatten().any(|id| Some(id) == child.id.as_ref());
    (0..rows.len()).filter(|place| names(&rows[*place].0)).min_by_key(|place| below(&rows[*place].0))
}
