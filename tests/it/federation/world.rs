//! Random worlds: several sources of different abilities, incidents with equal keys and nulls in a third, queries.

use super::memory::{Memory, able};
use incident_gateway::{domain::*, federation::IncidentQuery, source::Want};
use proptest::{collection::vec, option, prelude::*, sample::select};
use std::sync::Arc;

const NAMES: [&str; 4] = ["beta", "alpha", "delta", "gamma"];

/// What an incident is made from.
#[derive(Clone, Debug)]
pub(crate) struct Seed {
    created: Option<i64>,
    severity: Severity,
    status: IncidentStatus,
    title: Option<usize>,
    reference: Option<usize>,
    owner: Option<u8>,
}

/// What a source is made from.
#[derive(Clone, Debug)]
pub(crate) struct Abilities {
    /// In which directions, whatever the field.
    sorts: &'static [OrderDirection],
    filters: bool,
    page: usize,
    counts: bool,
}

impl Abilities {
    /// A source that sorts and gives pages long enough to show an order.
    pub(crate) fn make_sorting(&mut self) {
        self.sorts = BOTH_WAYS;
        self.page = 100;
    }
}

/// A third of all values is missing, the rest often equal.
fn sparse<T: std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    option::weighted(0.67, value)
}

pub(crate) fn word<T: Vocabulary + std::fmt::Debug>() -> impl Strategy<Value = T> {
    select(T::WORDS.iter().map(|word| word.value).collect::<Vec<_>>())
}

pub(crate) fn seed() -> impl Strategy<Value = Seed> {
    let kinds = (word(), word());
    (sparse(0i64..6), kinds, sparse(0..TITLES), sparse(0..REFERENCES.len()), sparse(0u8..3)).prop_map(
        |(created, (severity, status), title, reference, owner)| Seed {
            created,
            severity,
            status,
            title,
            reference,
            owner,
        },
    )
}

const BOTH_WAYS: &[OrderDirection] = &[OrderDirection::Asc, OrderDirection::Desc];
const TITLES: usize = 9;
const REFERENCES: [&str; 5] = ["INC-2", "INC-10", "inc-9", "A", "Ä-1"];

/// The last ones are alike in all bytes that a cursor keeps; one of them has no more than these.
fn title(index: usize) -> String {
    match index {
        0 => "Phishing".into(),
        1 => "phishing".into(),
        2 => "Ärger mit \"Quotes\"".into(),
        3 => "zebra".into(),
        4 => "é".repeat(128),
        index => format!("{}{index}", "é".repeat(200)),
    }
}

pub(crate) fn time(second: i64) -> Time {
    chrono::DateTime::from_timestamp(1_700_000_000 + second, 0).unwrap()
}

pub(crate) fn incident(source: &str, id: &str, seed: &Seed) -> Incident {
    let name = SourceName::new(source);
    let mut incident = Incident::new(Key::new(&name, id), SourceKind::CisoAssistant);
    let at = seed.created.map(time);
    incident.created_at = at;
    incident.updated_at = at;
    incident.occurred_at = at;
    incident.detected_at = at;
    incident.reported_at = at;
    incident.resolved_at = at;
    incident.due_at = at;
    incident.severity = seed.severity;
    incident.status = seed.status;
    incident.title = seed.title.map(|index| title(index).into());
    incident.reference = seed.reference.map(|index| REFERENCES[index].into());
    incident.owners = seed.owner.iter().map(|owner| Link::bare(Key::new(&name, owner.to_string().as_str()))).collect();
    incident
}

pub(crate) fn abilities() -> impl Strategy<Value = Abilities> {
    let sorts = select(vec![&[], &BOTH_WAYS[..1], &BOTH_WAYS[1..], BOTH_WAYS, BOTH_WAYS]);
    (sorts, any::<bool>(), select(vec![1, 2, 3, 7, 100]), any::<bool>())
        .prop_map(|(sorts, filters, page, counts)| Abilities { sorts, filters, page, counts })
}

/// Sources with their rows.
pub(crate) type World = Vec<(Abilities, Vec<Seed>)>;

/// Ids are numbers as text, so that text order differs from insertion.
pub(crate) fn world() -> impl Strategy<Value = World> {
    vec((abilities(), vec(seed(), 0..30)), 1..=4)
}

pub(crate) fn build(world: &World) -> Vec<Arc<Memory>> {
    let source = |(index, (abilities, seeds)): (usize, &(Abilities, Vec<Seed>))| {
        let mut capabilities = able();
        capabilities.list.orders.iter_mut().for_each(|(_, directions)| *directions = abilities.sorts.to_vec());
        if !abilities.filters {
            capabilities.list.filters.clear();
        }
        if !abilities.counts {
            capabilities.list.total = CountPrecision::Unknown;
        }
        capabilities.list.max_page_size = abilities.page;
        let rows = seeds.iter().enumerate().map(|(id, seed)| incident(NAMES[index], &id.to_string(), seed)).collect();
        Memory::new(NAMES[index], capabilities, rows)
    };
    world.iter().enumerate().map(source).collect()
}

/// Rows of all titles, most of them long and alike.
pub(crate) fn entitled(world: &mut World) {
    for (index, seed) in world.iter_mut().flat_map(|(_, seeds)| seeds).enumerate() {
        seed.title = Some(seed.title.unwrap_or(index % TITLES));
    }
}

pub(crate) fn order() -> impl Strategy<Value = Order> {
    (word(), word()).prop_map(|(field, direction)| Order { field, direction })
}

fn key() -> impl Strategy<Value = Key> {
    (0..NAMES.len(), 0..30u8)
        .prop_map(|(source, id)| Key::new(&SourceName::new(NAMES[source]), id.to_string().as_str()))
}

fn test() -> impl Strategy<Value = Test> {
    let times = (option::of(0i64..7), option::of(0i64..7))
        .prop_map(|(since, until)| TimeRange { since: since.map(time), until: until.map(time) });
    prop_oneof![
        vec(word(), 0..4).prop_map(Test::Severity),
        vec(word(), 1..5).prop_map(Test::Status),
        word().prop_map(Test::Phase),
        times.prop_map(|range| Test::Time(TimeField::Created, range)),
        select(vec!["phish", "ärger", "\"", " ", "inc 2"]).prop_map(|text| Test::Search(Search::parse(text))),
        Just(Test::Title(TextTest::new(Some("PHISH"), None, None))),
        vec((0..2usize, 0u8..3), 0..4).prop_map(|owners| {
            let owner = |(source, id): (usize, u8)| Key::new(&SourceName::new(NAMES[source]), id.to_string().as_str());
            Test::Owners(owners.into_iter().map(owner).map(OwnerRef::Key).collect())
        }),
        any::<bool>().prop_map(Test::Unassigned),
        vec(key(), 0..20).prop_map(Test::Ids),
        vec(0u8..30, 0..9)
            .prop_map(|ids| { Test::SourceIds(ids.iter().map(|id| NativeId::new(&id.to_string())).collect()) }),
        Just(Test::Sources(vec![SourceName::new(NAMES[0])])),
    ]
}

pub(crate) fn filter() -> impl Strategy<Value = Filter> {
    let test = test().prop_map(Filter::Test);
    let tree = test.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Filter::All),
            vec(inner.clone(), 0..3).prop_map(Filter::Any),
            inner.prop_map(|part| Filter::Not(Box::new(part))),
        ]
    });
    prop_oneof![Just(Filter::default()), tree]
}

pub(crate) fn query(filter: Filter, order: Order, first: i32) -> IncidentQuery {
    IncidentQuery {
        filter,
        order,
        first: PageSize::new(first).unwrap(),
        after: None,
        require_sources: Vec::new(),
        want: Want::default(),
        want_total: false,
    }
}

/// Every incident that matches, in order, as a slow and simple program would find it.
pub(crate) fn expected(sources: &[Arc<Memory>], filter: &Filter, order: Order) -> Vec<Key> {
    let all = sources.iter().flat_map(|source| source.change(|state| state.rows.clone()));
    let mut rows: Vec<Incident> = all.filter(|row| filter.matches(row)).collect();
    rows.sort_by(|a, b| order.compare(&order.position(a), &order.position(b)));
    rows.into_iter().map(|row| row.key).collect()
}
