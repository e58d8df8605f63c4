//! Random but valid queries, made from a list of choices, so that fewer choices are a simpler query: a failing case
//! shrinks to what matters.
//!
//! A response key always means the same field with the same arguments, so that equal keys can be merged; in a scope
//! that holds several types, keys begin with the type.

use super::{
    facts::global_id,
    paging::List,
    schema,
    world::{SOURCES, count, native},
};
use apollo_compiler::schema::ExtendedType;
use incident_gateway::domain::RecordKind;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// A query and its variables.
#[derive(Debug)]
pub(super) struct Asking {
    pub(super) query: String,
    pub(super) variables: Map<String, Value>,
}

/// Types with an id, a source and an id there, all of which every link has.
const RECORDS: [&str; 9] =
    ["Incident", "Asset", "Owner", "Threat", "Evidence", "Scope", "Tag", "Term", "RelatedRecord"];
/// Types that a `Node` can be.
const TYPES: [&str; 10] =
    ["Incident", "Asset", "Owner", "Threat", "Evidence", "Scope", "Tag", "Term", "RelatedRecord", "Source"];

/// What is asked of a type. Two types are told apart by where they stand: `Below` is a list of incidents under a
/// record, of which `sources` is not known here, and `Places` is the `PageInfo` of a list whose cursors are known here.
fn fields(ty: &str) -> &'static str {
    match ty {
        "Query" => "incidents node nodes incident assets owners threats source sources viewer",
        "Node" => "id",
        "Incident" => {
            "title reference severity status phase published hostCount origins createdAt raw scores alertCounts exposure
             owners createdBy assets threats evidence comments activity tags qualifications entities relatedRecords
             scope"
        }
        "Asset" => "name kind description raw owners parents children scope tags incidents",
        "Owner" => "name kind email active raw leader deputies members scope incidents",
        "Threat" => "name kind cvss lastExploitedOn raw scope tags incidents",
        "Evidence" => "title kind description raw observable owners scope tags",
        "Scope" => "name kind description root raw parent path",
        "Tag" => "name createdBy scope",
        "Term" => "label name kind description selectable",
        "RelatedRecord" => "name kind reference raw",
        "Source" => "id name kind url health capabilities",
        "IncidentConnection" | "AssetConnection" => "nodes edges pageInfo totalCount sources",
        "Below" | "OwnerConnection" => "nodes edges pageInfo totalCount",
        "ThreatConnection" => "nodes pageInfo totalCount",
        ty if TIED.contains(&ty) => "edges nodes pageInfo totalCount",
        "IncidentEdge" | "AssetEdge" | "OwnerEdge" => "node",
        "IncidentAssetEdge" => "cursor node roles sourceRoles",
        "IncidentThreatEdge" => "cursor node relevance issueTypes",
        "IncidentEvidenceEdge" => "cursor node addedAt addedBy obtainedFrom",
        "CommentEdge" | "ActivityEdge" => "cursor node",
        "Comment" => "id kind body createdAt raw author evidence",
        "Activity" => "id kind title at raw actor evidence",
        "PageInfo" => "hasNextPage hasPreviousPage",
        "Places" => "hasNextPage hasPreviousPage startCursor endCursor",
        "Score" => "kind name value versionMatched",
        "AlertCounts" => "total high",
        "Exposure" => "port countryCodes",
        "Observable" => "type value",
        "SourceReport" => "status itemCount source error",
        "SourceError" => "code message",
        "SourceHealth" => "status latencyMs version message",
        "SourceCapabilities" => "readComments detections maxPageSize",
        "Viewer" => "name kind",
        other => panic!("nothing is known of {other}"),
    }
}

/// Lists that an incident has of its own.
const TIED: [&str; 5] = [
    "IncidentAssetConnection",
    "IncidentThreatConnection",
    "IncidentEvidenceConnection",
    "CommentConnection",
    "ActivityConnection",
];

/// The arguments to choose from; `%` begins the name of an id.
fn arguments(ty: &str, field: &str) -> &'static [&'static str] {
    match (ty, field) {
        ("Query", "incidents") => &[
            "",
            "(first: 3)",
            "(first: $first)",
            "(first: $two)",
            "(first: null)",
            "(filter: {severity: $severities})",
            "(filter: {severity: [HIGH, LOW, CRITICAL]})",
            "(filter: null)",
        ],
        ("Query", "node") => &["(id: $id)", "(id: %asset1)", "(id: %incident2)", "(id: %owner9)", "(id: %source)"],
        ("Query", "nodes") => &[
            "(ids: $ids)",
            "(ids: [%asset1, %incident2, %owner9, %incident2, %tag0])",
            "(ids: [$id, %term1])",
            "(ids: %evidence3)",
        ],
        ("Query", "incident") => &[
            "(by: $by)",
            "(by: {id: %incident2})",
            "(by: {native: {source: \"soc\", id: \"INC-1\"}})",
            "(by: {id: $id})",
        ],
        ("Query", "assets") => &["", "(first: 2)", "(kinds: $kinds)", "(kinds: [$kind, OTHER])", "(first: $first)"],
        ("Query", "owners") => &["", "(first: 7)"],
        ("Query", "threats") => &["", "(first: $two)"],
        ("Query", "source") => &["(name: \"soc\")", "(name: \"none\")"],
        ("Incident", "assets") => &[
            "",
            "(first: 2)",
            "(first: $first)",
            "(first: $two, after: $after)",
            "(kinds: $kinds)",
            "(kinds: HOST, first: 2)",
            "(kinds: [$kind, OTHER], after: $after)",
            "(roles: [VICTIM, ATTACKER, SUSPECT])",
            "(first: 0)",
        ],
        ("Incident", "threats") => &["", "(first: 2)", "(kinds: [CATALOGUED])", "(after: $after)"],
        ("Incident", "evidence") => &["", "(first: $first)", "(kinds: LOG_EVENT)", "(first: $two, after: $after)"],
        ("Incident", "comments" | "activity") => {
            &["", "(first: 1)", "(first: $first)", "(first: $two, after: $after)", "(after: $after)"]
        }
        ("Incident", "relatedRecords") => &["", "(kinds: [RISK, TASK])", "(kinds: [])"],
        (_, "incidents") => &["", "(first: 2)", "(first: $first)", "(first: 101)"],
        _ => &[""],
    }
}

/// The type below a field; none for leaves.
fn below(ty: &str, field: &str) -> Option<&'static str> {
    let declared = match ty {
        "Below" => "IncidentConnection",
        "Places" => "PageInfo",
        ty => ty,
    };
    let of = schema().type_field(declared, field).unwrap().ty.inner_named_type();
    match (&schema().types[of], ty, field) {
        (ExtendedType::Scalar(_) | ExtendedType::Enum(_), ..) => None,
        (_, "Owner" | "Asset" | "Threat", "incidents") => Some("Below"),
        (_, ty, "pageInfo") if TIED.contains(&ty) => Some("Places"),
        _ => Some(of.as_str()),
    }
}

/// The id of a record of the source `soc`, as a literal.
fn id(kind: RecordKind, number: usize) -> String {
    format!("\"{}\"", global_id(&format!("{kind:?}"), "soc", &native(kind, number)))
}

/// The text of an argument, with ids for their names.
fn with_ids(arguments: &str) -> String {
    use RecordKind as K;
    let ids = [
        ("%asset1", id(K::Asset, 1)),
        ("%incident2", id(K::Incident, 2)),
        ("%owner9", id(K::Owner, 9)),
        ("%tag0", id(K::Tag, 0)),
        ("%term1", id(K::Term, 1)),
        ("%evidence3", id(K::Evidence, 3)),
        ("%source", format!("\"{}\"", global_id("Source", "grc", ""))),
    ];
    ids.iter().fold(arguments.to_owned(), |text, (name, id)| text.replace(name, id))
}

/// Makes one query.
struct Writer {
    choices: Vec<u16>,
    next: usize,
    items: usize,
    /// Name, type and text; a fragment only spreads those before it.
    fragments: Vec<(String, &'static str, String)>,
}

/// A query from choices; where they end, the simplest is taken.
pub(super) fn asking(choices: Vec<u16>) -> Asking {
    let mut writer = Writer { choices, next: 0, items: 0, fragments: vec![] };
    let root = writer.set("Query", 7, false);
    let fragments = std::mem::take(&mut writer.fragments);
    let bodies = fragments.iter().map(|(name, on, body)| format!(" fragment {name} on {on} {body}"));
    let text = bodies.fold(root, |text, body| text + &body);
    let mut head = String::new();
    let mut variables = Map::new();
    for (name, declared, values) in known_variables() {
        if !mentions(&text, name) {
            continue;
        }
        write!(head, "${name}: {declared} ").unwrap();
        if let Some(value) = values[writer.pick(values.len())].clone() {
            variables.insert(name.to_owned(), value);
        }
    }
    let head = if head.is_empty() { head } else { format!("query({}) ", head.trim()) };
    Asking { query: head + &text, variables }
}

/// Whether the text uses the variable, and not one whose name only begins so.
fn mentions(text: &str, name: &str) -> bool {
    text.split(&format!("${name}")).skip(1).any(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric()))
}

/// Name, type with default, and the values to choose from; none leaves the variable out.
type Known = (&'static str, &'static str, Vec<Option<Value>>);

fn known_variables() -> Vec<Known> {
    let cursors = cursors();
    let numbers = [("first", "Int", json!([null, 2, 1])), ("two", "Int = 2", json!([null, 3, 0]))];
    let words = [
        ("after", "String", cursors),
        ("kinds", "[AssetKind!]", json!([null, [], ["HOST", "DOMAIN"], "OTHER"])),
        ("severities", "[Severity!]", json!([null, [], ["MEDIUM", "LOW", "UNKNOWN"], "HIGH"])),
    ];
    let may_be_absent = [
        ("yes", "Boolean! = true", json!([false, true])),
        ("maybe", "Boolean = false", json!([true])),
        ("kind", "AssetKind! = HOST", json!(["DOMAIN"])),
    ];
    let optional = may_be_absent.into_iter().chain(numbers).chain(words);
    let optional = optional.map(|(name, declared, values)| (name, declared, choices(true, values)));
    let required = [
        ("no", "Boolean!", json!([false, true])),
        ("id", "ID!", ids_of_one()),
        ("ids", "[ID!]!", ids_of_many()),
        ("by", "IncidentRef!", references()),
    ];
    let required = required.into_iter().map(|(name, declared, values)| (name, declared, choices(false, values)));
    optional.chain(required).collect()
}

/// Cursors of lists of the first incidents, each good for its own list alone.
fn cursors() -> Value {
    let mut all = vec![Value::Null, Value::Null, json!("garbage"), json!(" ")];
    for field in ["assets", "threats", "evidence", "comments", "activity"] {
        for incident in 0..2 {
            let list = List::new(field, SOURCES[0], &native(RecordKind::Incident, incident));
            all.extend([list.cursor(0, "1"), list.cursor(9, "0"), list.cursor(0, "x")]);
        }
    }
    json!(all)
}

fn choices(absent: bool, values: Value) -> Vec<Option<Value>> {
    let Value::Array(values) = values else { panic!("values are a list") };
    absent.then_some(None).into_iter().chain(values.into_iter().map(Some)).collect()
}

fn of(kind: RecordKind, number: usize, source: usize) -> Value {
    json!(global_id(&format!("{kind:?}"), SOURCES[source], &native(kind, number)))
}

fn ids_of_one() -> Value {
    let comment = json!(global_id("Comment", "soc", "x"));
    let missing = of(RecordKind::Incident, count(RecordKind::Incident), 1);
    let known = [of(RecordKind::Incident, 1, 0), of(RecordKind::Asset, 2, 1), of(RecordKind::Owner, 1, 1)];
    known.into_iter().chain([missing, json!("garbage"), comment]).collect()
}

fn ids_of_many() -> Value {
    let every = RecordKind::ALL.iter().flat_map(|kind| [of(*kind, 0, 1), of(*kind, count(*kind), 0)]);
    let twice = of(RecordKind::Incident, 0, 1);
    json!([every.collect::<Value>(), of(RecordKind::Owner, 2, 1), [twice, twice, of(RecordKind::Scope, 1, 1)], []])
}

fn references() -> Value {
    let by_native = |source: &str, id: &str| json!({"native": {"source": source, "id": id}});
    json!([
        {"id": of(RecordKind::Incident, 3, 1)},
        by_native("grc", &native(RecordKind::Incident, 1)),
        by_native("grc", "nothing"),
        by_native("none", "1"),
    ])
}

impl Writer {
    fn pick(&mut self, sides: usize) -> usize {
        let choice = self.choices.get(self.next).copied().unwrap_or(0);
        self.next += 1;
        usize::from(choice) % sides
    }

    fn directive(&mut self) -> &'static str {
        const DIRECTIVES: [&str; 8] = [
            " @skip(if: $no)",
            " @skip(if: $yes)",
            " @include(if: $yes)",
            " @include(if: $no)",
            " @include(if: $maybe)",
            " @skip(if: true)",
            " @include(if: true)",
            " @skip(if: $no) @include(if: $yes)",
        ];
        match self.pick(28) {
            0 => "",
            choice => DIRECTIVES.get(choice - 1).unwrap_or(&""),
        }
    }

    fn set(&mut self, ty: &'static str, depth: usize, mixed: bool) -> String {
        let count = 1 + self.pick(if ty == "Query" { 3 } else { 5 });
        let items: Vec<String> = (0..count).map(|_| self.item(ty, depth, mixed)).collect();
        format!("{{ {} }}", items.join(" "))
    }

    fn item(&mut self, ty: &'static str, depth: usize, mixed: bool) -> String {
        self.items += 1;
        let deep = depth > 0 && self.items < 100;
        match self.pick(14) {
            1..=2 if deep => self.fragment(ty, depth, mixed),
            3 if self.pick(2) == 0 => "__typename".into(),
            3 => format!("kind_of_{ty}: __typename", ty = if ty == "Below" { "Incidents" } else { ty }),
            choice => self.field(ty, depth, mixed || ty == "Node", deep && choice > 4),
        }
    }

    fn field(&mut self, ty: &'static str, depth: usize, mixed: bool, deep: bool) -> String {
        let links = if RECORDS.contains(&ty) { "id source sourceId" } else { "" };
        let names = links.split_whitespace().chain(fields(ty).split_whitespace());
        let (branches, leaves): (Vec<&str>, Vec<&str>) = names.partition(|name| below(ty, name).is_some());
        let of = match (deep, leaves.is_empty(), branches.is_empty()) {
            (false, true, _) => return "__typename".into(),
            (true, _, false) => branches,
            _ => leaves,
        };
        let name = of[self.pick(of.len())];
        let variants = arguments(ty, name);
        let variant = self.pick(variants.len());
        let mut key = if variant == 0 { name.to_owned() } else { format!("{name}_{variant}") };
        if self.pick(4) == 1 {
            key = format!("x_{key}");
        }
        if mixed {
            key = format!("{ty}_{key}");
        }
        let alias = if key == name { String::new() } else { format!("{key}: ") };
        let directive = self.directive();
        let below = below(ty, name).map_or(String::new(), |below| format!(" {}", self.set(below, depth - 1, false)));
        format!("{alias}{name}{}{directive}{below}", with_ids(variants[variant]))
    }

    /// A fragment, inline or by name, that may apply to the type.
    fn fragment(&mut self, ty: &'static str, depth: usize, mixed: bool) -> String {
        let record = TYPES.contains(&ty);
        let on = match self.pick(4) {
            1 if record || ty == "Node" => "Node",
            _ if ty == "Node" => TYPES[self.pick(TYPES.len())],
            _ => ty,
        };
        let directive = self.directive();
        let real = on != "Below" && on != "Places";
        if self.pick(3) == 1 && real && (record || ty == "Node" || ty == "Query") {
            let fitting = |name: &&(String, &'static str, String)| name.1 == on;
            let known: Vec<String> = self.fragments.iter().filter(fitting).map(|known| known.0.clone()).collect();
            let name = match known.is_empty() || self.pick(2) == 0 {
                true => {
                    let body = self.set(on, depth - 1, on != "Query");
                    let name = format!("F{}", self.fragments.len());
                    self.fragments.push((name.clone(), on, body));
                    name
                }
                false => known[self.pick(known.len())].clone(),
            };
            let again = if self.pick(3) == 1 { format!(" ...{name}") } else { String::new() };
            return format!("...{name}{directive}{again}");
        }
        let body = self.set(on, depth - 1, mixed || on != ty);
        if on == ty { format!("...{directive} {body}") } else { format!("... on {on}{directive} {body}") }
    }
}
