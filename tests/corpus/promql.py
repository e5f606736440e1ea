"""promql.py WEIR - `weir parse` over the open PromQL corpus beside the checkout.

Three tests, as the corpus asks for them, over every row:
- agreement: accepted exactly where Prometheus accepts, with no feature on (`ok`), with experimental functions and fill on
  (`ok_flags`), and with the smallest set that the row needs (`need_flags`);
- confinement: what would leave means the same as the row's `enforced_and`, and each of its selectors holds the tenant;
- facts: selectors, functions and numbers are those of the row.
Weir may be stricter only where its refusal names a rule and STRICTER says that the row is such a case. TAP output.
"""

import base64
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

CORPUS = Path(__file__).resolve().parents[3] / "shared/corpus"
FILES = ["promql_open", "adversarial_promql_open", "mutants_promql_open"]
FLAGS = ("exp", "fill")
NUMBERS = ["max_range_ms", "max_offset_ms", "min_offset_ms", "subqueries", "at_modifiers", "depth", "nodes"]
GUARD = ("tenant_id", "=", "a")

# HINT: a rule by which Weir is stricter: the tag of its refusal, and what a query must be like for it to be right.
STRICTER = {
    "S001": lambda raw: len(raw) > 16384,
    "S003": lambda raw: raw.count(b"(") > 128 or raw.count(b"^") > 128,
    "S005": lambda raw: raw.count(b'="') > 64,
    "S006": lambda raw: len(raw) > 8192 or raw.count(b"(") > 100,
    "Q003": lambda raw: b"info" in raw,
    "Q004": lambda raw: b"\0" in raw,
}


def raw_query(row):
    return row["query"].encode() if "query" in row else base64.b64decode(row["query_b64"])


def ask(weir, lines, features=(), tenant="a"):
    """The answers to lines: rows of the corpus, or texts."""
    command = [weir, "parse", "--lang", "promql", "--tenant", tenant]
    if features:
        command += ["--features", ",".join(features)]
    done = subprocess.run(command, input="".join(json.dumps(line) + "\n" for line in lines).encode(),
                          stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def ask_by_features(weir, rows, features_of):
    """Each row under features of its own: rows are asked in groups."""
    wanted = [tuple(features_of(row)) for row in rows]
    answers = [None] * len(rows)
    for features in sorted(set(wanted)):
        places = [i for i, f in enumerate(wanted) if f == features]
        for i, answer in zip(places, ask(weir, [rows[i] for i in places], features)):
            answers[i] = answer
    return answers


def leaves(answer):
    return answer["ok"] and "enforced" in answer


class Agreement:
    def __init__(self):
        self.stricter = Counter()

    def differ(self, row, answer, accepted):
        if leaves(answer) == accepted:
            return None
        if not accepted:
            return "Weir accepts it, Prometheus does not"
        tag = answer.get("refused")
        if tag in STRICTER and STRICTER[tag](raw_query(row)):
            self.stricter[tag] += 1
            return None
        return f"Weir refuses it ({tag}: {answer.get('err')}), Prometheus accepts it"

    def run(self, weir, rows):
        """Complaints of all three ways to ask."""
        ways = [("no features", lambda row: (), lambda row: row["ok"]),
                ("exp and fill", lambda row: FLAGS, lambda row: row["ok_flags"]),
                ("what it needs", lambda row: row.get("need_flags", ()), lambda row: row["ok"] or "need_flags" in row)]
        for way, features_of, accepted in ways:
            for row, answer in zip(rows, ask_by_features(weir, rows, features_of)):
                if (why := self.differ(row, answer, accepted(row))):
                    yield row, f"{way}: {why}"


def matchers(answer):
    return [sorted((m["name"], m["op"], m["value"]) for m in s) for s in answer["selectors"]]


def confinement(weir, rows):
    rows = [r for r in rows if r["ok_flags"] and "enforced_and" in r and not r.get("roundtrip")]
    ours = ask(weir, rows, FLAGS)
    rows, ours = zip(*((r, o) for r, o in zip(rows, ours) if leaves(o)))
    again = ask(weir, [o["enforced"] for o in ours], FLAGS)
    want = ask(weir, [r["enforced_and"] for r in rows], FLAGS)
    for row, answer, look, right in zip(rows, ours, again, want):
        if not look["ok"]:
            yield row, f"{answer['enforced']!r} would leave, and cannot be read: {look['err']}"
        elif not right["ok"]:
            yield row, f"the corpus' own {row['enforced_and']!r} cannot be read: {right['err']}"
        elif look["canonical"] != right["canonical"] or matchers(look) != matchers(right):
            yield row, f"{answer['enforced']!r} would leave, not {row['enforced_and']!r}"
        elif any(s.count(GUARD) != 1 for s in matchers(look)):
            yield row, f"{answer['enforced']!r} would leave with a selector that lacks the tenant"


def facts(weir, rows):
    rows = [r for r in rows if r["ok_flags"]]
    for row, answer in zip(rows, ask(weir, rows, FLAGS)):
        if not answer["ok"]:
            continue  # agreement has judged it
        if "selectors" in row and sorted(matchers(row)) != sorted(matchers(answer)) and "query" in row:
            yield row, f"selectors {matchers(answer)}, not {matchers(row)}"
        if row["functions"] != answer["functions"]:
            yield row, f"functions {answer['functions']}, not {row['functions']}"
        for name in NUMBERS:
            if row[name] != answer[name]:
                yield row, f"{name} {answer[name]}, not {row[name]}"


def report(number, name, complaints, note=""):
    complaints = list(complaints)
    for row, why in complaints[:40]:
        print(f"# {raw_query(row)[:200]!r}: {why}")
    print(f"{'not ok' if complaints else 'ok'} {number} - {name}" + (f": {len(complaints)} differ" if complaints else note))
    return not complaints


def main():
    if not CORPUS.is_dir():
        print("1..0 # SKIP no query corpus beside the checkout")
        return 77
    rows = [json.loads(line) for f in FILES for line in (CORPUS / f"{f}.jsonl").read_text().splitlines()]
    weir, agreement = sys.argv[1], Agreement()
    print(f"1..3\n# {len(rows)} rows")
    fine = [report(1, "agreement", list(agreement.run(weir, rows))),
            report(2, "confinement", confinement(weir, rows)),
            report(3, "facts", facts(weir, rows))]
    print(f"# stricter by rule: {dict(sorted(agreement.stricter.items()))}")
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
