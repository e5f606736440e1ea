"""Differential isolation: what Weir answers a, in front of the store that a and b share, is what a store with a's data alone
answers - for every query of the open corpus, and for queries made by the grammar about the series that are there; at several
times, as an instant and as a range.

The reference is asked the narrowed text: the row's `enforced_and`, or what `weir parse` prints. `absent` copies the guard into
the labels of its result, so the plain query would differ there. The control asks the shared store the plain query, and b's
data must show all over.
"""

import base64
import json
import random
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness import checks, dataset, wire
from harness.prometheus import Prometheus
from harness.weir import Weir, binary, tenant

sys.path.insert(0, str(Path(__file__).parents[1] / "oracle"))
import generate  # of tests/oracle

SEED, MADE = 20240229, 3000
REPEATS = 40  # how often a reference that differs is asked again
CORPUS_FILES = ["promql_open", "adversarial_promql_open", "mutants_promql_open"]
# the stores and Weir take everything that the corpus has facts of
FLAGS = ["--enable-feature=promql-experimental-functions,promql-binop-fill-modifiers,promql-extended-range-selectors"]
FEATURES = ["exp", "fill"]
# refusals of Weir's own: limits, and what it is stricter about by a named rule. None of them is an answer.
OWN_REFUSALS = {"S001", "S002", "S003", "S004", "S005", "S006", "S007", "S008", "Q003", "Q004"}
VALUE = re.compile(r"got \S+")
FLOAT = re.compile(r"\d+\.\d{9,}(?:e[-+]\d+)?")
SORTED = (b"sort", b"topk", b"bottomk")

INSTANTS = [dataset.START + 60, dataset.START + 1800, dataset.END]
RANGES = [(dataset.START, dataset.END, 60), (dataset.START + 900, dataset.START + 1200, 15)]
MOMENTS = ([("/api/v1/query", {"time": t}) for t in INSTANTS]
           + [("/api/v1/query_range", {"start": s, "end": e, "step": step}) for s, e, step in RANGES])
IDS = [f"at {t - dataset.START}" for t in INSTANTS] + [f"from {s - dataset.START} step {step}" for s, _, step in RANGES]


class AboutTheData(generate.Generator):
    """Queries that find something: names, labels and values of the data set, b's among them."""

    NAMES = ["up", "foo", "http_requests_total", "target_info", "request_duration_seconds_bucket", "secret", "secret_info", "up_shadow"]
    LABELS = ["job", "instance", "le", "tenant_id", "path", "owner", "token", "__name__"]
    VALUES = ['"api"', "'db'", '"h1:90"', '"a"', '"b"', '"SECRET"', '"/pub"', '"pub"', '""', '"up"', '"secret"']
    REGEXPS = ['"a|b"', '".*"', '".+"', '"(?i)B"', '"[b-z]"', '"SECRET.*"', '"h[12]:90"', '"api|db"', '"|b"', '"secret.*|up"']
    NUMBERS = ["0", "1", "2.5", ".5", "1e3", "0x2A", "Inf", "nan", "-1", "5m", "0.1"]
    DURATIONS = ["5m", "30s", "90s", "300", "15m", "1m30s"]
    TIMES = [str(dataset.START + 600), str(dataset.START + 1800), "1.7000018e9", "start()", "end()"]
    QUOTED_NAMES = ['"up"', '"secret"', "'foo'"]
    QUOTED_LABELS = ['"tenant_id"', '"job"', "'path'"]
    EXPERIMENTAL_AGGREGATIONS = ["limit_ratio"]  # limitk takes whatever comes first, which no one says


def made_rows():
    """Queries of the grammar with what Weir would send; refused ones are left out."""
    made = generate.generated(AboutTheData(random.Random(SEED), FEATURES), MADE)
    done = subprocess.run([binary(), "parse", "--lang", "promql", "--tenant", "a", "--features", ",".join(FEATURES)],
                          input="".join(json.dumps({"query": q}) + "\n" for q in made).encode(), stdout=subprocess.PIPE, check=True)
    answers = [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]]
    return [(q.encode(), a["enforced"]) for q, a in zip(made, answers) if "enforced" in a]


def corpus_rows():
    files = [dataset.SHARED / f"{name}.jsonl" for name in CORPUS_FILES]
    if not all(f.exists() for f in files) or dataset.isolation() is None:
        pytest.skip("no corpus with an isolation data set beside the checkout")
    rows = [json.loads(line) for f in files for line in f.read_text().splitlines()]
    # a row whose printed text the original itself reads as something else is no reference
    return [(query_of(r), r["enforced_and"]) for r in rows if r["ok_flags"] and "enforced_and" in r and not r.get("roundtrip")]


def query_of(row):
    return row["query"].encode() if "query" in row else base64.b64decode(row["query_b64"])


@dataclass
class Stores:
    weir: Weir
    caller: object
    shared: Prometheus
    alone: Prometheus


def generous(config):
    config["backends"]["metrics"]["features"] = FEATURES


@pytest.fixture(scope="module")
def stores(work, pki, dataset):
    shared = Prometheus("shared-flags", work / "shared-flags", dataset.both, flags=FLAGS).start()
    alone = Prometheus("alone-flags", work / "alone-flags", dataset.a, flags=FLAGS).start()
    limits = {"request_rate": {"per_second": 100000, "burst": 100000}, "max_query_length": "36500d", "max_query_lookback": "0s"}
    weir = Weir("weir-isolation", work / "weir-isolation", pki, shared.url, [tenant("a", limits=limits)], generous).start()
    yield Stores(weir, pki.client("spiffe://example.org/a/ann"), shared, alone)
    weir.stop()
    shared.stop()
    alone.stop()


class Caller:
    """Asks over one connection, and over a new one where that was closed."""

    def __init__(self, connect):
        self.connect, self.connection = connect, None

    def ask(self, path, params):
        form = ("Content-Type", "application/x-www-form-urlencoded")
        for _ in range(2):
            if self.connection is None:
                self.connection = self.connect()
            answer = self.connection.ask("POST", path, [form], wire.encode(params).encode())
            if answer.status != 0:
                return answer
            self.connection.close()
            self.connection = None
        return answer


def values_in_order(document):
    data = document.get("data") or {}
    return [s.get("value", s.get("values")) for s in data["result"]] if isinstance(data.get("result"), list) else None


def comparable(query, answer):
    """An answer without what may differ: positions in texts, and the order of series where the query does not say it."""
    document = answer.json()
    ordered = values_in_order(document) if query.lstrip(b" (").startswith(SORTED) else None
    return notes_cut(checks.plain(document)), checks.POSITION.sub("", document.get("error", "")), document.get("errorType"), ordered


def notes_cut(document):
    """Prometheus lists ten notes at most, any ten of them: then only what they are about can be compared."""
    for kind in ("warnings", "infos"):
        if any(n.endswith("annotations omitted") for n in document[kind]):
            document[kind] = sorted({VALUE.sub("", n) for n in document[kind]})
    return document


@dataclass
class Tally:
    answered: int = 0
    with_data: int = 0
    refused: Counter = field(default_factory=Counter)
    differences: list = field(default_factory=list)
    wavering: int = 0
    exposed: int = 0  # of the control: plain queries whose answer shows b, or is not a's


def has_data(document):
    return bool((document.get("data") or {}).get("result")) and document["data"].get("resultType") in ("vector", "matrix")


def compare(stores, rows, path, params):
    """rows: (query, what the reference is asked)"""
    tally = Tally()
    mine = Caller(lambda: stores.weir.connect(stores.caller))
    shared, alone = (Caller(lambda s=s: wire.Connection(s.address)) for s in (stores.shared, stores.alone))
    for query, enforced in rows:
        answer = mine.ask(path, params | {"query": query})
        if answer.tag in OWN_REFUSALS:
            tally.refused[answer.tag] += 1
            continue
        reference = alone.ask(path, params | {"query": enforced})
        tally.answered += 1
        tally.with_data += has_data(reference.json())
        why = difference(query, answer, reference)
        if why and wavers(query, answer, lambda: alone.ask(path, params | {"query": enforced})):
            tally.wavering += 1
        elif why:
            tally.differences.append(f"{query!r}: {why}")
        plain = shared.ask(path, params | {"query": query})
        tally.exposed += comparable(query, plain) != comparable(query, reference)
    return tally


def wavers(query, answer, ask_reference):
    """The reference gives the very answer at another try, or one that differs in the last digits of its numbers: the order in
    which floats are added up, and series are named in an error, is not fixed there."""
    def rounded(one):
        return FLOAT.sub(lambda found: f"{float(found[0]):.12g}", repr(comparable(query, one)))

    return any(rounded(answer) == rounded(ask_reference()) for _ in range(REPEATS))


def difference(query, answer, reference):
    if answer.status != reference.status:
        return f"{answer.status} {answer.text[:200]}, not {reference.status} {reference.text[:200]}"
    if answer.tag == "Q002":  # not valid for either: the same status in our own words, nothing was sent
        return None
    if comparable(query, answer) != comparable(query, reference):
        return f"{answer.text[:300]}, not {reference.text[:300]}"
    # a's own data, multiplied, may be as large as b's; then the reference is too
    if shown := set(checks.leaks(answer)) - set(checks.leaks(reference)):
        return f"shows {sorted(shown)[:3]}: {answer.text[:300]}"
    return None


def assert_same(stores, rows, path, params, least_data, least_exposed):
    """The shares are of what was answered."""
    tally = compare(stores, rows, path, params)
    summary = (f"{tally.answered} answered, {tally.with_data} with series, {len(tally.differences)} differ, {tally.wavering} waver; "
               f"control: {tally.exposed} differ; refused by Weir: {dict(tally.refused)}")
    print(summary)
    assert not tally.differences, "\n".join([summary, *tally.differences[:20]])
    assert tally.answered >= 0.95 * len(rows) and tally.wavering <= 0.01 * len(rows), summary
    assert tally.with_data >= least_data * tally.answered and tally.exposed >= least_exposed * tally.answered, summary


@pytest.mark.parametrize(("path", "params"), MOMENTS, ids=IDS)
def test_corpus_as_alone(stores, path, params):
    assert_same(stores, corpus_rows(), path, params, least_data=0.1, least_exposed=0.1)


@pytest.mark.parametrize(("path", "params"), MOMENTS, ids=IDS)
def test_made_as_alone(stores, path, params):
    assert_same(stores, made_rows(), path, params, least_data=0.2, least_exposed=0.2)
