"""promql.py WEIR open|made - `weir parse` and Prometheus' own parser, asked the same queries.

For each query: accepted by both or by neither; Weir's canonical text has the query's tree; the text that would leave is
accepted, its tree is that of the query with the tenant's matcher ANDed into every selector, and no selector lacks it.
Weir may be stricter where its refusal names a rule, and STRICTER says that the query really is such a case.

open: the rows of the open corpus beside the checkout. made: our own queries, mutants of them and queries from the grammar.
"""

import collections
import json
import os
import random
import re
import sys
from pathlib import Path

import generate
import literals
import mutate
import real

SEED = int(os.environ.get("WEIR_ORACLE_SEED", "20240229"))
MADE = int(os.environ.get("WEIR_ORACLE_MADE", "20000"))  # queries of each kind
CORPUS = real.ROOT.parent / "shared/corpus"
CORPUS_FILES = ["promql_open", "adversarial_promql_open", "mutants_promql_open"]
FEATURES = ["", "exp,fill", "exp,fill,utf8"]

# HINT: a rule by which Weir is stricter: the tag of its refusal, and when a query, as the real parser sees it, is such a case.
STRICTER = {
    "S001": lambda raw, real_answer: len(raw) > 16384,
    "S002": lambda raw, real_answer: len(mutate.tokens(raw.decode("latin-1"))) > 4096,
    "S003": lambda raw, real_answer: tree_depth(real_answer["tree"]) > 100,
    "S004": lambda raw, real_answer: len(real_answer["selectors"]) > 256,
    "S005": lambda raw, real_answer: max(map(len, real_answer["selectors"])) > 64,
    "S006": lambda raw, real_answer: len(raw) > 8192 or raw.count(b"(") > 100,
    "Q003": lambda raw, real_answer: "(call info " in real_answer["tree"] and "want" not in real_answer,
    "Q004": lambda raw, real_answer: b"\0" in raw,
}
QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')


def tree_depth(tree):
    depth = deepest = 0
    for c in QUOTED.sub("", tree):
        depth += (c == "(") - (c == ")")
        deepest = max(deepest, depth)
    return deepest


def question(row):
    return {k: row[k] for k in ("query", "query_b64") if k in row}


def raw_query(row):
    return row["query"].encode() if "query" in row else real.unb64(row["query_b64"])


class Comparison:
    def __init__(self, weir, oracle, lang="promql"):
        self.weir, self.oracle, self.lang = weir, oracle, lang
        self.stricter = collections.Counter()
        self.accepted = 0

    def run(self, rows, features):
        """One complaint for each query on which the two differ."""
        command = [self.weir, "parse", "--lang", self.lang, "--tenant", "a", *(["--features", features] if features else [])]
        ours = real.ask_json(command, [question(r) for r in rows])
        theirs = real.ask_json([self.oracle, "promql"], [
            question(r) | {"lang": self.lang, "features": features, "tenant": "a", "label": "tenant_id"}
            | ({"enforced": o["enforced"]} if o.get("enforced") is not None else {}) for r, o in zip(rows, ours)])
        canonical = real.ask_json([self.oracle, "promql"], [
            {"query": o.get("canonical") or "", "lang": self.lang, "features": features} for o in ours])
        return [f"{raw_query(r)!r} [{features}]: {why}" for r, o, t, c in zip(rows, ours, theirs, canonical)
                if (why := self.differ(raw_query(r), o, t, c))]

    def differ(self, raw, ours, theirs, canonical):
        if not ours["ok"] and not theirs["ok"]:
            return None
        if ours["ok"] and not theirs["ok"]:
            return f"Weir accepts it, Prometheus says {theirs['err']}"
        if not ours["ok"] or "enforced" not in ours:
            return self.refused(raw, ours, theirs)
        self.accepted += 1
        if not canonical["ok"] or canonical["tree"] != theirs["tree"]:
            return f"canonical {ours['canonical']!r} means {canonical.get('tree', canonical.get('err'))}, not {theirs['tree']}"
        if self.matchers(ours) != self.matchers(theirs):
            return f"selectors {self.matchers(ours)}, not {self.matchers(theirs)}"
        return self.left(ours["enforced"], theirs)

    def refused(self, raw, ours, theirs):
        """Weir refuses what Prometheus accepts, or would not let it leave."""
        tag = ours.get("refused")
        if theirs["ok"] and tag in STRICTER and STRICTER[tag](raw, theirs):
            self.stricter[tag] += 1
            return None
        return f"Weir refuses it ({tag} {ours.get('err')}), Prometheus does not"

    @staticmethod
    def matchers(answer):
        return [sorted((m["name"], m["op"], m["value"]) for m in s) for s in answer.get("selectors", [])]

    @staticmethod
    def left(enforced, theirs):
        """What is wrong with the text that would leave."""
        look = theirs.get("narrowed")
        if look is None:
            return f"{enforced!r} would leave, though {theirs.get('err')}"
        if not look["ok"]:
            return f"{enforced!r} would leave, and is refused: {look['err']}"
        if look["missing"]:
            return f"{enforced!r} would leave with {look['missing']} of {look['selectors']} selectors unconfined"
        if not look["same"]:
            return f"{enforced!r} would leave as {look['tree']}, not {theirs['want']}"
        return None


def corpus_rows():
    if not CORPUS.is_dir():
        real.skip_all(f"no corpus beside the checkout ({CORPUS.name})")
    return [json.loads(line) for f in CORPUS_FILES for line in (CORPUS / f"{f}.jsonl").read_text().splitlines()]


def own_queries():
    """Of queries.txt, and the inputs of the case files."""
    lines = (Path(__file__).parent / "queries.txt").read_text().split("\n")
    found = [line for line in lines if line and not line.startswith("# ")]
    for path in sorted((real.ROOT / "tests/cases").glob("*/*.case")):
        found += [line.removeprefix("query: ") for line in path.read_text().split("\n") if line.startswith("query: ")]
    return list(dict.fromkeys(found))


def rows_of(texts):
    return [{"query": t} if isinstance(t, str) else {"query_b64": real.b64(t)} for t in texts]


def open_sources():
    """Name of some rows, and how they are made for a feature list."""
    rows = corpus_rows()
    texts = [r["query"] for r in rows if "query" in r and len(r["query"]) < 2000]
    return [
        ("open corpus", lambda rng, features: rows),
        ("mutants of it", lambda rng, features: rows_of(mutate.mutants(rng, texts, MADE))),
    ]


def made_sources():
    own = own_queries()
    return [
        ("our own queries", lambda rng, features: rows_of(own)),
        ("mutants of them", lambda rng, features: rows_of(mutate.mutants(rng, own, MADE))),
        ("with bytes that are no text", lambda rng, features: rows_of(mutate.with_bytes(rng, own, MADE // 5))),
        ("made by the grammar", lambda rng, features: rows_of(
            generate.generated(generate.Generator(rng, features.split(",")), MADE))),
        ("numbers and strings", lambda rng, features: rows_of(literals.literals(rng, MADE))),
    ]


def main():
    weir, which = sys.argv[1:]
    sources = {"open": open_sources, "made": made_sources}[which]()
    oracle, tap = real.oracle(), real.Tap()
    for lang in ("promql", "match"):
        comparison = Comparison(weir, oracle, lang)
        for name, make_rows in sources:
            for features in FEATURES:
                rows = make_rows(random.Random(f"{SEED} {features}"), features)
                tap.report(f"{lang}: {name}, features [{features}]", comparison.run(rows, features), len(rows))
        print(f"# {lang}: {comparison.accepted} accepted by both; stricter: {dict(comparison.stricter)}")
    tap.done()


if __name__ == "__main__":
    main()
