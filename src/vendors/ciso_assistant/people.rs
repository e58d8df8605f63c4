//! Owners are *actors*: a user, a team or an entity, each under an id of its own that only the whole list of actors
//! tells (`actors/` and `teams/` ignore `id`; observed on v3.15.1). So both lists are remembered and joined
//! here; users are asked for by id.

use super::client::{ACTORS, Client, TEAMS, USERS};
use super::map::{Mapper, Notes};
use super::wire::{ActorRow, CurrentUser, Page, Reference, References, TeamRow, UserRow};
use crate::{
    domain::{Link, NativeId, Owner, OwnerKind, OwnerProfile, RawJson, Record, Rows, Text},
    source::{Call, CatalogRequest, Found, SourceError, Want},
    vendors::common::Remembered,
};
use futures_util::future::OptionFuture;
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::time::Instant;

/// An id that is not in a list older than this may be that of somebody new; a younger list is believed.
const BELIEVED: Duration = Duration::from_secs(3);

/// Everybody who can own something.
pub(super) struct People {
    actors: Remembered<Actors>,
    teams: Remembered<HashMap<NativeId, Team>>,
    users: Remembered<HashMap<NativeId, User>>,
    keep: Duration,
}

/// All actors, in the server's order.
pub(super) struct Actors {
    all: Vec<Actor>,
    by_id: HashMap<NativeId, usize>,
    /// By the user, team or entity behind them.
    by_subject: HashMap<NativeId, usize>,
    malformed: u32,
}

struct Actor {
    id: NativeId,
    name: Option<Text>,
    source_type: Option<Text>,
    subject: Option<NativeId>,
    raw: Option<RawJson>,
}

struct Team {
    row: TeamRow,
    raw: Option<RawJson>,
}

struct User {
    row: UserRow,
    raw: Option<RawJson>,
}

/// What has to be known to make owners.
struct Known {
    actors: Arc<Actors>,
    /// None where nobody asked for them.
    teams: Option<Arc<HashMap<NativeId, Team>>>,
    users: HashMap<NativeId, User>,
    /// Users whose reading failed.
    failed: Vec<(NativeId, SourceError)>,
    malformed: u32,
}

impl People {
    pub(super) fn new(client: &Client, keep: Duration) -> Self {
        let source = &client.source;
        People {
            actors: Remembered::new(source, ACTORS.operation),
            teams: Remembered::new(source, TEAMS.operation),
            users: Remembered::new(source, USERS.operation),
            keep,
        }
    }

    /// Owners by actor id. Without a wish for profiles, actors are all that is read.
    pub(super) async fn owners(
        &self,
        client: &Client,
        mapper: &Mapper,
        call: &Call,
        ids: &[NativeId],
        want: Want,
    ) -> Result<Found<Record>, SourceError> {
        let actors =
            self.actors_with(client, call, |actors| ids.iter().all(|id| actors.by_id.contains_key(id))).await?;
        let wanted: Vec<usize> = ids.iter().filter_map(|id| actors.by_id.get(id).copied()).collect();
        let known = self.known(client, call, actors, &wanted, want).await?;
        let mut notes = Notes::default();
        let mut found = Found { malformed: known.malformed, ..Found::default() };
        for place in wanted {
            let actor = &known.actors.all[place];
            let failed = known.failed.iter().find(|(user, _)| Some(user) == actor.subject.as_ref());
            match failed {
                Some((_, error)) => found.failed.push((actor.id.clone(), error.clone())),
                None => {
                    let owner = Arc::new(known.owner(mapper, actor, want, &mut notes));
                    found.items.push((actor.id.clone(), Record::Owner(owner)));
                }
            }
        }
        found.masked = notes.masked;
        Ok(found)
    }

    /// A page of all owners, cut from the remembered list.
    pub(super) async fn catalog(
        &self,
        client: &Client,
        mapper: &Mapper,
        call: &Call,
        request: &CatalogRequest,
    ) -> Result<Rows<Record>, SourceError> {
        let actors = self.actors(client, call).await?;
        let total = actors.all.len();
        let start = usize::try_from(request.offset).unwrap_or(total).min(total);
        let end = start.saturating_add(request.limit).min(total);
        let wanted: Vec<usize> = (start..end).collect();
        let malformed = actors.malformed;
        let known = self.known(client, call, actors, &wanted, request.want).await?;
        if let Some((_, error)) = known.failed.first() {
            return Err(error.clone());
        }
        let mut notes = Notes::default();
        let owner = |place: &usize| known.owner(mapper, &known.actors.all[*place], request.want, &mut notes);
        let items: Vec<Record> = wanted.iter().map(owner).map(|owner| Record::Owner(Arc::new(owner))).collect();
        Ok(Rows {
            consumed: items.len(),
            items,
            total: Some(total as u64),
            more: end < total,
            malformed: malformed + known.malformed,
            masked: notes.masked,
            ..Rows::default()
        })
    }

    /// Whom the server takes the gateway for.
    pub(super) async fn account(&self, client: &Client, mapper: &Mapper, call: &Call) -> Result<Owner, SourceError> {
        let of = super::client::Endpoint { path: "", operation: "read_account", item: "account" };
        let user: CurrentUser = client.record(call, of, "/api/iam/current-user/".into()).await?;
        let names = [user.first_name.as_deref(), user.last_name.as_deref()].into_iter().flatten();
        let full = names.filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ");
        Ok(Owner {
            key: mapper.key(user.actor_id.unwrap_or(user.id).0),
            kind: OwnerKind::User,
            source_type: Some("user".into()),
            // As the server shows users: by name, or by e-mail where there is none.
            name: if full.is_empty() { user.email.clone() } else { Some(full.into()) },
            profile: OwnerProfile {
                first_name: user.first_name,
                last_name: user.last_name,
                email: user.email,
                ..OwnerProfile::default()
            },
        })
    }

    /// Actors by an e-mail of the user or team behind them, in lower case.
    pub(super) async fn by_email(
        &self,
        client: &Client,
        call: &Call,
        email: &str,
    ) -> Result<Vec<NativeId>, SourceError> {
        let (actors, teams, users) = futures_util::try_join!(
            self.actors(client, call),
            self.teams(client, call),
            self.users.value(call, self.since(), || read_users(client, call)),
        )?;
        let is_it = |text: &Option<Text>| text.as_ref().is_some_and(|text| text.to_lowercase() == email);
        let users = users.iter().filter(|(_, user)| is_it(&user.row.email)).map(|(id, _)| id);
        let teams = teams.iter().filter(|(_, team)| is_it(&team.row.team_email)).map(|(id, _)| id);
        let places = users.chain(teams).filter_map(|subject| actors.by_subject.get(subject));
        let mut ids: Vec<NativeId> = places.map(|place| actors.all[*place].id.clone()).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// The actor with this id, or the one of the user, team or entity with this id.
    pub(super) async fn by_source_id(
        &self,
        client: &Client,
        call: &Call,
        id: &str,
    ) -> Result<Vec<NativeId>, SourceError> {
        let named = |actors: &Actors, id| actors.by_id.get(&id).or_else(|| actors.by_subject.get(&id)).copied();
        let place = |actors: &Actors| NativeId::typed(id).find_map(|id| named(actors, id));
        let actors = self.actors_with(client, call, |actors| place(actors).is_some()).await?;
        Ok(place(&actors).map(|place| actors.all[place].id.clone()).into_iter().collect())
    }

    /// Those of the ids that are actors.
    pub(super) async fn existing(
        &self,
        client: &Client,
        call: &Call,
        ids: &[NativeId],
    ) -> Result<Vec<NativeId>, SourceError> {
        let actors =
            self.actors_with(client, call, |actors| ids.iter().all(|id| actors.by_id.contains_key(id))).await?;
        Ok(ids.iter().filter(|id| actors.by_id.contains_key(*id)).cloned().collect())
    }

    async fn known(
        &self,
        client: &Client,
        call: &Call,
        actors: Arc<Actors>,
        wanted: &[usize],
        want: Want,
    ) -> Result<Known, SourceError> {
        let of_kind = |kind| wanted.iter().map(|place| &actors.all[*place]).filter(move |actor| actor.kind() == kind);
        let profile = want.profile || want.raw;
        let teams = profile && of_kind(OwnerKind::Team).next().is_some();
        let users: Vec<NativeId> = match profile {
            true => of_kind(OwnerKind::User).filter_map(|actor| actor.subject.clone()).collect(),
            false => Vec::new(),
        };
        let teams: OptionFuture<_> = teams.then(|| self.teams(client, call)).into();
        let (teams, chunks) = futures_util::join!(teams, client.by_ids::<UserRow>(call, USERS, &users, want.raw));
        let teams = teams.transpose()?;
        let mut known = Known { actors, teams, users: HashMap::new(), failed: Vec::new(), malformed: 0 };
        for chunk in chunks {
            match chunk.answer {
                Ok(page) => {
                    known.malformed += malformed(&page);
                    known.users.extend(users_of(page));
                }
                Err(error) => known.failed.extend(chunk.ids.into_iter().map(|id| (id, error.clone()))),
            }
        }
        Ok(known)
    }

    async fn actors(&self, client: &Client, call: &Call) -> Result<Arc<Actors>, SourceError> {
        self.actors.value(call, self.since(), || read_actors(client, call)).await
    }

    /// All actors; read anew if the remembered list lacks somebody who may be new.
    async fn actors_with(
        &self,
        client: &Client,
        call: &Call,
        complete: impl Fn(&Actors) -> bool,
    ) -> Result<Arc<Actors>, SourceError> {
        let actors = self.actors(client, call).await?;
        if complete(&actors) {
            return Ok(actors);
        }
        self.actors.value(call, before_now(BELIEVED), || read_actors(client, call)).await
    }

    async fn teams(&self, client: &Client, call: &Call) -> Result<Arc<HashMap<NativeId, Team>>, SourceError> {
        self.teams.value(call, self.since(), || read_teams(client, call)).await
    }

    fn since(&self) -> Option<Instant> {
        before_now(self.keep)
    }
}

/// None where the clock has not run that long: nothing is older then.
fn before_now(time: Duration) -> Option<Instant> {
    Instant::now().checked_sub(time)
}

async fn read_actors(client: &Client, call: &Call) -> Result<Actors, SourceError> {
    let page: Page<ActorRow> = client.all(call, ACTORS, "", true).await?;
    let malformed = malformed(&page);
    let all: Vec<Actor> = page.rows.into_iter().map(|(row, raw)| Actor::new(row, raw)).collect();
    let by_id = all.iter().enumerate().map(|(place, actor)| (actor.id.clone(), place)).collect();
    let subject = |(place, actor): (usize, &Actor)| Some((actor.subject.clone()?, place));
    let by_subject = all.iter().enumerate().filter_map(subject).collect();
    Ok(Actors { all, by_id, by_subject, malformed })
}

async fn read_teams(client: &Client, call: &Call) -> Result<HashMap<NativeId, Team>, SourceError> {
    let page: Page<TeamRow> = client.all(call, TEAMS, "", true).await?;
    let team = |(row, raw): (TeamRow, Option<Box<str>>)| (row.id.0.clone(), Team { row, raw: raw.map(RawJson::new) });
    Ok(page.rows.into_iter().map(team).collect())
}

async fn read_users(client: &Client, call: &Call) -> Result<HashMap<NativeId, User>, SourceError> {
    Ok(users_of(client.all(call, USERS, "", false).await?).collect())
}

fn users_of(page: Page<UserRow>) -> impl Iterator<Item = (NativeId, User)> {
    page.rows.into_iter().map(|(row, raw)| (row.id.0.clone(), User { row, raw: raw.map(RawJson::new) }))
}

fn malformed<T>(page: &Page<T>) -> u32 {
    u32::try_from(page.broken.len()).unwrap_or(u32::MAX)
}

impl Actor {
    fn new(row: ActorRow, raw: Option<Box<str>>) -> Self {
        let subject = match row.specific {
            Some(Reference::To(id, _)) => Some(id),
            Some(Reference::Hidden) | None => None,
        };
        Actor { id: row.id.0, name: row.display, source_type: row.kind, subject, raw: raw.map(RawJson::new) }
    }

    fn kind(&self) -> OwnerKind {
        match self.source_type.as_deref() {
            Some("user") => OwnerKind::User,
            Some("team") => OwnerKind::Team,
            Some("entity") => OwnerKind::Organization,
            _ => OwnerKind::Unknown,
        }
    }
}

impl Known {
    fn owner(&self, mapper: &Mapper, actor: &Actor, want: Want, notes: &mut Notes) -> Owner {
        let subject = actor.subject.as_ref();
        let user = subject.and_then(|id| self.users.get(id));
        let team = subject.and_then(|id| self.teams.as_ref()?.get(id));
        let mut profile = match (user, team) {
            (Some(user), _) => self.user(mapper, user, notes),
            (None, Some(team)) => self.team(mapper, team, notes),
            (None, None) => OwnerProfile { raw: actor.raw.clone(), ..OwnerProfile::default() },
        };
        if !want.raw {
            profile.raw = None;
        }
        Owner {
            key: mapper.key(actor.id.clone()),
            kind: actor.kind(),
            source_type: actor.source_type.clone(),
            name: actor.name.clone(),
            profile,
        }
    }

    fn user(&self, mapper: &Mapper, user: &User, notes: &mut Notes) -> OwnerProfile {
        let row = &user.row;
        OwnerProfile {
            first_name: row.first_name.clone(),
            last_name: row.last_name.clone(),
            email: row.email.clone(),
            active: row.is_active,
            scope: mapper.one(row.folder.clone(), notes),
            raw: user.raw.clone(),
            ..OwnerProfile::default()
        }
    }

    fn team(&self, mapper: &Mapper, team: &Team, notes: &mut Notes) -> OwnerProfile {
        let row = &team.row;
        let leader = match &row.leader {
            Some(Reference::To(id, name)) => References { shown: vec![(id.clone(), name.clone())], hidden: 0 },
            Some(Reference::Hidden) => References { shown: Vec::new(), hidden: 1 },
            None => References::default(),
        };
        OwnerProfile {
            email: row.team_email.clone(),
            description: row.description.clone(),
            leader: self.actors_of(mapper, &leader, notes).into_iter().next(),
            deputies: Some(self.actors_of(mapper, &row.deputies, notes)),
            members: Some(self.actors_of(mapper, &row.members, notes)),
            scope: mapper.one(row.folder.clone(), notes),
            raw: team.raw.clone(),
            ..OwnerProfile::default()
        }
    }

    /// Teams name users; owners are actors. A user whose actor is not listed cannot be shown, as if it were hidden.
    fn actors_of(&self, mapper: &Mapper, users: &References, notes: &mut Notes) -> Vec<Link> {
        notes.masked += users.hidden;
        let mut links = Vec::with_capacity(users.shown.len());
        for (user, name) in &users.shown {
            match self.actors.by_subject.get(user) {
                Some(place) => links.push(mapper.link((self.actors.all[*place].id.clone(), name.clone()))),
                None => notes.masked += 1,
            }
        }
        links
    }
}
