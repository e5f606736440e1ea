"""The gateway as a whole: it answers as Prometheus would, says what it does, reloads, limits and ends well."""

import gzip
import json
import re
import signal
import time

import pytest

from harness import checks, wire, weir
from harness.cast import AT, direct
from harness.process import wait_until
from harness.recorder import Recorder

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
RANGE = {"query": "foo", "start": AT - 600, "end": AT, "step": 60}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    "path, params",
    [
        ("/api/v1/query", {"query": "foo", "time": AT}),
        ("/api/v1/query", {"query": "sum by (job) (rate(http_requests_total[5m]))", "time": AT}),
        ("/api/v1/query_range", RANGE),
        ("/api/v1/series", {"match[]": "foo", "start": AT - 60, "end": AT}),
        ("/api/v1/labels", {"start": AT - 60, "end": AT}),
        ("/api/v1/query_exemplars", {"query": "foo", "start": AT - 60, "end": AT}),
    ],
)
@pytest.mark.parametrize("how", ["get", "post"])
def test_answers_as_prometheus(setup, path, params, how):
    """By both methods: the answer is the one that a store of a's own would give."""
    checks.blind(getattr(setup.weir, how)(setup.a, path, params), setup.alone.get(path, params))


def test_the_other_tenant_sees_its_own(setup):
    """What is kept from a is b's to see."""
    answer = setup.query("secret", setup.b)
    assert answer.status == 200 and "SECRET" in answer.text
    assert {s["metric"]["tenant_id"] for s in answer.json()["data"]["result"]} == {"b"}


def test_constant_query(setup):
    """No selector, no data: Grafana's health check."""
    assert setup.query("1+1").json()["data"]["result"][1] == "2"


def test_request_id_and_head(setup):
    answer = setup.query("foo")
    assert UUID7.fullmatch(answer.header("X-Request-Id"))
    head = setup.weir.get(setup.a, "/api/v1/query", {"query": "foo", "time": AT}, method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.header("X-Request-Id") != answer.header("X-Request-Id")


def test_options(setup):
    with checks.silent(setup):
        answer = setup.weir.get(setup.a, "/api/v1/query", method="OPTIONS")
        assert answer.status == 204 and set(answer.header("Allow").replace(" ", "").split(",")) >= {"GET", "POST", "HEAD"}
        assert not any(n.lower().startswith("access-control") for n, _ in answer.headers)
        assert setup.weir.get(setup.a, "/nothing", method="OPTIONS").status == 404


def test_method_of_a_known_path(setup):
    with checks.silent(setup):
        answer = setup.weir.post(setup.a, "/api/v1/label/job/values", {"start": AT})
        checks.refused(setup, answer, 405, "R004")


def test_many_requests_on_one_connection(setup):
    with setup.weir.connect(setup.a) as c:
        for number in range(200):
            answer = c.ask("GET", f"/api/v1/query?query={number}&time={AT}")
            assert answer.json()["data"]["result"][1] == str(number)


def test_large_answer_streams(setup):
    params = {"query": '{__name__=~".+"}', "start": AT - 1800, "end": AT + 1800, "step": 1}
    answer = setup.weir.get(setup.a, "/api/v1/query_range", params)
    assert len(answer.body) > 1 << 20 and answer.complete
    checks.blind(answer, setup.alone.get("/api/v1/query_range", params))


def test_gzip_is_passed_on(setup):
    answer = setup.weir.get(
        setup.a, "/api/v1/query_range", RANGE | {"query": '{__name__=~".+"}'}, [("Accept-Encoding", "gzip")]
    )
    assert answer.header("Content-Encoding") == "gzip" and b"SECRET" not in gzip.decompress(answer.body)


def test_backend_error_is_passed_on_in_its_own_words(setup):
    """Two series match on the left: the backend says so, of a's own series only."""
    answer = setup.query("foo * on() foo")
    assert answer.status == direct(setup.alone, "foo * on() foo").status == 422
    checks.no_leak(answer)


@pytest.mark.parametrize(
    "headers, trace",
    [
        ([("traceparent", TRACE)], TRACE.split("-")[1]),
        ([("b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1")], TRACE.split("-")[1]),
        (
            [
                ("X-B3-TraceId", "0af7651916cd43dd8448eb211c80319c"),
                ("X-B3-SpanId", "b7ad6b7169203331"),
                ("X-B3-Sampled", "1"),
            ],
            TRACE.split("-")[1],
        ),
        ([("traceparent", "00-00000000000000000000000000000000-b7ad6b7169203331-01")], None),
        ([("traceparent", "nonsense\tx")], None),
        ([], None),
    ],
)
def test_trace_context_goes_on(setup, headers, trace):
    """The caller's trace, a span of our own; what is no trace context is replaced."""
    setup.recorder.clear()
    assert setup.weir.get(setup.a, "/api/v1/query", {"query": "foo", "time": AT}, headers).status == 200
    (sent,) = setup.recorder.only().header("traceparent")
    found = re.fullmatch(r"00-([0-9a-f]{32})-([0-9a-f]{16})-0[01]", sent)
    assert found and found[2] != "b7ad6b7169203331" and int(found[1], 16) != 0
    assert trace is None or found[1] == trace


def test_an_allowed_request_leaves_two_records(setup):
    answer = setup.query("foo")
    identifier = answer.header("X-Request-Id")
    records = wait_until(lambda: two_of(setup, identifier), "decision and outcome")
    decision, outcome = (r["public"] for r in records)
    assert (decision["typ"], decision["dec"], decision["tenant"], decision["route"], decision["m"]) == (
        "decision",
        "allow",
        "a",
        "prom.query",
        "GET",
    )
    assert (outcome["typ"], outcome["st"], outcome["end"]) == ("outcome", 200, "ok")
    assert 'foo{tenant_id=\\"a\\"}' in str(records[0]["private"]).replace('"', '\\"') or 'foo{tenant_id="a"}' in str(
        records[0]["private"]
    )


def two_of(setup, identifier):
    found = [r for r in setup.weir.audit() if r["public"]["rid"] == identifier]
    return found if len(found) == 2 else None


def test_boot_record_is_first(setup):
    assert setup.weir.audit()[0]["public"]["typ"] == "boot"


def test_the_log_is_found_by_the_config_too(setup):
    setup.query("foo")
    done = setup.weir.tool("audit", "cat", "-c", "weir.yaml", "0-1", "--json")
    assert done.returncode == 0 and [json.loads(line) for line in done.stdout.splitlines()] == setup.weir.audit()[:2]


def test_metrics_tell_what_happened(setup):
    """Counters of the last requests, by tenant, call, verdict and tag."""
    allowed = setup.weir.metric("weir_requests_total", tenant="a", call="prom.query", verdict="allow")
    refused = setup.weir.metric("weir_refusals_total", tenant="a", tag="Q002")
    setup.query("foo")
    setup.query("{}")
    setup.weir.wait_metric("weir_requests_total", allowed + 1, tenant="a", call="prom.query", verdict="allow")
    setup.weir.wait_metric("weir_refusals_total", refused + 1, tenant="a", tag="Q002")
    text = setup.weir.metrics()
    for name in (
        "weir_request_seconds",
        "weir_stage_seconds",
        "weir_upstream_requests_total",
        "weir_upstream_seconds",
        "weir_upstream_connections",
        "weir_audit_records_total",
        "weir_audit_commit_seconds",
        "weir_audit_queue_records",
        "weir_audit_durable_index",
        "weir_connections",
        "weir_config_generation",
        "weir_build_info",
        "process_cpu_seconds_total",
    ):
        assert re.search(rf"^{name}", text, re.MULTILINE), name


def test_health_and_readiness(setup):
    assert wire.get(setup.weir.health, "/healthy").status == 200
    assert wire.get(setup.weir.health, "/ready").status == 200
    for path in ("/metrics", "/api/v1/query?query=foo", "/", "/healthy/x", "/ready/"):
        assert wire.get(setup.weir.health, path).status == 404


def test_burst_is_throttled(setup):
    """burst: 3, one a second: the fourth is 429, and says when to come back. Another tenant does not notice."""
    slow = setup.caller("slow/ann")
    with setup.weir.connect(slow) as c:
        answers = [c.ask("GET", f"/api/v1/query?query=1&time={AT}") for _ in range(6)]
    assert [a.status for a in answers[:3]] == [200] * 3 and answers[-1].status == 429
    last = answers[-1]
    checks.refused(setup, last, 429, "L001")
    assert int(last.header("Retry-After")) >= 1
    assert re.fullmatch(r'"requests";r=0;t=\d+', last.header("RateLimit"))
    assert re.fullmatch(r'"requests";q=3;w=3', last.header("RateLimit-Policy"))
    assert setup.query("foo").status == 200
    wait_until(lambda: setup.query("1", slow).status == 200, "the limit to give again", seconds=10)


def access_log(setup):
    """Whole lines only: the last one may still be on its way."""
    whole = setup.weir.log().rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]


def test_access_log_is_json_with_ids(setup):
    wanted = setup.query("{}").header("X-Request-Id")
    wait_until(lambda: any(wanted == line.get("rid") for line in access_log(setup)), f"a line of {wanted}")


def test_reload_changes_tenants_and_keeps_the_old_ones_on_an_error(second_weir):
    setup = second_weir("reload", None, [weir.tenant("a")])
    assert setup.query("foo", setup.b).status == 403
    setup.weir.write_tenants([weir.tenant("a"), weir.tenant("b")])
    setup.weir.reload()
    assert setup.query("foo", setup.b).status == 200
    generation = setup.weir.metric("weir_config_generation")
    setup.weir.write_tenants([weir.tenant("a"), weir.tenant("b") | {"polcy": "none"}])
    setup.weir.send(signal.SIGHUP)
    setup.weir.wait_metric("weir_config_reloads_total", 1, result="failed")
    assert setup.weir.metric("weir_config_generation") == generation
    assert setup.query("foo", setup.b).status == 200
    assert any(r["public"]["typ"] == "policy" for r in setup.weir.audit())


def test_term_drains(work, pki, shared):
    """A request under way is finished, then the process ends with 0."""
    recorder = Recorder(shared.address)
    one = weir.Weir("drain", work / "drain", pki, recorder.url, [weir.tenant("a")]).start()
    client = pki.client("spiffe://example.org/a/ann")
    with one.connect(client) as c:
        assert c.ask("GET", f"/api/v1/query?query=foo&time={AT}").status == 200
        begun = time.monotonic()
        one.send(signal.SIGTERM)
        assert c.closed_by_peer(), "an idle connection is closed"
    assert one.child.wait(10) == 0 and time.monotonic() - begun < 10
    one.stop()
    recorder.stop()


def test_a_config_that_cannot_be_used(setup, work):
    """weir check says no with every error; weir run ends with 78."""
    folder = work / "broken"
    (folder / "tenants").mkdir(parents=True)
    (folder / "weir.yaml").write_text("listen: []\nbackends: { metrics: { dialect: promtheus, url: x } }\nunknown: 1\n")
    check = setup.weir.tool("check", "-c", str(folder / "weir.yaml"))
    assert check.returncode == 1
    for word in ("promtheus", "unknown"):
        assert re.search(rf"weir\.yaml:\d+:\d+:.*{word}", check.stderr + check.stdout), check
    assert setup.weir.tool("run", "-c", str(folder / "weir.yaml"), timeout=20).returncode == 78
    assert setup.weir.tool("run", "-c", str(folder / "nothing.yaml"), timeout=20).returncode in (2, 78)
    assert setup.weir.tool("check", "-c", "weir.yaml").returncode == 0


def test_routes_are_printed(setup):
    done = setup.weir.tool("routes")
    assert done.returncode == 0
    for call in (
        "prom.query",
        "prom.query_range",
        "prom.query_exemplars",
        "prom.format_query",
        "prom.series",
        "prom.labels",
        "prom.label_values",
        "prom.buildinfo",
    ):
        assert re.search(rf"^{re.escape(call)}\s", done.stdout, re.MULTILINE), call
