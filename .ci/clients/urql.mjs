// urql, by its core, which all its bindings share.
import assert from "node:assert/strict";
import { Client, cacheExchange, fetchExchange } from "@urql/core";
import * as asked from "./asked.mjs";

const { noted, fetch } = asked.noting();
const open = (preferGetMethod) =>
  new Client({ url: asked.url, fetch, preferGetMethod, exchanges: [cacheExchange, fetchExchange] });
const client = open(false);
const variables = { first: 7, filter: asked.HIGH };

async function answer(query, variables, from = client) {
  return from.query(query, variables).toPromise();
}

async function data(query, variables, from) {
  const { data, error } = await answer(query, variables, from);
  assert.equal(error, undefined);
  return data;
}

export default {
  "query and variables": async () => {
    const { incidents } = await data(asked.PAGE, variables);
    assert.equal(incidents.edges.length, 7);
    assert.equal(noted.at(-1), "POST 200 application/graphql-response+json");
  },
  "two pages": () => asked.checkPages((variables) => data(asked.PAGE, variables)),
  "a query asked twice is sent once": async () => {
    const client = open(false);
    const { incidents } = await data(asked.PAGE, variables, client);
    const before = noted.length;
    assert.deepEqual((await data(asked.PAGE, variables, client)).incidents, incidents);
    assert.equal(noted.length, before);
  },
  "a document that is refused": async () => {
    const { error } = await answer(asked.INVALID);
    assert.equal(error.networkError, undefined);
    asked.checkInvalid(error.graphQLErrors);
    assert.equal(noted.at(-1), "POST 400 application/graphql-response+json");
  },
  "a field that is refused": async () => {
    const { data, error } = await answer(asked.PARTLY, { first: 1000 });
    asked.checkPartly(error.graphQLErrors, data);
  },
  "introspection": async () => asked.checkIntrospection(await data(asked.INTROSPECTION)),
  "GET": async () => {
    const { incidents } = await data(asked.PAGE, variables, open("force"));
    assert.equal(incidents.edges.length, 7);
    assert.equal(noted.at(-1), "GET 200 application/graphql-response+json");
  },
};
