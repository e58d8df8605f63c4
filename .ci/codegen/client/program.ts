// What a frontend would write: answers and variables have the types of the schema. Compiled strictly, then run against
// the gateway at GATEWAY_URL.
import { graphql, useFragment, type FragmentType } from "./generated/index.js";
import { type Severity, TriageDocument, type TypedDocumentString } from "./generated/graphql.js";

declare const process: { env: Record<string, string>; exitCode: number };

const Row = graphql(`
  fragment Row on Incident {
    id
    title
    severity
    createdAt
    url
    source { kind }
  }
`);
const TwoAtOnce = graphql(`
  query TwoAtOnce($after: String, $filter: IncidentFilter!) {
    incidents(first: 2, after: $after, filter: $filter) {
      pageInfo { hasNextPage endCursor }
      nodes { ...Row }
    }
  }
`);
const Again = graphql(`
  query Again($ids: [ID!]!) {
    nodes(ids: $ids) { __typename id ... on Incident { title raw } }
  }
`);

async function ask<Answer, Variables>(document: TypedDocumentString<Answer, Variables>, variables: Variables): Promise<Answer> {
  const body = JSON.stringify({ query: document.toString(), variables });
  const headers = { "content-type": "application/json", accept: "application/graphql-response+json" };
  const response = await fetch(process.env["GATEWAY_URL"]!, { method: "POST", headers, body });
  const { data, errors } = (await response.json()) as { data: Answer; errors?: { message: string }[] };
  if (errors) throw new Error(errors[0]?.message);
  return data;
}

function line(row: FragmentType<typeof Row>): string {
  const incident = useFragment(Row, row);
  const severity: Severity = incident.severity;
  const createdAt: string | null | undefined = incident.createdAt;
  // @ts-expect-error A title may be missing.
  incident.title.length;
  // @ts-expect-error It was not asked for.
  incident.status;
  return `${createdAt} ${severity} ${incident.title} (${incident.source.kind})`;
}

const worst = { severity: ["CRITICAL" as const], created: { since: "2020-01-01T00:00:00Z" } };
const first = await ask(TwoAtOnce, { filter: worst });
const after = first.incidents?.pageInfo.endCursor;
const second = await ask(TwoAtOnce, { filter: worst, after });
const lines = [...(first.incidents?.nodes ?? []), ...(second.incidents?.nodes ?? [])].map(line);
if (new Set(lines).size !== 4 || !lines.every((text) => text.includes(" CRITICAL "))) throw new Error(lines.join("\n"));

// @ts-expect-error A filter is needed.
const withoutFilter: Parameters<typeof ask<unknown, { filter: object }>>[1] = {};
// @ts-expect-error There is no such severity.
const wrongSeverity: Severity = "SEVERE";
void [withoutFilter, wrongSeverity];

const ids = (await ask(TriageDocument, {})).incidents?.nodes.slice(0, 3).map((incident) => incident.id) ?? [];
const { nodes } = await ask(Again, { ids });
const again = nodes.map((node) => (node?.__typename === "Incident" ? node.id : "another"));
if (ids.length !== 3 || String(again) !== String(ids)) throw new Error(`${ids} ${again}`);
console.log("the client preset's types fit what is answered");
