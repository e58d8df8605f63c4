//! `GET /api/incidents/`: which incidents a query selects, in which order, and one page of them.
//!
//! Nothing is sorted that is not shown: a page is found by selection on a 16-byte key made of the first columns of the
//! ordering; only where keys are equal are records compared. Texts take part by their rank.

use crate::sandbox::Release;
use crate::sandbox::ciso_assistant::accounts::Account;
use crate::sandbox::ciso_assistant::query::{Page, Query, search_terms, uuid};
use crate::sandbox::ciso_assistant::ranks::TextColumn;
use crate::sandbox::ciso_assistant::state::*;
use crate::sandbox::ciso_assistant::words;
use crate::sandbox::ciso_assistant::write_values::parse_time;
use crate::sandbox::clock::Micros;
use serde_json::{Map, Value, json};
use std::cmp::Ordering;
use uuid::Uuid;

/// The links of one kind that only later releases show.
type HeldLater = fn(&Later) -> &[(Uuid, &'static str)];

/// What later releases link incidents to, with the filter of each: known here only from the incidents that name it.
const LATER_LINKS: [(&str, HeldLater); 3] = [
    ("applied_controls", |later| &later.applied_controls),
    ("task_templates", |later| &later.task_templates),
    ("risk_scenarios", |later| &later.risk_scenarios),
];

/// What a query asks for. `None` and empty lists select everything.
#[derive(Default)]
pub(super) struct Selection {
    ids: Option<Vec<Index>>,
    folder: Vec<Index>,
    assets: Vec<Index>,
    owners: Vec<Index>,
    entities: Vec<Index>,
    qualifications: Vec<Index>,
    labels: Vec<Index>,
    /// Bit n: severity n.
    severity: u8,
    /// Bit n: status n.
    status: u8,
    internal: bool,
    external: bool,
    /// In ASCII lower case.
    terms: Vec<String>,
    created: (Option<Micros>, Option<Micros>),
    updated: (Option<Micros>, Option<Micros>),
    /// In the order of [`LATER_LINKS`].
    later: [Vec<Uuid>; 3],
}

impl Selection {
    /// Reads the filters. All bad parameters are reported at once, as the body of a 400.
    pub(super) fn read(state: &State, query: &Query, release: Release) -> Result<Selection, Value> {
        let mut errors = Map::new();
        let mut related = |name: &str, kind| keys(state, query, name, kind, &mut errors);
        let mut selection = Selection {
            folder: related("folder", Kind::Folder),
            assets: related("assets", Kind::Asset),
            owners: related("owners", Kind::Actor),
            entities: related("entities", Kind::Entity),
            qualifications: related("qualifications", Kind::Term),
            labels: related("filtering_labels", Kind::Label),
            ..Selection::default()
        };
        let mut choices =
            |name: &str, position: &dyn Fn(&str) -> Option<usize>| choices(query, name, position, &mut errors);
        selection.severity = choices("severity", &|value| (1..=6).find(|severity| severity.to_string() == value));
        selection.status = choices("status", &|value| words::STATUS.iter().position(|(code, _)| *code == value));
        let codes = [words::INTERNAL.0, words::EXTERNAL.0];
        let detection = choices("detection", &|value| codes.iter().position(|code| *code == value));
        (selection.internal, selection.external) = (detection & 1 != 0, detection & 2 != 0);
        match query.ids() {
            Ok(ids) => {
                selection.ids = ids.map(|ids| ids.into_iter().filter_map(|id| state.incidents.find(id)).collect())
            }
            Err(()) => {
                errors.insert("id".to_owned(), json!(["Enter a valid UUID."]));
            }
        }
        if release.is_later() {
            let mut time = |name: &str| time(query, name, &mut errors);
            selection.created = (time("created_at__gte"), time("created_at__lt"));
            selection.updated = (time("updated_at__gte"), time("updated_at__lt"));
            selection.later = LATER_LINKS.map(|(name, held)| later_links(state, query, name, held, &mut errors));
        }
        selection.terms = query.last("search").map(search_terms).unwrap_or_default();
        selection.terms.iter_mut().for_each(|term| term.make_ascii_lowercase());
        if errors.is_empty() { Ok(selection) } else { Err(Value::Object(errors)) }
    }

    fn takes(&self, state: &State, index: Index, incident: &Incident) -> bool {
        let any =
            |wanted: &[Index], held: &[Index]| wanted.is_empty() || wanted.iter().any(|index| held.contains(index));
        let links = &incident.links;
        (self.severity == 0 || self.severity & (1 << incident.severity) != 0)
            && (self.status == 0 || self.status & (1 << incident.status) != 0)
            && self.takes_detection(incident.detection)
            && any(&self.folder, &[incident.folder])
            && any(&self.assets, &links.assets)
            && any(&self.owners, &links.owners)
            && any(&self.entities, &links.entities)
            && any(&self.qualifications, &links.qualifications)
            && any(&self.labels, &links.labels)
            && within(self.created, incident.created_at)
            && within(self.updated, incident.updated_at)
            && self.takes_later(incident)
            && (self.terms.is_empty() || {
                let searched = state.ranks.searched(&state.incidents, index);
                self.terms.iter().all(|term| searched.contains(term))
            })
    }

    fn takes_later(&self, incident: &Incident) -> bool {
        self.later.iter().zip(LATER_LINKS).all(|(wanted, (_, held))| {
            let held = incident.later.as_deref().map(held).unwrap_or_default();
            wanted.is_empty() || held.iter().any(|(id, _)| wanted.contains(id))
        })
    }

    fn takes_detection(&self, detection: Detection) -> bool {
        match detection {
            _ if !self.internal && !self.external => true,
            Detection::Internal => self.internal,
            Detection::External => self.external,
            Detection::Null | Detection::Blank => false,
        }
    }

    /// The selected incidents that the caller may see, in order of creation.
    pub(super) fn collect(&self, state: &State, caller: &Account) -> Vec<Index> {
        let visible = |index: Index, incident: &Incident| {
            self.takes(state, index, incident) && caller.sees(state, Kind::Incident, index)
        };
        match &self.ids {
            Some(ids) => {
                let mut ids = ids.clone();
                ids.sort_unstable();
                ids.dedup();
                ids.retain(|&index| visible(index, state.incidents.at(index)));
                ids
            }
            None => state
                .incidents
                .iter()
                .filter(|(index, incident)| visible(*index, incident))
                .map(|(index, _)| index)
                .collect(),
        }
    }
}

fn keys(state: &State, query: &Query, name: &str, kind: Kind, errors: &mut Map<String, Value>) -> Vec<Index> {
    let mut found = Vec::new();
    for value in query.all(name) {
        match uuid(value).map(|id| state.find(kind, id)) {
            Some(Some(index)) => found.push(index),
            Some(None) => return refuse(errors, name, not_available(value)),
            None => return refuse(errors, name, format!("“{value}” is not a valid value.")),
        }
    }
    found
}

fn later_links(
    state: &State,
    query: &Query,
    name: &str,
    held: HeldLater,
    errors: &mut Map<String, Value>,
) -> Vec<Uuid> {
    let mut found = Vec::new();
    for value in query.all(name) {
        let Some(id) = uuid(value) else { return refuse(errors, name, format!("“{value}” is not a valid value.")) };
        let names = |incident: &Incident| {
            incident.later.as_deref().is_some_and(|later| held(later).iter().any(|(other, _)| *other == id))
        };
        if !state.incidents.iter().any(|(_, incident)| names(incident)) {
            return refuse(errors, name, not_available(value));
        }
        found.push(id);
    }
    found
}

fn refuse<T: Default>(errors: &mut Map<String, Value>, name: &str, text: String) -> T {
    errors.insert(name.to_owned(), json!([text]));
    T::default()
}

pub(super) fn not_available(value: &str) -> String {
    format!("Select a valid choice. {value} is not one of the available choices.")
}

/// A bit per chosen position; zero when the parameter is absent.
fn choices(query: &Query, name: &str, position: &dyn Fn(&str) -> Option<usize>, errors: &mut Map<String, Value>) -> u8 {
    let mut chosen = 0;
    for value in query.all(name) {
        match position(value) {
            Some(position) => chosen |= 1 << position,
            None => return refuse(errors, name, not_available(value)),
        }
    }
    chosen
}

fn time(query: &Query, name: &str, errors: &mut Map<String, Value>) -> Option<Micros> {
    let value = query.last(name).filter(|value| !value.is_empty())?;
    let time = parse_time(value);
    if time.is_none() {
        errors.insert(name.to_owned(), json!(["Enter a valid date/time."]));
    }
    time
}

fn within((from, before): (Option<Micros>, Option<Micros>), time: Micros) -> bool {
    from.is_none_or(|from| from <= time) && before.is_none_or(|before| time < before)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Id,
    CreatedAt,
    UpdatedAt,
    IsPublished,
    Name,
    Description,
    RefId,
    Status,
    Severity,
    ReportedAt,
    Detection,
    Link,
    Folder,
}

impl Column {
    /// Bytes that a value takes in a key; see [`Cell::append`].
    fn width(self) -> usize {
        match self {
            Column::Id => 16,
            Column::CreatedAt | Column::UpdatedAt | Column::ReportedAt => 9,
            Column::Name | Column::Description | Column::RefId | Column::Link | Column::Folder => 4,
            Column::IsPublished | Column::Status | Column::Severity | Column::Detection => 1,
        }
    }
}

/// A column's value in a form whose order is the column's order.
enum Cell {
    Rank(u32),
    Time(Option<Micros>),
    Small(u8),
    Id([u8; 16]),
}

fn cell(state: &State, index: Index, incident: &Incident, column: Column) -> Cell {
    let rank = |column| Cell::Rank(state.ranks.texts(&state.incidents, column)[index as usize]);
    match column {
        Column::Id => Cell::Id(*incident.id.as_bytes()),
        Column::CreatedAt => Cell::Time(Some(incident.created_at)),
        Column::UpdatedAt => Cell::Time(Some(incident.updated_at)),
        Column::ReportedAt => Cell::Time(incident.reported_at),
        Column::IsPublished => Cell::Small(u8::from(incident.is_published)),
        Column::Name => rank(TextColumn::Name),
        Column::Description => rank(TextColumn::Description),
        Column::RefId => rank(TextColumn::RefId),
        Column::Link => rank(TextColumn::Link),
        Column::Folder => Cell::Rank(state.ranks.folders(&state.folders)[incident.folder as usize]),
        Column::Severity => Cell::Small(incident.severity),
        // Codes in text order: closed, dismissed, new, ongoing, resolved.
        Column::Status => Cell::Small([2, 3, 4, 0, 1][usize::from(incident.status)]),
        Column::Detection => Cell::Small(match incident.detection {
            Detection::Null => 0,
            Detection::Blank => 1,
            Detection::External => 2,
            Detection::Internal => 3,
        }),
    }
}

impl Cell {
    fn compare(&self, other: &Cell) -> Ordering {
        match (self, other) {
            (Cell::Rank(a), Cell::Rank(b)) => a.cmp(b),
            (Cell::Time(a), Cell::Time(b)) => a.cmp(b),
            (Cell::Small(a), Cell::Small(b)) => a.cmp(b),
            (Cell::Id(a), Cell::Id(b)) => a.cmp(b),
            _ => Ordering::Equal,
        }
    }

    /// Appends the value to a key, every bit flipped when the column descends. What goes beyond the key's length is
    /// cut: keys are only a beginning.
    fn append(&self, key: &mut Vec<u8>, flip: u8) {
        let mut put = |bytes: &[u8]| key.extend(bytes.iter().map(|byte| byte ^ flip));
        match self {
            Cell::Rank(rank) => put(&rank.to_be_bytes()),
            Cell::Time(None) => put(&[0; 9]),
            Cell::Time(Some(time)) => {
                put(&[1]);
                put(&(time ^ Micros::MIN).to_be_bytes());
            }
            Cell::Small(small) => put(&[*small]),
            Cell::Id(id) => put(id),
        }
    }
}

/// The columns to order by, each with whether it descends.
pub(super) struct Sorting(Vec<(Column, bool)>);

impl Sorting {
    /// `ordering=a,-b`; unknown names are ignored; nothing usable means by time of creation.
    pub(super) fn read(query: &Query) -> Sorting {
        let names = query.last("ordering").unwrap_or_default().split(',').map(str::trim);
        let columns: Vec<_> = names
            .filter_map(|name| {
                let (name, descends) = name.strip_prefix('-').map_or((name, false), |name| (name, true));
                Some((column(name)?, descends))
            })
            .collect();
        Sorting(if columns.is_empty() { vec![(Column::CreatedAt, false)] } else { columns })
    }

    fn key(&self, state: &State, index: Index, buffer: &mut Vec<u8>) -> u128 {
        let incident = state.incidents.at(index);
        buffer.clear();
        for &(column, descends) in &self.0 {
            cell(state, index, incident, column).append(buffer, if descends { 0xff } else { 0 });
        }
        buffer.resize(16, 0);
        let mut key = [0; 16];
        key.copy_from_slice(&buffer[..16]);
        u128::from_be_bytes(key)
    }

    fn compare(&self, state: &State, a: Index, b: Index) -> Ordering {
        let (first, second) = (state.incidents.at(a), state.incidents.at(b));
        for &(column, descends) in &self.0 {
            let order = cell(state, a, first, column).compare(&cell(state, b, second, column));
            if order != Ordering::Equal {
                return if descends { order.reverse() } else { order };
            }
        }
        // The real server has no tie-break; this one keeps the order of creation, so that answers are repeatable.
        a.cmp(&b)
    }

    /// One page of `rows`, in order.
    pub(super) fn page(&self, state: &State, rows: Vec<Index>, page: Page) -> Vec<Index> {
        let mut buffer = Vec::with_capacity(64);
        let mut keyed: Vec<(u128, Index)> =
            rows.into_iter().map(|index| (self.key(state, index, &mut buffer), index)).collect();
        // A key that holds all columns leaves nothing to compare but the order of creation.
        let whole = self.0.iter().map(|&(column, _)| column.width()).sum::<usize>() <= size_of::<u128>();
        let compare = |a: &(u128, Index), b: &(u128, Index)| {
            a.0.cmp(&b.0).then_with(|| if whole { a.1.cmp(&b.1) } else { self.compare(state, a.1, b.1) })
        };
        let mut window = keyed.as_mut_slice();
        if page.offset >= window.len() {
            return Vec::new();
        }
        if page.offset > 0 {
            window.select_nth_unstable_by(page.offset, compare);
            window = &mut window[page.offset..];
        }
        if page.limit < window.len() {
            window.select_nth_unstable_by(page.limit, compare);
            window = &mut window[..page.limit];
        }
        window.sort_unstable_by(compare);
        window.iter().map(|&(_, index)| index).collect()
    }
}

fn column(name: &str) -> Option<Column> {
    Some(match name {
        "id" => Column::Id,
        "created_at" => Column::CreatedAt,
        "updated_at" => Column::UpdatedAt,
        "is_published" => Column::IsPublished,
        "name" => Column::Name,
        "description" => Column::Description,
        "ref_id" => Column::RefId,
        "status" => Column::Status,
        "severity" => Column::Severity,
        "reported_at" => Column::ReportedAt,
        "detection" => Column::Detection,
        "link" => Column::Link,
        "folder" => Column::Folder,
        _ => return None,
    })
}
