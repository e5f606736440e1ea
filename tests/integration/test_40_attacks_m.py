"""Group M of the attack catalogue: the logic of matchers. Tenant a attacks, b owns the secrets.

Each answer is compared with that of a Prometheus which holds a's data only. The same text, sent straight to the shared one,
must show b's data: that is the control.
"""

import json

import pytest

from harness import checks, weir
from harness.cast import AT, SHARED_IDENTITY, direct
from harness.tree import same_tree, selectors, tree

GUARD = {"name": "tenant_id", "type": "=", "value": "a"}

M1_FOREIGN = [
    'tenant_id="b"',
    'tenant_id!="a"',
    'tenant_id=~"b|c"',
    'tenant_id=~".*b.*"',
    'tenant_id!~"a"',
    'tenant_id!~"a|c"',
]


@pytest.mark.parametrize("matcher", M1_FOREIGN)
def test_m1_foreign_value(setup, matcher):
    query = f"foo{{{matcher}}}"
    checks.control(direct(setup.shared, query))
    checks.blind(setup.query(query), direct(setup.alone, query))
    same_tree(setup, query)


@pytest.mark.parametrize("matcher", [m for m in M1_FOREIGN if ".*" not in m])
def test_m1_foreign_value_is_refused_where_the_tenant_says_so(setup, matcher):
    """Values and lists of values; whether a pattern excludes the tenant is not worked out, so it finds nothing instead."""
    strict = setup.caller("strict/ann")
    matcher = matcher.replace('"a', '"strict')
    with checks.silent(setup):
        checks.refused(setup, setup.query(f"foo{{{matcher}}}", strict), 403, "P012")


def test_m1_own_value_is_not_foreign(setup):
    assert setup.query('foo{tenant_id="strict"}', setup.caller("strict/ann")).status == 200


@pytest.mark.parametrize(
    "matchers, guards",
    [
        ('tenant_id="a",tenant_id="b"', 1),
        ('tenant_id="b",tenant_id="a"', 1),
        (",".join(['tenant_id="b"'] * 10), 1),
        (",".join(['tenant_id="a"'] * 10), 10),
        (",".join(f'tenant_id=~"{t}"' for t in "abababab"), 1),
        ('tenant_id="a",tenant_id!="a"', 1),
    ],
)
def test_m2_own_and_foreign_value(setup, matchers, guards):
    """Ours is there in addition. A code that keeps one matcher a name would lose it."""
    query = f"foo{{{matchers}}}"
    checks.blind(setup.query(query), direct(setup.alone, query))
    (selector,) = selectors(tree(setup.shared, same_tree(setup, query)))
    assert selector.count(GUARD) == guards


@pytest.mark.parametrize(
    "matcher",
    [
        'tenant_id=~".*"',
        'tenant_id=~".+"',
        'tenant_id=~""',
        'tenant_id=~"a|b"',
        'tenant_id=~"(?i:A|B)"',
        'tenant_id=~"^(?:a|b)$"',
        'tenant_id=~"a.*|b.*|"',
        'tenant_id!~""',
        'tenant_id!~"x"',
        'tenant_id!=""',
        r'tenant_id=~"\\p{L}"',
        r'tenant_id=~"[\\s\\S]"',
    ],
)
def test_m3_patterns(setup, matcher):
    """Patterns that match all, nothing or the empty value; the own name as one branch of several."""
    query = f"foo{{{matcher}}}"
    if '""' not in matcher or "!" in matcher:
        checks.control(direct(setup.shared, query))
    checks.blind(setup.query(query), direct(setup.alone, query))
    same_tree(setup, query)


@pytest.mark.parametrize("matcher", ['job=~"a.*|db"', 'job=~"a.*"', 'job="a*"', 'job=~"a*|.*"', 'job!~"x"', 'job="db"'])
def test_m4_pattern_against_a_grant_with_a_wildcard(setup, matcher):
    """The grant job: "a*" is ANDed whatever the caller's own pattern looks like."""
    query = f"foo{{{matcher}}}"
    checks.control(direct(setup.shared, 'foo{job="db"}'))
    answer = setup.query(query, setup.caller("a/glob/ann"))
    checks.blind(answer, direct(setup.alone, f'foo{{{matcher},job=~"a.*"}}'))


@pytest.mark.parametrize("matcher, clause", [('job="api"', "h1:90"), ('job=~"api"', "h1:90"), ('job=~"db|x"', "h2:90"), ('job=~"api|"', "h1:90")])
def test_m4_plain_texts_choose_a_clause(setup, matcher, clause):
    answer = setup.query(f"foo{{{matcher}}}", setup.caller("a/pairs/ann"))
    checks.blind(answer, direct(setup.alone, f'foo{{{matcher},instance="{clause}"}}'))
    assert len(answer.json()["data"]["result"]) == 1


@pytest.mark.parametrize("matcher", ['job=~"ap.*"', 'job=~"api|db"', 'job!="db"', 'job=~"(?i)api"'])
def test_m4_patterns_choose_nothing(setup, matcher):
    with checks.silent(setup):
        checks.refused(setup, setup.query(f"foo{{{matcher}}}", setup.caller("a/pairs/ann")), 403, "P010")


@pytest.mark.parametrize("name", ['a"b', "a|b", "a\nb", "a\\b", "a.*", ".a", "a..b", "", "a" * 65, "weir-a", "a{b", "ä"])
def test_m5_tenant_ids_that_are_refused_at_load(setup, work, name):
    check = load(setup, work, [weir.tenant("a"), weir.tenant("a") | {"id": name}])
    assert check.returncode == 1 and "id" in check.stderr, check


@pytest.mark.parametrize("value", ["", None, [], [""], {"a": "b"}])
def test_m5_grant_values_that_are_refused_at_load(setup, work, value):
    document = weir.tenant("a")
    document["roles"]["everyone"]["grants"] = {"metrics": [{"job": value}]}
    assert load(setup, work, [document]).returncode == 1


def load(setup, work, tenants):
    """weir check over the running configuration with other tenant files, numbered: their names say nothing."""
    folder = work / "check"
    (folder / "tenants").mkdir(parents=True, exist_ok=True)
    for old in (folder / "tenants").iterdir():
        old.unlink()
    (folder / "weir.yaml").write_text((setup.weir.folder / "weir.yaml").read_text())
    for number, document in enumerate(tenants):
        # JSON is YAML, and writes every text so that it comes back as it was
        (folder / f"tenants/{number}.yaml").write_text(json.dumps(document))
    return setup.weir.tool("check", "-c", str(folder / "weir.yaml"))


def test_m5_grant_value_is_data(setup):
    """A value of quotes, braces, regex signs and a newline leaves as one quoted value."""
    sent = setup.sent("foo", setup.caller("a/quoted/ann"))
    (selector,) = selectors(tree(setup.shared, sent))
    assert (
        {"name": "job", "type": "=", "value": 'a.+"}\\\n or secret{x="'} in selector
        and GUARD in selector
        and len(selector) == 3
    )


def test_m5_star_never_matches_a_missing_label(setup):
    sent = setup.sent("foo", setup.caller("a/star/ann"))
    (selector,) = selectors(tree(setup.shared, sent))
    assert {"name": "path", "type": "=~", "value": ".+"} in selector
    checks.blind(setup.query('{__name__=~".+"}', setup.caller("a/star/ann")), direct(setup.alone, '{path=~".+"}'))


# what of the shared store it finds beside a name: b's series too, or none
M6_EMPTY = {
    "{}": True, '{tenant_id!="a"}': True, '{job!="x"}': True, '{tenant_id=~".*"}': True, '{__name__=~".*"}': True,
    '{tenant_id=""}': False, '{job=~"x|"}': False, '{job!~".+"}': False,
}


@pytest.mark.parametrize("selector", M6_EMPTY)
def test_m6_selector_that_ours_would_make_legal(setup, selector):
    if M6_EMPTY[selector]:
        checks.control(direct(setup.shared, f"foo{selector}" if "__name__" not in selector else '{__name__=~".*",job="api"}'))
    assert direct(setup.shared, selector).status == 400
    with checks.silent(setup):
        checks.refused(setup, setup.query(selector), 400, "Q002")
        checks.refused(setup, setup.weir.get(setup.a, "/api/v1/series", {"match[]": selector}), 400)
        checks.refused(setup, setup.weir.get(setup.a, "/api/v1/labels", {"match[]": selector}), 400)
        checks.refused(setup, setup.query(f"foo or sum({selector})"), 400, "Q002")


def test_m7_series_without_a_tenant(live):
    """The store holds series that no tenant owns; nobody sees them through Weir."""
    for query in ("up", 'up{tenant_id=""}', 'up{tenant_id=~"|a"}', 'up{tenant_id!="b"}', 'up{tenant_id!~".+"}'):
        orphans = [
            s
            for s in live.shared.get("/api/v1/query", {"query": query}).json()["data"]["result"]
            if "tenant_id" not in s["metric"]
        ]
        assert orphans, f"the control shows no orphan for {query}"
        answer = live.weir.get(live.a, "/api/v1/query", {"query": query})
        assert answer.status == 200
        assert all(s["metric"].get("tenant_id") == "a" for s in answer.json()["data"]["result"]), answer.text


@pytest.mark.parametrize("query", ["foo", 'foo{instance=~"h.*"}', 'foo{job="api"} + on(instance) foo', "count(foo)"])
def test_m8_two_grants_of_two_labels(setup, query):
    """No matcher can say (api on h1) or (db on h2): a selector that does not choose is refused, never widened."""
    with checks.silent(setup):
        answer = setup.query(query, setup.caller("a/pairs/ann"))
        checks.refused(setup, answer, 403, "P010")


@pytest.mark.parametrize(
    "path", ["/api/v1/series", "/api/v1/labels", "/api/v1/label/__name__/values", "/api/v1/label/instance/values"]
)
@pytest.mark.parametrize("selector", ["foo", '{job=~".+"}', 'foo{job="api"}'])
def test_m8_lists_take_each_clause(setup, path, selector):
    """A call with several match[] can say OR: one for each clause."""
    window = {"start": AT - 600, "end": AT}
    inner = selector[selector.index("{") + 1 : -1] + "," if "{" in selector else ""
    name = selector.split("{")[0]
    want = [
        ("match[]", f'{name}{{{inner}job="{job}",instance="{instance}"}}')
        for job, instance in (("api", "h1:90"), ("db", "h2:90"))
    ]
    answer = setup.weir.get(setup.caller("a/pairs/ann"), path, {"match[]": selector, **window})
    checks.blind(answer, setup.alone.get(path, want + list(window.items())))


def test_m8_header_mode(header_mode):
    """Where the store has tenants of its own, grants still go into every selector; only the tenant's matcher is left out."""
    with checks.silent(header_mode):
        checks.refused(header_mode, header_mode.query("foo", header_mode.caller("a/pairs/ann")), 403, "P010")
    sent = header_mode.sent('foo{job="api"}', header_mode.caller("a/pairs/ann"))
    (selector,) = selectors(tree(header_mode.shared, sent))
    assert {"name": "instance", "type": "=", "value": "h1:90"} in selector and GUARD not in selector
    assert header_mode.recorder.only().header("x-scope-orgid") == ["a"]


@pytest.mark.parametrize(
    "matcher",
    [
        '"tenant.id"="b"',
        'Tenant_id="b"',
        'TENANT_ID="b"',
        '"tenant_ıd"="b"',
        '"tenant_id"="b"',
        r'"ten\x61nt_id"="b"',
        r'"ten\141nt_id"="b"',
        r'"ten\u0061nt_id"="b"',
        '"tenant_id "="b"',
        '"tenant-id"!="b"',
        'tenant_id_="", tenant_id="b"',
        'U__tenant_5f_id="b"',
        "`tenant_id`=`b`",
        "'tenant_id'='b'",
    ],
)
def test_m9_names_that_look_like_ours(setup, matcher):
    query = f"foo{{{matcher}}}"
    checks.same(setup.query(query), direct(setup.alone, query))
    if tree(setup.shared, query) is not None:
        same_tree(setup, query)


@pytest.mark.parametrize(
    "path, tag",
    [
        ("a/roleless/ann", "T004"),
        ("a/writers/ann", "P013"),
        ("a/loggers/ann", "P014"),
        ("gone/ann", "T001"),
        ("a/ann/too/deep", "T001"),
        ("A/ann", "T001"),
        ("a/", None),
    ],
)
def test_m10_no_grant(setup, path, tag):
    with checks.silent(setup):
        answer = setup.query("foo", setup.caller(path))
        checks.refused(setup, answer, 403, tag)


@pytest.mark.parametrize(
    "caller, value, tag",
    [
        ("a/ann", "b", "T002"),
        ("a/ann", "a|b", "T002"),
        ("a/ann", "a,b", "T002"),
        ("a/ann", "A", "T002"),
        ("a/ann", "", "T002"),
        ("grafana", None, "T003"),
        ("grafana", "a|b", "T002"),
        ("grafana", "strict", "T002"),
        ("grafana", "gone", "T002"),
    ],
)
def test_m10_tenants_that_the_caller_does_not_have(setup, caller, value, tag):
    with checks.silent(setup):
        headers = [("X-Tenant-ID", value)] if value is not None else []
        answer = setup.weir.get(setup.caller(caller), "/api/v1/query", {"query": "foo", "time": AT}, headers)
        checks.refused(setup, answer, 403, tag)


def test_m10_a_shared_identity_names_its_tenant(setup):
    assert SHARED_IDENTITY.endswith("/grafana")
    for name in ("a", "b"):
        answer = setup.weir.get(
            setup.caller("grafana"), "/api/v1/query", {"query": "foo", "time": AT}, [("X-Tenant-ID", name)]
        )
        assert {s["metric"]["tenant_id"] for s in answer.json()["data"]["result"]} == {name}


def test_m10_a_tenant_that_is_deleted(second_weir):
    """The connection was opened while the tenant was there; its next request is judged by the files of now."""
    setup = second_weir("deleted", None, [weir.tenant("a"), weir.tenant("b")])
    with setup.weir.connect(setup.a) as c:
        assert c.ask("GET", f"/api/v1/query?query=foo&time={AT}").status == 200
        setup.weir.write_tenants([weir.tenant("b")])
        setup.weir.reload()
        with checks.silent(setup):
            checks.refused(setup, c.ask("GET", f"/api/v1/query?query=foo&time={AT}"), 403, "T001")
