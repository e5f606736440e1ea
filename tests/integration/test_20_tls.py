"""Who may come in: certificates, and what each wrong one gets. A failed handshake is counted and recorded, nothing is answered."""

import datetime
import socket
import ssl
import time

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from harness import checks, wire
from harness.certs import Authority, Client
from harness.cast import AT
from harness.process import wait_until
from harness.weir import MONITOR

HOUR = datetime.timedelta(hours=1)
ANN = "spiffe://example.org/a/ann"
ASK = f"/api/v1/query?query=foo&time={AT}"


def handshake_fails(setup, context, reason, address=None, data=b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"):
    """No answer at all; counted under its reason; a tls record tells how many."""
    before = setup.weir.metric("weir_tls_handshakes_total", result=reason)
    recorded = tls_records(setup, reason)
    with checks.silent(setup):
        try:
            with wire.Connection(address or setup.weir.edge, context) as c:
                answer = c.raw(data)
        except (ssl.SSLError, ConnectionError):
            answer = wire.CLOSED
        assert answer == wire.CLOSED, answer
    setup.weir.wait_metric("weir_tls_handshakes_total", before + 1, result=reason)
    wait_until(lambda: tls_records(setup, reason) > recorded, f"a tls record of {reason}", seconds=10)


def tls_records(setup, reason):
    return sum(r["public"]["count"] for r in setup.weir.audit() if r["public"]["typ"] == "tls" and r["public"]["reason"] == reason)


def test_right_certificate(setup):
    before = setup.weir.metric("weir_tls_handshakes_total", result="ok")
    answer = setup.weir.get(setup.a, ASK)
    assert answer.status == 200 and setup.weir.decision(answer)["public"]["tenant"] == "a"
    assert setup.weir.metric("weir_tls_handshakes_total", result="ok") > before


def test_no_certificate(setup):
    context = ssl.create_default_context(cafile=setup.pki.clients.path)
    handshake_fails(setup, context, "no_certificate")


def test_wrong_ca(setup):
    handshake_fails(setup, setup.pki.client(ANN, setup.pki.stranger).tls(), "unknown_ca")


def test_a_twin_of_the_right_ca(setup, work):
    """The same name, another key."""
    folder = work / "twin"
    folder.mkdir()
    certificate, key = Authority(folder, "clients").issue("ann", uris=[ANN])
    handshake_fails(setup, Client(certificate, key, setup.pki.clients.path).tls(), "unknown_ca")


def test_ca_of_the_other_listener(setup):
    handshake_fails(setup, setup.pki.operator(MONITOR).tls(), "unknown_ca")
    handshake_fails(setup, setup.a.tls(), "unknown_ca", setup.weir.admin)


def test_expired(setup):
    handshake_fails(setup, setup.pki.client(ANN, ends=-HOUR).tls(), "expired")


def test_not_yet_valid(setup):
    handshake_fails(setup, setup.pki.client(ANN, begins=HOUR).tls(), "expired")


@pytest.mark.parametrize("how", [
    {"purpose": ExtendedKeyUsageOID.SERVER_AUTH}, {"is_ca": True}, {"purpose": ExtendedKeyUsageOID.CODE_SIGNING},
])
def test_certificates_for_something_else(setup, how):
    handshake_fails(setup, setup.pki.client(ANN, **how).tls(), "bad_certificate")


def test_old_versions(setup):
    old = setup.a.tls(maximum=ssl.TLSVersion.TLSv1_2)
    handshake_fails(setup, old, "protocol")


def test_plain_http_on_a_tls_port(setup):
    """The TLS library sends no alert for it, so it may be counted as `other`."""

    def failed():
        return sum(setup.weir.metric("weir_tls_handshakes_total", result=r) for r in ("protocol", "other"))

    before = failed()
    with checks.silent(setup), wire.Connection(setup.weir.edge) as c:
        assert c.ask("GET", ASK) == wire.CLOSED
    wait_until(lambda: failed() == before + 1, "the failed handshake to be counted")


def test_only_http1_is_agreed_on(setup):
    context = setup.a.tls()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with wire.Connection(setup.weir.edge, context) as c:
        assert c.socket.selected_alpn_protocol() == "http/1.1"
        assert c.ask("GET", ASK).status == 200
    only_h2 = setup.a.tls()
    only_h2.set_alpn_protocols(["h2"])
    handshake_fails(setup, only_h2, "protocol")


@pytest.mark.parametrize("uris, how, tag", [
    ([ANN, "spiffe://example.org/b/ben"], {}, "I002"),
    ([ANN, ANN], {}, "I002"),
    ([ANN, "https://example.org/"], {}, "I002"),
    ([], {}, "I002"),
    ([], {"dns": ["a.example.org"]}, "I002"),
    ([], {"emails": ["ann@example.org"]}, "I002"),
    (["https://example.org/a/ann"], {}, "I002"),
    (["spiffe://example.org/a/ann/"], {}, "I002"),
    (["spiffe://example.org//a/ann"], {}, "I002"),
    (["spiffe://example.org/a/../b/ben"], {}, "I002"),
    (["spiffe://example.org/a/%61nn"], {}, "I002"),
    (["spiffe://example.org:8443/a/ann"], {}, "I002"),
    (["spiffe://user@example.org/a/ann"], {}, "I002"),
    (["spiffe://example.org/a/ann?x=y"], {}, "I002"),
    (["spiffe://example.org/a/ann#x"], {}, "I002"),
    (["SPIFFE://example.org/a/ann"], {}, "I002"),
    (["spiffe://EXAMPLE.org/a/ann"], {}, "I002"),
    (["spiffe://example.org"], {}, None),
    (["spiffe://evil.org/a/ann"], {}, "I003"),
    (["spiffe://example.org.evil.org/a/ann"], {}, "I003"),
    (["spiffe://ops.example.org/prometheus"], {}, "I003"),
    (["spiffe://example.org/nobody/x"], {}, "T001"),
    (["spiffe://example.org/A/ann"], {}, "T001"),
    (["spiffe://example.org/a/ann/more"], {}, "T001"),
])
def test_names_that_are_not_believed(setup, uris, how, tag):
    """The chain is right, so the handshake ends well; each request is refused and recorded."""
    with checks.silent(setup):
        answer = setup.weir.get(setup.pki.client_with(uris, **how), ASK)
        checks.refused(setup, answer, 403, tag)


def test_names_of_other_kinds_do_not_count(setup):
    """One URI name decides, whatever e-mail and DNS names stand beside it."""
    client = setup.pki.client_with([ANN], dns=["b.example.org"], emails=["ben@example.org"])
    answer = setup.weir.get(client, ASK)
    assert answer.status == 200 and setup.weir.decision(answer)["public"]["tenant"] == "a"


def test_the_record_names_the_caller_privately(setup):
    record = setup.weir.decision(setup.weir.get(setup.a, ASK))
    assert ANN not in str(record["public"]) and record["public"]["op"].startswith("op_")
    assert ANN in str(record["private"])


@pytest.mark.parametrize("headers", [
    [("X-Forwarded-Client-Cert", "URI=spiffe://example.org/b/ben")], [("X-SSL-Client-S-DN", "CN=b")], [("X-Remote-User", "b")],
])
def test_identity_in_headers(setup, headers):
    answer = setup.weir.get(setup.a, ASK, headers=headers)
    assert setup.weir.decision(answer)["public"]["tenant"] == "a"
    checks.no_leak(answer)


def resumable(setup, context):
    """A session of a connection that was used; TLS 1.3 tickets arrive behind the first answer."""
    with wire.Connection(setup.weir.edge, context) as c:
        assert c.ask("GET", ASK).status == 200
        assert c.socket.session.has_ticket
        return c.socket.session


def test_resumption_keeps_the_identity(setup):
    for client, name in ((setup.a, "a"), (setup.b, "b")):
        context = client.tls()
        session = resumable(setup, context)
        with wire.Connection(setup.weir.edge, context, session=session) as c:
            assert c.socket.session_reused
            answer = c.ask("GET", ASK)
        assert setup.weir.decision(answer)["public"]["tenant"] == name


def test_a_session_of_one_listener_is_nothing_to_another(setup):
    """The session was agreed on at the edge; the admin listener has another CA."""
    context = setup.a.tls()
    session = resumable(setup, context)
    with checks.silent(setup):
        try:
            with wire.Connection(setup.weir.admin, context, session=session) as c:
                assert not c.socket.session_reused
                assert c.ask("GET", "/metrics") == wire.CLOSED
        except (ssl.SSLError, ConnectionError):
            pass


def test_a_certificate_that_ends_while_in_use(setup):
    """The open connection is answered 401 and closed; a session of before is no way back."""
    ends = datetime.timedelta(seconds=4)
    client = setup.pki.client_with(["spiffe://example.org/a/short"], ends=ends)
    until = time.time() + ends.total_seconds()
    context = client.tls()
    session = resumable(setup, context)
    with wire.Connection(setup.weir.edge, context) as c:
        assert c.ask("GET", ASK).status == 200
        wait_until(lambda: time.time() > until + 1, "the certificate to end")
        with checks.silent(setup):
            checks.refused(setup, c.ask("GET", ASK), 401, "I001")
            assert c.closed_by_peer()
    with checks.silent(setup):
        try:
            with wire.Connection(setup.weir.edge, context, session=session) as c:
                assert c.ask("GET", ASK).status in (0, 401)
        except (ssl.SSLError, ConnectionError):
            pass


def test_half_a_handshake_holds_nobody_up(setup):
    with socket.create_connection(setup.weir.edge) as half:
        half.sendall(b"\x16\x03\x01")
        assert setup.weir.get(setup.a, ASK).status == 200


def test_admin_listener(setup):
    """A monitor may scrape; another operator of the same CA may not."""
    monitor, stranger = setup.pki.operator(MONITOR), setup.pki.operator("spiffe://ops.example.org/someone")
    with setup.weir.connect(monitor, setup.weir.admin) as c:
        assert c.ask("GET", "/metrics").status == 200
    with setup.weir.connect(stranger, setup.weir.admin) as c:
        assert c.ask("GET", "/metrics").status == 403
    with setup.weir.connect(monitor, setup.weir.admin) as c:
        assert c.ask("GET", ASK).status == 404, "no tenant's data on the admin listener"
