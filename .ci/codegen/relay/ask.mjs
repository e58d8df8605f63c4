// Sends what relay-compiler made to the gateway at GATEWAY_URL: the first page, the next page, and one row by `node`.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

async function ask(name, variables) {
  const made = readFileSync(`relay/src/__generated__/${name}.graphql.ts`, "utf8");
  const query = JSON.parse(/^ *"text": (".*"),?$/m.exec(made)[1]);
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ query, variables });
  const { data, errors } = await (await fetch(process.env.GATEWAY_URL, { method: "POST", headers, body })).json();
  assert.equal(errors, undefined);
  return data;
}

const filter = { severity: ["CRITICAL", "HIGH"] };
const { edges } = (await ask("IncidentListQuery", { filter })).incidents;
const next = (await ask("IncidentListPageQuery", { first: 25, after: edges.at(-1).cursor, filter })).incidents.edges;
assert.equal(new Set([...edges, ...next].map((edge) => edge.node.id)).size, 50);
const { node } = await ask("IncidentListRowQuery", { id: edges[0].node.id });
assert.deepEqual([node.id, node.__typename], [edges[0].node.id, "Incident"]);
console.log("what relay-compiler made is answered");
