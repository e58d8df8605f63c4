"""Connections that are slow, many, silent or gone."""

import resource
import socket
import struct
import threading
import time

from gateway import BODY, HEAD, IDLE, Gateway, drain, statuses
from malformed import GOOD, LIVE, POST

# What the machine may need beyond the gateway's own times.
SLACK = 4


def dripped(gateway, begin, piece, limit):
    """Sends a beginning and then pieces, slowly; what comes back, and after how many seconds the gateway ended it."""
    with gateway.connect() as stream:
        began = time.monotonic()
        stream.settimeout(0.1)
        received = b""
        try:
            stream.sendall(begin)
            while time.monotonic() - began < limit:
                try:
                    got = stream.recv(65_536)
                    if not got:
                        return received, time.monotonic() - began
                    received += got
                except TimeoutError:
                    stream.sendall(piece)
        except ConnectionError:
            return received, time.monotonic() - began
        raise AssertionError(f"still open after {limit} s; it said {received[:100]}")


def closed_after(stream, limit):
    """The seconds until the gateway ends a connection; what it says before is thrown away."""
    began = time.monotonic()
    stream.settimeout(limit)
    drain(stream)
    return time.monotonic() - began


def cases(case):
    @case("slow: a head by drops", seconds=HEAD + SLACK)
    def slow_head(gateway):
        received, took = dripped(gateway, LIVE[:-2], b"X: x\r\n", HEAD + SLACK)
        assert statuses(received) == [408] and took > HEAD / 2, (received, took)

    @case("slow: nothing at all", seconds=HEAD + SLACK)
    def silent(gateway):
        with gateway.connect() as stream:
            assert closed_after(stream, HEAD + SLACK) > HEAD / 2

    @case("slow: a body by drops", seconds=BODY + SLACK)
    def slow_body(gateway):
        begin = POST + b"Content-Length: 100000\r\n\r\n"
        received, took = dripped(gateway, begin, b" ", BODY + SLACK)
        assert statuses(received) == [408] and took > BODY / 2, (received, took)

    @case("slow: a body in parts by drops", seconds=BODY + SLACK)
    def slow_parts(gateway):
        begin = POST + b"Transfer-Encoding: chunked\r\n\r\n"
        received, took = dripped(gateway, begin, b"1\r\n \r\n", BODY + SLACK)
        assert statuses(received) == [408] and took > BODY / 2, (received, took)

    @case("slow: a size of a part without end", seconds=BODY + SLACK)
    def endless_size(gateway):
        begin = POST + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 10_000
        received, _ = dripped(gateway, begin, b"x" * 1_000, BODY + SLACK)
        assert set(statuses(received)) <= {400, 408}, received

    @case("slow: rest after an answer", seconds=IDLE + SLACK)
    def rest(gateway):
        with gateway.connect() as stream:
            stream.sendall(LIVE)
            assert closed_after(stream, IDLE + SLACK) > IDLE / 2

    @case("slow: 500 heads and bodies at one time, beside ordinary requests", seconds=BODY + SLACK + 4)
    def many_slow(gateway):
        streams = [gateway.connect() for _ in range(500)]
        try:
            for index, stream in enumerate(streams):
                stream.sendall(LIVE[:20] if index % 2 else POST + b"Content-Length: 100\r\n\r\n{")
            for _ in range(10):
                assert gateway.is_well()
            for stream in streams:
                closed_after(stream, BODY + SLACK)
        finally:
            for stream in streams:
                stream.close()

    @case("answers: asked for and not read", seconds=IDLE + SLACK + 6)
    def unread(gateway):
        ask = b"GET /schema.graphql HTTP/1.1\r\nHost: localhost\r\n\r\n" * 300
        streams = [gateway.connect() for _ in range(20)]
        try:
            for stream in streams:
                stream.setblocking(False)
                try:
                    stream.send(ask)
                except BlockingIOError:
                    pass
            time.sleep(IDLE + 1)
            assert gateway.is_well()
            for stream in streams:
                # A reset, or what lay in the buffers and then the end: fewer answers than were asked for.
                stream.settimeout(SLACK)
                assert len(statuses(drain(stream))) < 300
        finally:
            for stream in streams:
                stream.close()

    @case("answers: 300 aborted before they come", seconds=8)
    def aborted(gateway):
        head = POST + b"Content-Length: %d\r\n\r\n" % len(GOOD)
        for index in range(300):
            stream = gateway.connect()
            stream.sendall((head + GOOD)[: None if index % 3 else len(head) + 10])
            if index % 2:
                # A reset instead of an end.
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            stream.close()

    @case("connections: half closed ones are answered or ended", seconds=5)
    def half_closed(gateway):
        body = POST + b"Content-Length: %d\r\n\r\n" % len(GOOD)
        for data in (LIVE, body + GOOD, body + GOOD[:10], LIVE[:20], b""):
            found = statuses(gateway.raw(data, timeout=2, finish=True))
            assert len(found) <= 1 and set(found) <= {200, 400}, (data, found)

    @case("connections: 1,000 requests in one piece", seconds=8)
    def pipelined(gateway):
        last = LIVE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        received = []
        with gateway.connect() as stream:
            reading = threading.Thread(target=lambda: received.append(drain(stream)))
            reading.start()
            stream.sendall(LIVE * 999 + last)
            reading.join(8)
        assert len(statuses(received[0])) == 1_000, len(statuses(received[0]))

    @case("connections: 2,000 at one time, beside ordinary requests", seconds=HEAD + 12)
    def two_thousand(gateway):
        allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        count = min(2_000, allowed - 200)
        assert count >= 500, f"only {allowed} open files are allowed here"
        streams = []
        try:
            for index in range(count):
                stream = gateway.connect()
                if index % 2:
                    stream.sendall(LIVE)
                streams.append(stream)
            for _ in range(5):
                assert gateway.is_well(), "beside them"
        finally:
            for stream in streams:
                stream.close()

    @case("connections: 3,000 come and go", seconds=12)
    def come_and_go(gateway):
        for _ in range(3_000):
            gateway.connect().close()

    @case("connections: more than there are file handles", seconds=15)
    def no_handles(_):
        few = Gateway("target/outer/abuse-few.log", files=64, log__level="warn")
        streams = []
        try:
            for _ in range(200):
                streams.append(few.connect())
            time.sleep(1)
            for stream in streams:
                stream.close()
            time.sleep(0.5)
            assert few.is_well(), "afterwards"
            assert few.said().count("connections cannot be taken") == 1, few.said()[:1_000]
            assert few.end()[0] == 0
        finally:
            few.kill()

    @case("connections: over IPv6", seconds=8)
    def ipv6(_):
        if not socket.has_ipv6:
            return
        try:
            socket.create_server(("::1", 0), family=socket.AF_INET6).close()
        except OSError:
            return
        other = Gateway("target/outer/abuse-ipv6.log", pattern=r"http://\[::1\]:(\d+)/graphql", listen="[::1]:0")
        try:
            with socket.create_connection(("::1", other.port), 5) as stream:
                stream.sendall(LIVE.replace(b"localhost", b"[::1]:%d" % other.port))
                assert b'"live"' in stream.recv(4_096)
        finally:
            other.kill()
