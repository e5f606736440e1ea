"""Fixtures of the integration tests: a real Prometheus with both tenants' data, one with a's alone, Weir before the
first."""

import sys
from pathlib import Path

import pytest
import yaml

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))

from harness import cast
from harness import dataset as datasets
from harness.certs import Pki
from harness.process import Process, wait_until
from harness.prometheus import Prometheus
from harness.recorder import Recorder
from harness.target import Target
from harness.weir import Weir

FEATURES = ("--enable-feature=promql-experimental-functions,promql-binop-fill-modifiers,exemplar-storage", "--web.enable-admin-api",
            "--web.enable-remote-write-receiver")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows the end of the log of every process that is alive."""
    report = yield
    if report.failed:
        for process in Process.alive:
            report.sections.append((f"log of {process.name} ({process.log_path})", process.log_tail()))
    return report


@pytest.fixture(scope="session")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("weir")


@pytest.fixture(scope="session")
def pki(work):
    return Pki(work / "certs")


@pytest.fixture(scope="session")
def dataset(work):
    """The isolation data set of ../shared when it is there, else our own of the same shape."""
    return datasets.isolation() or datasets.own(work / "dataset")


@pytest.fixture(scope="session")
def shared(work, dataset):
    """The Prometheus that a and b share. Everything is switched on in it: what is closed, Weir closes."""
    yield from running(Prometheus("shared", work / "shared", dataset.both, flags=FEATURES))


@pytest.fixture(scope="session")
def alone(work, dataset):
    """A Prometheus that holds a's data only: what a may see."""
    yield from running(Prometheus("alone", work / "alone", dataset.a, flags=FEATURES))


def running(process):
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="session")
def setup(work, pki, shared, alone):
    recorder = Recorder(shared.address)
    weir = Weir("weir", work / "weir", pki, recorder.url, cast.tenants(), cast.share_identity).start()
    yield cast.Setup(weir, recorder, shared, alone, pki)
    end_well(weir)
    recorder.stop()


@pytest.fixture(scope="session")
def second_weir(work, pki, shared, alone):
    """Makes another Weir before the same data, with another configuration; ended with the session."""
    made = []

    def make(name, change, tenants=None):
        recorder = Recorder(shared.address)
        weir = Weir(name, work / name, pki, recorder.url, tenants or cast.tenants(), change).start()
        made.append((weir, recorder))
        return cast.Setup(weir, recorder, shared, alone, pki)

    yield make
    for weir, recorder in made:
        end_well(weir)
        recorder.stop()


def end_well(weir):
    """Whatever was done to it, it is still there, and ends as it should when told to."""
    assert weir.running(), f"{weir.name} ended by itself:\n{weir.log_tail()}"
    assert weir.stop() == 0, f"{weir.name} did not end well:\n{weir.log_tail()}"


@pytest.fixture(scope="session")
def header_mode(second_weir):
    """Weir for a store that has tenants of its own."""

    def change(config):
        cast.share_identity(config)
        config["backends"]["metrics"]["isolation"] = ["tenant_header"]

    return second_weir("header_mode", change)


@pytest.fixture(scope="session")
def experimental(second_weir):
    """Weir for a backend whose parser features are switched on."""

    def change(config):
        cast.share_identity(config)
        config["backends"]["metrics"]["features"] = ["exp", "fill", "utf8"]

    return second_weir("experimental", change)


@pytest.fixture(scope="session")
def live(work, pki):
    """Weir before a Prometheus that scrapes: series without a tenant, and exemplars of both tenants."""
    target = Target()
    config = yaml.safe_dump({
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [
            {"job_name": "target", "honor_labels": True, "static_configs": [{"targets": [target.address]}]},
            {"job_name": "owned", "metrics_path": "/none", "static_configs": [{"targets": [target.address], "labels": {"tenant_id": "a"}}]},
        ]})
    prometheus = Prometheus("live", work / "live", config=config, flags=FEATURES).start()
    wait_until(lambda: len(prometheus.get("/api/v1/query", {"query": "up == 1"}).json()["data"]["result"]) == 2, "both scrapes")
    recorder = Recorder(prometheus.address)
    weir = Weir("live-weir", work / "live-weir", pki, recorder.url, cast.tenants(), cast.share_identity).start()
    yield cast.Setup(weir, recorder, prometheus, prometheus, pki)
    end_well(weir)
    recorder.stop()
    prometheus.stop()
    target.stop()
