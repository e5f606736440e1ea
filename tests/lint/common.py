"""common.py - what every lint shares: the tree it reads, and how it reports.

A lint is a function check(tree) that yields (path, line, message), and a list of samples: small trees with the complaint that
each must cause. main() tries every sample first, so a lint that has gone blind fails, then looks at the real tree. TAP output.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PRODUCT = ("gateway/", "policy/", "tenants/")  # where the C of the product lives


class Tree:
    """Files by path, relative to the top of the repository: the real ones, or those of a sample."""

    def __init__(self, files=None):
        self._texts = dict(files) if files is not None else None
        self._paths = sorted(files) if files is not None else list_files()

    def paths(self, *endings, under=("",)):
        return [p for p in self._paths if p.endswith(endings or ("",)) and p.startswith(under)]

    def read(self, path):
        if self._texts is not None:
            return self._texts.get(path, "")
        file = ROOT / path
        return file.read_bytes().decode("utf-8", "replace") if file.is_file() else ""

    def has(self, path):
        return path in self._paths

    def code(self, path):
        """A C file with comments and the insides of strings blanked, line numbers kept."""
        return blank_c(self.read(path))


def list_files():
    """Tracked and new files; ignored ones are no part of the tree."""
    found = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT,
                           stdout=subprocess.PIPE, check=True).stdout.decode().split("\0")
    return sorted(p for p in set(found) if p and (ROOT / p).is_file())


C_NOISE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)


def blank_c(text):
    def blank(found):
        noise = found[0]
        if noise[0] == "/":
            return re.sub(r"[^\n]", " ", noise)
        return noise[0] + " " * (len(noise) - 2) + noise[-1]

    return C_NOISE.sub(blank, text)


def numbered(text):
    return enumerate(text.splitlines(), 1)


@dataclass
class Sample:
    files: dict  # path: text
    complaint: str  # a part of the message it must cause; "" = it must cause none


def try_sample(check, sample):
    complaints = [message for _, _, message in check(Tree(sample.files))]
    if sample.complaint == "":
        return not complaints
    return any(sample.complaint in message for message in complaints)


def main(check, samples):
    print(f"1..{len(samples) + 1}")
    failed = 0
    for number, sample in enumerate(samples, 1):
        good = try_sample(check, sample)
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - sample: {sample.complaint or 'nothing to say'}")
    complaints = list(check(Tree()))
    for path, line, message in complaints:
        print(f"# {path}:{line}: {message}")
    failed += bool(complaints)
    print(f"{'not ok' if complaints else 'ok'} {len(samples) + 1} - the tree")
    sys.exit(1 if failed else 0)
