# lib.sh - what the scripts of tests/ and deploy/ share. Sourced, not run; needs bash.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }
die() { say "$(basename "$0"): $*"; exit 1; }

# The folder for all that is built or fetched once per machine. It lies outside the checkout, so a clean one is fast too.
cache_dir() { printf '%s/weir\n' "${XDG_CACHE_HOME:-${HOME:-/var/tmp}/.cache}"; }

# The virtual environment of tests/requirements.txt; another list or another Python is another folder.
venv_dir() {
	printf '%s/python-%s\n' "$(cache_dir)" \
		"$({ cat "$repo/tests/requirements.txt"; python3 --version; } | sha256sum | cut -c1-16)"
}

# true when the first version is at least the second
version_at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -1)" = "$2" ]; }

# The Go release that tests/backends asks for.
go_wanted() { sed -n 's/^go //p' "$repo/tests/backends/prometheus/go.mod"; }

# Prints a Go that is new enough: the one on the PATH, or the one that tests/install put into the cache. Fails without one.
find_go() {
	local go
	for go in "$(command -v go)" "$(cache_dir)"/go/lib/python3*/site-packages/go/bin/go; do
		[ -x "$go" ] || continue
		version_at_least "$("$go" env GOVERSION | sed 's/^go//')" "$(go_wanted)" && { printf '%s\n' "$go"; return 0; }
	done
	return 1
}
