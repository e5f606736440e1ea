"""fake_backend.py - a backend that answers what a test tells it to, byte by byte: nonsense, half an answer, nothing."""

import socket
import ssl
import threading

from .recorder import read_request

OK_BODY = b'{"status":"success","data":{"resultType":"scalar","result":[1700001800,"1"]}}'
BUILDINFO = b'{"status":"success","data":{"version":"3.16.0"}}'


def answer(body=OK_BODY, status="200 OK", headers=("Content-Type: application/json",)):
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


class FakeBackend:
    """say: bytes to answer with, or a function of the socket. Weir's own probe always gets a right answer.
    tls: a context for connections from now on; None = plain."""

    def __init__(self):
        self.say = answer()
        self.close = False  # end the connection behind the answer
        self.asked = 0
        self.tls = None
        self.refused = []  # handshakes that failed, as text
        self.seen_certificate = None  # what the last TLS client showed
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.address[1]}"

    def stop(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        if self.tls:
            try:
                client = self.tls.wrap_socket(client, server_side=True)
            except (ssl.SSLError, OSError) as why:
                self.refused.append(str(why))
                client.close()
                return
            self.seen_certificate = client.getpeercert()
        rest = b""
        with client:
            while True:
                request, rest = read_request(client, rest)
                if request is None:
                    return
                try:
                    if not self._reply(client, request):
                        return
                except OSError:
                    return

    def _reply(self, client, request):
        """False ends the connection."""
        if b" /api/v1/status/buildinfo" in request.split(b"\r\n", 1)[0]:
            client.sendall(answer(BUILDINFO))
            return not self.close
        self.asked += 1
        if callable(self.say):
            return self.say(client)
        client.sendall(self.say)
        return not self.close
