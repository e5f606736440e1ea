"""weir.py - the gateway as a process: its files, requests to it, and what it says about itself."""

import copy
import json
import os
import re
import signal
import subprocess
from pathlib import Path

import yaml

from . import wire
from .process import Process, ProcessDied, free_port, wait_until

ROOT = Path(__file__).resolve().parents[3]
MONITOR = "spiffe://ops.example.org/prometheus"
BUSY = re.compile(r"address already in use", re.IGNORECASE)


def binary():
    """The release build, or the one that WEIR_BUILD names (WEIR_BUILD=dev: with sanitizers)."""
    return ROOT / "build" / os.environ.get("WEIR_BUILD", "release") / "weir"


def tenant(name, **more):
    """A tenant file that lets every identity below spiffe://example.org/NAME/ read all of NAME."""
    return {
        "id": name,
        "backends": ["metrics"],
        "groups": {"all": [f"spiffe://example.org/{name}/*"]},
        "roles": {"everyone": {"groups": ["all"], "may": ["read"], "grants": "all"}},
        "policy": "none",
        "limits": {"request_rate": {"per_second": 10000, "burst": 20000}},
    } | more


class Weir(Process):
    """backend_url: where its Prometheus is. tenants: documents as tenant() makes them. change: called with weir.yaml as a dict
    before each start."""

    def __init__(self, name, folder, pki, backend_url, tenants, change=None):
        super().__init__(name, folder)
        self.pki = pki
        self.backend_url = backend_url
        self.tenants = tenants
        self.change = change
        self.caller_tls = {}

    # ---- files

    def config(self):
        edge, key = self.pki.edge
        return {
            "listen": [
                {"address": f"127.0.0.1:{self.edge[1]}", "serve": ["query"], "tls": "edge"},
                {"address": f"127.0.0.1:{self.admin[1]}", "serve": ["admin"], "tls": "admin"},
                {"address": f"127.0.0.1:{self.health[1]}", "serve": ["health"]},
            ],
            "tls": {
                "edge": {"certificate": str(edge), "key": str(key), "client_ca": str(self.pki.clients.path)},
                "admin": {"certificate": str(edge), "key": str(key), "client_ca": str(self.pki.operators.path)},
            },
            "trust_domains": {"example.org": str(self.pki.clients.path), "ops.example.org": str(self.pki.operators.path)},
            "operators": {"monitor": [MONITOR]},
            "tenants": "tenants/",
            "audit": {"directory": "audit/", "origin": "weir.example.org", "instance": "test"},
            "backends": {"metrics": {"dialect": "prometheus", "url": self.backend_url, "isolation": ["label"]}},
            "process": {"workers": 2, "drain_timeout": "5s"},
        }

    def write_config(self):
        config = copy.deepcopy(self.config())
        if self.change:
            self.change(config)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "weir.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        self.write_tenants(self.tenants)

    def write_tenants(self, tenants):
        folder = self.folder / "tenants"
        folder.mkdir(exist_ok=True)
        for old in folder.glob("*.yaml"):
            old.unlink()
        for document in tenants:
            (folder / f"{document['id']}.yaml").write_text(yaml.safe_dump(document, sort_keys=False))

    # ---- life

    def start(self, tries=3):
        for left in reversed(range(tries)):
            self.edge, self.admin, self.health = (("127.0.0.1", free_port()) for _ in range(3))
            self.write_config()
            self.spawn([binary(), "run", "-c", "weir.yaml"])
            try:
                self.wait_ready(self.is_ready)
                return self
            except ProcessDied:
                if left == 0 or not BUSY.search(self.log_tail()):
                    raise

    def is_ready(self):
        try:
            return wire.get(self.health, "/ready").status == 200
        except OSError:
            return False

    def tool(self, *arguments, **more):
        """Another subcommand of the same binary, run in the same folder."""
        return subprocess.run([binary(), *arguments], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, errors="replace", **more)

    # ---- requests

    def connect(self, client, address=None, **more):
        if client not in self.caller_tls:
            self.caller_tls[client] = client.tls()
        return wire.Connection(address or self.edge, self.caller_tls[client], **more)

    def get(self, client, path, params=None, headers=(), method="GET", body=None):
        query = wire.encode(params)
        with self.connect(client) as c:
            return c.ask(method, path + ("?" + query if query else ""), headers, body)

    def post(self, client, path, params=None, headers=()):
        """A form in the body."""
        form = ("Content-Type", "application/x-www-form-urlencoded")
        return self.get(client, path, headers=[form, *headers], method="POST", body=wire.encode(params).encode())

    def raw(self, client, data, method="GET"):
        with self.connect(client) as c:
            return c.raw(data, method)

    # ---- what it says about itself

    def audit(self):
        """Every record, oldest first."""
        done = self.tool("audit", "cat", "--directory", "audit", "--json")
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def decision(self, answer):
        """The decision record of an answer, by its request id."""
        wanted = answer.header("X-Request-Id")
        assert wanted, f"an answer without X-Request-Id: {answer}"
        found = [r for r in self.audit() if r["public"]["typ"] == "decision" and r["public"]["rid"] == wanted]
        assert len(found) == 1, f"{len(found)} decision records for {wanted}"
        return found[0]

    def metrics(self):
        with self.connect(self.pki.operator(MONITOR), self.admin) as c:
            answer = c.ask("GET", "/metrics")
        assert answer.status == 200, answer
        return answer.text

    def metric(self, name, **labels):
        """The sum of the series of a metric that have these labels."""
        total = 0.0
        for line in self.metrics().splitlines():
            found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
            if found and found[1] == name:
                have = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', found[2] or ""))
                if all(have.get(k) == v for k, v in labels.items()):
                    total += float(found[3])
        return total

    def wait_metric(self, name, at_least, **labels):
        wait_until(lambda: self.metric(name, **labels) >= at_least, f"{name}{labels} >= {at_least}", seconds=10)

    def reload(self):
        """Waits until the new generation serves."""
        before = self.metric("weir_config_generation")
        self.send(signal.SIGHUP)
        wait_until(lambda: self.metric("weir_config_generation") > before, "the new generation", seconds=10)
