"""headers.py - each header compiles alone, and twice in one file."""

import os
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import common

PACKAGES = ("libh2o-evloop", "openssl", "jansson", "yaml-0.1")


def compiler():
    """The compiler with the include paths of every folder."""
    flags = subprocess.run(["pkg-config", "--cflags", *PACKAGES], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    return [os.environ.get("CC", "cc"), "-std=gnu17", "-D_GNU_SOURCE", "-DH2O_USE_LIBUV=0", "-fsyntax-only", "-Wall", "-Wextra",
            "-Werror", *flags]


def include_name(path):
    return re.sub(r"^gateway/", "", path)


def compile_alone(command, root, path):
    text = f'#include "{include_name(path)}"\n' * 2
    done = subprocess.run([*command, "-I", root / "gateway", "-I", root, "-x", "c", "-"], input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return None if done.returncode == 0 else (path, 1, f"does not compile alone: {first_error(done.stdout)}")


def first_error(text):
    return next((line for line in text.splitlines() if "error" in line), text.strip()[:200])


def check(tree):
    headers = tree.paths(".h", under=common.PRODUCT)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
        root = Path(folder)
        for path in tree.paths(".h", ".def", under=common.PRODUCT):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(tree.read(path))
        command = compiler()
        yield from filter(None, pool.map(lambda path: compile_alone(command, root, path), headers))


SAMPLES = [
    common.Sample({"policy/a.h": "#ifndef A\n#define A\nsize_t f(void);\n#endif\n"}, "does not compile alone"),
    common.Sample({"policy/a.h": "struct a { int b; };\n"}, "does not compile alone"),
    common.Sample({"gateway/base/a.h": "#ifndef A\n#define A\nstruct a { int b; };\n#endif\n",
                   "policy/b.h": '#ifndef B\n#define B\n#include "base/a.h"\nstruct b { struct a a; };\n#endif\n'}, ""),
]

if __name__ == "__main__":
    common.main(check, SAMPLES)
