"""Group H of the attack catalogue: HTTP. What is ambiguous is refused; what is not on a list is not sent on."""

import pytest

from harness import checks, wire
from harness.cast import AT, direct

FORM = ("Content-Type", "application/x-www-form-urlencoded")
ASK = f"/api/v1/query?query=foo&time={AT}"
BODY = f"query=foo&time={AT}".encode()
# all that Weir ever writes into a request to a backend
OUTGOING = {
    "host", "accept", "accept-encoding", "content-type", "content-length", "user-agent", "traceparent", "tracestate",
    "x-scope-orgid",
}


def ambiguous(setup, data, statuses, closes=True, method="GET"):
    """A request that has two readings: refused, closed, nothing sent on, on record or counted. The next one is clean."""
    before = setup.weir.metric("weir_refusals_total")
    with checks.silent(setup):
        with setup.weir.connect(setup.a) as c:
            answer = c.raw(data, method)
            assert answer.status in statuses, f"{answer.status}, not {statuses}: {answer.text[:200]}"
            if closes:
                assert c.closed_by_peer(), "the connection stays open behind a framing fault"
        checks.no_leak(answer)
        if answer.tag:
            checks.refused(setup, answer, answer.status)
        elif answer.status:
            setup.weir.wait_metric("weir_refusals_total", before + 1)
    assert setup.query("foo").status == 200


def head(*lines, body=b"", target=ASK, method="GET", version="HTTP/1.1", host="localhost"):
    """A request head as bytes, from str or bytes lines."""
    lines = [f"{method} {target} {version}", *([f"Host: {host}"] if host is not None else []), *lines]
    return b"\r\n".join(line.encode("latin-1") if isinstance(line, str) else line for line in lines) + b"\r\n\r\n" + body


# ---- H1 to H3: parameters

@pytest.mark.parametrize("target, body", [
    (ASK, b"query=secret"), ("/api/v1/query?query=foo&query=secret", None), ("/api/v1/query", b"query=foo&query=secret"),
    ("/api/v1/query?query=foo&que%72y=secret", None), ("/api/v1/query?query=foo&time=1&time=2", None),
    ("/api/v1/query_range?query=foo&start=1&end=2&step=1", b"step=2"),
])
def test_h1_a_parameter_twice(setup, target, body):
    with checks.silent(setup):
        answer = setup.weir.get(setup.a, target, None, [FORM] if body else [], "POST" if body else "GET", body)
        checks.refused(setup, answer, 400, "R007")


def test_h2_spellings_of_match(setup):
    """Known spellings are joined, look-alikes dropped and counted."""
    pairs = "match[]=foo&match%5B%5D=secret&m%61tch[]=up&match=secret&match[0]=secret&MATCH[]=secret"
    target = f"/api/v1/series?{pairs}&start={AT - 60}&end={AT}"
    before = setup.weir.metric("weir_parameters_dropped_total", call="prom.series")
    setup.recorder.clear()
    answer = setup.weir.get(setup.a, target)
    checks.blind(answer, setup.alone.get("/api/v1/series", [
        ("match[]", "foo"), ("match[]", "up"), ("start", AT - 60), ("end", AT),
    ]))
    seen = setup.recorder.only()
    assert len(seen.param("match[]")) == 3 and {n for n, _ in seen.params} == {"match[]", "start", "end", "limit"}
    assert setup.weir.metric("weir_parameters_dropped_total", call="prom.series") == before + 3


@pytest.mark.parametrize("query", [
    "query=%", "query=%4", "query=%zz", "query=foo&%zz=1", "query=foo&a%00b=1", "query=foo&%c0%ae=1", "query=foo&%ff=1",
    "&".join(f"a{n}=b" for n in range(10000)), "query=foo&" + "&".join(f"a{n}=b" for n in range(64)),
])
def test_h3_escapes_and_floods(setup, query):
    with checks.silent(setup):
        if len(query) < 8000:
            checks.refused(setup, setup.weir.get(setup.a, "/api/v1/query?" + query), 400)
        answer = setup.weir.get(setup.a, "/api/v1/query", None, [FORM], "POST", query.encode())
        checks.refused(setup, answer, 400)


def test_h3_semicolon_is_no_separator(setup):
    assert setup.sent("foo", x="1;query=secret") == 'foo{tenant_id="a"}'


# ---- H4, H5: bodies and methods

@pytest.mark.parametrize("types", [
    ["multipart/form-data; boundary=x"], ["text/plain"], [], ["application/json"],
    ["application/x-www-form-urlencoded, text/plain"], ["application/x-www-form-urlencoded; charset=utf-7"],
    ["application/x-www-form-urlencoded; charset=utf-16"], [""], ["application/x-www-form-urlencodedx"],
    ["application/x-protobuf"],
])
def test_h4_types_of_a_form(setup, types):
    with checks.silent(setup):
        answer = setup.weir.get(setup.a, "/api/v1/query", None, [("Content-Type", t) for t in types], "POST", BODY)
        checks.refused(setup, answer, 415, "R005")


@pytest.mark.parametrize("second", ["application/x-www-form-urlencoded", "text/plain"])
def test_h4_two_type_lines(setup, second):
    data = wire.request_bytes("POST", "/api/v1/query", [FORM, ("content-type", second)], BODY)
    ambiguous(setup, data, {400}, method="POST")


@pytest.mark.parametrize("kind", [
    "application/x-www-form-urlencoded", "application/x-www-form-urlencoded; charset=utf-8",
    "APPLICATION/X-WWW-FORM-URLENCODED;charset=UTF-8",
])
def test_h4_right_types(setup, kind):
    answer = setup.weir.get(setup.a, "/api/v1/query", None, [("Content-Type", kind)], "POST", BODY)
    checks.blind(answer, direct(setup.alone, "foo"))


@pytest.mark.parametrize("encoding", ["gzip", "identity, gzip", "snappy", "zstd", "deflate"])
def test_h4_encoded_form(setup, encoding):
    with checks.silent(setup):
        answer = setup.weir.get(setup.a, "/api/v1/query", None, [FORM, ("Content-Encoding", encoding)], "POST", BODY)
        checks.refused(setup, answer, 415, "R006")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_h5_body_where_none_belongs(setup, method):
    ambiguous(setup, wire.request_bytes(method, ASK, [FORM], b"query=secret"), {400}, method=method)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "DELETE", "PROPFIND", "get", "QUERY"])
def test_h5_methods(setup, method):
    with checks.silent(setup):
        answer = setup.weir.get(setup.a, ASK, method=method)
        checks.refused(setup, answer, 405)


def test_h5_connect(setup):
    ambiguous(setup, head(method="CONNECT", target="localhost:443"), {405}, closes=False)


@pytest.mark.parametrize("name", [
    "X-HTTP-Method-Override", "X-Method-Override", "X-Original-Method", "X-Original-URL", "X-Rewrite-URL",
])
def test_h5_override_headers(setup, name):
    setup.recorder.clear()
    answer = setup.weir.get(setup.a, ASK, headers=[(name, "DELETE" if "ethod" in name else "/api/v1/status/config")])
    checks.blind(answer, direct(setup.alone, "foo"))
    assert {n.lower() for n, _ in setup.recorder.only().headers} <= OUTGOING


# ---- H6 to H8: paths

@pytest.mark.parametrize("path", [
    "//api/v1/query", "/api//v1/query", "/api/v1//query", "/./api/v1/query", "/api/v1/./query", "/api/v1/../v1/query",
    "/x/../api/v1/query", "/api/v1/query/..", "/api/v1/query/.", "/api/v1/%2e%2e/v1/query", "/api%2fv1%2fquery",
    "/api/v1%2Fquery", "/api/v1/query%2f", "/api%5cv1/query", "/api\\v1\\query", "/api/v1/query;x=y", "/api/v1;a/query",
    "/api/v1/query%3b", "/api/v1/query/", "/API/v1/query", "/api/V1/query", "/api/v1/Query", "/api/v1/%71uery", "/api/v1/quer",
    "/api/v1/query%00", "/api/v1/query%0a", "/api/v1/query%20", "/api/v1/query%", "/api/v1/query%zz", "/api/v1/query%ff",
    "/api/v1/query%c0%af", "/api/v1", "/api/v1/", "api/v1/query", "/prometheus/api/v1/query", "/metrics/api/v1/query",
    "/api/v1/query#x",
])
def test_h6_paths(setup, path):
    ambiguous(setup, head(target=f"{path}?query=foo"), {400, 404}, closes=False)


@pytest.mark.parametrize("part", [
    "%2574enant_id", "%252e%252e", "..%2f..%2fadmin", "x%2f..%2f..%2fadmin", "%2e%2e", "..", "a%5cb", "a;b", "%00", "a%0ab",
    "%25", "a%2525", "%ff",
])
def test_h7_double_encoding_in_a_path_part(setup, part):
    ambiguous(setup, head(target=f"/api/v1/label/{part}/values"), {400}, closes=False)


@pytest.mark.parametrize("path", [
    "/api/v1/queryx", "/api/v1/query_rangex", "/api/v1/query_range/x", "/api/v1/query/../admin/tsdb/snapshot",
    "/api/v1/labels/x", "/api/v1/label", "/api/v1/label/job", "/api/v1/label/job/values/x", "/api/v1/label/job/valuesx",
    "/api/v1/label//values", "/api/v1/label/job/x/values", "/api/v1/series/delete", "/api/v1/seriesx",
    "/api/v1/query_exemplars2", "/api/v1/format_queryx", "/api/v1/status/buildinfo/x", "/api/v1/status/buildinfox",
    "/api/v1/status", "/-/readyx", "/-/ready/x",
])
def test_h8_closed_routes_that_begin_like_open_ones(setup, path):
    ambiguous(setup, head(target=path), {404, 400} if ".." in path or "//" in path else {404}, closes=False)


# ---- H9 to H11: the head

@pytest.mark.parametrize("target", [
    f"http://localhost{ASK}", f"https://localhost{ASK}", "localhost:443", "*", f"//localhost{ASK}", "?query=foo", "\x7f",
    "/api/v1/query?query=foo\x01",
])
def test_h9_forms_of_the_target(setup, target):
    ambiguous(setup, head(target=target), {400})


@pytest.mark.parametrize("lines, statuses", [
    (["Host: localhost", "Host: localhost"], {400}), (["Host: localhost", "host: other.example.org"], {400}), ([], {400}),
    (["Host:"], {400}), (["Host: a b"], {400}), (["Host: localhost, other"], {400}), (["Host: localhost:0"], {400}),
    (["Host: localhost:99999"], {400}), (["Host: user@localhost"], {400}), (["Host: localhost/x"], {400}),
])
def test_h9_hosts(setup, lines, statuses):
    ambiguous(setup, head(*lines, host=None), statuses)


@pytest.mark.parametrize("host", ["other.example.org", "localhost.example.org", "127.0.0.2", "[::1]", "xlocalhost"])
def test_h9_host_of_another_listener(setup, host):
    with checks.silent(setup):
        answer = setup.weir.raw(setup.a, head(host=host))
        checks.refused(setup, answer, 421, "H015")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost:1234", "127.0.0.1"])
def test_h9_own_hosts(setup, host):
    assert setup.weir.raw(setup.a, head(host=host)).status == 200


CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.mark.parametrize("lines, body, statuses, version", [
    (["Content-Length: %d" % len(BODY), "Transfer-Encoding: chunked"], CHUNKED, {400}, "HTTP/1.1"),
    (["Transfer-Encoding: chunked", "Content-Length: 4"], CHUNKED, {400}, "HTTP/1.1"),
    (["Content-Length: 4", "Content-Length: %d" % len(BODY)], BODY, {400}, "HTTP/1.1"),
    (["Content-Length: %d" % len(BODY), "Content-Length: %d" % len(BODY)], BODY, {400}, "HTTP/1.1"),
    (["Content-Length: %d, %d" % (len(BODY), len(BODY))], BODY, {400}, "HTTP/1.1"),
    (["Content-Length: +%d" % len(BODY)], BODY, {400}, "HTTP/1.1"),
    (["Content-Length: 0x%x" % len(BODY)], BODY, {400}, "HTTP/1.1"), (["Content-Length: -1"], BODY, {400}, "HTTP/1.1"),
    (["Content-Length: "], BODY, {400}, "HTTP/1.1"),
    (["Content-Length: 99999999999999999999999999"], BODY, {400, 413}, "HTTP/1.1"),
    (["Transfer-Encoding: chunked"], CHUNKED, {400}, "HTTP/1.0"),
    (["Transfer-Encoding: identity, chunked"], CHUNKED, {400, 411}, "HTTP/1.1"),
    (["Transfer-Encoding: identity", "Transfer-Encoding: chunked"], CHUNKED, {400}, "HTTP/1.1"),
    (["Transfer-Encoding: chunked, chunked"], CHUNKED, {400, 411}, "HTTP/1.1"),
    (["Transfer-Encoding: \x0bchunked"], CHUNKED, {400, 411}, "HTTP/1.1"),
    (["Transfer-Encoding: xchunked"], BODY, {400, 411}, "HTTP/1.1"),
    (["Transfer-Encoding: chunked"], CHUNKED, {411}, "HTTP/1.1"),
    (["Transfer-Encoding: CHUNKED"], CHUNKED, {400, 411}, "HTTP/1.1"),
    (["Transfer-Encoding: chunked"], b"5;ext\x00=\n\r\nquery\r\n0\r\n\r\n", {400, 411}, "HTTP/1.1"),
    (["Transfer-Encoding: chunked"], b"5 junk\r\nquery\r\n0\r\n\r\n", {400, 411}, "HTTP/1.1"),
    (["Transfer-Encoding: chunked"], b"-5\r\nquery\r\n0\r\n\r\n", {400, 411}, "HTTP/1.1"),
    (["Transfer-Encoding: chunked", "Trailer: X-Scope-OrgID"], CHUNKED[:-2] + b"X-Scope-OrgID: b\r\n\r\n", {400, 411}, "HTTP/1.1"),
])
def test_h10_framing(setup, lines, body, statuses, version):
    """Behind each stands a second request: it must never be taken for one."""
    smuggled = head(target="/api/v1/query?query=smuggled")
    data = head(": ".join(FORM), *lines, method="POST", target="/api/v1/query", version=version, body=body + smuggled)
    ambiguous(setup, data, statuses, method="POST")
    assert not any("smuggled" in str(r) for r in setup.weir.audit()[-5:])


@pytest.mark.parametrize("data", [
    head().replace(b"\r\n", b"\n"), head("X-A: b").replace(b"X-A: b\r\n", b"X-A: b\n"), b"\r\n" + head(), b"\n" + head(),
    head().replace(b" HTTP/1.1", b" HTTP/1.9"), head().replace(b" HTTP/1.1", b" HTTP/2.0"),
    head().replace(b" HTTP/1.1", b" http/1.1"), head().replace(b" HTTP/1.1", b""), head().replace(b"GET ", b"GET  "),
    head().replace(b"GET ", b"GET\t"), head().replace(b" HTTP/1.1", b"  HTTP/1.1"),
    head().replace(b" HTTP/1.1", b" x HTTP/1.1"), head().replace(b"GET", b"G(T"), b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x00\x05hello\r\n\r\n",
])
def test_h10_request_line(setup, data):
    ambiguous(setup, data, {400, 0})


@pytest.mark.parametrize("lines", [
    ["X-A: b", " folded"], ["X-A: b", "\tfolded"], [" X-A: b"], [": empty"], ["X-A"], ["X_Scope_OrgID: b"], ["x_tenant: b"],
    ["Content_Length: 5"], ["X A: b"], ["X-A : b"], ["Content-Length : 5"], ["X-A: b\rc"], [b"X-A: b\x00c"], ["X-A: b\x0bc"],
    ["X-A: b\x7fc"], ["X\x00A: b"], ["X-A\xe9: b"], ["X-Ä: b"], ["(X): b"], ["X-A: b\r"],
    ["Authorization: a", "Authorization: b"], ["Content-Encoding: identity", "Content-Encoding: identity"], ["Expect: 200-ok"],
    ["Upgrade: websocket", "Connection: upgrade"],
])
def test_h11_headers(setup, lines):
    ambiguous(setup, head(*lines), {400, 417, 0})


@pytest.mark.parametrize("data, statuses", [
    (head("X-A: " + "b" * 40000), {431, 400}), (head(*[f"X-{n}: b" for n in range(70)]), {431, 400}),
    (head(*[f"X-{n}: b" for n in range(200)]), {431, 400}), (head(target="/api/v1/query?query=" + "a" * 9000), {414}),
    (head(target="/api/v1/query?query=" + "a" * 50000), {414, 431, 400}), (head("X-A: " + "b" * 500000), {431, 400, 0}),
])
def test_h11_large_heads(setup, data, statuses):
    ambiguous(setup, data, statuses)


def test_h12_a_second_request_behind_a_refused_one(setup):
    """Pipelined: nothing is read behind a framing fault; behind another refusal each has its own verdict and record."""
    with checks.silent(setup), setup.weir.connect(setup.a) as c:
        c.send(head("X_A: b") + head())
        assert c.read().status == 400
        assert c.closed_by_peer()
    with setup.weir.connect(setup.a) as c:
        c.send(head(target="/nothing") + head() + head(target="/api/v1/query?query={}") + head())
        answers = [c.read() for _ in range(4)]
    assert [a.status for a in answers] == [404, 200, 400, 200]
    assert [setup.weir.decision(a)["public"]["dec"] for a in answers] == ["deny", "allow", "deny", "allow"]


def test_h13_http2_preface_and_upgrade(setup):
    ambiguous(setup, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", {400, 0})
    upgrade = ["Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"]
    answer = setup.weir.raw(setup.a, head(*upgrade))
    assert answer.status in (200, 400) and answer.status != 101


# ---- H17 to H19: what the client may not steer

FORGED = [
    "X-Scope-OrgID", "x-scope-orgid", "X-SCOPE-ORGID", "X-Tenant", "THANOS-TENANT", "x-scope-orgid-bin", "X-Prom-Label-Policy",
    "X-Loki-Disable-Pipeline-Wrappers", "X-Loki-Query-Limits", "X-Loki-Query-Limits-Context",
]
HONEST = [
    "X-Loki-Actor-Path", "X-Query-Queue-Time", "X-Query-Tags", "X-Forwarded-For", "Forwarded", "X-Real-IP",
    "X-Forwarded-Client-Cert", "X-SSL-Client-Cert", "X-Remote-User", "Authorization", "Cookie", "Proxy-Authorization",
    "X-Api-Key", "Cache-Control", "Pragma", "Range", "If-None-Match", "If-Modified-Since", "Keep-Alive", "TE", "Trailer",
    "X-Anything", "Accept", "User-Agent",
]


@pytest.mark.parametrize("name", FORGED + HONEST)
@pytest.mark.parametrize("mode", ["setup", "header_mode"])
def test_h17_forged_headers(request, mode, name):
    """Dropped; those of tenants and enforcement are counted. Where the store wants a tenant header, ours is there once."""
    setup = request.getfixturevalue(mode)
    before = setup.weir.metric("weir_forged_headers_total", tenant="a")
    for value in ("b", "a|b", "b,a", "a, b"):
        setup.recorder.clear()
        assert setup.weir.get(setup.a, ASK, headers=[(name, value)]).status == 200
        seen = setup.recorder.only()
        assert {n.lower() for n, _ in seen.headers} <= OUTGOING, seen.head
        assert value not in [v for _, v in seen.headers], seen.head
        assert seen.header("x-scope-orgid") == (["a"] if mode == "header_mode" else [])
    assert setup.weir.metric("weir_forged_headers_total", tenant="a") == before + (4 if name in FORGED else 0)


def test_h17_a_tenant_header_twice(header_mode):
    """Repeated or not, both are dropped and counted, and ours is there once."""
    before = header_mode.weir.metric("weir_forged_headers_total", tenant="a")
    header_mode.recorder.clear()
    assert header_mode.weir.raw(header_mode.a, head("X-Scope-OrgID: b", "x-scope-orgid: a|b")).status == 200
    assert header_mode.recorder.only().header("x-scope-orgid") == ["a"]
    assert header_mode.weir.metric("weir_forged_headers_total", tenant="a") == before + 2


@pytest.mark.parametrize("named", [
    "x-scope-orgid", "content-length", "host", "content-type", "close, x-scope-orgid", "keep-alive, accept",
])
def test_h18_connection_names_a_header(header_mode, named):
    """Ours are set after the hop-by-hop pass, so nobody can have one taken off."""
    header_mode.recorder.clear()
    answer = header_mode.weir.get(header_mode.a, "/api/v1/query", None, [FORM, ("Connection", named)], "POST", BODY)
    assert answer.status == 200
    seen = header_mode.recorder.only()
    assert seen.header("x-scope-orgid") == ["a"] and len(seen.header("host")) == 1
    assert seen.param("query") == ["foo"] and seen.header("content-length") in ([], [str(len(seen.body))])
    assert not seen.header("connection") or "orgid" not in seen.header("connection")[0].lower()


@pytest.mark.parametrize("params", [
    {"extra_filters[]": '{tenant_id="b"}'}, {"extra_label": "tenant_id=b"}, {"extra_filters": "{}"}, {"tenant_id": "b"},
    {"namespace": "b"}, {"nocache": "1"}, {"dedup": "false"}, {"partial_response": "true"}, {"storeMatch[]": '{tenant_id="b"}'},
    {"replicaLabels[]": "x"}, {"tenant_header": "b"}, {"shards": "1_of_2"}, {"engine": "x"}, {"Query": "secret"},
    {"query ": "secret"}, {"": "secret"}, {"match[]": "secret"}, {"start": "0"}, {"trace": "1"},
    {"max_source_resolution": "5m"},
])
def test_h19_switches_in_parameters(setup, params):
    before = setup.weir.metric("weir_parameters_dropped_total", call="prom.query")
    assert setup.sent("foo", **params) == 'foo{tenant_id="a"}'
    assert {n for n, _ in setup.recorder.only().params} <= {"query", "time", "timeout", "limit"}
    assert setup.weir.metric("weir_parameters_dropped_total", call="prom.query") == before + 1
    checks.blind(setup.query("foo", **params), direct(setup.alone, "foo"))


def test_h20_accept_and_ranges(setup):
    """Own values go to the backend whatever the caller accepts."""
    setup.recorder.clear()
    answer = setup.weir.get(setup.a, ASK, headers=[
        ("Accept", "application/x-protobuf"), ("Range", "bytes=0-1"), ("If-None-Match", "*"),
    ])
    checks.blind(answer, direct(setup.alone, "foo"))
    assert "protobuf" not in setup.recorder.only().head
