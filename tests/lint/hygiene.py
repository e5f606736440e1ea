"""hygiene.py - nothing left over: no work to be done later, no names of machines, a page of README per folder."""

import re

import common

LATER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
# paths of the machine that somebody worked on, and hosts of package registries: package tools know those themselves
MACHINE = re.compile(r"(?<![\w.$}])/(root|home|work|tmp/[a-z0-9])\b")
HOSTS = re.compile(r"\b(pypi\.org|pythonhosted\.org|proxy\.golang\.org|sum\.golang\.org|deb\.debian\.org|registry\.npmjs\.org)\b")
SELF = "tests/lint/"
NOT_OURS = ("go.sum", "go.mod", "LICENSE")
README_MIN = 10  # lines; less is no page


def is_text(path):
    return not path.endswith(NOT_OURS) and "/corpus/" not in path and not path.startswith(SELF)


def check(tree):
    for path in tree.paths():
        if is_text(path):
            yield from check_text(path, tree.read(path))
    for folder in sorted(folders(tree)):
        readme = f"{folder}/README.md"
        if not tree.has(readme):
            yield readme, 1, "this folder has no README.md"
        elif len(tree.read(readme).splitlines()) < README_MIN:
            yield readme, 1, "a README says the idea, what always holds and where to start"


def check_text(path, text):
    for line, content in common.numbered(text):
        if (found := LATER.search(content)):
            yield path, line, f"{found[1]}: do it, or file an issue and write its number"
        if (found := MACHINE.search(content)):
            yield path, line, f"a path of one machine: /{found[1]}"
        if (found := HOSTS.search(content)):
            yield path, line, f"a registry's host name: {found[1]}"
        if content != content.rstrip() and path.endswith((".c", ".h", ".py", ".def")):
            yield path, line, "blanks at the end of the line"


def folders(tree):
    """Every folder that holds C of the product, and the ones a newcomer opens first."""
    found = {p.rsplit("/", 1)[0] for p in tree.paths(".c", under=common.PRODUCT)}
    return found | {f for f in ("tests", "certs", "deploy", "tenants") if tree.paths(under=(f + "/",))}


PAGE = "line\n" * README_MIN
SAMPLES = [
    common.Sample({"a.c": "/* TODO later */\n"}, "TODO: do it"),
    common.Sample({"a.md": "see /home/ann/x\n"}, "a path of one machine"),
    common.Sample({"a.sh": "curl https://pypi.org/x\n"}, "a registry's host"),
    common.Sample({"policy/a.c": "int a; \n", "policy/README.md": PAGE}, "blanks at the end"),
    common.Sample({"policy/a.c": "int a;\n"}, "no README.md"),
    common.Sample({"policy/a.c": "int a;\n", "policy/README.md": "short\n"}, "a README says"),
    common.Sample({"policy/a.c": "/* spiffe://x/home/y */\n", "policy/README.md": PAGE}, ""),
]

if __name__ == "__main__":
    common.main(check, SAMPLES)
