"""regexp.py PROBE - compares Weir's reading of regular expressions with that of Prometheus, over thousands that a seed makes.

A refusal by a limit is no difference; the limits have their unit tests. Where Weir says that an expression is only a list of
texts, it must match each of them and no neighbour.
"""

import random
import sys

import real

SEED, GENERATED, MUTATED = 20240229, 15000, 15000

ATOMS = ["a", "b", "ab", "foo", ".", ".*", ".+", "^", "$", "[a-z]", "[^a]", "[]a]", "[a-]", "[[:alpha:]]", "[[:^digit:]x]",
         "[\\d-z]", "[\\]]", "\\d", "\\W", "\\b", "\\B", "\\A", "\\z", "\\.", "\\x41", "\\x{e4}", "\\012", "\\0", "\\n", "\\Qa|b\\E",
         "\\Q\\E", "\\pL", "\\p{Greek}", "\\P{^Lu}", "\\p{Any}", "ä", "☺", "-", "{", "}", "]", "a{", "{,2}", "\\_", " ", "",
         "\\x{fffd}", "\\x{d800}", "\\Qx", "10\\.0\\.0\\.1", "\x00"]
REPEATS = ["*", "+", "?", "*?", "+?", "??", "{0}", "{1}", "{2}", "{0,2}", "{2,}", "{0,}", "{3}?", "{10}", "{100}", "{1000}",
           "{1001}", "{02}", "{2", "{2,1}"]
OPENS = ["(", "(?:", "(?i)(", "(?i:", "(?s-i:", "(?U:", "(?m:", "(?P<n>", "(?<n>", "(?-s:"]
PIECES = ATOMS + REPEATS + OPENS + [
    ")", "|", "|", "||", "(?i)", "(?-i)", "(?", "[", "[^", "[[:", ":]", "\\", "\\p{", "\\Q", "\\E", "\\C", "\\8", "\\1", "\\q", "\\x{",
    "(?=", "(?P=n)", "[z-a]", "[a-\\d]", "[[:foo:]]", "\\pQ"]


def generate(rng, depth=0):
    """Mostly valid: alternatives of sequences of atoms, groups and repetitions."""
    def item():
        if depth < 4 and rng.random() < 0.25:
            text = rng.choice(OPENS) + generate(rng, depth + 1) + ")"
        else:
            text = rng.choice(ATOMS)
        return text + (rng.choice(REPEATS) if rng.random() < 0.3 else "")
    return "|".join("".join(item() for _ in range(rng.randrange(0, 4))) for _ in range(rng.choice([1, 1, 1, 2, 2, 3])))


def mutate(rng, text):
    """Cuts, doubles and throws in: mostly invalid."""
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(text) + 1)
        text = rng.choice([
            lambda: text[:at] + text[at + 1:],
            lambda: text[:at] + rng.choice(PIECES) + text[at:],
            lambda: text[:at] + text[max(0, at - 3):],
            lambda: text[:at] + rng.choice("()[]{}|\\*+?^$.-,:<>P0123456789") + text[at + 1:],
        ])()
    return text


def expressions(rng):
    made = [generate(rng).encode() for _ in range(GENERATED)]
    made += [mutate(rng, generate(rng)).encode() for _ in range(MUTATED)]
    # bytes that are no text, in expressions with and without special characters
    made += [m[:at] + rng.choice([b"\xff", b"\xc3", b"\xed\xa0\x80"]) + m[at:]
             for m in rng.sample(made, 2000) for at in [rng.randrange(len(m) + 1)]]
    return list(dict.fromkeys(made))


def neighbours(texts):
    """Texts close to these that are none of them."""
    near = {t + b"x" for t in texts} | {t[:-1] for t in texts} | {t.swapcase() for t in texts} | {b"x" + t for t in texts}
    return sorted(near - set(texts))


def compare(probe, oracle, made):
    ours, complaints = real.ask([probe], [m.hex() for m in made]), []
    questions = []
    for one, said in zip(made, ours):
        texts = [bytes.fromhex(t) for t in said.split(" ")[2].split(",")[1:]] if said.startswith("valid") else []
        probes = [t for t in texts + (neighbours(texts) if texts else []) if is_text(t)]
        questions.append({"regexp_b64": real.b64(one), "probes": [p.decode() for p in probes], "texts": texts})
    theirs = real.ask_json([oracle, "regexp"], [{k: q[k] for k in ("regexp_b64", "probes")} for q in questions])
    for one, said, question, answer in zip(made, ours, questions, theirs):
        if said.startswith("limit"):
            continue
        want = "invalid" if not answer["ok"] else "valid " + ("nullable" if answer["nullable"] else "full")
        if " ".join(said.split(" ")[:2]) != want:
            complaints.append(f"{one!r}: Weir says {said}, Prometheus {want} {answer.get('err', '')}")
        for text, matched in zip(question["probes"], answer.get("matches", [])):
            if matched != (text.encode() in question["texts"]):
                complaints.append(f"{one!r}: plain for Weir, Prometheus {'matches' if matched else 'does not match'} {text!r}")
    return complaints


def is_text(raw):
    try:
        raw.decode()
        return True
    except UnicodeDecodeError:
        return False


def main():
    tap, probe, oracle = real.Tap(), sys.argv[1], real.oracle()
    made = expressions(random.Random(SEED))
    tap.report("valid, empty and plain as Prometheus has it", compare(probe, oracle, made), len(made))
    tap.done()


main()
