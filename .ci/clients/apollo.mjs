// Apollo Client: a normalising cache, which lives from `id` and `__typename`.
import assert from "node:assert/strict";
import { ApolloClient, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { relayStylePagination } from "@apollo/client/utilities";
import { filter, firstValueFrom, from } from "rxjs";
import * as asked from "./asked.mjs";

const { noted, fetch } = asked.noting();
const open = (options = {}) => {
  const incidents = relayStylePagination(["filter", "orderBy"]);
  const cache = new InMemoryCache({ typePolicies: { Query: { fields: { incidents } } } });
  return new ApolloClient({ cache, link: new HttpLink({ uri: asked.url, fetch, ...options }) });
};
const client = open();
const page = gql(asked.PAGE);
const one = gql(asked.ONE);
const variables = { first: 7, filter: asked.HIGH };

async function refused(work) {
  const error = await work.then(() => assert.fail("no error"), (error) => error);
  assert.ok(CombinedGraphQLErrors.is(error), String(error));
  return error;
}

const firstData = (list) => firstValueFrom(from(list).pipe(filter((result) => !result.loading))).then(({ data }) => data);

export default {
  "query and variables": async () => {
    const { data } = await client.query({ query: page, variables });
    assert.equal(data.incidents.edges.length, 7);
    assert.equal(noted.at(-1), "POST 200 application/graphql-response+json");
  },
  "two pages": async () => {
    const ask = async (variables) => (await open().query({ query: page, variables })).data;
    await asked.checkPages(ask);
  },
  "its own paging joins pages": async () => {
    const client = open();
    const list = client.watchQuery({ query: page, variables });
    // A list is joined only while somebody looks at it.
    const looking = list.subscribe(() => {});
    const data = await firstData(list);
    await list.fetchMore({ variables: { after: data.incidents.pageInfo.endCursor } });
    const { edges } = client.readQuery({ query: page, variables }).incidents;
    looking.unsubscribe();
    assert.equal(new Set(edges.map((edge) => edge.node.id)).size, 14);
  },
  "an incident read twice is one in its cache": async () => {
    const client = open();
    const { data } = await client.query({ query: page, variables });
    const { id, title } = data.incidents.edges[0].node;
    await client.query({ query: one, variables: { id } });
    const kept = Object.keys(client.cache.extract()).filter((key) => key.startsWith("Incident:"));
    assert.equal(kept.length, 7);
    const incident = client.cache.extract()[`Incident:${id}`];
    assert.deepEqual([incident.title, typeof incident.status], [title, "string"]);
    client.cache.modify({ id: `Incident:${id}`, fields: { title: () => "changed in one place" } });
    const shown = client.readQuery({ query: page, variables }).incidents.edges[0].node;
    assert.equal(shown.title, "changed in one place");
  },
  "a document that is refused": async () => {
    asked.checkInvalid((await refused(client.query({ query: gql(asked.INVALID) }))).errors);
    assert.equal(noted.at(-1), "POST 400 application/graphql-response+json");
  },
  "a field that is refused": async () => {
    const query = { query: gql(asked.PARTLY), variables: { first: 1000 } };
    asked.checkPartly((await refused(client.query(query))).errors, (await client.query({ ...query, errorPolicy: "all" })).data);
  },
  "introspection": async () => {
    const { data } = await client.query({ query: gql(asked.INTROSPECTION), fetchPolicy: "no-cache" });
    asked.checkIntrospection(data);
  },
  "GET": async () => {
    const { data } = await open({ useGETForQueries: true }).query({ query: page, variables });
    assert.equal(data.incidents.edges.length, 7);
    assert.equal(noted.at(-1), "GET 200 application/graphql-response+json");
  },
};
