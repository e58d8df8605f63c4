//! What is told only per incident: its comments, in one call, and its history, page by page.
//!
//! A history is read up to [`MOST_PAGES`] pages of [`ROWS`] rows; older entries are then left out, and `activity_total`
//! says how many there are.

use super::client::{COMMENTS, Client, HISTORY};
use super::history::{self, Said};
use super::incidents::path_of;
use super::map::{Mapper, embed, time};
use super::wire::{EntryRow, Page, read_comment, read_entry};
use crate::{
    domain::{Activity, Comment, CommentKind, DetailParts, Details, NativeId, RawJson, Record},
    source::{Call, DetailRequest, Found, SourceError, SourceErrorKind},
    vendors::common::Scalar,
};
use chrono::SecondsFormat;
use futures_util::future::{join, join_all};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// Rows of a page of history, as the vendor's own client asks for pages.
const ROWS: usize = 100;
/// Pages of one history at most; arbitrary. A server that gives shorter pages gives fewer entries.
const MOST_PAGES: u64 = 10;

/// What reading details needs.
pub(super) struct Reader<'a> {
    pub(super) client: &'a Client,
    pub(super) mapper: &'a Mapper,
    pub(super) call: &'a Call,
    pub(super) raw: bool,
}

/// Details of many incidents, all at the same time. Incidents that do not exist are missing; one of which only a part
/// failed is among both the items and the failed.
pub(super) async fn details(reader: &Reader<'_>, request: &DetailRequest) -> Found<Details> {
    let each = request.incidents.iter().map(async |id| (id, reader.one(id, request.parts).await));
    let mut found = Found::default();
    for (id, (details, error)) in join_all(each).await {
        found.malformed += details.as_ref().map_or(0, |details| details.malformed);
        found.items.extend(details.map(|details| (id.clone(), details)));
        found.failed.extend(error.map(|error| (id.clone(), error)));
    }
    found
}

/// One part of the details.
struct Part<T> {
    items: Vec<T>,
    /// How many there are, where not all were read.
    total: Option<u64>,
    embedded: Vec<Record>,
    malformed: usize,
}

/// Whether a page of history may have a next one. A full one always may, whatever its counters say.
fn goes_on(page: &Page<EntryRow>) -> bool {
    let size = page.page_size.map_or(ROWS as u64, |size| size.min(ROWS as u64));
    page.sent > 0 && (page.more == Some(true) || page.sent as u64 >= size)
}

impl Reader<'_> {
    async fn one(&self, id: &NativeId, parts: DetailParts) -> (Option<Details>, Option<SourceError>) {
        let Some(path) = path_of(id) else { return (None, None) };
        let comments = async {
            match parts.comments {
                true => Some(self.comments(id, &path).await),
                false => None,
            }
        };
        let history = async {
            match parts.activity {
                true => Some(self.history(id, &path).await),
                false => None,
            }
        };
        let (comments, history) = join(comments, history).await;
        let (mut details, mut failure) = (Details::default(), None);
        let mut answered = comments.is_none() && history.is_none();
        match comments {
            Some(Ok(part)) => {
                details.comments = Some(Arc::new(self.take(&mut details, part)));
                answered = true;
            }
            Some(Err(error)) => failure = Some(error),
            None => {}
        }
        match history {
            Some(Ok(part)) => {
                details.activity_total = part.total;
                details.activity = Some(Arc::new(self.take(&mut details, part)));
                answered = true;
            }
            Some(Err(error)) => failure = Some(error),
            None => {}
        }
        // Both say so if the incident does not exist.
        let failure = failure.filter(|error| error.kind() != SourceErrorKind::NotFound);
        (answered.then_some(details), failure)
    }

    fn take<T>(&self, details: &mut Details, part: Part<T>) -> Vec<T> {
        for record in part.embedded {
            embed(&mut details.embedded, record);
        }
        details.malformed += u32::try_from(part.malformed).unwrap_or(u32::MAX);
        part.items
    }

    async fn comments(&self, id: &NativeId, path: &str) -> Result<Part<Comment>, SourceError> {
        let path = format!("{path}/comments");
        let page = self.client.page_of(self.call, COMMENTS, id, &path, self.raw, read_comment).await?;
        let mut part = Part { items: Vec::new(), total: None, embedded: Vec::new(), malformed: page.broken.len() };
        let mut seen = HashSet::new();
        for (place, row, raw) in page.rows {
            let told = row.id.map(|Scalar(id)| String::from(id)).filter(|id| !id.trim().is_empty());
            let key = self.mapper.key(&*format!("{id}/comments/{}", told.unwrap_or_else(|| format!("at-{place}"))));
            if !seen.insert(key.clone()) {
                continue;
            }
            let author = row.user.and_then(|user| self.mapper.user(&user, &mut part.embedded));
            part.items.push(Comment {
                key,
                kind: CommentKind::Note,
                source_type: None,
                title: None,
                body: row.value,
                author,
                at: time(row.created_date),
                created_at: time(row.created_date),
                updated_at: time(row.updated_date),
                evidence: Vec::new(),
                raw: raw.map(RawJson::new),
            });
        }
        // In which order they come is not documented. Those without a time stay where they are, behind the others.
        part.items.sort_by_key(|comment| std::cmp::Reverse(comment.at));
        Ok(part)
    }

    async fn history(&self, id: &NativeId, path: &str) -> Result<Part<Activity>, SourceError> {
        let mut part = Part { items: Vec::new(), total: None, embedded: Vec::new(), malformed: 0 };
        let (mut names, mut read) = (HashMap::new(), 0);
        // Rows of earlier pages. New entries push old ones down while pages are read, and they come again.
        let mut seen = HashSet::new();
        for number in 1..=MOST_PAGES {
            let path = format!("{path}/history?page={number}&page_size={ROWS}");
            let page = self.client.page_of(self.call, HISTORY, id, &path, true, read_entry).await?;
            part.malformed += page.broken.len();
            let more = goes_on(&page);
            let fresh: Vec<_> = page.rows.into_iter().filter(|(_, _, text)| !seen.contains(text)).collect();
            seen.extend(fresh.iter().map(|(_, _, text)| text.clone()));
            // A page of nothing new is the last one: the server takes no notice of the number, or repeats the end.
            let more = more && (number == 1 || !fresh.is_empty());
            read += fresh.len() as u64;
            for (_, row, raw) in fresh {
                let raw = raw.filter(|_| self.raw);
                let activity = self.activity(id, row, raw, &mut names, &mut part.embedded);
                part.items.push(activity);
            }
            // Told or not, there is at least one more.
            part.total = more.then(|| page.total.unwrap_or_default().max(read + 1));
            if !more {
                break;
            }
        }
        part.items.sort_by_key(|activity| std::cmp::Reverse(activity.at));
        Ok(part)
    }

    /// Entries have no id: they are named by their time, and by a number where several have the same.
    fn activity(
        &self,
        id: &NativeId,
        row: EntryRow,
        raw: Option<Box<str>>,
        names: &mut HashMap<String, u32>,
        embedded: &mut Vec<Record>,
    ) -> Activity {
        let at = time(row.timestamp);
        let name = at.map_or_else(|| "undated".to_owned(), |at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true));
        let times = names.entry(name.clone()).and_modify(|times| *times += 1).or_insert(1);
        let name = if *times == 1 { name } else { format!("{name}/{times}") };
        let said = history::read(row.changes.unwrap_or_default());
        let kind = history::kind(row.is_creation.unwrap_or_default(), &said);
        let Said { changes, unread, unknown } = said;
        for word in unknown {
            self.client.tell_unknown(self.call, HISTORY, "kind of change", &word);
        }
        Activity {
            key: self.mapper.key(&*format!("{id}/history/{name}")),
            kind,
            source_type: None,
            at,
            actor: row.user.and_then(|user| self.mapper.user(&user, embedded)),
            title: None,
            description: None,
            changes,
            evidence: Vec::new(),
            subject_type: None,
            subject_id: None,
            details: (!unread.is_empty()).then(|| {
                let all: Vec<&str> = unread.iter().map(|change| change.get()).collect();
                RawJson::new(format!("[{}]", all.join(",")))
            }),
            raw: raw.map(RawJson::new),
        }
    }
}
