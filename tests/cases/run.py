"""run.py - text cases: a query, a tenant, and exactly what leaves or the tag of the refusal.

    run.py WEIR LANGUAGE FOLDER

A file holds cases with a blank line between; a line is `key: value`:

    case: the parameter of an aggregation is a selector too
    query: topk(scalar(count(cpu)), mem)
    sent: topk(scalar(count(cpu{tenant_id="acme"})), mem{tenant_id="acme"})

keys: case; query, or query-json for bytes that a line cannot hold; sent or refused; tenant (acme), label, features. TAP.
"""

import json
import subprocess
import sys
from pathlib import Path

KEYS = {"case", "query", "query-json", "sent", "refused", "tenant", "label", "features"}


def read_cases(path):
    for block in path.read_text().split("\n\n"):
        lines = [line for line in block.splitlines() if line and not line.startswith("# ")]
        if lines:
            yield read_case(path, lines)


def read_case(path, lines):
    case = {}
    for line in lines:
        key, colon, value = line.partition(":")
        if not colon or key not in KEYS or key in case:
            sys.exit(f"{path}: not a line of a case: {line}")
        case[key] = value.removeprefix(" ")
    if "case" not in case or ("query" in case) == ("query-json" in case) or ("sent" in case) == ("refused" in case):
        sys.exit(f"{path}: a case has a name, one query, and either what is sent or the tag of its refusal: {lines}")
    return case


def ask(weir, language, case):
    options = ["--lang", language, "--tenant", case.get("tenant", "acme")]
    for key in ("label", "features"):
        if key in case:
            options += [f"--{key}", case[key]]
    text = case["query-json"] if "query-json" in case else json.dumps(case["query"])
    done = subprocess.run([weir, "parse", *options], input=text + "\n", stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def judge(case, answer):
    """None, or what is wrong."""
    if "refused" in case:
        if answer.get("refused") != case["refused"]:
            return f"want refused {case['refused']}, got {answer.get('refused') or answer.get('enforced')}"
        return "it is refused, and has a text to send all the same" if "enforced" in answer else None
    if answer.get("enforced") != case["sent"]:
        return f"want {case['sent']}\n# got  {answer.get('enforced') or answer}"
    return None


def main(weir, language, folder):
    cases = [case for path in sorted(Path(folder).glob("*.case")) for case in read_cases(path)]
    print(f"1..{len(cases)}")
    failed = 0
    for number, case in enumerate(cases, 1):
        wrong = judge(case, ask(weir, language, case))
        failed += wrong is not None
        print(f"{'ok' if wrong is None else 'not ok'} {number} - {case['case']}" + (f"\n# {wrong}" if wrong else ""))
    sys.exit(1 if failed or not cases else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
