"""rows.py - a row of a list has its test and its line in the docs; a tag is given once.

Lists are read as text: `DENY(DENY_X, "X001", ...)`, `.call = "prom.query"`, `CLOSED("/graph")` and so on.
"""

import re

import common

TESTS = ("tests/unit/", "tests/cases/", "tests/integration/", "tests/oracle/", "tests/fuzz/")


def rows(tree, path, pattern):
    """(line, groups) of each row in a file."""
    return [
        (line, found.groups()) for line, text in common.numbered(tree.read(path)) for found in re.finditer(pattern, text)
    ]


def word(name):
    """The name as a word of its own, so that `prom.query` is not found in `prom.query_range`."""
    return re.compile(rf"(?<!\w){re.escape(name)}(?![\w])")


def documented(tree, path, row_list, document, what):
    text = tree.read(document)
    for line, (name, *_) in row_list:
        if not word(name).search(text):
            yield path, line, f"{what} {name} has no line in {document}"


def tested(path, row_list, tests, what):
    for line, names in row_list:
        if not any(word(name).search(tests) for name in names):
            yield path, line, f"{what} {' / '.join(names)} has no test that names it"


def check(tree):
    tests = "\n".join(tree.read(p) for p in tree.paths(under=TESTS))
    yield from check_refusals(tree, tests)
    yield from check_routes(tree, tests)
    yield from check_stages(tree)
    metrics, limits = "gateway/metrics/metrics.def", "tenants/limits.def"
    yield from documented(
        tree, metrics, rows(tree, metrics, r'^METRIC\(\w+,\s+\w+,\s+"(\w+)"'), "gateway/metrics/README.md", "metric"
    )
    limit_rows = rows(tree, limits, r'^LIMIT\(\w+,\s+"(\w+)"')
    yield from documented(tree, limits, limit_rows, "tenants/README.md", "limit")
    yield from tested(limits, limit_rows, tests, "limit")
    keys = "gateway/config/keys.def"
    yield from documented(
        tree, keys, rows(tree, keys, r'^KEY\(\w+,\s+\w+,\s+"([^"]+)"'), "gateway/config/README.md", "config key"
    )
    yield from check_subcommands(tree, tests)


def check_refusals(tree, tests):
    path = "policy/verdict.def"
    found = rows(tree, path, r'^DENY\((\w+),\s+"([A-Z]\d{3})"')
    seen = set()
    for line, (_, tag) in found:
        if tag in seen:
            yield path, line, f"tag {tag} is given twice"
        seen.add(tag)
    yield from documented(tree, path, [(line, (tag,)) for line, (_, tag) in found], "policy/README.md", "refusal")
    yield from tested(path, found, tests, "refusal")


def check_routes(tree, tests):
    for path in tree.paths(".c", under=("gateway/backends/",)):
        calls = rows(tree, path, r'\.call = "([\w.]+)"')
        yield from documented(tree, path, calls, "gateway/backends/README.md", "call")
        yield from tested(path, calls, tests, "call")
        for line, (closed,) in rows(tree, path, r'CLOSED\("([^"]+)"\)'):
            if (f'"{closed[:-1]}' if closed.endswith("*") else f'"{closed}"') not in tests:
                yield path, line, f"closed path {closed} has no test that names it"


def check_stages(tree):
    """The top README shows the stages in their order."""
    path = "gateway/core/stages.def"
    text, place = tree.read("README.md"), 0
    for line, (stage,) in rows(tree, path, r"^STAGE\((\w+),"):
        found = re.compile(rf"^\s*(?:\d+\.|[-|])\s*[`*]*{stage}\b", re.MULTILINE).search(text, place)
        if not found:
            yield path, line, f"stage {stage} is not in the list of README.md, or not in its order"
        else:
            place = found.end()


def check_subcommands(tree, tests):
    path = "gateway/cli/main.c"
    found = rows(tree, path, r'^\t\{ "([a-z]+)",')
    yield from documented(tree, path, found, "gateway/cli/README.md", "subcommand")
    for line, (name,) in found:
        if not re.search(rf'["\' ]{name}\b', tests):
            yield path, line, f"subcommand {name} has no test that names it"


DENY = {"policy/verdict.def": 'DENY(DENY_X, "X001", 500, "no")\n'}
ROUTE = {"gateway/backends/a.c": '\t{ .call = "prom.query", },\n\tCLOSED("/debug/*"),\n'}
SAMPLES = [
    common.Sample(DENY | {"policy/README.md": "X001"}, "X001 has no test"),
    common.Sample(DENY | {"tests/unit/a_test.c": "X001"}, "X001 has no line in policy/README.md"),
    common.Sample(
        {"policy/verdict.def": DENY["policy/verdict.def"] * 2, "policy/README.md": "X001", "tests/unit/a_test.c": "DENY_X"},
        "given twice",
    ),
    common.Sample(
        ROUTE | {"gateway/backends/README.md": "prom.query", "tests/unit/a_test.c": 'prom.query_range "/debug/pprof"'},
        "prom.query has no test",
    ),
    common.Sample(
        ROUTE | {"gateway/backends/README.md": "prom.query", "tests/unit/a_test.c": "prom.query"}, "closed path /debug/*"
    ),
    common.Sample(
        {"gateway/core/stages.def": "STAGE(one, 1)\nSTAGE(two, 2)\n", "README.md": "1. two\n2. one\n"},
        "stage two is not in the list",
    ),
    common.Sample(
        {"gateway/metrics/metrics.def": 'METRIC(M, COUNTER, "weir_x", "", "")\n', "gateway/metrics/README.md": "weir_xy"},
        "weir_x has no line",
    ),
    common.Sample(
        {"tenants/limits.def": 'LIMIT(L, "rate", "u", "d")\n', "tenants/README.md": "rate"}, "limit rate has no test"
    ),
    common.Sample(
        {"gateway/config/keys.def": 'KEY(A, B, "listen", LIST)\n', "gateway/config/README.md": ""}, "config key listen"
    ),
    common.Sample(
        {"gateway/cli/main.c": '\t{ "run", cmd_run },\n', "gateway/cli/README.md": "`weir run`"},
        "subcommand run has no test",
    ),
    common.Sample(
        DENY
        | ROUTE
        | {
            "policy/README.md": "| X001 |",
            "gateway/backends/README.md": "`prom.query`",
            "tests/unit/a_test.c": 'DENY_X "prom.query" "/debug/"',
            "gateway/core/stages.def": "STAGE(one, 1)\nSTAGE(two, 2)\n",
            "README.md": "1. `one`\n2. `two`\n",
        },
        "",
    ),
]

if __name__ == "__main__":
    common.main(check, SAMPLES)
