//! Users: the server gives them only as a whole, so the list is remembered for a while. The call is not documented beyond
//! its name, and can be switched off.

use super::client::{Client, USERS, count};
use super::map::{CREATOR, Mapper};
use super::wire::UserRow;
use crate::{
    domain::{NativeId, Owner, RawJson, Record, Rows, SourceName},
    source::{Call, CatalogRequest, Found, Reference, SourceError, Want},
    vendors::common::Remembered,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long the list is remembered: it changes when somebody joins the team.
const KEPT: Duration = Duration::from_secs(5 * 60);

/// Everybody who can be assigned.
pub(super) struct Users {
    remembered: Remembered<Listed>,
}

/// The list as it was read.
struct Listed {
    all: Vec<User>,
    malformed: u32,
}

struct User {
    id: NativeId,
    row: UserRow,
    raw: Option<RawJson>,
}

impl Users {
    pub(super) fn new(source: &SourceName) -> Self {
        Users { remembered: Remembered::new(source, USERS) }
    }

    async fn listed(&self, client: &Client, call: &Call) -> Result<Arc<Listed>, SourceError> {
        let since = Instant::now().checked_sub(KEPT);
        self.remembered.value(call, since, || read(client, call)).await
    }

    /// Reads the list anew, to see whether the server gives it.
    pub(super) async fn try_reading(&self, client: &Client, call: &Call) -> Result<(), SourceError> {
        self.remembered.value(call, Some(Instant::now()), || read(client, call)).await.map(drop)
    }

    /// Owners by id, numbers and names. Whoever is not listed is shown as far as the id tells: accounts are removed, and
    /// what they were assigned to stays.
    pub(super) async fn owners(
        &self,
        client: &Client,
        mapper: &Mapper,
        call: &Call,
        ids: &[NativeId],
        want: Want,
    ) -> Result<Found<Record>, SourceError> {
        let listed = self.listed(client, call).await?;
        let owner = |id: &NativeId| match listed.user(id) {
            Some(user) => Some(user.owner(mapper, id, want)),
            None => mapper.unlisted(id),
        };
        let items = ids.iter().filter_map(|id| Some((id.clone(), Record::Owner(Arc::new(owner(id)?)))));
        Ok(Found { items: items.collect(), malformed: listed.malformed, ..Found::default() })
    }

    /// A page cut from the list.
    pub(super) async fn catalog(
        &self,
        client: &Client,
        mapper: &Mapper,
        call: &Call,
        request: &CatalogRequest,
    ) -> Result<Rows<Record>, SourceError> {
        let listed = self.listed(client, call).await?;
        let total = listed.all.len();
        let start = usize::try_from(request.offset).unwrap_or(total).min(total);
        let end = start.saturating_add(request.limit).min(total);
        let owner = |user: &User| Record::Owner(Arc::new(user.owner(mapper, &user.id, request.want)));
        Ok(Rows {
            items: listed.all[start..end].iter().map(owner).collect(),
            total: Some(total as u64),
            more: end < total,
            consumed: end - start,
            malformed: listed.malformed,
            ..Rows::default()
        })
    }

    /// For each reference, in order, all that it names. Only e-mail addresses are looked up.
    pub(super) async fn resolve(
        &self,
        client: &Client,
        call: &Call,
        references: &[Reference],
        is_read: bool,
    ) -> Result<Vec<Vec<NativeId>>, SourceError> {
        let emails = is_read && references.iter().any(|reference| matches!(reference, Reference::OwnerEmail(_)));
        let listed = if emails { Some(self.listed(client, call).await?) } else { None };
        let named = |reference: &Reference| match reference {
            Reference::Incident(text) => super::incidents::named(text).into_iter().collect(),
            Reference::OwnerEmail(email) => listed.iter().flat_map(|listed| listed.by_email(email)).collect(),
            Reference::OwnerSourceId(text) => super::map::owner_id(text).into_iter().collect(),
            // The product has no tags.
            Reference::TagName(_) => Vec::new(),
        };
        Ok(references.iter().map(named).collect())
    }
}

async fn read(client: &Client, call: &Call) -> Result<Listed, SourceError> {
    let page = client.users(call).await?;
    let malformed = count(page.rows.broken.len());
    let user = |(_, row, raw): (usize, UserRow, Option<RawJson>)| User { id: NativeId::new(&row.user_id.0), row, raw };
    Ok(Listed { all: page.rows.rows.into_iter().map(user).collect(), malformed })
}

impl Listed {
    /// The user with this id, or with this name where the id is made of one.
    fn user(&self, id: &NativeId) -> Option<&User> {
        let text = id.to_string();
        match text.strip_prefix(CREATOR) {
            Some(name) => self.all.iter().find(|user| user.row.user_name.as_deref() == Some(name)),
            None => self.all.iter().find(|user| user.id == *id),
        }
    }

    /// Ids of the users with this address, any case: the number for what they are assigned to, the name for what they
    /// made.
    fn by_email(&self, email: &str) -> Vec<NativeId> {
        let email = email.to_lowercase();
        let is_it = |user: &&User| user.row.email.as_deref().is_some_and(|other| other.to_lowercase() == email);
        let ids = |user: &User| {
            let name = user.row.user_name.as_ref().map(|name| NativeId::new(&format!("{CREATOR}{name}")));
            [Some(user.id.clone()), name]
        };
        self.all.iter().filter(is_it).flat_map(ids).flatten().collect()
    }
}

impl User {
    fn owner(&self, mapper: &Mapper, id: &NativeId, want: Want) -> Owner {
        mapper.user(id, &self.row, self.raw.clone().filter(|_| want.raw))
    }
}
