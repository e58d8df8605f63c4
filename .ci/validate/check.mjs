// Usage: check.mjs URL SDL: graphql-js and the gateway at the URL give the same verdict on every document and variable.
import { readFileSync } from "node:fs";
import { Source, buildSchema, getVariableValues, parse, validate } from "graphql";
import { coercions, documents } from "./documents.mjs";

const [url, file] = process.argv.slice(2);
const schema = buildSchema(readFileSync(file, "utf8"));

// What the description of the scalar says; the reference implementation cannot know it.
const moment = (value) => {
  if (typeof value !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value) || Number.isNaN(Date.parse(value))) throw new TypeError("not a DateTime");
  return value;
};
const dateTime = schema.getType("DateTime");
dateTime.parseValue = moment;
dateTime.parseLiteral = (node) => moment(node.kind === "StringValue" ? node.value : undefined);

function expected(text) {
  try {
    const document = parse(new Source(text));
    const errors = validate(schema, document);
    // Validation leaves it to execution to refuse an operation that the schema has no root type for.
    for (const { kind, operation } of document.definitions) {
      if (kind === "OperationDefinition" && !schema.getRootType(operation)) errors.push({ message: `no root type for a ${operation}` });
    }
    return { document, refused: errors.length ? errors[0].message : null };
  } catch (error) {
    return { refused: error.message };
  }
}

async function verdict(query, variables, operationName) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query, variables, operationName }),
  });
  const answer = await response.json();
  const errors = answer.errors ?? [];
  if (errors.length > 10 || errors.some(({ message }) => message.length > 300)) throw new Error(`too much is told: ${JSON.stringify(errors)}`);
  return "data" in answer ? null : `${answer.errors[0].extensions?.code}: ${answer.errors[0].message}`;
}

let passed = 0;
let failed = 0;
let refusals = 0;
function compare(what, theirs, ours) {
  const same = (theirs === null) === (ours === null) && !ours?.startsWith("COST_LIMIT") && !ours?.startsWith("INTERNAL");
  // The one limit that graphql-js has, too.
  if (same || (theirs === "Maximum introspection depth exceeded" && ours?.startsWith("COST_LIMIT"))) passed += 1;
  else {
    failed += 1;
    console.log(`${what}\n    graphql-js: ${theirs ?? "valid"}\n    gateway:    ${ours ?? "valid"}`);
  }
  if (theirs !== null) refusals += 1;
}

async function all(items, work) {
  const left = items.values();
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (const item of left) await work(item);
  }));
}

// A variable's value that fits where its type is right; where it is not, the document is refused before.
const fitting = (text) => {
  const type = /\$v: (.*?)\)/.exec(text)[1].replaceAll(/[[\]!]/g, "");
  const values = schema.getType(type)?.getValues?.();
  return values ? values[0].name : { Int: 1, Float: 1, Boolean: true, DateTime: "2026-04-21T11:15:00Z", IncidentRef: { id: "x" }, OwnerRef: { id: "x" }, TagRef: { id: "x" }, NativeRef: { source: "a", id: "b" }, IncidentOrder: { field: "TITLE" }, String: "x", ID: "x" }[type] ?? {};
};

const made = documents(schema);
await all(made, async ([text, needed]) => {
  const { document, refused } = expected(text);
  const names = (document?.definitions ?? []).filter((definition) => definition.kind === "OperationDefinition").map((definition) => definition.name?.value);
  // Beside what is wrong with the document, nothing may be wrong with the request.
  if (refused === null && names.length === 0) throw new Error(`valid without an operation: ${text}`);
  const variables = needed ? { v: fitting(text) } : text.includes("$n: String!") ? { n: "Query" } : text.includes("$a: String!") ? { a: "x" } : undefined;
  compare(text, refused, await verdict(text, variables, names.length > 1 ? names[0] : undefined));
});
const ofDocuments = passed + failed;

await all(coercions(schema), async ([text, value]) => {
  const { document, refused } = expected(text);
  if (refused !== null) return;
  const variables = value === undefined ? {} : { v: value };
  const { errors } = getVariableValues(schema, document.definitions[0].variableDefinitions ?? [], variables);
  compare(`${text} with ${JSON.stringify(variables)}`, errors?.[0]?.message ?? null, await verdict(text, variables));
});

console.log(`${ofDocuments} documents, ${passed + failed - ofDocuments} variables; ${refusals} to be refused`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 300 ? 0 : 1);
