"""prometheus.py - a real Prometheus 3.16 on a port of its own."""

import os
import subprocess
from pathlib import Path

import pytest

from . import wire
from .process import Process, ProcessDied, free_port

ROOT = Path(__file__).resolve().parents[3]
CANNOT_BUILD = 77
# asked by Weir itself, again and again; no request of a caller
OWN_HANDLERS = ("/metrics", "/-/ready", "/api/v1/status/buildinfo")


def backend_binary(name):
    """The path of a backend that tests/backends/build makes; the test is skipped where there is no Go to build it."""
    done = subprocess.run([ROOT / "tests/backends/build", name], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode == CANNOT_BUILD:
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def write_blocks(openmetrics, data):
    """Turns an OpenMetrics file into blocks of a data folder. A promtool that finds nothing still says fine, so count."""
    data.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([backend_binary("promtool"), "tsdb", "create-blocks-from", "openmetrics", openmetrics, data],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0 and any(data.iterdir()), done.stdout


class Prometheus(Process):
    """data: an OpenMetrics file to start on, or None. config: text of prometheus.yml."""

    def __init__(self, name, folder, data=None, config="", flags=()):
        super().__init__(name, folder)
        self.data = folder / "data"
        self.config = config
        self.flags = flags
        self.binary = backend_binary("prometheus")
        if data is not None:
            write_blocks(data, self.data)

    def start(self, tries=3):
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "prometheus.yml").write_text(self.config)
        for left in reversed(range(tries)):
            self.address = ("127.0.0.1", free_port())
            self.spawn([self.binary, "--config.file=prometheus.yml", "--log.level=warn", f"--storage.tsdb.path={self.data}",
                        "--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{self.address[1]}", *self.flags])
            try:
                self.wait_ready(self.is_ready)
                return self
            except ProcessDied:
                if left == 0 or "address already in use" not in self.log():
                    raise

    def is_ready(self):
        try:
            return wire.get(self.address, "/-/ready").status == 200
        except OSError:
            return False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.address[1]}"

    def get(self, path, params=None, **more):
        return wire.get(self.address, path, params, **more)

    def requests(self):
        """How many requests of callers it has answered, by its own count."""
        total = 0
        for line in self.get("/metrics").text.splitlines():
            if line.startswith("prometheus_http_requests_total{") and not any(f'handler="{h}"' in line for h in OWN_HANDLERS):
                total += int(float(line.rsplit(" ", 1)[1]))
        return total
