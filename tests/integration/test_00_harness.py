"""The harness itself: its processes, its data and its recorder are what later tests believe them to be."""

import datetime
import socket
import ssl
import threading

import pytest

from harness import checks, dataset, wire
from harness.process import Process, ProcessDied, wait_until
from harness.recorder import Recorder

AT = dataset.START + 1800
HOUR = datetime.timedelta(hours=1)


def test_two_stores(shared, alone):
    """The shared store has both tenants, the other one only a."""
    for store, want in ((shared, ["a", "b"]), (alone, ["a"])):
        assert store.get("/api/v1/label/tenant_id/values").json()["data"] == want


def test_own_data_set_has_the_same_shape(work):
    own = dataset.own(work / "own")
    for path, tenants in ((own.both, {"a", "b"}), (own.a, {"a"}), (own.b, {"b"})):
        lines = path.read_text().splitlines()[:-1]
        assert {t for t in "ab" for line in lines if f'tenant_id="{t}"' in line} == tenants
        assert all((float(line.split()[-2]) >= checks.ENORMOUS) == ('tenant_id="b"' in line) for line in lines)


def test_leaks_are_found(shared, alone):
    """The eye of every blind check sees b's names and values, and nothing in what is a's."""
    for query in ("secret", "foo", "http_requests_total"):
        params = {"query": query, "time": AT}
        checks.control(shared.get("/api/v1/query", params))
        assert checks.leaks(alone.get("/api/v1/query", params)) == []


def test_blind_needs_equal_answers(shared, alone):
    mine = alone.get("/api/v1/query", {"query": "foo", "time": AT})
    checks.blind(mine, alone.get("/api/v1/query", {"query": 'foo{tenant_id="a"}', "time": AT}))
    with pytest.raises(AssertionError):
        checks.blind(mine, alone.get("/api/v1/query", {"query": "foo", "time": AT + 15}))
    with pytest.raises(AssertionError):
        checks.blind(shared.get("/api/v1/query", {"query": "foo", "time": AT}), mine)


def test_recorder_keeps_the_bytes(shared):
    recorder = Recorder(shared.address)
    body = b"query=up&time=%d" % AT
    with wire.Connection(recorder.address) as c:
        for _ in range(2):
            answer = c.ask("POST", "/api/v1/query", [("Content-Type", "application/x-www-form-urlencoded")], body)
            assert answer.status == 200
    first, second = recorder.seen()
    assert first == second
    assert (first.method, first.target, first.body, first.param("query")) == ("POST", "/api/v1/query", body, ["up"])
    assert first.header("host") == [f"localhost:{recorder.address[1]}"]
    recorder.stop()


def test_recorder_sees_what_is_no_request(shared):
    recorder = Recorder(shared.address)
    with wire.Connection(recorder.address) as c:
        c.send(b"GET / HTTP/1.1\r\nHost: x")
    wait_until(lambda: recorder.broken, "the recorder to see the end of the connection")
    with pytest.raises(AssertionError):
        recorder.seen()
    recorder.stop()


def test_requests_are_counted(shared):
    before = shared.requests()
    shared.get("/api/v1/query", {"query": "up", "time": AT})
    assert shared.requests() == before + 1


def test_a_process_that_dies_is_no_wait(work):
    dead = Process("dead", work / "dead")
    dead.spawn(["/bin/sh", "-c", "echo last words; exit 3"])
    with pytest.raises(ProcessDied, match="last words"):
        dead.wait_ready(lambda: False)
    assert dead not in Process.alive


def test_a_process_that_hangs_is_killed(work):
    stubborn = Process("stubborn", work / "stubborn")
    stubborn.spawn(["/bin/sh", "-c", "trap '' TERM; echo up; while :; do read x </dev/zero; done"])
    stubborn.wait_ready(lambda: "up" in stubborn.log())
    assert stubborn.kill() == -9


def test_certificates(pki):
    """A TLS server that knows our CA takes the right certificate and none of the wrong ones."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pki.edge)
    context.load_verify_locations(pki.clients.path)
    context.verify_mode = ssl.CERT_REQUIRED
    good = pki.client("spiffe://example.org/a/ann")
    assert handshake(context, good) == [("URI", "spiffe://example.org/a/ann")]
    assert handshake(context, pki.client("spiffe://example.org/a/ann", pki.stranger)) is None
    assert handshake(context, pki.client("spiffe://example.org/a/ann", ends=-HOUR)) is None


def handshake(context, client):
    """The names the server saw, or None when it refused."""
    ours, theirs = socket.socketpair()
    found = []

    def serve():
        try:
            with context.wrap_socket(theirs, server_side=True) as tls:
                found.extend(tls.getpeercert()["subjectAltName"])
        except OSError:
            theirs.close()

    server = threading.Thread(target=serve)
    server.start()
    try:
        with client.tls().wrap_socket(ours, server_hostname="localhost") as tls:
            tls.recv(1)
    except OSError:
        pass
    server.join()
    return found or None
