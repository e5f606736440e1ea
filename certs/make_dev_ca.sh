#!/bin/bash
# make_dev_ca.sh: certificates to try Weir with. Never for production: the keys lie beside the certificates.
#
#   certs/make_dev_ca.sh DIR                     two CAs and a server certificate:
#                                                  clients.pem    signs callers, trust domain example.org
#                                                  operators.pem  signs operators, trust domain ops.example.org
#                                                  edge.pem       localhost, 127.0.0.1, ::1 and $WEIR_DEV_NAMES
#   certs/make_dev_ca.sh DIR NAME SPIFFE_ID      a client certificate NAME.pem with its key NAME.key, under the CA of its
#                                                trust domain
#
# Safe to run again: what is still good for a day is kept, anything else is made anew.
set -euo pipefail
umask 077
profiles=$(cd "$(dirname "$0")" && pwd)/profiles
ca_days=365 leaf_days=90

usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2; exit 2; }

still_good() { [ -s "$1.key" ] && openssl x509 -in "$1.pem" -noout -checkend 86400 >/dev/null 2>&1; }

make_ca() { # FILE COMMON_NAME
	still_good "$1" && return
	NAME=$2 openssl req -x509 -config "$profiles/ca.cnf" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 \
		-days "$ca_days" -keyout "$1.key" -out "$1.pem" 2>/dev/null
}

signed_for() { # FILE CA ALT_NAME
	openssl verify -CAfile "$2.pem" "$1.pem" >/dev/null 2>&1 &&
		openssl x509 -in "$1.pem" -noout -ext subjectAltName | grep -qE "(^|[ ,])$3(,|\$)"
}

make_leaf() { # FILE CA PROFILE ALT_NAME; NAME and the profile's names come in the environment
	if still_good "$1" && signed_for "$1" "$2" "$4"; then return; fi
	openssl req -new -config "$profiles/$3.cnf" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 \
		-keyout "$1.key" -out "$1.csr" 2>/dev/null
	openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -days "$leaf_days" -sha256 \
		-extfile "$profiles/$3.cnf" -extensions leaf -out "$1.pem" 2>/dev/null
	rm -f "$1.csr"
}

[ $# = 1 ] || [ $# = 3 ] || usage
mkdir -p "$1"
cd "$1"
make_ca clients "Weir development callers"
make_ca operators "Weir development operators"
export SPIFFE_ID=${3:-} ALT_NAMES="DNS:localhost,IP:127.0.0.1,IP:::1${WEIR_DEV_NAMES:+,$WEIR_DEV_NAMES}"
NAME=localhost make_leaf edge clients server DNS:localhost
case "$SPIFFE_ID" in
'') ;;
spiffe://example.org/*) NAME=$2 make_leaf "$2" clients client "URI:$3" ;;
spiffe://ops.example.org/*) NAME=$2 make_leaf "$2" operators client "URI:$3" ;;
*) printf 'make_dev_ca.sh: %s: the trust domain is example.org or ops.example.org\n' "$SPIFFE_ID" >&2; exit 2 ;;
esac
