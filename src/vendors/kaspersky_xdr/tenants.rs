//! Tenants: every list wants to know of which, and refuses all if one of them may not be read.
//!
//! They are configured, or else all that the server names; remembered, since every request needs them. Those that may not be
//! read are found by asking for each apart, remembered too, and told with every list that lacks their rows; and so are those
//! that are configured, but that the server does not name. No tenant at all is an error, since it looks like no incidents.

use super::client::{Client, Endpoint, Question, TENANTS, is_uuid};
use super::map::{Mapper, text};
use super::wire::{Page, TenantRow, united};
use crate::vendors::common::Remembered;
use crate::{
    domain::{Link, NativeId, RawJson, Record, Rows, Scope, ScopeKind, Text},
    source::{Call, CatalogRequest, Found, SourceError, SourceErrorKind, Want},
    upstream::{UpstreamResponse, uri},
};
use futures_util::future::join_all;
use std::{collections::BTreeSet, sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};

/// No incident has it: what it is asked for with costs next to nothing.
pub(super) const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// A tenant that is not in a list older than this may be new; a younger list is believed.
const BELIEVED: Duration = Duration::from_secs(3);

/// How long a list of incidents waits for the list of tenants where it needs that only to tell what is missing; arbitrary.
const PATIENCE: Duration = Duration::from_secs(1);

/// The tenants of one server.
pub(super) struct Tenants {
    /// Empty: all that the server names.
    configured: Vec<NativeId>,
    list: Remembered<Known>,
    withheld: Remembered<BTreeSet<NativeId>>,
    /// Those that the server names, where others are configured; none where it does not tell.
    named: Remembered<Option<BTreeSet<NativeId>>>,
    keep: Duration,
}

/// All tenants that the server names, each once, in its order.
struct Known {
    all: Vec<Tenant>,
    /// Rows that lack something.
    malformed: u32,
    /// Rows that lack the id.
    lost: u32,
}

struct Tenant {
    id: NativeId,
    name: Option<Text>,
    description: Option<Text>,
    root: Option<bool>,
    parent: Option<usize>,
    raw: Option<RawJson>,
}

/// What lists lack, since nobody can be asked for it.
#[derive(Default)]
pub(super) struct Missing {
    /// Tenants that are configured but not named by the server, or named by what is no UUID.
    pub(super) tenants: Vec<NativeId>,
    /// How many were named by nothing.
    pub(super) nameless: u32,
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
            named: Remembered::new(&client.source, TENANTS.operation),
            keep,
        }
    }

    /// Whether the operator said which tenants to read.
    pub(super) fn configured(&self) -> &[NativeId] {
        &self.configured
    }

    /// The tenants to read: one at least.
    pub(super) async fn ids(&self, client: &Client, call: &Call) -> Result<Vec<NativeId>, SourceError> {
        if !self.configured.is_empty() {
            return Ok(self.configured.clone());
        }
        let known = self.known(client, call, self.since()).await?;
        if let Ok(readable) = known.readable(client) {
            return Ok(readable);
        }
        // Whoever mends this shall not have to wait until it is forgotten.
        self.known(client, call, Instant::now().checked_sub(BELIEVED)).await?.readable(client)
    }

    /// What a list of the wanted tenants (none: all) lacks.
    pub(super) async fn missing(&self, client: &Client, call: &Call, wanted: Option<&[NativeId]>) -> Missing {
        let is_wanted = |id: &&NativeId| wanted.is_none_or(|wanted| wanted.contains(id));
        if self.configured.is_empty() {
            let known = self.list.known(call, None);
            let Some(known) = known else { return Missing::default() };
            let unreadable = known.all.iter().map(|tenant| &tenant.id).filter(|id| !is_uuid(id));
            return Missing { tenants: unreadable.filter(is_wanted).cloned().collect(), nameless: known.lost };
        }
        // That the token may not list tenants is no trouble here, and neither is a server that is in some.
        let read = async || match timeout(PATIENCE, self.read(client, call)).await {
            Ok(Ok(known)) => Ok(Some(known.all.iter().map(|tenant| canonical(&tenant.id)).collect())),
            Ok(Err(_)) | Err(_) => Ok(None),
        };
        let named = self.named.value(call, self.since(), read).await.ok();
        let Some(named) = named.as_deref().and_then(Option::as_ref) else { return Missing::default() };
        let unnamed = self.configured.iter().filter(|id| !named.contains(&canonical(id))).filter(is_wanted);
        Missing { tenants: unnamed.cloned().collect(), nameless: 0 }
    }

    /// Asks for rows of the wanted tenants; `query` makes the query for those that are asked for. If they are refused
    /// together, they are tried apart, and asked for without those that may not be read.
    pub(super) async fn ask(
        &self,
        client: &Client,
        call: &Call,
        question: Question<'_>,
        wanted: &[NativeId],
        query: impl Fn(&[NativeId]) -> String,
    ) -> Result<Asked, SourceError> {
        let known = self.withheld.known(call, self.since()).unwrap_or_default();
        let (readable, withheld) = part(wanted, &known);
        let hopeless = readable.is_empty();
        let asked = if hopeless { wanted } else { &readable };
        let begun = Instant::now();
        let answer = client.ask(call, question, &query(asked)).await?;
        if answer.status != 403 || asked.len() < 2 || hopeless {
            return Ok(Asked { answer, withheld: if hopeless { Vec::new() } else { withheld } });
        }
        let known = self.withheld.value(call, Some(begun), || self.tried(client, call, question.list)).await?;
        let (readable, withheld) = part(wanted, &known);
        if readable.is_empty() {
            return Ok(Asked { answer, withheld: Vec::new() });
        }
        let answer = client.ask(call, question, &query(&readable)).await?;
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
        self.list.value(call, since, || self.read(client, call)).await
    }

    async fn read(&self, client: &Client, call: &Call) -> Result<Known, SourceError> {
        let answer = client.ask(call, TENANTS, "").await?;
        self.opened(client, call, &answer)
    }

    fn opened(&self, client: &Client, call: &Call, answer: &UpstreamResponse) -> Result<Known, SourceError> {
        let page: Page<TenantRow> = client.open(call, TENANTS, answer, true)?;
        let malformed = client.tell_broken(call, TENANTS, page.problems.iter());
        Ok(Known::new(page, malformed))
    }

    /// Whether an answer to the list of tenants is one that lists of incidents can begin with.
    pub(super) fn check(&self, client: &Client, call: &Call, answer: &UpstreamResponse) -> Result<(), SourceError> {
        let known = self.opened(client, call, answer)?;
        if self.configured.is_empty() { known.readable(client).map(drop) } else { Ok(()) }
    }

    /// None where the clock has not run that long: nothing is older then.
    fn since(&self) -> Option<Instant> {
        Instant::now().checked_sub(self.keep)
    }
}

/// A UUID in the letters that all of them have here.
fn canonical(id: &NativeId) -> NativeId {
    uuid::Uuid::try_parse(&id.to_string()).map_or_else(|_| id.clone(), NativeId::from)
}

/// Those that may be read, and those that may not.
fn part(wanted: &[NativeId], withheld: &BTreeSet<NativeId>) -> (Vec<NativeId>, Vec<NativeId>) {
    wanted.iter().cloned().partition(|id| !withheld.contains(id))
}

impl Known {
    fn new(page: Page<TenantRow>, malformed: u32) -> Self {
        let lost = u32::try_from(page.sent - page.rows.len()).unwrap_or(u32::MAX);
        let rows = page.rows.into_iter().map(|(_, row, raw)| (row, raw)).collect();
        let rows = united(rows, |_, row: &TenantRow| row.id.clone().unwrap_or_default());
        let parents: Vec<Option<usize>> = rows.iter().map(|(_, row, _)| parent(&rows, row)).collect();
        let tenant = |((id, row, raw), parent): ((Text, TenantRow, _), _)| Tenant {
            id: NativeId::new(&id),
            name: text(row.name),
            description: text(row.description),
            root: row.is_root,
            parent,
            raw,
        };
        Known { all: rows.into_iter().zip(parents).map(tenant).collect(), malformed, lost }
    }

    /// Those that can be asked for; an error where there is none, since that would look like no incidents.
    fn readable(&self, client: &Client) -> Result<Vec<NativeId>, SourceError> {
        let ids: Vec<NativeId> = self.all.iter().map(|tenant| tenant.id.clone()).filter(is_uuid).collect();
        if !ids.is_empty() {
            return Ok(ids);
        }
        let name = &client.source;
        if self.all.is_empty() && self.lost == 0 {
            let text = format!(
                "The source “{name}” names no tenant to the gateway's token: allow it to read one, or configure tenants."
            );
            return Err(SourceError::new(SourceErrorKind::Forbidden, name, TENANTS.operation, text));
        }
        Err(SourceError::malformed(name, TENANTS.operation, "with tenants that have no UUIDs"))
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
fn parent(rows: &[(Text, TenantRow, Option<RawJson>)], child: &TenantRow) -> Option<usize> {
    let below = |row: &TenantRow| row.subtenants.as_ref().map_or(0, Vec::len);
    let names =
        |row: &TenantRow| row.id != child.id && row.subtenants.iter().flatten().any(|id| Some(id) == child.id.as_ref());
    (0..rows.len()).filter(|place| names(&rows[*place].1)).min_by_key(|place| below(&rows[*place].1))
}
