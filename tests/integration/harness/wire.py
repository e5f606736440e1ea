"""wire.py - HTTP/1.1 as bytes: a request is what a test writes, an answer is what came back.

Python's own client would repair what an attack has broken, so requests are printed here and only answers are parsed by it.
"""

import http.client
import io
import json
import socket
from dataclasses import dataclass
from urllib.parse import quote

TIMEOUT_SECONDS = 30


@dataclass
class Answer:
    status: int  # 0: the connection was closed without an answer
    headers: list  # (name, value), in order
    body: bytes
    complete: bool = True  # false: the connection was cut inside the body

    def header(self, name):
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)

    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def tag(self):
        """The refusal tag, or None."""
        return self.header("X-Weir-Refusal")


CLOSED = Answer(0, [], b"", complete=False)


def encode(params):
    """Pairs as a query string; a str or bytes goes as it is."""
    if params is None or isinstance(params, (str, bytes)):
        return params or ""
    pairs = params.items() if isinstance(params, dict) else params
    return "&".join(f"{quote(to_text(k), safe='[]')}={quote(to_text(v), safe='')}" for k, v in pairs)


def to_text(value):
    return value if isinstance(value, (str, bytes)) else str(value)


def request_bytes(method, target, headers=(), body=None, host="localhost"):
    """One request. Host and Content-Length are added unless headers name them."""
    names = {n.lower() for n, _ in headers}
    lines = [f"{method} {target} HTTP/1.1"]
    if "host" not in names:
        lines.append(f"Host: {host}")
    lines += [f"{n}: {v}" for n, v in headers]
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


class Connection:
    """One connection, plain or TLS; answers are read one after another, so pipelined ones too."""

    def __init__(self, address, tls=None, server_name="localhost", session=None):
        self.host = f"{server_name}:{address[1]}"
        raw = socket.create_connection(address, timeout=TIMEOUT_SECONDS)
        try:
            self.socket = tls.wrap_socket(raw, server_hostname=server_name, session=session) if tls else raw
        except BaseException:
            raw.close()
            raise
        self.reader = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.reader.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def read(self, method="GET"):
        """The next answer; CLOSED when there is none any more."""
        try:
            if not self.reader.peek(1):
                return CLOSED
            return parse_answer(self.reader, method)
        except (ConnectionError, OSError, http.client.HTTPException):
            return CLOSED

    def ask(self, method, target, headers=(), body=None):
        self.send(request_bytes(method, target, headers, body, self.host))
        return self.read(method)

    def raw(self, data, method="GET"):
        """Sends bytes as they are. The peer may have refused and closed before it has read them all."""
        try:
            self.send(data)
        except OSError:  # ssl has errors of its own for a broken pipe
            pass
        return self.read(method)

    def closed_by_peer(self):
        """true when the peer ends the connection without another byte; waits for it up to the timeout"""
        try:
            return self.reader.read(1) == b""
        except ConnectionError:
            return True


class _Reader:
    """What http.client wants of a socket: our one buffered reader, so that no byte of a next answer is lost."""

    def __init__(self, reader):
        self.reader = reader

    def makefile(self, _mode):
        return _Unclosed(self.reader)


class _Unclosed(io.BufferedIOBase):
    def __init__(self, reader):
        self.reader = reader

    def readable(self):
        return True

    def read(self, n=-1):
        return self.reader.read(n)

    def read1(self, n=-1):
        return self.reader.read1(n)

    def readinto(self, buffer):
        return self.reader.readinto(buffer)

    def readline(self, limit=-1):
        return self.reader.readline(limit)

    def close(self):
        pass


def parse_answer(reader, method):
    found = http.client.HTTPResponse(_Reader(reader), method=method)
    found.begin()
    try:
        body, complete = found.read(), True
    except http.client.IncompleteRead as cut:
        body, complete = cut.partial, False
    return Answer(found.status, found.getheaders(), body, complete)


def get(address, path, params=None, headers=(), method="GET", body=None):
    """One plain request on a connection of its own; for backends asked directly."""
    query = encode(params)
    with Connection(address) as c:
        return c.ask(method, path + ("?" + query if query else ""), headers, body)
