// Documents made from a schema, right ones and wrong ones, so that every rule of validation has its turn at every type,
// argument and input field. Fields at the root carry `@skip(if: true)`: the verdict is asked for, not the answer.
import { getNamedType, isCompositeType, isEnumType, isInputObjectType, isInterfaceType, isLeafType, isObjectType, isRequiredArgument, isRequiredInputField, isScalarType } from "graphql";

const LITERALS = ["null", "0", "1", "-1", "2147483647", "2147483648", "-2147483649", "99999999999999999999", "1.0", "1e2", "true", "\"\"", "\"x\"",
  "\"1\"", "\"\"\"b\"\"\"", "\"2026-04-21T11:15:00Z\"", "\"2026-13-01T00:00:00Z\"", "WORD", "HIGH", "DESC", "[]", "[null]", "[1]", "[\"x\"]", "[HIGH]", "[[\"x\"]]", "[[1], 2]",
  "{}", "{x: 1}", "{id: \"x\"}", "{id: null}", "{id: \"x\", native: {source: \"a\", id: \"b\"}}", "[{id: \"x\"}]", "[{}]", "{contains: \"x\"}", "{since: null}",
  "\"\\uD83D\\uDE00\"", "\"\\u{1F600}\""];

/** A literal that a type takes. */
function literal(type) {
  const named = getNamedType(type);
  if (isEnumType(named)) return named.getValues()[0].name;
  if (isInputObjectType(named)) {
    const fields = Object.values(named.getFields());
    const given = named.isOneOf ? fields.slice(0, 1) : fields.filter(isRequiredInputField);
    return `{${given.map((field) => `${field.name}: ${literal(field.type)}`).join(", ")}}`;
  }
  return { Int: "1", Float: "1.5", Boolean: "true", DateTime: "\"2026-04-21T11:15:00Z\"" }[named.name] ?? "\"x\"";
}

const required = (field) => {
  const given = field.args.filter(isRequiredArgument).map((arg) => `${arg.name}: ${literal(arg.type)}`);
  return given.length ? `(${given.join(", ")})` : "";
};

/** For each composite type, what stands before and after a selection of it: the shortest way from the root. */
function ways(schema) {
  const root = schema.getQueryType();
  const known = new Map([[root.name, { open: "", close: "", depth: 0 }]]);
  for (const [name, way] of known) {
    const type = schema.getType(name);
    const step = (target, open) => {
      if (!known.has(target)) known.set(target, { open: way.open + open, close: `}${way.close}`, depth: way.depth + 1 });
    };
    if (isInterfaceType(type)) for (const object of schema.getPossibleTypes(type)) step(object.name, `... on ${object.name} {`);
    for (const field of Object.values(type.getFields())) {
      const target = getNamedType(field.type);
      if (isCompositeType(target)) step(target.name, `${field.name}${required(field)}${way.depth ? "" : " @skip(if: true)"} {`);
    }
  }
  return known;
}

/** Every place that takes a value: its type, and a document with a value there. */
function places(schema, way) {
  const found = [];
  const inputs = new Map();
  for (const [name, { open, close, depth }] of way) {
    const type = schema.getType(name);
    for (const field of Object.values(type.getFields())) {
      for (const arg of field.args) {
        const others = field.args.filter((other) => other !== arg && isRequiredArgument(other)).map((other) => `, ${other.name}: ${literal(other.type)}`).join("");
        const leaf = isCompositeType(getNamedType(field.type)) ? "{ __typename }" : "";
        const write = (value) => `{ ${open} ${field.name}(${arg.name}: ${value}${others}) ${depth ? "" : "@skip(if: true)"} ${leaf} ${close} }`;
        found.push({ name: `${name}.${field.name}(${arg.name})`, type: arg.type, write });
        if (isInputObjectType(getNamedType(arg.type))) inputs.set(getNamedType(arg.type), write);
      }
    }
  }
  for (const [input, write] of inputs) {
    for (const field of Object.values(input.getFields())) {
      const others = input.isOneOf ? "" : Object.values(input.getFields()).filter((other) => other !== field && isRequiredInputField(other)).map((other) => `, ${other.name}: ${literal(other.type)}`).join("");
      const inside = (value) => write(`{${field.name}: ${value}${others}}`);
      found.push({ name: `${input.name}.${field.name}`, type: field.type, write: inside });
      const named = getNamedType(field.type);
      if (isInputObjectType(named) && !inputs.has(named)) inputs.set(named, inside);
    }
  }
  return found;
}

function* ofTypes(schema, way) {
  for (const [name, { open, close, depth }] of way) {
    const type = schema.getType(name);
    const fields = Object.values(type.getFields());
    const skip = depth ? "" : "@skip(if: true)";
    const here = (selection) => `{ ${open} ${selection} ${close} }`;
    const scalars = fields.filter((field) => isLeafType(getNamedType(field.type)) && !field.args.some(isRequiredArgument));
    yield here(`__typename ${scalars.map((field) => field.name).join(" ")}`);
    yield here("noSuchField");
    yield here("__schema { queryType { name } }");
    yield here("... on NoSuchType { __typename }");
    yield here("... on Severity { __typename }");
    yield here("... on IncidentFilter { __typename }");
    yield here("...NoSuchFragment");
    yield here("... @skip(if: true) { __typename }");
    yield here("... @unknown { __typename }");
    for (const other of ["Query", "Incident", "Node", "Asset", "PageInfo"]) yield here(`... on ${other} { __typename }`);
    for (const field of fields.slice(0, depth ? 6 : 100)) {
      const call = `${field.name}${required(field)} ${skip}`;
      const composite = isCompositeType(getNamedType(field.type));
      yield here(composite ? call : `${call} { x }`);
      yield here(composite ? `${call} { __typename }` : call);
      yield here(`${field.name}(noSuchArgument: 1) ${composite ? "{ __typename }" : ""}`);
      if (required(field)) yield here(`${field.name} ${composite ? "{ __typename }" : ""}`);
      yield here(`a: ${call} ${composite ? "{ __typename }" : ""} a: __typename`);
    }
  }
}

function* ofValues(schema, all) {
  for (const { type, write } of all) {
    yield write(literal(type));
    for (const value of LITERALS) yield write(value);
    for (const value of ["$undefined", "[$undefined]"]) yield write(value);
    const named = getNamedType(type).name;
    for (const given of [named, `${named}!`, `[${named}]`, `[${named}!]`, `[${named}!]!`, "String", "Int!", "NoSuchType", "Incident"]) {
      yield [`query($v: ${given}) ${write("$v")}`, given.endsWith("!")];
      yield [`query($v: ${given}) ${write("[$v]")}`, given.endsWith("!")];
    }
    for (const value of LITERALS.slice(0, 16)) yield `query($v: ${named} = ${value}) ${write("$v")}`;
    yield `query($v: ${type}) ${write(literal(type))}`;
  }
}

/** By hand: what is wrong with a whole document. */
const WHOLE = [
  "", "#", "{", "{ }", "{ viewer }", "query", "query { }", "{ viewer { name } } }", "viewer { name }", "{ viewer { name }", "{ viewer { na-me } }", "{ viewer { name: } }", "query Q( { viewer { name } }",
  "query Q() { viewer { name } }", "{ viewer() { name } }", "{ source(name: ) { id } }", "{ source(name: \"a) { id } }", "{ source(name: \"\\x\") { id } }", "{ source(name: \"\\uD83D\") { id } }", "{ source(name: \"\\u{110000}\") { id } }",
  "{ source(name: \"\\uD83D\\uDE00\") { id } }", "{ source(name: \"\\u{1F600}\") { id } }", "{ source(name: 'a') { id } }", "{ source(name: \"a\nb\") { id } }", "{ source(name: \"\"\"a\nb\"\"\") { id } }", "{ incidents(first: 01) { totalCount } }",
  "{ incidents(first: 1a) { totalCount } }", "{ incidents(first: -) { totalCount } }", "{ incidents(first: 1.) { totalCount } }", "{ incidents(first: .1) { totalCount } }", "{ incidents(first: +1) { totalCount } }", "{ ... viewer { name } }", "{ ...on }", "{ ...on Query }",
  "fragment on on Query { viewer { name } } { ...on }", "{ viewer { name } } fragment F on Query { viewer { name } }", "{ ...F } fragment F on Query { viewer { name } }", "{ ...F ...F } fragment F on Query { viewer { name } }",
  "{ ...F } fragment F on Query { ...F }", "{ ...F } fragment F on Query { ...G } fragment G on Query { ...F }", "{ viewer { name } } fragment F on Query { ...G } fragment G on Query { ...F }", "{ ...F } fragment F on Query { viewer { name } } fragment F on Query { viewer { name } }",
  "{ ...F } fragment F on NoSuchType { x }", "{ ...F } fragment F on Severity { x }", "{ ...F } fragment F on DateTime { x }", "{ ...F } fragment F on Incident { id }", "{ ...F } fragment F on Query @skip(if: true) { viewer { name } }", "{ ...F @skip(if: true) @include(if: false) } fragment F on Query { viewer { name } }",
  "query A { viewer { name } } query A { viewer { name } }", "{ viewer { name } } query A { viewer { name } }", "{ viewer { name } } { viewer { name } }", "query A { viewer { name } } fragment A on Query { viewer { name } }",
  "mutation { viewer { name } }", "subscription { viewer { name } }", "mutation M { x }", "type T { x: Int }", "{ viewer { name } } type T { x: Int }", "extend type Query { x: Int } { viewer { name } }", "schema { query: Query }", "{ viewer { name } } scalar S", "directive @d on FIELD { viewer { name } }",
  "query @skip(if: true) { viewer { name } }", "query @unknown { viewer { name } }", "query @oneOf { viewer { name } }", "query @deprecated { viewer { name } }", "query @specifiedBy(url: \"x\") { viewer { name } }", "{ viewer @oneOf { name } }", "{ viewer @deprecated { name } }",
  "{ viewer @skip { name } }", "{ viewer @skip(if: null) { name } }", "{ viewer @skip(if: 1) { name } }", "{ viewer @skip(if: \"true\") { name } }", "{ viewer @skip(if: [true]) { name } }", "{ viewer @skip(unless: true) { name } }", "{ viewer @skip(if: true, if: true) { name } }",
  "{ viewer @skip(if: true) @skip(if: false) { name } }", "{ viewer @include(if: $v) { name } }", "query($v: Boolean) { viewer @include(if: $v) { name } }", "query($v: Boolean = true) { viewer @include(if: $v) { name } }", "query($v: Boolean = null) { viewer @include(if: $v) { name } }", "query($v: String = \"x\") { viewer @include(if: $v) { name } }",
  "query($v: Boolean = true @skip(if: true)) { viewer @include(if: $v) { name } }", "query($v: Boolean = true @unknown) { viewer @include(if: $v) { name } }", "query($v: Boolean = true, $v: Boolean = false) { viewer @include(if: $v) { name } }", "query($v: Boolean = true) { viewer { name } }", "query($v: Boolean = $w, $w: Boolean) { viewer @skip(if: $v) @include(if: $w) { name } }",
  "query($v: [Boolean] = [true]) { viewer @include(if: $v) { name } }", "query A($v: Int) { ...F } query B { ...F } fragment F on Query { incidents(first: $v) { totalCount } }", "query A($v: Int) { ...F } fragment F on Query { incidents(first: $v) @skip(if: true) { totalCount } }", "query A($v: String) { ...F } fragment F on Query { incidents(first: $v) { totalCount } }",
  "query($v: Int) { incidents(first: $v, first: $v) { totalCount } }", "{ incidents(filter: {title: {contains: \"a\"}, title: {contains: \"b\"}}) { totalCount } }", "{ incidents(orderBy: {direction: ASC}) { totalCount } }", "{ incidents(orderBy: {field: TITLE, direction: null}) { totalCount } }", "query($d: OrderDirection) { incidents(orderBy: {field: TITLE, direction: $d}) @skip(if: true) { totalCount } }",
  "query($d: OrderDirection = null) { incidents(orderBy: {field: TITLE, direction: $d}) @skip(if: true) { totalCount } }", "query($f: IncidentTimeField) { incidentStats @skip(if: true) { byMonth(field: $f) { month } } }", "query($f: IncidentTimeField = null) { incidentStats @skip(if: true) { byMonth(field: $f) { month } } }",
  "query($s: Severity) { incidents(filter: {severity: [$s]}) { totalCount } }", "query($s: Severity = HIGH) { incidents(filter: {severity: [$s]}) @skip(if: true) { totalCount } }", "query($s: Severity = HIGH) { incidents(filter: {severity: $s}) @skip(if: true) { totalCount } }", "query($s: Severity) { incidents(filter: {severity: $s}) @skip(if: true) { totalCount } }",
  "query($i: ID) { incident(by: {id: $i}) { id } }", "query($i: ID = \"x\") { incident(by: {id: $i}) { id } }", "query($i: ID = null) { incident(by: {id: $i}) { id } }", "{ incident(by: {}) { id } }", "{ incident(by: {id: \"a\", native: null}) { id } }", "{ incident(by: {id: null}) { id } }", "{ incident(by: {other: 1}) { id } }",
  "{ a: viewer { name } a: viewer { kind } }", "{ viewer { a: name a: kind } }", "{ viewer { a: name } viewer { a: kind } }", "{ a: incidents(first: 1) { totalCount } a: incidents(first: 2) { totalCount } }", "{ a: incidents(first: 1) @skip(if: true) { totalCount } a: incidents(first: 1) @skip(if: true) { nodes { id } } }",
  "{ a: incidents { totalCount } a: incidents(first: 25) { totalCount } }", "{ a: incidents(filter: {severity: [HIGH]}) { totalCount } a: incidents(filter: {severity: [HIGH, LOW]}) { totalCount } }", "{ a: incidents(filter: {severity: []}) { totalCount } a: incidents(filter: {severity: [HIGH]}) { totalCount } }",
  "{ a: incidents(filter: {severity: [HIGH, LOW]}) { totalCount } a: incidents(filter: {severity: [LOW, HIGH]}) { totalCount } }", "{ a: incidents(filter: {phase: OPEN, search: \"x\"}) @skip(if: true) { totalCount } a: incidents(filter: {search: \"x\", phase: OPEN}) @skip(if: true) { totalCount } }", "{ a: incidents(first: 1, after: null) @skip(if: true) { totalCount } a: incidents(after: null, first: 1) @skip(if: true) { totalCount } }",
  "{ a: nodes(ids: [\"a\"]) { id } b: nodes(ids: [\"a\", \"b\"]) { id } }", "{ a: nodes(ids: [\"a\"]) { id } a: nodes(ids: [\"a\", \"b\"]) { id } }", "{ a: nodes(ids: \"a\") { id } a: nodes(ids: [\"a\"]) { id } }", "{ node(id: \"a\") @skip(if: true) { ... on Incident { x: title } ... on Asset { x: name } } }",
  "{ node(id: \"a\") @skip(if: true) { ... on Incident { x: title } ... on Asset { x: criticality } } }", "{ node(id: \"a\") @skip(if: true) { ... on Incident { x: title } ... on Asset { x: sourceId } } }", "{ node(id: \"a\") @skip(if: true) { ... on Incident { x: owners { name } } ... on Asset { x: scope { name } } } }", "{ node(id: \"a\") @skip(if: true) { ... on Incident { x: scope { y: name } } ... on Asset { x: scope { y: id } } } }",
  "{ node(id: \"a\") @skip(if: true) { ... on Incident { x: createdBy { y: name } } ... on Asset { x: scope { y: name } } } }", "{ node(id: \"a\") @skip(if: true) { ... on Incident { x: createdBy { y: firstName } } ... on Asset { x: scope { y: kind } } } }", "{ node(id: \"a\") @skip(if: true) { id ... on Node { x: id } ... on Scope { x: name } } }", "{ node(id: \"a\") { title } }", "{ node(id: 1) @skip(if: true) { id } }",
  "{ ...A ...B } fragment A on Query { x: viewer { name } } fragment B on Query { x: sources { name } }", "{ ...A ...B } fragment A on Query { viewer { x: name } } fragment B on Query { viewer { x: kind } }", "{ ...A } fragment A on Query { viewer { ...V x: name } } fragment V on Viewer { x: kind }", "{ viewer { ... on Viewer { name } ... { name } } }",
  "{ __typename }", "{ __schema { queryType { name } } }", "{ __schema { noSuch } }", "{ __type { name } }", "{ __type(name: \"Query\") { name isOneOf specifiedByURL } }", "{ __type(name: 1) { name } }", "{ __type(name: \"Query\") { noSuch } }", "{ __type(name: \"Query\") { fields(includeDeprecated: \"x\") { name } } }", "{ __schema }", "{ __schema { types { name { x } } } }",
  "{ __schema { types { ...T } } } fragment T on __Type { kind name ofType { ...U } } fragment U on __Type { kind name }", "{ __schema { types { ...T } } } fragment T on __Field { name }", "{ __schema { types { fields { args(includeDeprecated: true) { isDeprecated deprecationReason defaultValue } } } directives { isRepeatable args(includeDeprecated: true) { name } locations } description } }",
  "{ __schema { types { fields { type { fields { name } } } } } }", "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }", "{ __schema { types { fields { type { interfaces { possibleTypes { name } } } } } } }", "query($n: String!) { __type(name: $n) { name } }", "query($n: String) { __type(name: $n) { name } }", "{ __noSuch }", "{ viewer { __typename __schema { description } } }",
  "{ __type(name: \"Query\") { enumValues(includeDeprecated: true) { name isDeprecated } inputFields(includeDeprecated: true) { name } interfaces { name } possibleTypes { name } } }", "{ a: __typename a: __typename }", "{ a: __typename b: __typename }", "query Q { q: __typename }", "fragment F on Query { viewer { name } }",
  "{ viewer { name } } #", "\uFEFF{ viewer { name } }", "{ viewer { name, , , kind } }", "{ viewer { name } }\u0000", "{ viewer { näme } }", "query Q { viewer { name } } query R { noSuch }", "query($in: IncidentFilter = {severity: [HIGH], noSuch: 1}) { incidents(filter: $in) { totalCount } }", "query($in: IncidentFilter = {severity: [HIGH]}) { incidents(filter: $in) @skip(if: true) { totalCount } }",
  "query($in: IncidentFilter = {owners: [{}]}) { incidents(filter: $in) { totalCount } }", "query($in: Incident) { incidents(filter: $in) { totalCount } }", "query($in: [IncidentFilter]) { incidents(filter: $in) { totalCount } }", "query($a: String, $b: String) { incidents(filter: {title: {contains: $a, matches: $b}}) @skip(if: true) { totalCount } }", "query($a: [String!]) { incidents(filter: {title: {equals: $a}}, requireSources: $a) @skip(if: true) { totalCount } }",
  "query($a: String!) { incidents(requireSources: [$a, \"b\"]) @skip(if: true) { totalCount } }", "query($a: String) { incidents(requireSources: [$a, \"b\"]) { totalCount } }", "query Q($a: Int) { ...F } fragment F on Query { ...G } fragment G on Query { incidents(first: $a) @skip(if: true) { totalCount } }", "query Q { ...F } fragment F on Query { ...G } fragment G on Query { incidents(first: $a) { totalCount } }",
  "query Q($a: Boolean = true) { ...F @include(if: $a) } fragment F on Query { viewer { name } }", "query Q($a: Boolean = true) { ... @include(if: $a) { viewer { name } } }", "query Q($a: Boolean = true) { ...F } fragment F on Query @include(if: $a) { viewer { name } }", "query Q($a: Boolean = true) @include(if: $a) { viewer { name } }",
];

/** Every document, as `[text, needsVariable]`; the second says that `$v` must be given. */
export function documents(schema) {
  const way = ways(schema);
  const all = places(schema, way);
  const made = [...WHOLE, ...ofTypes(schema, way), ...ofValues(schema, all)];
  const seen = new Set();
  return made.map((made) => (Array.isArray(made) ? made : [made, false])).filter(([text]) => !seen.has(text) && seen.add(text));
}

const VALUES = [null, 0, 1, -1, 2147483647, 2147483648, -2147483649, 1.5, 1e2, 1e30, true, false, "", "x", "1", "HIGH", "OPEN", "TITLE", "DESC", "high", "2026-04-21T11:15:00Z", "2026-04-21T13:15:00+02:00", "2026-13-01T00:00:00Z", "yesterday",
  [], [null], [1], ["x"], ["HIGH"], ["HIGH", "LOW"], ["HIGH", null], [["x"]], [["HIGH"]], [1, "x"], {}, { x: 1 }, { id: "x" }, { id: 1 }, { id: 1.5 }, { id: null }, { id: "x", native: { source: "a", id: "b" } }, { native: { source: "a" } }, { native: { source: "a", id: "b" } },
  { contains: "x" }, { contains: 1 }, { equals: "x" }, { equals: ["x", null] }, { since: "2026-04-21T11:15:00Z" }, { since: "x" }, { since: 1 }, { field: "TITLE" }, { field: "TITLE", direction: null }, { field: "TITLE", direction: "ASC" }, { direction: "ASC" }, { field: "NO" }, [{}], [{ id: "x" }], [{ id: "x" }, {}], { severity: "HIGH" },
  { severity: ["HIGH", "NO"] }, { and: [] }, { and: [{ or: [{ not: { phase: "OPEN" } }] }] }, { and: { phase: "OPEN" } }, { not: { not: { noSuch: 1 } } }, { owners: [{ email: "x" }] }, { owners: [{ email: "x", id: "y" }] }, { owners: { email: null } }, { created: { since: "2026-04-21T11:15:00Z", until: null } }, { unassigned: "true" }, { constructor: 1 }, { __proto__x: 1 }];

/** Pairs of a document with one variable, `$v`, and values for it; `undefined` for none. */
export function coercions(schema) {
  const all = places(schema, ways(schema));
  const types = new Map();
  for (const place of all) if (!types.has(String(place.type))) types.set(String(place.type), place);
  const pairs = [];
  for (const [type, { write }] of types) {
    for (const given of new Set([type, type.endsWith("!") ? type : `${type}!`])) {
      for (const value of [undefined, ...VALUES]) pairs.push([`query($v: ${given}) ${write("$v")}`, value]);
    }
  }
  return pairs;
}
