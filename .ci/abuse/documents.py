"""Documents that are made to be dear: deep, long, growing, or wrong in many places."""

import json
import threading
import urllib.parse

from gateway import refused

MAX_ANSWER = 64 * 1024


def growing():
    levels = [f"fragment F{level} on Query {{ {f'...F{level + 1} ' * 12} }}" for level in range(6)]
    return "{ ...F0 } " + " ".join(levels) + " fragment F6 on Query { sources { name } }"


def circular():
    opened = "fields { type { "
    return "{ __schema { types { " + opened * 100 + "name" + " } }" * 100 + " } } }"


def by_fragments(count):
    """Fields that must be compared with each other, in fragments that all have the same."""
    fragments = [f"fragment F{index} on Query {{ sources {{ name ...G{index} }} }}" for index in range(count)]
    inner = [f"fragment G{index} on Source {{ name }}" for index in range(count)]
    spreads = " ".join(f"...F{index}" for index in range(count))
    return "{ " + spreads + " } " + " ".join(fragments + inner)


# Each is refused with errors and without data.
DEAR = {
    "lists in lists": "{ incidents(filter: " + "[" * 10_000 + "]" * 10_000 + ") { totalCount } }",
    "100,000 open lists": "{ incidents(filter: " + "[" * 100_000,
    "objects in objects": "{ incidents(filter: " + "{and:" * 10_000 + "}" * 10_000 + ") { totalCount } }",
    "selections in selections": "{a" * 20_000 + "}" * 20_000,
    "inline fragments in each other": "{" + "...{" * 20_000 + "__typename" + "}" * 20_001,
    "types of lists of lists": "query ($a: " + "[" * 20_000 + "Int" + "]" * 20_000 + ") { sources { name } }",
    "default values in each other": "query ($a: Int = " + "[" * 20_000 + "]" * 20_000 + ") { sources { name } }",
    "arguments of directives": "{ sources @skip(if: " + "[" * 20_000 + "]" * 20_000 + ") { name } }",
    "open parentheses": "{ a" + "(b:" * 50_000,
    "multiplying fragments": growing(),
    "a fragment in itself": "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
    "a thousand aliases": "{ " + " ".join(f"a{i}: incidents(first: 1) {{ totalCount }}" for i in range(1_000)) + " }",
    "5,000 errors": "{ " + " ".join(f"field{i}" for i in range(5_000)) + " }",
    "5,000 unknown types": " ".join(f"fragment F{i} on Unknown{i} {{ a }}" for i in range(5_000)) + " { sources { name } }",
    "5,000 variables": "query (" + " ".join(f"$v{i}: Int" for i in range(5_000)) + ") { sources { name } }",
    "5,000 operations": " ".join(f"query Q{i} {{ sources {{ name }} }}" for i in range(5_000)),
    "5,000 directives": "{ sources " + "@skip(if: false) " * 5_000 + "{ name } }",
    "circular introspection": circular(),
    "a name of 500,000 letters": "{ " + "a" * 500_000 + " }",
    "an unknown field nearly known": "{ " + "incident" * 2_000 + " }",
    "900,000 commas": "," * 900_000,
    "900,000 tokens": "{" * 3 + "a " * 300_000,
    "a comment of 900,000 characters": "#" + "x" * 900_000,
    "a text of 900,000 characters": '{ incident(id: "' + "x" * 900_000 + '") { id } }',
    "a block text without end": '{ incident(id: """' + '\\"""' * 50_000,
    "a number of 100,000 digits": "{ incidents(first: " + "9" * 100_000 + ") { totalCount } }",
    "NUL": "{ sources\0 { name } }",
    "a byte order mark inside": "{ sources \ufeff\ufeff { name \ufffe } }",
    "a surrogate by escape": '{ incident(id: "\\uD800") { id } }',
    "surrogates in the wrong order": '{ incident(id: "\\uDC00\\uD800") { id } }',
    "an escape beyond Unicode": '{ incident(id: "\\u{110000}") { id } }',
    "a subscription": "subscription { incidents { totalCount } }",
}

# Each is answered, by data or by errors, in bounded time and length.
SLOW_TO_CHECK = {
    "3,000 equal fields": "{ sources { " + "name " * 3_000 + "} }",
    "fragments with equal fields": by_fragments(60),
    "150 fields that clash": "{ sources { " + " ".join(f"x: name y{i}: x" for i in range(150)) + " } }",
}


def cases(case):
    for name, document in DEAR.items():

        @case(f"document: {name}", seconds=3)
        def attack(gateway, document=document):
            status, answer = gateway.ask(document)
            assert status in (200, 400), status
            assert refused(answer), json.dumps(answer)[:300]
            length = len(json.dumps(answer))
            assert length < MAX_ANSWER, f"an answer of {length} bytes"

    for name, document in SLOW_TO_CHECK.items():

        @case(f"document: {name}", seconds=3)
        def attack(gateway, document=document):
            status, answer = gateway.ask(document)
            assert status in (200, 400), status
            assert "data" in answer or refused(answer), json.dumps(answer)[:300]

    @case("document: at most ten errors are told", seconds=3)
    def few_errors(gateway):
        _, answer = gateway.ask(DEAR["5,000 errors"])
        assert len(answer["errors"]) <= 10, len(answer["errors"])

    @case("document: nested lists by GET", seconds=3)
    def by_get(gateway):
        for depth in (100, 5_000, 15_000):
            document = "{ incidents(filter: " + "[" * depth + "]" * depth + ") { totalCount } }"
            status, text, _ = gateway.request("GET", "/graphql?query=" + urllib.parse.quote(document, safe="[]{}:()"))
            assert status in (200, 400) and refused(json.loads(text)), (depth, status, text[:200])

    @case("document: variables in lists of lists", seconds=3)
    def deep_variables(gateway):
        for depth in (50, 120, 5_000, 100_000):
            value = "[" * depth + "]" * depth
            document = "query ($f: IncidentFilter) { incidents(filter: $f) { totalCount } }"
            body = '{"query":%s,"variables":{"f":{"severity":%s}}}' % (json.dumps(document), value)
            status, text = gateway.post(body.encode())
            assert status in (200, 400) and refused(json.loads(text)), (depth, status, text[:200])

    @case("document: variables with surrogates", seconds=3)
    def surrogate_variables(gateway):
        for escape in ("\\ud800", "\\udc00\\ud800", "\\ud800x"):
            body = '{"query":"query ($i: ID!) { incident(id: $i) { id } }","variables":{"i":"%s"}}' % escape
            status, text = gateway.post(body.encode())
            assert status in (200, 400) and refused(json.loads(text)), (escape, status, text[:200])

    @case("document: 64 dear ones at one time", seconds=15, megabytes=250)
    def at_one_time(gateway):
        bad = []

        def attack(document):
            try:
                status, answer = gateway.ask(document, timeout=14)
                # Beside the others, a long body may not come in the short time that bodies have here.
                if status not in (200, 400, 408) or not refused(answer):
                    bad.append((status, document[:60]))
            except Exception as error:
                bad.append((repr(error), document[:60]))

        documents = list(DEAR.values())
        threads = [threading.Thread(target=attack, args=(documents[i % len(documents)],)) for i in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not bad, bad[:3]
