"""The promises of Python's gql, against the gateway at GATEWAY_URL. It cannot ask by GET: it would send a body with it."""

import os
import traceback

from gql import Client, GraphQLRequest, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.requests import RequestsHTTPTransport
from graphql import build_schema, lexicographic_sort_schema, print_schema

URL = os.environ["GATEWAY_URL"]
PAGE = """query Page($first: Int!, $after: String, $filter: IncidentFilter, $direction: OrderDirection! = ASC) {
  incidents(first: $first, after: $after, filter: $filter, orderBy: { field: CREATED_AT, direction: $direction }) {
    totalCount
    pageInfo { hasNextPage endCursor }
    nodes { id title severity createdAt }
  }
}"""
HIGH = {"severity": ["CRITICAL", "HIGH"], "not": {"unassigned": True}}


def client(**options):
    return Client(transport=RequestsHTTPTransport(url=URL, timeout=20, **options))


def ask(document, variables=None, **options):
    return client(**options).execute(GraphQLRequest(document, variable_values=variables))


def refused(document, variables=None, **options):
    try:
        ask(document, variables, **options)
    except TransportQueryError as error:
        return error
    raise AssertionError("no error")


def query_and_variables():
    assert len(ask(PAGE, {"first": 7, "filter": HIGH})["incidents"]["nodes"]) == 7


def two_pages():
    first = ask(PAGE, {"first": 7, "filter": HIGH})["incidents"]
    assert first["totalCount"] > 14 and first["pageInfo"]["hasNextPage"]
    second = ask(PAGE, {"first": 7, "filter": HIGH, "after": first["pageInfo"]["endCursor"]})["incidents"]
    nodes = first["nodes"] + second["nodes"]
    assert len({node["id"] for node in nodes}) == 14
    # Some systems tell more digits of a second than others, after which the Z would count.
    times = [node["createdAt"].removesuffix("Z") for node in nodes]
    assert times == sorted(times)
    assert all(node["severity"] in HIGH["severity"] for node in nodes)


def a_document_that_is_refused():
    [error] = refused("{ incidents { totalCount nope } }").errors
    assert "nope" in error["message"] and error["extensions"]["code"] == "BAD_USER_INPUT", error


def a_field_that_is_refused():
    wrong = refused("query ($first: Int) { incidents(first: $first) { totalCount } viewer { name } }", {"first": 1000})
    [error] = wrong.errors
    assert error["path"] == ["incidents"] and error["extensions"]["code"] == "BAD_USER_INPUT", error
    assert wrong.data["incidents"] is None and wrong.data["viewer"]["name"], wrong.data


def introspection_and_a_check_before_sending():
    asked = {"specified_by_url": True, "input_value_deprecation": True}
    transport = RequestsHTTPTransport(url=URL, timeout=20)
    with Client(transport=transport, fetch_schema_from_transport=True, introspection_args=asked) as session:
        told = print_schema(lexicographic_sort_schema(session.client.schema))
        with open(os.environ["SCHEMA"], encoding="utf-8") as file:
            kept = print_schema(lexicographic_sort_schema(build_schema(file.read())))
        # graphql-core 3.2 does not ask for oneOf.
        assert told.replace(" @oneOf", "") == kept.replace(" @oneOf", "")
        assert session.execute(gql("{ viewer { name } }"))["viewer"]["name"]
        try:
            session.execute(gql("{ viewer { nope } }"))
        except Exception as error:
            assert "Cannot query field 'nope'" in str(error), error
        else:
            raise AssertionError("the schema was not used")


PROMISES = [
    query_and_variables,
    two_pages,
    a_document_that_is_refused,
    a_field_that_is_refused,
    introspection_and_a_check_before_sending,
]
for promise in PROMISES:
    name = promise.__name__.replace("_", " ")
    try:
        promise()
        print(f"ok gql: {name}")
    except Exception:
        print(f"FAILED gql: {name}: {traceback.format_exc()}")
