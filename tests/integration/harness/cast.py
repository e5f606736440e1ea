"""cast.py - who plays in the tests: tenants with their roles, and the callers that stand in them.

Tenant a attacks, tenant b owns the secrets. a has one group per kind of grant, so that one running Weir serves all tests.
"""

from dataclasses import dataclass

from .certs import Client, Pki
from .prometheus import Prometheus
from .recorder import Recorder
from .weir import Weir, tenant

DOMAIN = "spiffe://example.org"
SHARED_IDENTITY = f"{DOMAIN}/grafana"

# group of tenant a: its grants on metrics
GRANTS = {
    "pairs": [{"job": "api", "instance": "h1:90"}, {"job": "db", "instance": "h2:90"}],
    "folded": [{"job": "api"}, {"job": "db"}],
    "glob": [{"job": "a*"}],
    "star": [{"path": "*"}],
    "quoted": [{"job": 'a.+"}\\\n or secret{x="'}],
}


def tenant_a():
    groups = {"all": [f"{DOMAIN}/a/*"], "both": [SHARED_IDENTITY], "roleless": [f"{DOMAIN}/a/roleless/*"],
              "writers": [f"{DOMAIN}/a/writers/*"], "loggers": [f"{DOMAIN}/a/loggers/*"]}
    roles = {"everyone": {"groups": ["all", "both"], "may": ["read"], "grants": "all"},
             "writer": {"groups": ["writers"], "may": ["write"]},
             "logger": {"groups": ["loggers"], "may": ["read"], "grants": {"logs": [{"job": "api"}]}}}
    for group, grants in GRANTS.items():
        groups[group] = [f"{DOMAIN}/a/{group}/*"]
        roles[group] = {"groups": [group], "may": ["read"], "grants": {"metrics": grants}}
    return tenant("a", groups=groups, roles=roles)


def tenants():
    limits = tenant("x")["limits"]
    return [
        tenant_a(),
        tenant("b", groups={"all": [f"{DOMAIN}/b/*", SHARED_IDENTITY]}),
        tenant("strict", foreign_matcher="refuse"),
        tenant("recent", limits=limits | {"max_query_lookback": "1d"}),
        tenant("curious", allow_parameters=["stats", "lookback_delta"]),
        tenant("slow", limits={"request_rate": {"per_second": 1, "burst": 3}}),
    ]


def share_identity(config):
    config["shared_identities"] = [SHARED_IDENTITY]


@dataclass
class Setup:
    """Everything an attack needs: the gateway, what stands behind it, what a alone would have, and the callers."""

    weir: Weir
    recorder: Recorder
    shared: Prometheus
    alone: Prometheus
    pki: Pki

    def caller(self, path):
        """The caller spiffe://example.org/PATH, as a/ann or a/pairs/ann."""
        return self.pki.client(f"{DOMAIN}/{path}")

    @property
    def a(self):
        return self.caller("a/ann")

    @property
    def b(self):
        return self.caller("b/ben")

    def query(self, query, client=None, **more):
        """An instant query in the middle of the data, through Weir; as a unless told otherwise."""
        return self.weir.get(client or self.a, "/api/v1/query", {"query": query, "time": AT} | more)

    def sent(self, query, client=None, **more):
        """What such a query became when it left Weir; the backend may answer it or not."""
        self.recorder.clear()
        answer = self.query(query, client, **more)
        assert answer.tag is None, f"{answer.status}: {answer.text[:300]}"
        (text,) = self.recorder.only().param("query")
        return text


AT = 1700001800


def direct(store, query, **more):
    """The same instant query, asked of a backend itself."""
    return store.get("/api/v1/query", {"query": query, "time": AT} | more)
