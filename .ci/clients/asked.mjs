// What every client asks of the gateway at GATEWAY_URL, and what the answers must be.
import assert from "node:assert/strict";
import { buildClientSchema, buildSchema, getIntrospectionQuery, lexicographicSortSchema, printSchema } from "graphql";
import { readFileSync } from "node:fs";

export const url = process.env.GATEWAY_URL;

/** A page of incidents, by variables of four types: number, cursor, input object, enumeration. */
export const PAGE = `query Page($first: Int!, $after: String, $filter: IncidentFilter, $direction: OrderDirection! = ASC) {
  incidents(first: $first, after: $after, filter: $filter, orderBy: { field: CREATED_AT, direction: $direction }) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges { cursor node { id title severity createdAt } }
  }
}`;
export const ONE = `query One($id: ID!) { incident(by: { id: $id }) { id status source { name } } }`;
export const HIGH = { severity: ["CRITICAL", "HIGH"], not: { unassigned: true } };
/** Refused before anything runs. */
export const INVALID = `{ incidents { totalCount nope } }`;
/** Refused in one root field, the other one stays. */
export const PARTLY = `query Partly($first: Int) { incidents(first: $first) { totalCount } viewer { name } }`;

/** The error of `INVALID`, as a client shows it. */
export function checkInvalid(errors) {
  assert.equal(errors.length, 1);
  assert.match(errors[0].message, /nope/);
  assert.equal(errors[0].extensions.code, "BAD_USER_INPUT");
  // Where it is in the text that the client sent: some print documents anew.
  assert.match(JSON.stringify(errors[0].locations), /^\[\{"line":\d+,"column":\d+\}\]$/);
}

/** The error of `PARTLY` with `first: 1000`, and the data beside it. */
export function checkPartly(errors, data) {
  assert.equal(errors.length, 1);
  assert.equal(errors[0].extensions.code, "BAD_USER_INPUT");
  assert.deepEqual(errors[0].path, ["incidents"]);
  assert.equal(data.incidents, null);
  assert.ok(data.viewer.name);
}

/** Two pages that follow each other; `ask(variables)` gives the data. The ids of both. */
export async function checkPages(ask) {
  const first = (await ask({ first: 7, filter: HIGH })).incidents;
  assert.equal(first.edges.length, 7);
  assert.ok(first.totalCount > 14 && first.pageInfo.hasNextPage);
  assert.equal(first.pageInfo.endCursor, first.edges[6].cursor);
  const second = (await ask({ first: 7, filter: HIGH, after: first.pageInfo.endCursor })).incidents;
  const nodes = [...first.edges, ...second.edges].map((edge) => edge.node);
  assert.equal(new Set(nodes.map((node) => node.id)).size, 14);
  // Some systems tell more digits of a second than others: moments are compared, not texts.
  const times = nodes.map((node) => Date.parse(node.createdAt));
  assert.deepEqual(times, times.toSorted((a, b) => a - b));
  assert.ok(nodes.every((node) => HIGH.severity.includes(node.severity)));
  return nodes.map((node) => node.id);
}

const print = (schema) => printSchema(lexicographicSortSchema(schema));
const kept = print(buildSchema(readFileSync(process.env.SCHEMA, "utf8")));
export const INTROSPECTION = getIntrospectionQuery({ specifiedByUrl: true, inputValueDeprecation: true, oneOf: true });

/** What introspection tells is the schema that the repository keeps. */
export function checkIntrospection(data) {
  assert.equal(print(buildClientSchema(data)), kept);
}

/** `fetch` that notes the method and the kind of answer of each request. */
export function noting() {
  const noted = [];
  const noticing = async (input, init) => {
    const response = await fetch(input, init);
    noted.push(`${init?.method ?? "GET"} ${response.status} ${response.headers.get("content-type")?.split(";")[0]}`);
    return response;
  };
  return { noted, fetch: noticing };
}
