"""layers.py - nobody includes a folder that stands above, and a library's headers have one home.

The order is that of the architecture: base -> metrics, audit -> tenants -> policy -> backends -> core -> io, server, config
-> admin -> cli. Folders of one rank do not know each other.
"""

import re

import common

FOLDERS = {
    "base": "gateway/base/", "metrics": "gateway/metrics/", "audit": "gateway/audit/", "tenants": "tenants/",
    "policy": "policy/", "backends": "gateway/backends/", "core": "gateway/core/", "io": "gateway/io/",
    "server": "gateway/server/", "config": "gateway/config/", "admin": "gateway/admin/", "cli": "gateway/cli/",
}
RANKS = [["base"], ["metrics", "audit"], ["tenants"], ["policy"], ["backends"], ["core"], ["io", "server", "config"],
         ["admin"], ["cli"]]
RANK = {folder: rank for rank, folders in enumerate(RANKS) for folder in folders}
ONLY = {"audit": {"base"}}  # narrower than its rank allows

# header prefix: where it may be included
HOMES = {
    "h2o": ("gateway/io/", "gateway/server/"),
    "nghttp2/": ("gateway/server/",),
    "openssl/": ("gateway/server/tls", "gateway/server/peer", "gateway/io/http_client", "gateway/audit/",
                 "gateway/base/scrub", "gateway/base/digest"),
    "hiredis": ("gateway/io/redis",),
    "lua": ("policy/lua/",),
    "protobuf-c/": ("policy/wire/",),
    "snappy": ("policy/wire/",),
    "zlib": ("policy/wire/",),
    "zstd": ("policy/wire/", "gateway/audit/"),
    "sqlite3": ("gateway/audit/",),
    "jansson": ("gateway/base/",),
    "yaml": ("gateway/base/",),
}
# core decides and never touches the world: sockets and files come through its ports
WORLD = ("sys/socket.h", "sys/stat.h", "sys/un.h", "netinet/", "arpa/", "netdb.h", "fcntl.h", "unistd.h", "dirent.h", "poll.h")

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')


def folder_of(path):
    return next((name for name, prefix in FOLDERS.items() if path.startswith(prefix)), None)


def may_include(folder, target):
    if folder == target:
        return True
    if folder in ONLY:
        return target in ONLY[folder]
    return RANK[target] < RANK[folder]


def check(tree):
    for path in tree.paths(".c", ".h", ".def", under=common.PRODUCT):
        folder = folder_of(path)
        if folder is None:
            yield path, 1, "this folder has no place in the order of layers.py"
            continue
        for line, text in common.numbered(tree.read(path)):
            if (found := INCLUDE.match(text)):
                yield from check_include(path, line, folder, quoted=found[1] == '"', header=found[2])


def check_include(path, line, folder, quoted, header):
    target = header.split("/")[0]
    if quoted:
        if target not in FOLDERS or "/" not in header:
            yield path, line, f'"{header}": include our headers as "folder/file.h"'
        elif not may_include(folder, target):
            yield path, line, f"{folder} may not include {target}"
        return
    for prefix, homes in HOMES.items():
        if header.startswith(prefix) and not path.startswith(homes):
            yield path, line, f"<{header}> belongs to {', '.join(homes)}"
    if folder == "core" and header.startswith(WORLD):
        yield path, line, f"<{header}>: core has no sockets and no files"


SAMPLES = [
    common.Sample({"policy/a.c": '#include "core/core.h"\n'}, "policy may not include core"),
    common.Sample({"gateway/io/a.c": '#include "config/config.h"\n'}, "io may not include config"),
    common.Sample({"gateway/audit/a.c": '#include "metrics/metrics.h"\n'}, "audit may not include metrics"),
    common.Sample({"gateway/core/a.c": '#include "core.h"\n'}, 'as "folder/file.h"'),
    common.Sample({"gateway/core/a.c": "#include <openssl/ssl.h>\n"}, "<openssl/ssl.h> belongs to"),
    common.Sample({"gateway/core/a.c": "#include <sys/socket.h>\n"}, "core has no sockets"),
    common.Sample({"gateway/new/a.c": "int a;\n"}, "no place in the order"),
    common.Sample({"gateway/server/tls.c": '#include "base/err.h"\n#include <openssl/ssl.h>\n#include <h2o.h>\n'}, ""),
]

if __name__ == "__main__":
    common.main(check, SAMPLES)
