//! Documents at the limits and beyond. What may run does not: `@skip` at the root leaves the gate's own cost.

/// A document to measure.
pub(crate) struct Document {
    pub name: &'static str,
    pub text: String,
    pub accepted: bool,
}

fn repeat(count: usize, write: impl Fn(usize) -> String) -> String {
    (0..count).map(write).collect()
}

fn of_schema() -> String {
    let of_type = (0..9).fold("kind name".to_owned(), |inner, _| format!("kind name ofType {{ {inner} }}"));
    let value = format!("name description type {{ {of_type} }} defaultValue");
    format!(
        "{{ __schema @skip(if: true) {{ types {{ kind name description fields {{ name args {{ {value} }} type {{ {of_type} }} }}
         inputFields {{ {value} }} interfaces {{ {of_type} }} enumValues {{ name }} possibleTypes {{ {of_type} }} }} }} }}"
    )
}

/// Accepted ones first, each group from small to large.
pub(crate) fn all() -> Vec<Document> {
    let accepted = |name, text| Document { name, text, accepted: true };
    let refused = |name, text| Document { name, text, accepted: false };
    let fragments = |levels: usize| {
        let spread = |n: usize| format!("...F{n} ").repeat(12);
        repeat(levels, |n| format!("fragment F{n} on Query {{ {} }} ", spread(n + 1)))
    };
    let parents = |depth: usize| format!("{}id {}", "parent { ".repeat(depth), "} ".repeat(depth));
    vec![
        accepted("one field", "{ viewer @skip(if: true) { name } }".into()),
        accepted(
            "a page of incidents with owners, assets and threats",
            "query($n: Int = 100) { incidents(first: $n, filter: {severity: [CRITICAL, HIGH], phase: OPEN}) @skip(if: true) {
             totalCount nodes { id title severity status createdAt owners { name kind } assets { nodes { name description } }
             threats { nodes { name description } } } pageInfo { hasNextPage endCursor } } }"
                .into(),
        ),
        accepted("introspection as tools send it", of_schema()),
        accepted(
            "500 fields, 200 spreads",
            format!("{{ scopes @skip(if: true) {{ nodes {{ {} }} }} }} fragment F on Scope {{ id name }}", "...F ".repeat(199) + &"name ".repeat(98)),
        ),
        accepted(
            "500 fields in depth",
            format!("{{ scopes @skip(if: true) {{ nodes {{ {} }} }} }}", parents(11).repeat(41)),
        ),
        accepted("a text of 250 KB", format!("{{ incidents(filter: {{search: \"{}\"}}) @skip(if: true) {{ totalCount }} }}", "x".repeat(250_000))),
        accepted("14,900 ids", format!("{{ incidents(filter: {{ids: [{}]}}) @skip(if: true) {{ totalCount }} }}", repeat(14_900, |n| format!("\"{n}\" ")))),
        accepted(
            "1,600 variables",
            format!(
                "query({}) {{ incidents(filter: {{ids: [{}]}}) @skip(if: true) {{ totalCount }} }}",
                repeat(1_600, |n| format!("$v{n}: ID! = 1 ")),
                repeat(1_600, |n| format!("$v{n} "))
            ),
        ),
        accepted(
            "1,200 filters in one",
            format!("{{ incidents(filter: {{or: [{}]}}) @skip(if: true) {{ totalCount }} }}", "{title: {contains: \"x\"}} ".repeat(1_200)),
        ),
        accepted("a second operation of 14,900 fields", format!("query B {{ viewer {{ {} }} }} query A {{ __typename }}", "name ".repeat(14_900))),
        refused("300 KB", format!("{{ incidents(filter: {{search: \"{}\"}}) {{ totalCount }} }}", "x".repeat(300_000))),
        refused("100,000 tokens", format!("{{ viewer {{ {} }} }}", "name ".repeat(100_000))),
        refused("10,000 brackets", format!("{{ nodes(ids: {}{}) {{ id }} }}", "[".repeat(5_000), "]".repeat(5_000))),
        refused("14,900 fields", format!("{{ viewer {{ {} }} }}", "name ".repeat(14_900))),
        refused("1,000 aliases", format!("{{ viewer {{ {} }} }}", repeat(1_000, |n| format!("a{n}: name ")))),
        refused("six fragments, twelve times each", format!("{{ ...F0 }} {} fragment F6 on Query {{ viewer {{ name }} }}", fragments(6))),
        refused("circular introspection", "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }".into()),
        refused("a circle of 700 fragments", format!("{{ ...F0 }} {}", repeat(700, |n| format!("fragment F{n} on Query {{ viewer {{ name }} ...F{} }} ", (n + 1) % 700)))),
        refused("490 unknown fields", format!("{{ viewer {{ {} }} }}", repeat(490, |n| format!("unknown{n} ")))),
        refused("7,000 unknown directives", format!("{{ viewer {{ name {} }} }}", repeat(7_000, |n| format!("@d{n} ")))),
        refused("14,900 wrong values", format!("{{ nodes(ids: [{}]) {{ id }} }}", "null ".repeat(14_900))),
        refused("4,500 unknown arguments", format!("{{ incidents({}) {{ totalCount }} }}", repeat(4_500, |n| format!("a{n}: 1 ")))),
        refused("3,500 unused variables", format!("query({}) {{ viewer {{ name }} }}", repeat(3_500, |n| format!("$v{n}: Int ")))),
        refused("2,400 operations of one name", format!("query A {{ viewer {{ name }} }} {}", "query A { x } ".repeat(2_400))),
        refused("490 fields that conflict", format!("{{ scopes {{ nodes {{ {} x: id x: name }} }} }}", parents(11).repeat(40))),
        refused("no GraphQL: 14,900 brackets closed", "}".repeat(14_900)),
    ]
}
