"""real.py - asks the real parser (the Go program of this folder) and Weir's, and tells a TAP reader what came of it."""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SKIP_STATUS = 77


def skip_all(why):
    """Ends the program as one that cannot run here."""
    print(why)
    sys.exit(SKIP_STATUS)


def oracle():
    """The path of the oracle, built if need be; skips the program where there is no Go."""
    built = subprocess.run([ROOT / "tests/oracle/build"], stdout=subprocess.PIPE, text=True)
    if built.returncode == SKIP_STATUS:
        skip_all(built.stdout.strip())
    if built.returncode != 0:
        sys.exit("the oracle does not build")
    return built.stdout.strip()


def ask(command, lines):
    """One line in, one line out. A program that crashes or says less than it was asked ends the test."""
    done = subprocess.run(command, input="".join(line + "\n" for line in lines).encode(), stdout=subprocess.PIPE)
    answers = done.stdout.decode("utf-8", "surrogateescape").split("\n")[:-1]  # U+2028 ends no line here
    if done.returncode != 0 or len(answers) != len(lines):
        sys.exit(f"{command[0]}: exit status {done.returncode}, {len(answers)} answers to {len(lines)} lines")
    return answers


def ask_json(command, questions):
    return [json.loads(a) for a in ask(command, [json.dumps(q) for q in questions])]


class Tap:
    """Tests by name; each is a list of complaints, none of which may be."""

    SHOWN = int(os.environ.get("WEIR_ORACLE_SHOWN", "20"))

    def __init__(self):
        self._number, self._failed = 0, False

    def report(self, name, complaints, of):
        self._number += 1
        for complaint in complaints[:self.SHOWN]:
            print("# " + complaint.replace("\n", "\n# "))
        if len(complaints) > self.SHOWN:
            print(f"# and {len(complaints) - self.SHOWN} more")
        good = not complaints and of > 0
        self._failed |= not good
        print(f"{'ok' if good else 'not ok'} {self._number} - {name} ({of} rows, {len(complaints)} differ)", flush=True)

    def done(self):
        print(f"1..{self._number}")
        sys.exit(1 if self._failed else 0)


def b64(raw):
    return base64.b64encode(raw).decode()


def unb64(text):
    return base64.b64decode(text)
