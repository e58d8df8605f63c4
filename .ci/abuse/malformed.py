"""Requests that are wrong: bodies, heads, hosts, methods, and what two readers would read differently."""

import gzip
import json
import time
import urllib.parse

from gateway import BODY, QUERY, refused, statuses

JSON = {"Content-Type": "application/json"}
GOOD = json.dumps({"query": QUERY}).encode()
LIVE = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

# Each is refused with 400, in JSON.
BODIES = {
    "a batch": json.dumps([{"query": QUERY}] * 1_000).encode(),
    "an empty batch": b"[]",
    "lists in lists": b"[" * 500_000,
    "objects in objects": b'{"query":' * 100_000,
    "invalid UTF-8": b'{"query":"\xff\xfe"}',
    "invalid UTF-8 where nobody reads": b'{"query":"{ a }","x":"\xff"}',
    "overlong UTF-8": b'{"query":"\xc0\xaf\xe0\x80\xaf"}',
    "a surrogate in UTF-8": b'{"query":"\xed\xa0\x80"}',
    "UTF-16": '{"query":"{ a }"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "NUL": b"\0" * 1_000,
    "NUL behind": GOOD + b"\0",
    "NUL in a text": b'{"query":"\0"}',
    "a lone surrogate": b'{"query":"\\ud800"}',
    "surrogates in the wrong order": b'{"query":"\\udc00\\ud800"}',
    "a member given twice": b'{"query":"{ a }","query":"{ sources { name } }"}',
    "a member given twice, once by escape": b'{"query":"{ a }","qu\\u0065ry":"{ sources { name } }"}',
    "two requests": GOOD + GOOD,
    "a number beyond numbers": b'{"query":"{ a }","variables":{"n":1e999}}',
    "query as a list": b'{"query":["{ a }"]}',
    "nothing": b"",
}

# The end of each would be taken for a request of its own by whoever reads lengths differently.
SMUGGLING = {
    "both lengths": b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" % (5 + len(LIVE)),
    "both lengths, turned": b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(LIVE),
    "a list of lengths": b"Content-Length: 0, %d\r\n\r\n" % len(LIVE),
    "a length with a sign": b"Content-Length: +0\r\n\r\n",
    "a negative length": b"Content-Length: -1\r\n\r\n",
    "a length in hexadecimal": b"Content-Length: 0x0\r\n\r\n",
    "a length beyond numbers": b"Content-Length: 99999999999999999999\r\n\r\n",
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n\r\n",
    "chunked is not last": b"Transfer-Encoding: chunked, identity\r\n\r\n",
    "a coding with a vertical tab": b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a size that is none": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a size with a sign": b"Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n",
    "a size beyond numbers": b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff0\r\n",
    "a chunk longer than its size": b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
    "a space before the colon": b"Content-Length : 0\r\n\r\n",
    "a folded line": b"X: a\r\n Content-Length: 0\r\n\r\n",
    "a bare line end": b"X: a\nTransfer-Encoding: chunked\r\n\r\n",
    "a carriage return in a value": b"X: a\rContent-Length: 0\r\n\r\n",
    "NUL in a value": b"X: a\0b\r\n\r\n",
}


def cases(case):
    for name, body in BODIES.items():

        @case(f"body: {name}", seconds=2)
        def attack(gateway, body=body):
            status, text = gateway.post(body)
            assert status == 400, (status, text[:200])
            assert refused(json.loads(text)), text[:200]
            assert b"serde" not in text and b"surrogate" not in text, text[:200]

    @case("body: longer than a mebibyte, announced, in parts, and without end", seconds=8)
    def long_bodies(gateway):
        status, text, headers = gateway.request("POST", "/graphql", b"x" * (1 << 20) + b"x", JSON)
        assert status == 413 and refused(json.loads(text)) and headers["Connection"] == "close", status
        parts = (b"x" * 65_536 for _ in range(64))
        status, text, _ = gateway.request("POST", "/graphql", parts, JSON)
        assert status == 413, status
        with gateway.connect() as stream:
            stream.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n")
            sent = 0
            try:
                while sent < 256 << 20:
                    stream.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
                    sent += 65_536
            except (ConnectionError, TimeoutError):
                pass
            assert sent < 256 << 20, "nobody ends it"

    @case("body: announced with 100-continue, and not wanted", seconds=2)
    def expectation(gateway):
        received = gateway.raw(POST + b"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n")
        assert statuses(received) == [413], received[:200]

    @case("body: slow ones of a mebibyte in 400 connections, beside ordinary requests", seconds=12, megabytes=250)
    def slow_long_bodies(gateway):
        streams = []
        try:
            for _ in range(400):
                stream = gateway.connect()
                stream.setblocking(False)
                streams.append(stream)
            head = POST + b"Content-Length: 1048576\r\n\r\n"
            whole = memoryview(head + b" " * 1_048_000)
            left = dict.fromkeys(streams, 0)
            until = time.monotonic() + BODY * 0.8
            while left and time.monotonic() < until:
                for stream in list(left):
                    try:
                        left[stream] += stream.send(whole[left[stream] :])
                        if left[stream] == len(whole):
                            del left[stream]
                    except BlockingIOError:
                        pass
                    except ConnectionError:
                        del left[stream]
            for _ in range(5):
                assert gateway.is_well(), "beside them"
        finally:
            for stream in streams:
                stream.close()

    @case("body: compressed ones are not unpacked", seconds=2)
    def compressed(gateway):
        bomb = gzip.compress(b" " * (16 << 20))
        for coding in ("gzip", "deflate", "br", "identity, gzip"):
            status, text, _ = gateway.request("POST", "/graphql", bomb, JSON | {"Content-Encoding": coding})
            assert status == 415 and refused(json.loads(text)), (coding, status)

    @case("body: what a form of a foreign page can send", seconds=2)
    def simple_requests(gateway):
        form = urllib.parse.urlencode({"query": QUERY}).encode()
        parts = b'--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n' + GOOD + b"\r\n--x--\r\n"
        for kind, body in [
            ("text/plain", GOOD),
            ("text/plain; charset=utf-8; a=application/json", GOOD),
            ("application/x-www-form-urlencoded", form),
            ("multipart/form-data; boundary=x", parts),
            ("application/graphql", QUERY.encode()),
            ("application/json; charset=utf-16", GOOD),
            ("application/json, text/plain", GOOD),
            ("", GOOD),
        ]:
            status, text, headers = gateway.request("POST", "/graphql", body, {"Content-Type": kind})
            assert status == 415 and refused(json.loads(text)), (kind, status)
            assert headers["Access-Control-Allow-Origin"] is None
        status, _, headers = gateway.request("OPTIONS", "/graphql", None, {"Origin": "http://evil.example"})
        assert status == 405 and headers["Access-Control-Allow-Origin"] is None, status

    @case("method: a mutation by GET, and methods in headers", seconds=2)
    def methods(gateway):
        path = "/graphql?query=" + urllib.parse.quote("mutation { a }")
        status, text, _ = gateway.request("GET", path)
        assert status in (200, 400, 405) and refused(json.loads(text)), (status, text)
        for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"):
            status, text, _ = gateway.request("GET", path, None, {name: "POST"})
            assert refused(json.loads(text)), (name, text)
            status, _, headers = gateway.request("POST", "/health/live", b"", {name: "GET"})
            assert status == 405 and headers["Allow"] == "GET,HEAD", (name, status)
        for method in ("PUT", "DELETE", "PATCH", "TRACE", "QUERY", "post"):
            status, _, headers = gateway.request(method, "/graphql", GOOD, JSON)
            assert status == 405 and "POST" in headers["Allow"], (method, status)

    @case("target: long, many, and not what it seems", seconds=5)
    def targets(gateway):
        status, _, _ = gateway.request("GET", "/graphql?query=" + "a" * 50_000)
        assert status in (200, 400), status
        for length in (100_000, 5_000_000):
            received = gateway.raw(b"GET /graphql?query=" + b"a" * length + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert set(statuses(received)) <= {414, 431}, received[:100]
        status, _, _ = gateway.request("GET", "/graphql?" + "&".join(f"a{i}=1" for i in range(5_000)))
        assert status == 400, status
        for query in ("query=%ff%fe", "query=%c0%af", "query=%00", "query=%ED%A0%80", "query=a&query=b", "variables=%7B"):
            status, text, _ = gateway.request("GET", "/graphql?" + query)
            assert status in (200, 400) and refused(json.loads(text)), (query, status)
        for path in ("/../graphql", "//graphql", "/graphql/", "/graphql%00", "/%67raphql/../x", "/download/" + "x" * 9_000):
            status, text, _ = gateway.request("GET", path)
            assert status == 404 and refused(json.loads(text)), (path, status)

    @case("host: foreign, missing, double, and in the target", seconds=3)
    def hosts(gateway):
        line = b"GET /health/live HTTP/1.1\r\n"
        for expected, head in [
            (200, line + b"Host: LOCALHOST:1\r\n"),
            (200, line + b"Host: [::1]:8080\r\n"),
            (421, line + b"Host: evil.example\r\n"),
            (421, line + b"Host: localhost.evil.example\r\n"),
            (421, line + b"Host: 127.0.0.1.evil.example\r\n"),
            (421, line + b"Host: evil.example:127.0.0.1\r\n"),
            (421, line + b"Host: localhost@evil.example\r\n"),
            (421, line + b"Host: 0.0.0.0\r\n"),
            (421, line + b"Host:\r\n"),
            (421, line + b"Host: \xff\r\n"),
            (421, b"GET http://evil.example/health/live HTTP/1.1\r\nHost: localhost\r\n"),
            (421, b"GET http://localhost/health/live HTTP/1.1\r\nHost: evil.example\r\n"),
            (400, line),
            (400, b"GET /health/live HTTP/1.0\r\n"),
            (400, line + b"Host: localhost\r\nHost: evil.example\r\n"),
        ]:
            received = gateway.raw(head + b"Connection: close\r\n\r\n")
            assert statuses(received) == [expected], (head, received[:200])
            if expected != 200:
                assert refused(json.loads(received.split(b"\r\n\r\n", 1)[1])), received
        body = GOOD
        head = b"POST /graphql HTTP/1.1\r\nHost: evil.example\r\nContent-Type: application/json\r\nConnection: close\r\n"
        received = gateway.raw(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert statuses(received) == [421] and b"title" not in received, received

    for name, rest in SMUGGLING.items():

        @case(f"smuggling: {name}", seconds=BODY + 4)
        def attack(gateway, rest=rest):
            received = gateway.raw(POST + rest + LIVE)
            found = statuses(received)
            assert len(found) <= 1 and all(400 <= status < 500 for status in found), received[:300]

    @case("head: headers without number and without end", seconds=5)
    def heads(gateway):
        line = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n"
        for head in (
            line + b"".join(b"X-%d: x\r\n" % i for i in range(10_000)) + b"\r\n",
            line + b"X: x\r\n" * 200 + b"\r\n",
            line + b"X: " + b"x" * 1_000_000 + b"\r\n\r\n",
            line + b"Cookie: " + b"a=b; " * 50_000 + b"\r\n\r\n",
            b"X" * 1_000_000 + b" / HTTP/1.1\r\n\r\n",
        ):
            found = statuses(gateway.raw(head))
            assert set(found) <= {400, 431}, (head[:60], found)
        many = line + b"".join(b"X-%d: x\r\n" % i for i in range(90)) + b"Connection: close\r\n\r\n"
        assert statuses(gateway.raw(many)) == [200]

    @case("head: no HTTP at all", seconds=5)
    def no_http(gateway):
        for data in (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 500,
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 100,
            b"\0" * 10_000,
            b"\r\n" * 40_000,
            b"SSH-2.0-x\r\n",
            b"GET /health/live\r\n\r\n",
            b"GET /health/live HTTP/3.0\r\nHost: localhost\r\n\r\n",
            b"GET /health/live HTTP/1.1\nHost: evil.example\n\n",
        ):
            found = statuses(gateway.raw(data))
            assert all(400 <= status < 600 for status in found), (data[:40], found)

    @case("accept: lists without end", seconds=3)
    def accept(gateway):
        for value in ("application/json;q=0.1," * 2_000, "*/*;" + "q=1;" * 5_000, "a/b," * 10_000 + "*/*", "," * 40_000):
            status, _, _ = gateway.request("POST", "/graphql", GOOD, JSON | {"Accept": value, "Accept-Encoding": value})
            assert status in (200, 406), status
