// graphql-request: the smallest client.
import assert from "node:assert/strict";
import { ClientError, GraphQLClient } from "graphql-request";
import * as asked from "./asked.mjs";

const { noted, fetch } = asked.noting();
const client = new GraphQLClient(asked.url, { fetch });
const variables = { first: 7, filter: asked.HIGH };

async function refused(work) {
  const error = await work.then(() => assert.fail("no error"), (error) => error);
  assert.ok(error instanceof ClientError, String(error));
  return error.response;
}

export default {
  "query and variables": async () => {
    const { incidents } = await client.request(asked.PAGE, variables);
    assert.equal(incidents.edges.length, 7);
    assert.equal(noted.at(-1), "POST 200 application/graphql-response+json");
  },
  "two pages": () => asked.checkPages((variables) => client.request(asked.PAGE, variables)),
  "a document that is refused": async () => {
    const { errors, status } = await refused(client.request(asked.INVALID));
    assert.equal(status, 400);
    asked.checkInvalid(errors);
  },
  "a document that is refused, asked for as application/json": async () => {
    const plain = new GraphQLClient(asked.url, { fetch, headers: { accept: "application/json" } });
    asked.checkInvalid((await refused(plain.request(asked.INVALID))).errors);
    assert.equal(noted.at(-1), "POST 200 application/json");
  },
  "a field that is refused": async () => {
    const { errors, data } = await refused(client.request(asked.PARTLY, { first: 1000 }));
    asked.checkPartly(errors, data);
  },
  "introspection": async () => asked.checkIntrospection(await client.request(asked.INTROSPECTION)),
  "GET": async () => {
    const { incidents } = await new GraphQLClient(asked.url, { fetch, method: "GET" }).request(asked.PAGE, variables);
    assert.equal(incidents.edges.length, 7);
    assert.equal(noted.at(-1), "GET 200 application/graphql-response+json");
  },
};
