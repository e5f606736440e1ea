"""checks.py - the checks of the attack catalogue: blind, silent, seen, log.

blind   the answer equals that of a backend which holds the caller's data only, and no trace of another tenant is in it
silent  the backend was not asked: its own request counter stood still, and nothing passed the recorder
seen    the recorder saw one request, the canonical one (Recorder.only)
log     the decision record says what was decided and why
"""

import contextlib
import re

ENORMOUS = 7e9  # every value of tenant b is at least this
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
POSITION = re.compile(r"\(\d+:\d+\)")


def leaks(answer):
    """What of tenant b is in an answer: headers, body, errors."""
    text = UUID.sub("", answer.text) + " ".join(f"{n}: {v}" for n, v in answer.headers if n.lower() != "x-request-id")
    found = ["SECRET"] if "SECRET" in text or 'secret' in answer.text and '"status":"success"' in answer.text else []
    return found + [n for n in NUMBER.findall(text) if abs(float(n)) >= ENORMOUS]


def no_leak(answer):
    found = leaks(answer)
    assert not found, f"the answer shows {found[:3]}: {answer.text[:500]}"


def plain(document):
    """An answer of Prometheus for comparison: series sorted, positions cut out of warnings."""
    data = document.get("data")
    if isinstance(data, dict) and isinstance(data.get("result"), list) and data.get("resultType") in ("vector", "matrix"):
        data = data | {"result": sorted(data["result"], key=str)}
    elif isinstance(data, list):
        data = sorted(data, key=str)
    notes = {k: sorted(POSITION.sub("", n) for n in document.get(k, [])) for k in ("warnings", "infos")}
    return {"status": document.get("status"), "data": data, **notes}


def blind(answer, reference):
    """answer came through Weir, reference from a backend that holds the caller's data only."""
    no_leak(answer)
    assert answer.status == reference.status == 200, (answer.status, answer.text[:300], reference.status, reference.text[:300])
    assert plain(answer.json()) == plain(reference.json())


def same(answer, reference):
    """blind, for questions that the backend may also answer with an error: then with the same one, and no leak in it."""
    if reference.status == 200:
        return blind(answer, reference)
    no_leak(answer)
    assert answer.status == reference.status, (answer.status, answer.text[:300], reference.status, reference.text[:300])


def control(answer):
    """The attack, sent straight to the backend, must show b's data there; else the test proves nothing."""
    assert leaks(answer), f"the control shows no leak: {answer.status} {answer.text[:300]}"


@contextlib.contextmanager
def silent(setup):
    """What is done inside must not reach the backend."""
    setup.recorder.clear()
    before = setup.shared.requests()
    yield
    assert setup.recorder.seen() == []
    assert setup.shared.requests() == before, "the backend was asked"


def refused(setup, answer, status, tag=None):
    """A refusal in Prometheus' own shape, with its tag in the answer, in the record and nowhere a leak."""
    assert answer.status == status, f"{answer.status}, not {status}: {answer.text[:300]}"
    assert answer.tag, f"a refusal without a tag: {answer}"
    assert tag is None or answer.tag == tag, f"{answer.tag}, not {tag}: {answer.text[:300]}"
    if answer.body:  # a HEAD has none
        document = answer.json()
        assert document["status"] == "error" and answer.tag in document["error"], document
    no_leak(answer)
    public = setup.weir.decision(answer)["public"]
    assert (public["why"], public["st"], public["end"]) == (answer.tag, status, "refused"), public
    assert public["dec"] == ("error" if status in (500, 502, 503, 504) else "deny"), public
