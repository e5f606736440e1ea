"""runner_test.py - the counting of tests/run itself: what it must never call a pass."""

import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

sys.dont_write_bytecode = True
import runner

# name, output, exit status: passed, failed, skipped
TAP = [
    ("all pass", "1..2\nok 1 - a\nok 2 - b\n", 0, (2, 0, 0)),
    ("one fails", "1..2\nok 1 - a\nnot ok 2 - b\n", 1, (1, 1, 0)),
    ("a skip with its reason", "1..2\nok 1 - a\nok 2 - b # SKIP no Go\n", 0, (1, 0, 1)),
    ("a skip as cmocka writes it", "1..1\nnot ok 1 # SKIP b\n", 0, (0, 0, 1)),
    ("a crash in the middle", "1..3\nok 1 - a\n", 139, (1, 1, 0)),
    ("a plan that is not finished", "1..3\nok 1 - a\n", 0, (1, 1, 0)),
    ("a plan of which nothing ran", "1..3\n", 0, (0, 1, 0)),
    ("a sanitizer's report after the last test", "1..1\nok 1 - a\n", 1, (1, 1, 0)),
    ("no TAP, fine", "hello\n", 0, (1, 0, 0)),
    ("no TAP, failed", "hello\n", 2, (0, 1, 0)),
    ("cannot run here", "the corpus is missing\n", runner.SKIP_STATUS, (0, 0, 1)),
]
# name, ctest's test case: passed, failed, skipped
CTEST = [
    ("ran", '<testcase name="a" status="run"><system-out>1..1\nok 1 - a\n</system-out></testcase>', (1, 0, 0)),
    ("failed", '<testcase name="a" status="fail"><failure/><system-out>1..1\nok 1 - a\n</system-out></testcase>', (1, 1, 0)),
    (
        "no such program",
        '<testcase name="a" status="notrun"><skipped message="Unable to find executable"/></testcase>',
        (0, 1, 0),
    ),
    (
        "skipped",
        '<testcase name="a" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/><system-out>why</system-out>'
        "</testcase>",
        (0, 0, 1),
    ),
]
# name, JUnit text, exit status: passed, failed, skipped
JUNIT = [
    (
        "mixed",
        '<testsuites><testsuite><testcase name="a"/><testcase name="b"><failure/></testcase>'
        '<testcase name="c"><skipped message="why"/></testcase></testsuite></testsuites>',
        1,
        (1, 1, 1),
    ),
    (
        "an error while collecting",
        '<testsuites><testsuite><testcase name="a"><error/></testcase></testsuite></testsuites>',
        2,
        (0, 1, 0),
    ),
    ("died after its report", '<testsuites><testsuite><testcase name="a"/></testsuite></testsuites>', 3, (1, 1, 0)),
]


def counts(tally):
    return tally.passed, tally.failed, tally.skipped


class Counting(unittest.TestCase):
    def test_tap(self):
        for name, text, status, want in TAP:
            with self.subTest(name):
                self.assertEqual(counts(runner.tally_tap("program", text, status)), want)

    def test_ctest(self):
        for name, text, want in CTEST:
            with self.subTest(name):
                self.assertEqual(counts(runner.tally_ctest_case(ElementTree.fromstring(text))), want)

    def test_junit(self):
        for name, text, status, want in JUNIT:
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "report.xml"
                path.write_text(text)
                self.assertEqual(counts(runner.tally_junit(path, status)), want)

    def test_no_report(self):
        self.assertEqual(counts(runner.tally_junit(Path("nowhere.xml"), 0)), (0, 1, 0))


if __name__ == "__main__":
    unittest.main()
