"""runner.py - builds what the chosen labels need, runs them, and counts every single test.

tests/run calls it with the Python of tests/install. A label is one row of LABELS. The count of a program is what it says
itself: TAP lines of cmocka and of our scripts, JUnit of pytest. A program that crashes, says nothing or stops before its
plan is done adds a failure, so no test can vanish.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
JOBS = str(os.cpu_count() or 1)
SKIP_STATUS = 77  # a whole program that cannot run here; its last line says why


@dataclass
class Tally:
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: list = field(default_factory=list)  # names
    skips: list = field(default_factory=list)  # (name, why)

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.failures += other.failures
        self.skips += other.skips

    def ok(self):
        self.passed += 1

    def fail(self, name):
        self.failed += 1
        self.failures.append(name)

    def skip(self, name, why):
        self.skipped += 1
        self.skips.append((name, why or "no reason given"))

    def total(self):
        return self.passed + self.failed + self.skipped


# `ok 3 - name`, `not ok 3 - name`, `ok 3 # SKIP why`; cmocka writes `not ok 3 # SKIP name` for skip().
TAP_LINE = re.compile(r"^(not )?ok (\d+)(?:\s+-)?\s*(.*)$")
TAP_PLAN = re.compile(r"^1\.\.(\d+)$")
TAP_SKIP = re.compile(r"^(.*?)\s*#\s*SKIP\b\s*(.*)$", re.IGNORECASE)


def tally_tap(program, text, status):
    """What a program's output and exit status come to. One that speaks no TAP is one test."""
    tally = Tally()
    planned = 0
    for line in text.splitlines():
        if plan := TAP_PLAN.match(line):
            planned += int(plan[1])
        if not (found := TAP_LINE.match(line)):
            continue
        name = f"{program}: {found[3]}"
        if skip := TAP_SKIP.match(found[3]):
            tally.skip(f"{program}: {skip[1]}" if skip[1] else program, skip[2])
        elif found[1]:
            tally.fail(name)
        else:
            tally.ok()
    if status == SKIP_STATUS and tally.total() == 0:
        tally.skip(program, (text.strip().splitlines() or [""])[-1])
    elif tally.total() == 0 and planned == 0:
        tally.ok() if status == 0 else tally.fail(f"{program}: exit status {status}")
    elif planned > tally.total():
        tally.fail(f"{program}: {planned - tally.total()} of {planned} tests never ran")
    elif status not in (0, SKIP_STATUS) and tally.failed == 0:
        tally.fail(f"{program}: exit status {status} after its last test")
    return tally


def tally_junit(path, status):
    """What a pytest run comes to, by its JUnit file."""
    tally = Tally()
    if not path.exists():
        tally.fail(f"pytest: no report, exit status {status}")
        return tally
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            tally.fail(name)
        elif skipped is not None:
            tally.skip(name, skipped.get("message"))
        else:
            tally.ok()
    if status != 0 and tally.failed == 0:
        tally.fail(f"pytest: exit status {status}")
    return tally


def run(command, **more):
    print("+ " + " ".join(str(c) for c in command), flush=True)
    return subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, **more)


def build(preset):
    """Configures and builds; false says that nothing built with it can be run."""
    for command in (["cmake", "--preset", preset], ["cmake", "--build", "--preset", preset, "--parallel", JOBS]):
        done = run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            print("\n".join(done.stdout.splitlines()[-60:]))
            return False
    return True


def run_ctest(label):
    """The ctest programs of a label, from the dev build."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        run(["ctest", "--test-dir", "build/dev", "-L", f"^{label}$", "--parallel", JOBS, "--no-tests=error", "--quiet",
             "--output-junit", report, "--test-output-size-passed", "50000000", "--test-output-size-failed", "50000000"],
            env=os.environ | {"CMOCKA_MESSAGE_OUTPUT": "TAP"})
        tally = Tally()
        if not report.exists():
            tally.fail(f"ctest {label}: no report")
            return tally
        for case in ElementTree.parse(report).getroot().iter("testcase"):
            tally.add(tally_ctest_case(case))
        return tally


def tally_ctest_case(case):
    name, text = case.get("name"), case.findtext("system-out") or ""
    state = case.get("status")
    if state == "disabled" or (state == "notrun" and "SKIP_RETURN_CODE" in str(case.find("skipped").get("message"))):
        one = tally_tap(name, text, SKIP_STATUS)
    else:
        one = tally_tap(name, text, 0 if state == "run" else 1)
    if one.failed:
        print(f"--- {name}\n" + "\n".join(text.splitlines()[-80:]), flush=True)
    return one


def run_pytest(*names):
    """Integration tests, from the release build. names: files below tests/integration."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        files = sorted(f for n in names for f in (ROOT / "tests/integration").glob(n))
        if not files:
            tally = Tally()
            tally.fail(f"pytest: no file matches {' '.join(names)}")
            return tally
        done = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *files])
        return tally_junit(report, done.returncode)


def run_script(path, *arguments):
    """A program that speaks TAP, or is one test."""
    done = run([ROOT / path, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    tally = tally_tap(path, done.stdout, done.returncode)
    if tally.failed:
        print("\n".join(done.stdout.splitlines()[-80:]), flush=True)
    return tally


# HINT: a new label is a row here and a line in tests/README.md.
# label: (preset to build, or None; what runs it)
LABELS = {
    "lint": ("dev", lambda: run_ctest("lint")),
    "unit": ("dev", lambda: run_ctest("unit")),
    "cases": ("dev", lambda: run_ctest("cases")),
    "corpus": ("dev", lambda: run_ctest("corpus")),
    "oracle": ("dev", lambda: run_ctest("oracle")),
    "fuzz": (None, lambda: run_script("tests/fuzz/run")),
    "integration": ("release", lambda: run_pytest("test_[!46]*.py")),
    "attacks": ("release", lambda: run_pytest("test_4*.py")),
    "demo": (None, lambda: run_script("deploy/demo", "--once")),
    "isolation": ("release", lambda: run_pytest("test_6*.py")),
}


def main(arguments):
    unknown = [a for a in arguments if a not in LABELS]
    if unknown:
        print(f"tests/run: no label {' '.join(unknown)}; there are: {' '.join(LABELS)}", file=sys.stderr)
        return 2
    chosen = [label for label in LABELS if label in arguments or not arguments]
    built, total = {None: True}, Tally()
    for label in chosen:
        preset, action = LABELS[label]
        begun = time.monotonic()
        if preset not in built:
            built[preset] = build(preset)
        tally = Tally()
        if built[preset]:
            tally = action()
            if tally.total() == 0:
                tally.fail(f"{label}: no test was run")
        else:
            tally.fail(f"{label}: preset {preset} does not build")
        print(f"== {label}: {tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped "
              f"({time.monotonic() - begun:.0f} s)", flush=True)
        total.add(tally)
    return report(total)


def report(total):
    if os.environ.get("CI") == "true":
        for name, why in total.skips:
            total.fail(f"{name}: skipped, and nothing may be skipped in CI: {why}")
        total.skipped, total.skips = 0, []
    reasons = {}
    for _, why in total.skips:
        reasons[why] = reasons.get(why, 0) + 1
    for why, count in reasons.items():
        print(f"skipped {count}: {why}")
    for name in total.failures:
        print(f"FAILED {name}")
    print(f"{total.passed} passed, {total.failed} failed" + (f", {total.skipped} skipped" if total.skipped else ""), flush=True)
    return 0 if total.failed == 0 and total.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
