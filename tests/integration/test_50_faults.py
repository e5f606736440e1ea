"""What a broken backend, a full disk and a kill do to callers: a clear answer, a worker that lives, nothing without record."""

import resource
import threading

import pytest

from harness import cast, checks, wire
from harness.cast import AT
from harness.fake_backend import OK_BODY, FakeBackend, answer
from harness.process import free_port, wait_until
from harness.weir import Weir, tenant

ASK = f"/api/v1/query?query=foo&time={AT}"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def timeouts(config):
    config["backends"]["metrics"] |= {
        "timeouts": {"connect": "1s", "first_byte": "1s", "idle": "1s", "total": "3s"},
        "pool": {"connections": 1, "waiters": 1},
    }
    config["process"]["workers"] = 1


class Broken:
    """Weir with one worker before a fake backend."""

    def __init__(self, work, pki):
        self.backend = FakeBackend()
        self.weir = Weir(
            "broken", work / "broken-backend", pki, self.backend.url, [tenant("a"), tenant("b")], timeouts
        ).start()
        self.a, self.b = pki.client("spiffe://example.org/a/ann"), pki.client("spiffe://example.org/b/ben")

    def ask(self, say, client=None, path=ASK, close=False):
        self.backend.say, self.backend.close = say, close
        return self.weir.get(client or self.a, path)

    def still_well(self):
        """The next one, another tenant's, is answered right; the process is the same."""
        found = self.ask(answer(), self.b)
        assert (found.status, found.body) == (200, OK_BODY), found
        assert self.weir.running()


@pytest.fixture(scope="module")
def broken(work, pki):
    found = Broken(work, pki)
    yield found
    assert found.weir.stop() == 0, found.weir.log_tail()
    found.backend.stop()


def refused(setup, found, status, tag):
    assert (found.status, found.tag) == (status, tag), found
    assert found.json()["status"] == "error"
    public = setup.weir.decision(found)["public"]
    assert public["tenant"] == "a"


NONSENSE = {
    "length abc": HEAD + b"Content-Length: abc\r\n\r\n{}",
    "length -1": HEAD + b"Content-Length: -1\r\n\r\n{}",
    "length huge": HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
    "two lengths": HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
    "length and chunked": HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "unknown coding": HEAD + b"Transfer-Encoding: gzip\r\n\r\n{}",
    "no HTTP": b"hello\r\n\r\n",
    "status abc": b"HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\n{}",
    "status 99": b"HTTP/1.1 99 OK\r\nContent-Length: 2\r\n\r\n{}",
    "version 2": b"HTTP/2 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "folded header": HEAD + b"X-A: b\r\n c\r\nContent-Length: 2\r\n\r\n{}",
    "NUL in a header": HEAD + b"X-A: b\x00c\r\nContent-Length: 2\r\n\r\n{}",
    "no name": HEAD + b": b\r\nContent-Length: 2\r\n\r\n{}",
    "huge header": HEAD + b"X-A: " + b"b" * 2000000 + b"\r\nContent-Length: 2\r\n\r\n{}",
    "many headers": HEAD + b"X-A: b\r\n" * 10000 + b"Content-Length: 2\r\n\r\n{}",
    "endless 1xx": b"HTTP/1.1 100 Continue\r\n\r\n" * 10000,
    "switching": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    "bad chunk at once": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense(broken, name):
    found = broken.ask(NONSENSE[name], close=True)
    if name == "bad chunk at once" and found.status == 200:
        assert not found.complete
    else:
        refused(broken, found, 502, "U002")
    broken.still_well()


@pytest.mark.parametrize("part", [b"", b"HTTP/1.1 200", HEAD, HEAD + b"Content-Length: 100\r\n"])
def test_half_a_head(broken, part):
    refused(broken, broken.ask(part, close=True), 502, "U002")
    broken.still_well()


@pytest.mark.parametrize(
    "part",
    [
        HEAD + b"Content-Length: 100\r\n\r\n" + b"x" * 50,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
    ],
)
def test_half_a_body(broken, part):
    """Before our first byte: 502. After it: the connection is cut, never a clean end."""
    found = broken.ask(part, close=True)
    assert found.status in (502, 0) or not found.complete, found
    broken.still_well()


@pytest.mark.parametrize(
    "status",
    [
        "500 No",
        "302 Found",
        "301 Moved",
        "401 No",
        "403 No",
        "204 No Content",
        "206 Partial",
        "404 No",
        "418 Tea",
        "502 No",
        "599 No",
    ],
)
def test_statuses_that_do_not_pass(broken, status):
    found = broken.ask(answer(b"b's own page: SECRET", status, ("Location: http://localhost/SECRET", "Set-Cookie: SECRET")))
    if status.startswith("2"):
        assert found.status in (200, 204, 206, 502)
    else:
        refused(broken, found, 502, "U003")
        checks.no_leak(found)
    assert found.header("Location") is None and found.header("Set-Cookie") is None
    broken.still_well()


@pytest.mark.parametrize("status", ["400 Bad", "422 No", "429 Slow", "503 Busy", "504 Late"])
def test_statuses_that_pass(broken, status):
    body = b'{"status":"error","errorType":"execution","error":"own words"}'
    found = broken.ask(answer(body, status, ("Content-Type: application/json", "Retry-After: 7", "X-Internal: SECRET")))
    assert (found.status, found.body, found.header("X-Internal")) == (int(status[:3]), body, None)
    assert found.header("Retry-After") == "7"
    broken.still_well()


def test_leftover_bytes(broken):
    """What stands behind an answer is never the beginning of another's."""
    found = broken.ask(answer() + answer(b'{"status":"success","data":"SECRET"}'))
    assert found.body in (OK_BODY,) or found.tag == "U002"
    for _ in range(3):
        broken.still_well()


def test_down(broken, work, pki):
    def nowhere(config):
        timeouts(config)
        config["backends"]["metrics"]["url"] = f"http://127.0.0.1:{free_port()}"

    weir = Weir("down", work / "down", pki, "", [tenant("a")], nowhere).start()
    try:
        broken_setup = cast.Setup(weir, None, None, None, pki)
        refused(broken_setup, weir.get(broken.a, ASK), 502, "U001")
        found = weir.get(broken.a, "/api/v1/status/buildinfo")
        assert (found.status, found.tag) == (503, "U006")
        assert weir.running()
    finally:
        assert weir.stop() == 0


def test_silence(broken):
    """first_byte for calls that send no timeout of their own; total bounds the rest."""
    held = threading.Event()
    found = broken.ask(lambda client: held.wait(30) and False, path=f"/api/v1/labels?start={AT - 60}&end={AT}")
    refused(broken, found, 504, "U004")
    found = broken.ask(lambda client: held.wait(30) and False)
    refused(broken, found, 504, "U004")
    held.set()
    broken.still_well()


def test_a_drip(broken):
    """A head byte by byte is a slow head, whatever moves."""
    stop = threading.Event()

    def drip(client):
        for byte in HEAD * 10:
            if stop.wait(0.1):
                return False
            client.sendall(bytes([byte]))
        return False

    found = broken.ask(drip)
    stop.set()
    refused(broken, found, 504, "U004")
    broken.still_well()


def test_pool_and_waiters_full(broken):
    """One connection, one waiter: the third at once is told so, and the first two are answered."""
    go = threading.Event()

    def hold(client):
        go.wait(10)
        client.sendall(answer())
        return True

    asked = broken.backend.asked
    found = []
    threads = [threading.Thread(target=lambda: found.append(broken.ask(hold))) for _ in range(3)]
    for number, thread in enumerate(threads):
        thread.start()
        if number == 0:
            wait_until(lambda: broken.backend.asked == asked + 1, "the first to be under way")
    wait_until(lambda: found, "one of the others to be refused")
    go.set()
    for thread in threads:
        thread.join()
    assert sorted(f.status for f in found) == [200, 200, 503]
    assert next(f for f in found if f.status == 503).tag == "U005"
    broken.still_well()


def test_the_client_leaves(broken):
    """The upstream call is cancelled, the outcome recorded, the worker free for others."""
    gone = threading.Event()

    def wait_for_close(client):
        client.settimeout(10)
        if client.recv(1) == b"":
            gone.set()
        return False

    broken.backend.say = wait_for_close
    asked = broken.backend.asked
    with broken.weir.connect(broken.a) as c:
        c.send(wire.request_bytes("GET", ASK))
        wait_until(lambda: broken.backend.asked == asked + 1, "the request to reach the backend")
    assert gone.wait(3), "the call to the backend was not cancelled"
    wait_until(
        lambda: any(r["public"]["typ"] == "outcome" and r["public"]["end"] == "reset" for r in broken.weir.audit()),
        "the outcome record",
    )
    broken.still_well()


def test_a_log_that_cannot_grow(work, pki, shared):
    """Every write to the log fails from now on, as on a full disk: 503, not ready, and nothing leaves unrecorded."""
    weir = Weir("full", work / "full", pki, shared.url, [tenant("a")]).start()
    client = pki.client("spiffe://example.org/a/ann")
    try:
        assert weir.get(client, ASK).status == 200
        resource.prlimit(weir.pid, resource.RLIMIT_FSIZE, (0, 0))
        found = weir.get(client, ASK)
        assert (found.status, found.tag) in ((503, "A001"), (503, "A002")), found
        assert found.header("Retry-After")
        wait_until(lambda: wire.get(weir.health, "/ready").status == 503, "readiness to fall")
        found = weir.get(client, ASK)
        assert (found.status, found.tag) == (503, "A001"), found
        assert wire.get(weir.health, "/healthy").status == 200
        assert weir.running()
    finally:
        weir.kill()


def test_kill_under_load(work, pki, shared):
    """kill -9: every answer that a client got has its decision in the log that the next start finds."""
    weir = Weir("killed", work / "killed", pki, shared.url, [tenant("a")]).start()
    clients = [pki.client(f"spiffe://example.org/a/c{n}") for n in range(4)]
    got, begun = [], threading.Barrier(len(clients) + 1)

    def load(client):
        with weir.connect(client) as c:
            begun.wait()
            while (found := c.ask("GET", ASK)).status == 200:
                got.append(found.header("X-Request-Id"))

    def ask_until_cut(client):
        try:
            load(client)
        except OSError:
            pass

    for round_ in range(3):
        threads = [threading.Thread(target=ask_until_cut, args=(client,)) for client in clients]
        for thread in threads:
            thread.start()
        begun.wait()
        enough = len(got) + 300
        wait_until(lambda: len(got) > enough, "some answers")
        weir.kill()
        for thread in threads:
            thread.join()
        weir.start()
    recorded = {r["public"]["rid"] for r in weir.audit() if r["public"]["typ"] == "decision"}
    assert len(got) > 900 and set(got) <= recorded, f"{len(set(got) - recorded)} of {len(got)} answers have no record"
    assert sum(r["public"]["typ"] == "boot" for r in weir.audit()) == 4
    assert weir.stop() == 0
