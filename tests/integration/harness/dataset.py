"""dataset.py - the series of two tenants, a and b, in one store.

Times are 1700000000 to 1700003600, a sample each 15 s. All that is b's alone holds the word SECRET or values of 7e9 and more, so
any trace of it in an answer to a is found. The isolation data set beside the checkout is used when it is there; ours has the
same shape, so that no test needs the other.
"""

from dataclasses import dataclass
from pathlib import Path

START, END, STEP = 1700000000, 1700003600, 15
SHARED = Path(__file__).resolve().parents[4] / "shared/corpus"
TARGETS = [("api", "h1:90"), ("api", "h2:90"), ("db", "h1:90"), ("db", "h2:90")]
OFFSET = {"a": 0.0, "b": 7e9}


@dataclass
class Dataset:
    """OpenMetrics files: both tenants', and each one's alone."""

    both: Path
    a: Path
    b: Path


def isolation():
    """The data set of ../shared, or None."""
    folder = SHARED / "isolation"
    return Dataset(folder / "both.om", folder / "a.om", folder / "b.om") if (folder / "both.om").exists() else None


def own(folder):
    folder.mkdir(parents=True, exist_ok=True)
    found = Dataset(folder / "both.om", folder / "a.om", folder / "b.om")
    for path, tenants in ((found.both, "ab"), (found.a, "a"), (found.b, "b")):
        path.write_text("".join(f"{s}\n" for t in tenants for s in samples(t)) + "# EOF\n")
    return found


def samples(tenant):
    for metric, labels, value in series(tenant):
        text = ",".join(f'{k}="{v}"' for k, v in sorted(labels.items()))
        for step in range((END - START) // STEP + 1):
            yield f"{metric}{{{text}}} {value(step)!r} {START + step * STEP}"


def series(tenant):
    """(metric, labels, step -> value) of one tenant."""
    base = OFFSET[tenant]
    secret = tenant == "b"
    path, owner = ("/SECRET", "SECRET") if secret else ("/pub", "pub")
    for place, (job, instance) in enumerate(TARGETS):
        own_labels = {"tenant_id": tenant, "job": job, "instance": instance}
        yield "up", own_labels, lambda step: base + 1
        yield "foo", own_labels, lambda step, place=place: base + place + step % 7
        yield "http_requests_total", own_labels | {"path": path}, lambda step, place=place: base + 10 * step * (place + 1)
        yield "target_info", own_labels | {"owner": owner, "version": owner + "-1"}, lambda step: base + 1
        for at, le in enumerate(("0.1", "1", "+Inf")):
            yield ("request_duration_seconds_bucket", own_labels | {"le": le},
                   lambda step, at=at: base + step * (at + 1))
        if secret:
            yield "secret", own_labels | {"token": "SECRET"}, lambda step: base + step
            yield "secret_info", own_labels | {"token": "SECRET"}, lambda step: base + 1
    if not secret:
        yield "up_shadow", {"tenant_id": tenant, "job": "shadow", "instance": "h3:90"}, lambda step: base + 5
    else:
        yield "target_info", {"tenant_id": tenant, "job": "shadow", "instance": "h3:90", "owner": owner}, lambda step: base + 1
