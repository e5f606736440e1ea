"""banned.py - what the house style bans: unbounded string functions, shells, clocks read in secret, line comments.

The compiler holds variable-length arrays and missing prototypes; here we see that its flags stay switched on.
"""

import json
import re

import common

CALLS = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|strncpy|strncat|strtok|atoi|atol|atof|gets|alloca|system|popen|assert)\s*\(")
CLOCKS = re.compile(r"\b(time|gettimeofday|clock_gettime|clock)\s*\(")
TYPEDEF = re.compile(r"^\s*typedef\s+struct\b")
LINE_COMMENT = re.compile(r"//")
FLAGS = ("-Wall", "-Wextra", "-Wvla", "-Wmissing-prototypes", "-Wstrict-prototypes", "-Wformat=2")


def check(tree):
    for path in tree.paths(".c", ".h", under=common.PRODUCT):
        code = tree.code(path)
        for line, text in common.numbered(code):
            if (found := CALLS.search(text)):
                yield path, line, f"{found[1]}() is banned"
            if not path.startswith("gateway/base/clock") and (found := CLOCKS.search(text)):
                yield path, line, f"{found[1]}(): only base/clock reads the clock"
            if TYPEDEF.search(text):
                yield path, line, "no typedef for a struct"
        for line, text in common.numbered(keep_strings_blank(tree.read(path))):
            if LINE_COMMENT.search(text):
                yield path, line, "comments are /* */"
    yield from check_flags(tree)


def keep_strings_blank(text):
    """Strings and block comments blanked, line comments left to be found."""
    noise = re.compile(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)
    return noise.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def check_flags(tree):
    top = tree.read("CMakeLists.txt")
    for flag in FLAGS:
        if not re.search(rf"(?<!\S){re.escape(flag)}(?![\w=-])", top):
            yield "CMakeLists.txt", 1, f"the compiler flag {flag} is gone"
    presets = json.loads(tree.read("CMakePresets.json") or "{}").get("configurePresets", [])
    dev = next((p for p in presets if p.get("name") == "dev"), {}).get("cacheVariables", {})
    if dev.get("WEIR_WERROR") != "ON" or dev.get("WEIR_SANITIZE") != "ON":
        yield "CMakePresets.json", 1, "preset dev must turn warnings into errors and sanitizers on"


GOOD = {
    "CMakeLists.txt": "target_compile_options(x\n\t" + " ".join(FLAGS) + ")\n",
    "CMakePresets.json": '{"configurePresets": [{"name": "dev", "cacheVariables": {"WEIR_WERROR": "ON", "WEIR_SANITIZE": "ON"}}]}',
}
SAMPLES = [
    common.Sample(GOOD | {"policy/a.c": "void f(void)\n{\n\tstrcpy(a, b);\n}\n"}, "strcpy() is banned"),
    common.Sample(GOOD | {"policy/a.c": "int t = time (NULL);\n"}, "only base/clock"),
    common.Sample(GOOD | {"policy/a.c": "typedef struct a b;\n"}, "no typedef"),
    common.Sample(GOOD | {"policy/a.c": "int a; // why\n"}, "comments are /* */"),
    common.Sample(GOOD | {"CMakeLists.txt": "-Wall -Wextra"}, "-Wvla is gone"),
    common.Sample({"CMakeLists.txt": GOOD["CMakeLists.txt"]}, "preset dev"),
    common.Sample(GOOD | {"policy/a.c": '/* strcpy(a) */\nchar *s = "time(" "http://x";\nint my_time(void);\n',
                          "gateway/base/clock.c": "clock_gettime(0, &t);\n"}, ""),
]

if __name__ == "__main__":
    common.main(check, SAMPLES)
