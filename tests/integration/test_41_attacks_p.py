"""Group P of the attack catalogue: PromQL and the calls of Prometheus. Tenant a attacks, b owns the secrets."""

import re
import statistics
import time

import pytest

from harness import checks, wire
from harness.cast import AT, direct
from harness.tree import guarded, same_tree, selectors, tree

GUARD = {"name": "tenant_id", "type": "=", "value": "a"}
WINDOW = {"start": AT - 600, "end": AT}
RANGE = WINDOW | {"step": 60}
DAY = 86400
NOW = int(time.time())


def confined(setup, query):
    """The attack shows b's data when asked directly; through Weir it shows what a alone would see."""
    checks.control(direct(setup.shared, query))
    checks.blind(setup.query(query), direct(setup.alone, query))
    same_tree(setup, query)


# ---- P1 to P3: where selectors hide

@pytest.mark.parametrize("query", [
    'quantile(scalar(secret{job="api",instance="h1:90"}) * 0 + 1, {__name__=~"foo|secret"})',
    'topk(scalar(count({__name__=~"foo|secret"})), {__name__=~"foo|secret"})',
    'bottomk(scalar(count(foo)), foo)',
    'count_values("value", {__name__=~"foo|secret"})',
    'sum by (tenant_id) ({__name__=~"foo|secret"})',
    'topk by (job) (scalar(count(foo) > 0), foo)',
])
def test_p1_selector_in_the_parameter_of_an_aggregation(setup, query):
    confined(setup, query)


@pytest.mark.parametrize("query", [
    'vector(scalar(secret{job="api",instance="h1:90"}))',
    'clamp_max({__name__=~"foo|secret"}, scalar(count(secret)) + 8e9)',
    '-{__name__=~"foo|secret"}',
    '+-+{__name__=~"foo|secret"}',
    'max_over_time({__name__=~"foo|secret"}[5m])',
    'max_over_time(({__name__=~"foo|secret"})[5m:1m])',
    'max_over_time(max_over_time(min_over_time({__name__=~"foo|secret"}[2m])[5m:1m])[10m:2m])',
    'sort_desc({__name__=~"foo|secret"})',
    'predict_linear({__name__=~"foo|secret"}[5m], scalar({__name__=~"foo|secret",job="api",instance="h1:90"}) * 0 + 1)',
    'histogram_quantile(0.9, request_duration_seconds_bucket) or {__name__=~"foo|secret"}',
    'absent(foo) or {__name__=~"foo|secret"}',
    'foo unless on(tenant_id) foo{tenant_id="a"}',
    'foo and on() {__name__=~"foo|secret"}',
    'foo * on(instance, job) group_left(token) (secret * 0 + 1) or foo',
    'label_join({__name__=~"foo|secret"}, "x", "-", "token", "job")',
    '((((({__name__=~"foo|secret"})))))',
    'foo offset -1m or {__name__=~"foo|secret"} @ 1700001000',
])
def test_p2_selector_in_any_argument(setup, query):
    confined(setup, query)


def test_p2_absent_shows_the_guard_and_nothing_else(setup):
    """absent copies equality matchers into its result, so the guard is seen there: harmless, and no sign of b's series."""
    assert direct(setup.shared, "absent(secret)").json()["data"]["result"] == []
    checks.blind(setup.query("absent(secret)"), direct(setup.alone, 'absent(secret{tenant_id="a"})'))
    checks.blind(setup.query("scalar(absent(secret))"), direct(setup.alone, "scalar(absent(secret))"))


def test_p3_info_with_one_argument(experimental):
    checks.control(direct(experimental.shared, 'info({__name__=~"foo|secret"})'))
    with checks.silent(experimental):
        checks.refused(experimental, experimental.query("info(foo)"), 400, "Q003")
        checks.refused(experimental, experimental.query("sum(info(foo))"), 400, "Q003")


@pytest.mark.parametrize("second", [
    '{__name__="secret_info"}', '{__name__=~".+_info"}', '{__name__=~".+_info",token=~".+"}', '{owner=~".+"}',
    '{tenant_id="b"}', '{__name__="target_info",tenant_id=~".*"}', '{version!=""}',
])
def test_p3_info_with_other_info_metrics(experimental, second):
    query = f"info(foo, {second})"
    sent = experimental.sent(query)
    assert all(GUARD in s for s in selectors(tree(experimental.shared, sent))), sent
    checks.same(experimental.query(query), direct(experimental.alone, sent))


# ---- P4, P5: names and the grammar of match[]

@pytest.mark.parametrize("query", [
    '{tenant_id=~".+"}', '{job="api"}', '{__name__=~"secret|foo"}', '{__name__=~".+"}', '{__name__!="foo",job="db"}',
    '{"secret"} or {"foo"}', '{__name__="secret"} or {__name__="foo",__name__=~".+"}', '{"foo",job="api"}', "{'foo'}",
    "{`foo`}", '{__name__=~"(?s).+",job=~".+"}',
])
def test_p4_names(setup, query):
    confined(setup, query)


@pytest.mark.parametrize("query", [
    '{"foo","secret"}', 'foo{__name__="secret"}', 'foo{"secret"}', '{"sécret"}', 'sécret', '{"a.b"="c",__name__="foo"}',
    'foo{ſ="x"}', 'U__secret', '{"foo\\xff"}',
])
def test_p4_names_as_the_backend_judges_them(setup, query):
    checks.same(setup.query(query), direct(setup.alone, query))


MATCHES = [
    "foo", "{tenant_id=\"b\"}", "secret", '{__name__=~"secret.*|foo"}', 'foo{tenant_id!="a"}', '{__name__=~".+"}', '{"secret"}',
    'foo{__name__="foo"}', 'foo{__name__=~"f.*"}', '{__name__="foo",__name__="secret"}', 'sum{job="api"}',
]


@pytest.mark.parametrize("path", [
    "/api/v1/series", "/api/v1/labels", "/api/v1/label/__name__/values", "/api/v1/label/token/values",
    "/api/v1/label/path/values", "/api/v1/label/owner/values",
])
@pytest.mark.parametrize("match", MATCHES)
def test_p5_match(setup, path, match):
    params = WINDOW | {"match[]": match}
    checks.blind(setup.weir.get(setup.a, path, params), setup.alone.get(path, params))


def test_p5_control(setup):
    leaky = [setup.shared.get(path, WINDOW | {"match[]": '{__name__=~"secret.*|foo|target_info"}'})
             for path in ("/api/v1/series", *(f"/api/v1/label/{name}/values" for name in ("__name__", "token", "owner")))]
    for answer in leaky:
        checks.control(answer)


@pytest.mark.parametrize("match", [
    "foo offset 5m", "foo[5m]", "sum(foo)", "foo @ 5", "foo or secret", "(foo)", "-foo", "foo{", "", "{}", "foo # x\n}",
])
def test_p5_what_is_no_selector(setup, match):
    assert setup.shared.get("/api/v1/series", WINDOW | {"match[]": match}).status == 400 or match == "(foo)"
    with checks.silent(setup):
        for path in ("/api/v1/series", "/api/v1/labels", "/api/v1/label/job/values"):
            checks.refused(setup, setup.weir.get(setup.a, path, WINDOW | {"match[]": match}), 400)


def test_p5_several_match(setup):
    params = list(WINDOW.items()) + [("match[]", "foo"), ("match[]", "secret"), ("match[]", '{tenant_id="b"}')]
    setup.recorder.clear()
    checks.blind(setup.weir.get(setup.a, "/api/v1/series", params), setup.alone.get("/api/v1/series", params))
    sent = setup.recorder.only().param("match[]")
    assert len(sent) == 3 and all(GUARD in s for text in sent for s in selectors(tree(setup.shared, text))), sent


# ---- P6 to P9: the same tree as the real parser

@pytest.mark.parametrize("query", [
    "sum", "by", "offset", "or", "start", "max_of", "group offset 3m", "count by (by) (sum)", "SUM(foo)", "sum BY (job) (foo)",
    "foo AND bar", "foo OFFSET 5m", 'foo{by="x",offset="y",sum="z"}', "sum by (on, ignoring, bool, group_left) (foo)",
    "foo == BOOL 1", "foo * ON (job) GROUP_LEFT () bar", "bool_x", "Topk(1, foo)", "foo UNLESS secret", "foo atan2 foo",
    "max_over_time(sum[5m])", "a:b:c", "rate(and[5m])", "count without (job) (unless)",
])
def test_p6_keywords_as_names(setup, query):
    same_tree(setup, query)


@pytest.mark.parametrize("query", [
    "Rate(foo[5m])", "RATE(foo[5m])", "on", "bool", "ignoring", "group_left", "atan2 + 1", "sum by (without) (foo)",
    "Scalar(foo)",
])
def test_p6_what_is_no_name(setup, query):
    assert tree(setup.shared, query) is None
    with checks.silent(setup):
        checks.refused(setup, setup.query(query), 400)


@pytest.mark.parametrize("query", [
    'foo # nothing \r or {__name__=~"foo|secret"}', 'foo # nothing \n or {__name__=~"foo|secret"}',
    'foo{job=~"#|.+"} or secret # } ', "{__name__=~`foo|secret`}", '{__name__=~"foo|secret"} # \u00ff"\'`{}',
    '{__name__=~"foo|secr\\u0065t"}', '{__name__=~"foo|secr\\x65t"}', '{__name__=~"foo|secr\\145t"}',
    "{__name__=~'foo|secret'}", '#\r#\n{__name__=~"foo|secret",job!="#"}#',
])
def test_p7_comments_and_strings(setup, query):
    confined(setup, query)


@pytest.mark.parametrize("query", [
    'foo{job!="\\x00"}', 'foo{job!="\\xff"}', 'foo{job!="\\u0000}"}', 'foo{job!="a\\nb"}', "foo{job!=`a\\nb`}",
    'foo{job!="\\\\\\""}', "foo{job!='\"'}",
])
def test_p7_bytes_by_length(setup, query):
    same_tree(setup, query)
    checks.blind(setup.query(query), direct(setup.alone, query))


@pytest.mark.parametrize("query", [
    b"query=foo%20%23%ff%fe%0a%20or%20secret", b"query=foo%20%23%ff%0d%20or%20%7b__name__%3d~%22foo%7csecret%22%7d",
])
def test_p7_bad_utf8_in_a_comment(setup, query):
    query += b"&time=%d" % AT
    target = "/api/v1/query?" + query.decode()
    reference = setup.alone.get("/api/v1/query", query.decode())
    checks.control(setup.shared.get("/api/v1/query", query.decode()))
    checks.blind(setup.weir.get(setup.a, target), reference)


@pytest.mark.parametrize("query", [
    b"query=foo%00", b"query=foo%7bjob%3d%22%00%22%7d", b"query=foo%ff", b"query=foo%7bjob%3d%22%ff%22%7d",
    b"query=%ef%bb%bffoo", b"query=foo%c2%a0", b"query=foo%0b",
])
def test_p7_bytes_that_are_refused(setup, query):
    with checks.silent(setup):
        checks.refused(setup, setup.weir.get(setup.a, "/api/v1/query", query.decode()), 400)


@pytest.mark.parametrize("query", [
    "-foo ^ 2", "(-foo) ^ 2", "2 ^ 3 ^ 2 * foo", "2 ^ -1 * foo", "- - foo", "-1 ^ foo", "foo offset -1 ^ 3", "foo - -foo",
    "foo offset 5m @ 1700000000", "foo @ end() offset -5m", "foo[5m] offset 1m @ start()",
    "max_over_time(foo[10m:1m] @ 1700001000 offset 5m)", "foo == bool 1", "foo > 1 > 2", "foo > (1 > bool 2)",
    "foo - foo - foo", "foo - (foo - foo)", "foo / foo * foo", "foo and foo or foo unless foo", "foo or foo and foo",
    "(foo or foo) and foo", "foo % 2 ^ 2", 'foo * on("a.b", "ö") group_left("x y") foo', 'sum by ("a b", job) (foo)',
    "foo * on() foo", "foo * ignoring() group_right() foo", "foo </ 3", "foo >/ 3", "-foo offset 5m", "-(foo + foo) * 2",
    "foo ^ foo ^ -foo", "foo * 2 == bool foo + 1", "5m + foo", "1 - foo",
])
def test_p8_precedence(setup, query):
    if tree(setup.shared, query) is None:
        checks.refused(setup, setup.query(query), 400)
    elif "[5m]" in query and "over_time" not in query:
        same_tree(setup, f"max_over_time({query})")
    else:
        same_tree(setup, query)


@pytest.mark.parametrize("query", [
    "foo + 012", "foo + 089", "foo + 0x2A", "foo + 0X1f", "foo + 2_500", "foo + 1e3", "foo + .5", "foo + 5.", "foo + Inf",
    "foo + -iNf", "foo + NAN", "foo > 5m", "foo + 1h30m", "foo + 1e308 * 10", "foo + 1e-320", "foo + 9007199254740993",
    "foo + 123456789012345678901234567890", "max_over_time(foo[300])", "max_over_time(foo[5m + 1m])",
    "max_over_time(foo[step() * 2 + 1m])", "max_over_time(foo[min_of(5m, 1h)])", "foo offset (1m + 30s)", "foo offset -(1m)",
    "max_over_time(foo[5m:step() + 30s])", "max_over_time(foo[2 ^ 8])", "max_over_time(foo[1m] offset range())",
    "foo @ 1700001234.567", "foo @ 0x65520C32", "foo offset 1.5",
])
def test_p9_numbers_and_durations(setup, query):
    same_tree(setup, query)


@pytest.mark.parametrize("query", [
    "0b10", "foo[1m1h]", "foo[0]", "foo[-5m]", "foo[5m - 10m]", "foo[1.5h]", "1__0", "0x", "1e", "foo[999999999999y]",
    "foo offset 1e30", "foo @ 1e300", "foo @ NaN", "foo[step()]", "1.2.3", "08x", "foo[max_of(0, 0)]", "foo[5m / 0]",
])
def test_p9_what_is_no_number(setup, query):
    text = query if "[" not in query else f"max_over_time({query})"
    assert direct(setup.shared, text).status == 400
    with checks.silent(setup):
        assert setup.query(text).status in (400, 422)
        checks.refused(setup, setup.query(text), setup.query(text).status)


# ---- P10 to P13: newer syntax and bombs

@pytest.mark.parametrize("query", [
    "foo + fill(0) foo", "foo + fill_left(0) foo", "info(foo, {version!=\"\"})", "limitk(1, foo)", "limit_ratio(0.5, foo)",
    "mad_over_time(foo[5m])", "sort_by_label(foo, \"job\")", "double_exponential_smoothing(foo[5m], 0.5, 0.5)",
    "ts_of_max_over_time(foo[5m])", "foo then secret", "foo across (job) foo", "foo[5m] smoothly", "quantiles(0.5, 0.9, foo)",
    "foo ?? secret", "foo => secret", "let x = foo in x", "foo $ secret",
])
def test_p10_newer_syntax_is_refused(setup, query):
    with checks.silent(setup):
        checks.refused(setup, setup.query(query), 400)


@pytest.mark.parametrize("query", [
    "foo + fill(0) foo", "foo + on(job, instance) fill_right(1) foo", "limitk(100, foo)", "limit_ratio(1, foo)",
    "mad_over_time(foo[5m])", "sort_by_label(foo, \"job\")",
])
def test_p10_newer_syntax_where_the_backend_has_it(experimental, query):
    checks.same(experimental.query(query), direct(experimental.alone, query))
    same_tree(experimental, query)


@pytest.mark.parametrize("query", [
    "max_over_time(foo[5m] anchored)", "max_over_time(foo[5m] smoothed)", "rate(foo[5m] smoothed)",
    "increase(foo[5m] anchored)", "foo smoothed", "foo </ 3",
])
def test_p10_newer_syntax_as_the_real_parser_has_it(setup, query):
    checks.same(setup.query(query), direct(setup.alone, query))


@pytest.mark.parametrize("query", [
    "max_over_time(foo[32d])", "max_over_time(foo[31d1s] offset 1d)", "max_over_time(max_over_time(foo[20d])[20d:1d])",
    "max_over_time(max_over_time(max_over_time(foo[11d])[11d:1d])[11d:1d])", "max_over_time(foo[32d] offset -32d)",
    "max_over_time(foo[32d] @ end())", "max_over_time(foo[32d] @ start())", "max_over_time(foo[40d] @ 1600000000)",
    "foo + max_over_time(foo[744h1s])", "max_over_time(foo[16d + 16d])", "max_over_time(foo[2764801])",
    "topk(scalar(max_over_time(foo{job=\"api\",instance=\"h1:90\"}[32d])), foo)",
    "max_over_time(max_over_time(foo[1d] offset 1d)[31d:1h] offset -31d)",
])
def test_p11_range_limit(setup, query):
    with checks.silent(setup):
        checks.refused(setup, setup.query(query), 422, "S007")


def test_p11_range_of_the_request_counts(setup):
    with checks.silent(setup):
        for query, days in (("foo", 32), ("max_over_time(foo[20d])", 12), ("max_over_time(foo[1h])", 31)):
            params = {"query": query, "start": AT - days * DAY, "end": AT, "step": 3600}
            checks.refused(setup, setup.weir.get(setup.a, "/api/v1/query_range", params), 422, "S007")


@pytest.mark.parametrize("query", [
    "foo", "foo offset 2d", "foo @ 1700000000", "max_over_time(foo[2d])", "max_over_time(foo[1h:1m] offset 2d)",
    "foo offset -1h @ 1700000000",
])
def test_p11_lookback_limit(setup, query):
    """max_query_lookback: 1d, asked now."""
    at = {"time": NOW - 3 * DAY} if query == "foo" else {"time": NOW}
    with checks.silent(setup):
        checks.refused(setup, setup.query(query, setup.caller("recent/ann"), **at), 422, "S008")
    assert setup.query("foo offset 5m", setup.caller("recent/ann"), time=NOW).status == 200


@pytest.mark.parametrize("query", [
    "(" * 200 + "foo" + ")" * 200, "-" * 200 + "foo", "abs(" * 200 + "foo" + ")" * 200,
    "max_over_time(" * 150 + "foo" + "[5m:1m])" * 150, "foo" + " + foo" * 300, "foo" + " ^ foo" * 200, "sum(" * 5000,
    "(" * 16000, "foo{" + ",".join('a="b"' for _ in range(100)) + "}", "foo" + " or foo" * 2000, "{" * 10000, "foo[" * 3000,
])
def test_p12_bombs(setup, query):
    with checks.silent(setup):
        answer = setup.weir.post(setup.a, "/api/v1/query", {"query": query, "time": AT})
        assert answer.status in (400, 422)
        checks.refused(setup, answer, answer.status)
    alive(setup)


@pytest.mark.parametrize("query", ["foo" + " " * 17000, 'foo{a="' + "x" * 1000000 + '"}', "+".join(["foo"] * 100000)], ids=len)
def test_p12_large_texts(setup, query):
    with checks.silent(setup):
        checks.refused(setup, setup.weir.post(setup.a, "/api/v1/query", {"query": query}), 422, "S001")
    alive(setup)


def test_p12_a_body_above_the_cap(setup):
    """Refused by its length alone; the client may see the connection cut while it still sends."""
    data = wire.request_bytes("POST", "/api/v1/query", [("Content-Type", "application/x-www-form-urlencoded")], b"x" * 2000000)
    with checks.silent(setup):
        assert setup.weir.raw(setup.a, data, "POST").status in (413, 0)
    alive(setup)


def alive(setup):
    assert setup.weir.running()
    assert setup.query("foo").status == 200
    assert resident_mib(setup.weir.pid) < 512


def resident_mib(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) / 1024


@pytest.mark.parametrize("regexp", [
    "(" * 1001 + ")" * 1001, "a{1001}", "a{1,1001}", "(a{1000}){1000}", "(?=a)", "(?!a)", "(?<=a)", r"(a)\\1", "a**",
    "a{2}{3}{4}**", "[z-a]", "(", "[", "a\\\\", "(?i", r"\\pQ", "*a", "(?>a)", "a++",
])
def test_p13_regexps_that_are_refused(setup, regexp):
    query = f'foo{{job=~"{regexp}"}}'
    assert direct(setup.shared, query).status == 400
    with checks.silent(setup):
        answer = setup.query(query)
        assert answer.status in (400, 422)
        checks.refused(setup, answer, answer.status)


@pytest.mark.parametrize("regexp", [
    "(a+)+$|.*", "(a|a)*b|.*", "(.*)(.*)(.*)(.*)(.*)x|.*", "((a?){50}a{50})|.*", "(?i:A.*|D.*)", "(?s).*", r"\\Qap\\E.|db",
    r"[[:alpha:]]+", r"\\pL+", "(?U)a.+|db", "a{0}.*", "(?:)api|db", "^api$|^db$", r"\\Aapi\\z|db", "|api|db",
])
def test_p13_slow_and_strange_shapes(setup, regexp):
    confined(setup, f'{{__name__=~"foo|secret",job=~"{regexp}"}}')


# ---- P14 to P20: the other calls

@pytest.mark.parametrize("path", [
    "/api/v1/labels", "/api/v1/label/__name__/values", "/api/v1/label/job/values", "/api/v1/label/token/values",
    "/api/v1/label/path/values", "/api/v1/label/owner/values", "/api/v1/label/U__token/values", "/api/v1/label/nothing/values",
    "/api/v1/label/U__a_2e_b/values",
])
def test_p14_lists_without_a_selector(setup, path):
    setup.recorder.clear()
    checks.blind(setup.weir.get(setup.a, path, WINDOW), setup.alone.get(path, WINDOW))
    (sent,) = setup.recorder.only().param("match[]")
    assert selectors(tree(setup.shared, sent)) == [[GUARD]]


def test_p14_control(setup):
    for path in ("/api/v1/label/__name__/values", "/api/v1/label/token/values", "/api/v1/label/path/values"):
        checks.control(setup.shared.get(path, WINDOW))


@pytest.mark.parametrize("path", [
    "/api/v1/label/tenant_id/values", "/api/v1/label/U__tenant_5f_id/values", "/api/v1/label/U__tenant__id/values",
    "/api/v1/label/%74enant_id/values",
])
def test_p14_values_of_the_tenant_label(setup, path):
    assert setup.shared.get("/api/v1/label/tenant_id/values").json()["data"] == ["a", "b"]
    with checks.silent(setup):
        for params in ({}, {"match[]": 'foo{tenant_id="b"}'}):
            answer = setup.weir.get(setup.a, path, params)
            assert (answer.status, answer.json()["data"]) == (200, ["a"]), answer


def test_p14_exemplars(live):
    params = {"query": '{__name__=~"requests.*"}', "start": NOW - 3600, "end": NOW + 3600}
    checks.control(live.shared.get("/api/v1/query_exemplars", params))
    live.recorder.clear()
    answer = live.weir.get(live.a, "/api/v1/query_exemplars", params)
    checks.no_leak(answer)
    assert {e["labels"]["trace_id"] for s in answer.json()["data"] for e in s["exemplars"]} == {"pub"}
    assert live.recorder.only().path == "/api/v1/query_exemplars"


@pytest.mark.parametrize("query", [
    "secret", '{__name__=~".+"}', 'sum(rate({__name__=~"foo|secret"}[5m])) or topk(scalar(count(foo)), foo)',
])
def test_p14_range_queries(setup, query):
    params = RANGE | {"query": query}
    checks.control(setup.shared.get("/api/v1/query_range", params))
    checks.blind(setup.weir.get(setup.a, "/api/v1/query_range", params), setup.alone.get("/api/v1/query_range", params))
    checks.blind(setup.weir.post(setup.a, "/api/v1/query_range", params), setup.alone.get("/api/v1/query_range", params))


def test_p14_format_query_asks_nobody(setup):
    with checks.silent(setup):
        answer = setup.weir.get(setup.a, "/api/v1/format_query", {"query": 'foo{job="api"}+secret'})
        assert answer.status == 200
        text = answer.json()["data"]
    assert tree(setup.shared, text) == tree(setup.shared, 'foo{job="api"}+secret'), "not narrowed: it is the caller's own text"


def test_p14_buildinfo(setup):
    assert setup.weir.get(setup.a, "/api/v1/status/buildinfo").json() == setup.shared.get("/api/v1/status/buildinfo").json()


@pytest.mark.parametrize("query", [
    'label_replace(secret, "tenant_id", "a", "", "")', 'label_replace(http_requests_total, "tenant_id", "a", "tenant_id", "b")',
    'sum without (tenant_id) (http_requests_total)', 'label_join(http_requests_total, "tenant_id", "", "nothing")',
])
def test_p15_forged_label_in_a_result(setup, query):
    checks.control(direct(setup.shared, query))
    checks.same(setup.query(query), direct(setup.alone, query))


@pytest.mark.parametrize("path", [
    "/api/v1/rules", "/api/v1/alerts", "/api/v1/metadata", "/federate", "/api/v1/features", "/api/v1/notifications",
    "/api/v1/read", "/api/v1/write", "/api/v1/otlp/v1/metrics", "/api/v1/targets", "/api/v1/targets/metadata",
    "/api/v1/scrape_pools", "/api/v1/alertmanagers", "/api/v1/status/flags", "/api/v1/status/runtimeinfo",
    "/api/v1/status/walreplay", "/api/v1/status/tsdb", "/api/v1/status/tsdb/blocks", "/api/v1/status/config",
    "/api/v1/status/self_metrics", "/api/v1/search/metric_names", "/api/v1/search/label_names", "/api/v1/search/label_values",
    "/api/v1/cardinality/label_names", "/api/v1/parse_query", "/api/v1/notifications/live", "/api/v1/scrape_pools/config",
    "/api/v1/targets/relabel_steps", "/api/v1/admin/tsdb/snapshot", "/api/v1/admin/tsdb/delete_series",
    "/api/v1/admin/tsdb/clean_tombstones", "/-/reload", "/-/quit", "/debug/pprof/", "/debug/pprof/cmdline", "/metrics", "/",
    "/graph", "/query", "/static/x.js", "/consoles/x", "/classic/graph", "/favicon.ico", "/alerts", "/targets", "/rules",
    "/config", "/flags", "/status", "/tsdb-status", "/service-discovery", "/config/v1/rules", "/user_stats", "/api/v1/import",
    "/api/v1/export",
])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_p16_p17_p19_what_is_not_served(setup, path, method):
    """Rules, alerts, metadata, writes and the rest of Prometheus: rows that are not open answer 404."""
    with checks.silent(setup):
        checks.refused(setup, setup.weir.get(setup.a, path, {"match[]": "secret", "query": "secret"}, method=method), 404)


def test_p16_p19_control(setup):
    """The backend would have told."""
    assert setup.shared.get("/api/v1/status/config").status == 200
    assert setup.shared.get("/debug/pprof/cmdline").status == 200
    assert setup.shared.get("/api/v1/parse_query", {"query": "secret"}).status == 200
    assert setup.shared.get("/api/v1/status/tsdb").status == 200


@pytest.mark.parametrize("path", ["/api/v1/series", "/api/v1/labels", "/api/v1/label/job/values"])
@pytest.mark.parametrize("limit, sent", [(None, "10000"), ("0", "10000"), ("-1", "10000"), ("5", "5"), ("99999999", "10000")])
def test_p18_limits(setup, path, limit, sent):
    setup.recorder.clear()
    params = WINDOW | {"match[]": "foo"} | ({"limit": limit} if limit is not None else {})
    answer = setup.weir.get(setup.a, path, params)
    assert answer.status == 200
    assert setup.recorder.only().param("limit") == [sent]
    assert ("limit" in (answer.header("X-Weir-Clamped") or "")) == (limit != sent and limit is not None)


@pytest.mark.parametrize("timeout, sent", [(None, 60), ("1h", 60), ("10s", 10), ("999999999", 60), ("0.5", 0.5)])
def test_p18_timeout(setup, timeout, sent):
    setup.sent("foo", **({"timeout": timeout} if timeout else {}))
    (text,) = setup.recorder.only().param("timeout")
    assert seconds(text) == sent


def seconds(text):
    found = re.fullmatch(r"([\d.]+)(ms|s|m)?", text)
    return float(found[1]) * {"ms": 0.001, "s": 1, "m": 60, None: 1}[found[2]]


def test_p18_stats_and_lookback(setup):
    """Dropped, unless the tenant may use them; the look-back is then at most 5 minutes."""
    setup.sent("foo", stats="all", lookback_delta="1h")
    assert setup.recorder.only().param("stats") == [] == setup.recorder.only().param("lookback_delta")
    setup.sent("foo", setup.caller("curious/ann"), stats="all", lookback_delta="1h")
    assert setup.recorder.only().param("stats") == ["all"]
    (text,) = setup.recorder.only().param("lookback_delta")
    assert seconds(text) == 300


@pytest.mark.parametrize("change, status", [
    ({"step": "1ns"}, (400, 422)), ({"step": "0.000000001"}, (422,)), ({"step": "0"}, (400,)), ({"step": "-1"}, (400,)),
    ({"step": "NaN"}, (400,)), ({"step": "Inf"}, (400,)), ({"step": "0.5"}, (422,)), ({"step": "999ms"}, (422,)),
    ({"start": "NaN"}, (400,)), ({"start": "-Inf"}, (400,)), ({"end": "Inf"}, (400,)), ({"end": "1e300"}, (400, 422)),
    ({"start": AT, "end": AT - 1}, (400,)), ({"start": "now"}, (400,)), ({"start": ""}, (400,)), ({"step": ""}, (400,)),
    ({"start": AT - 11001, "step": 1}, (422,)), ({"start": "2023-13-01T00:00:00Z"}, (400,)), ({"start": "0x10"}, (400,)),
    ({"timeout": "x"}, (400,)), ({"timeout": "-1"}, (400,)), ({"limit": "x"}, (400,)),
])
def test_p18_values_of_a_range_query(setup, change, status):
    with checks.silent(setup):
        answer = setup.weir.get(setup.a, "/api/v1/query_range", RANGE | {"query": "foo"} | change)
        assert answer.status in status, (answer.status, answer.text)
        checks.refused(setup, answer, answer.status)


@pytest.mark.parametrize("change", [
    {"time": "NaN"}, {"time": "Inf"}, {"time": "x"}, {"time": ""}, {"time": "1e300"}, {"lookback_delta": "x"},
])
def test_p18_values_of_a_query(setup, change):
    if change in ({"lookback_delta": "x"},):
        client = setup.caller("curious/ann")
    else:
        client = setup.a
    with checks.silent(setup):
        answer = setup.query("foo", client, **change)
        checks.refused(setup, answer, 400)


def test_p20_foreign_series_or_none_at_all(setup, record_property):
    """The same status and body; medians are reported, not judged: this machine is shared."""
    took = {}
    with setup.weir.connect(setup.a) as c:
        for name in ("secret", "nothing"):
            target = "/api/v1/query?" + wire.encode({"query": name, "time": AT})
            times, answers = [], set()
            for _ in range(200):
                begun = time.perf_counter()
                answer = c.ask("GET", target)
                times.append(time.perf_counter() - begun)
                answers.add((answer.status, answer.body))
            assert len(answers) == 1
            took[name] = statistics.median(times), answers
    assert took["secret"][1] == took["nothing"][1]
    for name, (median, _) in took.items():
        record_property(f"median_ms_{name}", round(median * 1000, 3))
