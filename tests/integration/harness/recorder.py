"""recorder.py - stands between Weir and a backend, keeps the exact bytes of every request, and passes all of it on.

It reads requests by their head and Content-Length alone. Weir prints nothing else, and a request that is anything else is
kept as broken, so a test sees it.
"""

import socket
import threading
from dataclasses import dataclass
from urllib.parse import parse_qsl

from .prometheus import OWN_HANDLERS


@dataclass
class Seen:
    """One request as it left Weir."""

    raw: bytes

    @property
    def head(self):
        return self.raw.split(b"\r\n\r\n", 1)[0].decode("latin-1")

    @property
    def body(self):
        return self.raw.split(b"\r\n\r\n", 1)[1]

    @property
    def method(self):
        return self.head.split(" ", 1)[0]

    @property
    def target(self):
        return self.head.split(" ", 2)[1]

    @property
    def path(self):
        return self.target.split("?", 1)[0]

    @property
    def headers(self):
        return [tuple(part.strip() for part in line.split(":", 1)) for line in self.head.split("\r\n")[1:]]

    def header(self, name):
        """Every value of a header."""
        return [v for n, v in self.headers if n.lower() == name.lower()]

    @property
    def params(self):
        """The pairs of the form body, or of the target."""
        text = self.body.decode() if self.body else self.target.partition("?")[2]
        return parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))

    def param(self, name):
        return [v for n, v in self.params if n == name]


class Recorder:
    def __init__(self, backend_address):
        self.backend_address = backend_address
        self.lock = threading.Lock()
        self.requests = []
        self.broken = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.address[1]}"

    def stop(self):
        self.listener.close()

    def clear(self):
        with self.lock:
            self.requests, self.broken = [], []

    def seen(self):
        """Requests since clear(), without those that Weir makes for itself."""
        with self.lock:
            assert not self.broken, f"bytes that are no plain request: {self.broken}"
            return [s for s in self.requests if s.path not in OWN_HANDLERS]

    def only(self):
        found = self.seen()
        assert len(found) == 1, f"the backend saw {len(found)} requests, not one: {[s.target for s in found]}"
        return found[0]

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            with client, socket.create_connection(self.backend_address) as backend:
                answers = threading.Thread(target=pump, args=(backend, client), daemon=True)
                answers.start()
                self._requests(client, backend)
                shut(backend, socket.SHUT_WR)
                answers.join()
        except OSError:
            pass

    def _requests(self, client, backend):
        rest = b""
        while True:
            request, rest = read_request(client, rest)
            if request is None:
                if rest:
                    with self.lock:
                        self.broken.append(rest)
                    backend.sendall(rest)
                return
            with self.lock:
                self.requests.append(Seen(request))
            backend.sendall(request)


def read_request(client, data):
    """(request, what follows it), or (None, what is left) at the end of the stream."""
    while True:
        head, blank, rest = data.partition(b"\r\n\r\n")
        if blank:
            length = content_length(head)
            if len(rest) >= length:
                end = len(head) + len(blank) + length
                return data[:end], data[end:]
        try:
            more = client.recv(65536)
        except OSError:
            more = b""
        if not more:
            return None, data
        data += more


def content_length(head):
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


def pump(source, sink):
    """Passes bytes on until the source ends, then says so to the sink."""
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    shut(sink, socket.SHUT_WR)


def shut(sock, how):
    try:
        sock.shutdown(how)
    except OSError:
        pass
