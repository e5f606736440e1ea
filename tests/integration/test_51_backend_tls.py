"""TLS to the backend: Weir believes one name under one CA, shows a certificate of its own, and never falls back (I18)."""

import signal
import ssl

import pytest

from harness.cast import AT
from harness.certs import DAY
from harness.fake_backend import OK_BODY, FakeBackend
from harness.process import wait_until
from harness.weir import Weir, tenant

ASK = f"/api/v1/query?query=foo&time={AT}"


class TlsBackend:
    """Weir before a fake backend that is to be `localhost` under the stranger's CA; each test says what it really is."""

    def __init__(self, work, pki):
        self.pki = pki
        self.backend = FakeBackend()
        self.backend.close = True  # each question gets a connection, and so a handshake, of its own
        self.own = pki.clients.issue("weir-itself", uris=["spiffe://example.org/weir"])
        self.ca = work / "backend-ca.pem"
        self.ca.write_bytes(pki.stranger.path.read_bytes())
        self.weir = Weir("backend-tls", work / "backend-tls", pki, "", [tenant("a")], self.change)
        self.is_the_right_one()
        self.weir.start()
        self.caller = pki.client("spiffe://example.org/a/ann")

    def change(self, config):
        certificate, key = self.own
        config["backends"]["metrics"] |= {
            "url": self.backend.url.replace("http://127.0.0.1", "https://localhost"),
            "tls": {"ca": str(self.ca), "certificate": str(certificate), "key": str(key)},
        }

    def shows(self, pair, **limits):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        context.load_verify_locations(self.pki.clients.path)
        context.verify_mode = ssl.CERT_REQUIRED
        for name, value in limits.items():
            setattr(context, name, value)
        self.backend.tls = context

    def is_the_right_one(self, **limits):
        self.shows(self.pki.stranger.issue("backend", dns=["localhost"], server=True), **limits)

    def ask(self):
        return self.weir.get(self.caller, ASK)

    def answers(self):
        found = self.ask()
        assert (found.status, found.body) == (200, OK_BODY), found

    def is_refused(self, why):
        """502, no request let out, and the reason in the log alone."""
        asked = self.backend.asked
        found = self.ask()
        assert (found.status, found.tag) == (502, "U001"), found
        assert self.backend.asked == asked
        assert why not in found.text
        assert why in self.weir.log_tail(), self.weir.log_tail()


@pytest.fixture(scope="module")
def world(work, pki):
    found = TlsBackend(work, pki)
    yield found
    assert found.weir.stop() == 0, found.weir.log_tail()
    found.backend.stop()


@pytest.fixture(autouse=True)
def control(world):
    """Before and after each test the right backend is believed: what was refused was refused for what it is."""
    world.is_the_right_one()
    world.answers()
    yield
    world.is_the_right_one()
    world.answers()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_right_backend(world, version):
    world.is_the_right_one(minimum_version=version, maximum_version=version)
    world.answers()
    assert ("URI", "spiffe://example.org/weir") in world.backend.seen_certificate["subjectAltName"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    "issued, why",
    [
        ({"common": "other", "dns": ["other.example"]}, "ostname mismatch"),
        ({"common": "localhost"}, "ostname mismatch"),
        ({"common": "address", "addresses": ["127.0.0.1"]}, "ostname mismatch"),
        ({"common": "old", "dns": ["localhost"], "begins": -3 * DAY, "ends": -DAY}, "expired"),
        ({"common": "early", "dns": ["localhost"], "begins": DAY, "ends": 2 * DAY}, "not yet valid"),
    ],
    ids=lambda value: value["common"] if isinstance(value, dict) else None,
)
def test_a_wrong_certificate(world, issued, why, version):
    world.shows(world.pki.stranger.issue(**issued, server=True), minimum_version=version, maximum_version=version)
    world.is_refused(why)


def test_a_foreign_ca(world):
    world.shows(world.pki.clients.issue("twin", dns=["localhost"], server=True))
    world.is_refused("self-signed certificate in certificate chain")


def test_plain(world):
    """A backend that waits for a plain request never gets one."""
    world.backend.tls = None
    world.is_refused("no connection within")


def test_a_backend_that_does_not_believe_weir(world):
    world.backend.refused.clear()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*world.pki.stranger.issue("backend", dns=["localhost"], server=True))
    context.load_verify_locations(world.pki.operators.path)
    context.verify_mode = ssl.CERT_REQUIRED
    world.backend.tls = context
    asked = world.backend.asked
    found = world.ask()
    assert found.status == 502 and found.tag in ("U001", "U002"), found
    assert world.backend.asked == asked
    wait_until(lambda: world.backend.refused, "the backend to refuse the handshake")


def test_reload(world):
    """Another CA holds from the next request on; a file that holds none changes nothing."""
    good = world.ca.read_bytes()
    failed = world.weir.metric("weir_config_reloads_total", result="failed")
    try:
        world.ca.write_text("no certificate\n")
        world.weir.send(signal.SIGHUP)
        world.weir.wait_metric("weir_config_reloads_total", failed + 1, result="failed")
        world.answers()

        world.ca.write_bytes(world.pki.operators.path.read_bytes())
        world.weir.reload()
        world.is_refused("unable to get local issuer certificate")
    finally:
        world.ca.write_bytes(good)
        world.weir.reload()
