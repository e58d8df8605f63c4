"""The release binary under attack: started with short times, asked over plain sockets, watched from outside."""

import http.client
import json
import os
import re
import resource
import signal
import socket
import subprocess
import time

BINARY = os.environ.get("BINARY", "target/release/incident-gateway")
HOST = "127.0.0.1"
QUERY = "{ incidents(first: 2) { nodes { title } } }"
# Short, so that what waits for them does not take long. The defaults are 10, 20 and 60 seconds.
HEAD, BODY, IDLE = 1.5, 1.5, 2.5


def printed(program, pattern):
    """The first match of `pattern` in what a program prints; waits for it."""
    text = ""
    while True:
        line = program.stdout.readline()
        assert line, "it ended: " + text
        text += line
        found = re.search(pattern, text)
        if found:
            return found.group(1)


class Gateway:
    """A gateway over a sandbox, both processes of our own."""

    def __init__(self, log, files=None, pattern=r"http://127\.0\.0\.1:(\d+)/graphql", **settings):
        self.sandbox = self.start(["sandbox", "--listen", HOST + ":0"], {}, subprocess.DEVNULL)
        url = printed(self.sandbox, r"URL +(http://\S+)")
        token = printed(self.sandbox, r"Token +(\S+)")
        settings = {
            "listen": HOST + ":0",
            "log__level": "error",
            "server__head_timeout_ms": int(HEAD * 1000),
            "server__body_timeout_ms": int(BODY * 1000),
            "server__idle_timeout_ms": int(IDLE * 1000),
            "limits__request_timeout_ms": 10_000,
            "sources__demo__vendor": "ciso-assistant",
            "sources__demo__url": url,
            "sources__demo__token": token,
        } | settings
        environment = {"INCIDENT_GATEWAY_" + name.upper(): str(value) for name, value in settings.items()}
        self.log = log
        with open(log, "w") as errors:
            self.program = self.start(["serve"], environment, errors, files)
        self.port = int(printed(self.program, pattern))

    def start(self, arguments, environment, errors, files=None):
        limit = None
        if files is not None:
            limit = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        return subprocess.Popen(
            [BINARY, *arguments], env=environment, stdout=subprocess.PIPE, stderr=errors, text=True, preexec_fn=limit
        )

    # What it looks like from outside.

    def status(self, key):
        with open(f"/proc/{self.program.pid}/status") as file:
            return next(line.split()[1] for line in file if line.startswith(key + ":"))

    def forget_peak(self):
        with open(f"/proc/{self.program.pid}/clear_refs", "w") as file:
            file.write("5")

    def peak_mb(self):
        return int(self.status("VmHWM")) / 1024

    def cpu_seconds(self):
        with open(f"/proc/{self.program.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self):
        """Told to stop, it stops; its exit code and the seconds that it took."""
        began = time.monotonic()
        self.program.send_signal(signal.SIGTERM)
        code = self.program.wait(20)
        took = time.monotonic() - began
        return code, took

    def kill(self):
        for program in (self.program, self.sandbox):
            if program.poll() is None:
                program.kill()
            program.wait()
            program.stdout.close()

    def said(self):
        with open(self.log) as file:
            return file.read()

    # Asking it.

    def connect(self, timeout=10):
        return socket.create_connection((HOST, self.port), timeout)

    def request(self, method, path, body=None, headers=None, timeout=10):
        """One request on a connection of its own, by the standard library's client."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    def post(self, body, timeout=10):
        status, text, _ = self.request("POST", "/graphql", body, {"Content-Type": "application/json"}, timeout)
        return status, text

    def ask(self, document, variables=None, timeout=10):
        """The status and the answer to a document."""
        status, text = self.post(json.dumps({"query": document, "variables": variables}).encode(), timeout)
        return status, json.loads(text)

    def raw(self, data, timeout=5, finish=False):
        """Sends bytes; everything that comes until the gateway closes. Fails if it does not within `timeout`."""
        with self.connect(timeout) as stream:
            try:
                stream.sendall(data)
                if finish:
                    stream.shutdown(socket.SHUT_WR)
            except (ConnectionError, TimeoutError):
                pass
            return drain(stream)

    def is_well(self, timeout=5):
        status, answer = self.ask(QUERY, timeout=timeout)
        return status == 200 and len(answer["data"]["incidents"]["nodes"]) == 2


def drain(stream):
    """Everything until the other side closes."""
    received = b""
    while True:
        try:
            piece = stream.recv(65536)
        except ConnectionError:
            return received
        if not piece:
            return received
        received += piece


def statuses(received):
    """The statuses of all answers in some bytes."""
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", received)]


def refused(answer):
    """Whether a GraphQL answer, or an error of the door, gives nothing but errors that a client may read."""
    errors = answer.get("errors")
    return bool(errors) and answer.get("data") is None and all(
        isinstance(error["message"], str) and error["extensions"]["code"] for error in errors
    )
