"""length.py - a file is one idea, a function is one screen, a line fits."""

import re

import common

FILE_MAX = 800
FUNCTION_MAX = 60
LINE_MAX = 140  # .clang-format aims at 110; tables and signatures may run over
TAB = 4
TEXTS = (".c", ".h", ".def", ".py", ".go", ".cnf", "CMakeLists.txt")


def scripts(tree):
    """Programs without an ending: those that begin with #!."""
    return [p for p in tree.paths() if "." not in p.rsplit("/", 1)[-1] and tree.read(p).startswith("#!")]


def check(tree):
    for path in tree.paths(*TEXTS) + scripts(tree):
        lines = tree.read(path).splitlines()
        if len(lines) > FILE_MAX:
            yield path, FILE_MAX, f"{len(lines)} lines; at most {FILE_MAX}"
        if path.endswith((".c", ".h")):
            for number, line in enumerate(lines, 1):
                if len(line.expandtabs(TAB)) > LINE_MAX:
                    yield path, number, f"{len(line.expandtabs(TAB))} columns; at most {LINE_MAX}"
            yield from check_functions(path, tree.code(path).splitlines())


def check_functions(path, lines):
    """A body begins with { in the first column, below its head, and ends with } there."""
    begun = None
    for number, line in enumerate(lines, 1):
        if line.rstrip() == "{" and number > 1 and re.search(r"\)\s*\w*$", lines[number - 2]):
            begun = number
        elif line.startswith("}") and begun is not None:
            if number - begun - 1 > FUNCTION_MAX:
                yield path, begun, f"a function of {number - begun - 1} lines; at most {FUNCTION_MAX}"
            begun = None


SAMPLES = [
    common.Sample({"policy/a.c": "\n" * 801}, "801 lines"),
    common.Sample({"tests/run": "#!/bin/sh\n" + "\n" * 800}, "801 lines"),
    common.Sample({"policy/a.c": "int f(void)\n{\n" + "\tg();\n" * 61 + "}\n"}, "function of 61 lines"),
    common.Sample({"policy/a.c": "int " + "a" * 150 + ";\n"}, "columns"),
    common.Sample({"policy/a.c": "int f(void)\n{\n" + "\tg();\n" * 60 + "}\n"}, ""),
]

if __name__ == "__main__":
    common.main(check, SAMPLES)
