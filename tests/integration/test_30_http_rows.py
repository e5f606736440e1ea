"""The HTTP rows of the query corpus beside the checkout: on the paths served here as their `expect` says, all others 404."""

import base64
import json

import pytest

from harness import checks, wire
from harness.dataset import SHARED

FILE = SHARED / "adversarial_http_open.jsonl"
ROWS = [json.loads(line) for line in FILE.read_text().splitlines()] if FILE.exists() else []
SERVED = (
    "/api/v1/query",
    "/api/v1/query_range",
    "/api/v1/query_exemplars",
    "/api/v1/format_query",
    "/api/v1/series",
    "/api/v1/labels",
    "/api/v1/label/",
    "/api/v1/status/buildinfo",
)


def test_the_corpus_is_there():
    if not ROWS:
        pytest.skip("../shared/corpus is missing")
    assert len(ROWS) == 59


def row_name(row):
    request = row["request"]
    return f"{request['method']} {request['path']} {row['why']}"


@pytest.mark.parametrize("row", ROWS, ids=row_name)
def test_row(setup, row):
    setup.recorder.clear()
    answer = setup.weir.raw(setup.a, request_of(row["request"]), row["request"]["method"])
    if row["expect"] != "allow_or_refuse":  # such an answer holds the caller's own text
        checks.no_leak(answer)
    if not row["request"]["path"].startswith(SERVED):
        return refused(setup, answer, {404} if "//" not in row["request"]["path"] else {400})
    EXPECT[row["expect"]](setup, row["request"], answer)


def request_of(request):
    """The row as bytes. Characters that may not stand in a target are escaped, as any client would; the rest is as written."""
    target = request["path"]
    if request.get("raw_query"):
        target += "?" + "".join(f"%{ord(c):02x}" if c in ' "{}|<>' else c for c in request["raw_query"])
    headers = list(request.get("headers", {}).items())
    if "content_type" in request:
        headers.append(("Content-Type", request["content_type"]))
    body = (
        request["body"].encode()
        if "body" in request
        else base64.b64decode(request["body_b64"]) if "body_b64" in request else None
    )
    data = wire.request_bytes(request["method"], target, headers, body)
    return data + b"0\r\n\r\n" if "Transfer-Encoding" in request.get("headers", {}) and body is None else data


def refused(setup, answer, statuses=frozenset({400, 404, 405, 411, 415})):
    assert answer.status in statuses, (answer.status, answer.text)
    assert setup.recorder.seen() == []


def refused_for_its_head(setup, request, answer):
    refused(setup, answer)


def confined(setup, request, answer):
    assert answer.status == 200
    for text in setup.recorder.only().param("query") + setup.recorder.only().param("match[]"):
        assert 'tenant_id="a"' in text


def confined_each(setup, request, answer):
    confined(setup, request, answer)
    assert len(setup.recorder.only().param("match[]")) == request["raw_query"].count("match[]")


def own_value_only(setup, request, answer):
    assert (answer.status, answer.json()["data"]) == (200, ["a"])


def unknown_ignored(setup, request, answer):
    confined(setup, request, answer)
    assert setup.recorder.only().param("query") == ['up{tenant_id="a"}']


def harmless(setup, request, answer):
    assert answer.status in (200, 404) and setup.recorder.seen() == []


def header_dropped(setup, request, answer):
    confined(setup, request, answer)
    assert not any(n.lower() in map(str.lower, request["headers"]) for n, _ in setup.recorder.only().headers)


# A status in our own rules wins over the row: a doubled parameter, and a body on GET, are refused rather than read one way.
EXPECT = {
    "refuse": refused_for_its_head,
    "refuse_or_first": refused_for_its_head,
    "drop_body": refused_for_its_head,
    "confine": confined,
    "confine_each": confined_each,
    "add_match": own_value_only,
    "ignore_unknown": unknown_ignored,
    "allow_or_refuse": harmless,
    "replace_header": header_dropped,
}
