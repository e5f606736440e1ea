"""Fixtures of the integration tests: one real Prometheus with both tenants' data, one with a's alone, Weir before the first."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))

from harness import dataset as datasets
from harness.certs import Client, Pki
from harness.process import Process
from harness.prometheus import Prometheus
from harness.recorder import Recorder
from harness.weir import Weir, tenant


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
    """The Prometheus that a and b share."""
    yield from running(Prometheus("shared", work / "shared", dataset.both))


@pytest.fixture(scope="session")
def alone(work, dataset):
    """A Prometheus that holds a's data only: what a may see."""
    yield from running(Prometheus("alone", work / "alone", dataset.a))


def running(process):
    process.start()
    yield process
    process.stop()


@dataclass
class Setup:
    """Everything an attack needs: the gateway, what stands behind it, and two callers."""

    weir: Weir
    recorder: Recorder
    shared: Prometheus
    alone: Prometheus
    pki: Pki
    a: Client
    b: Client


@pytest.fixture(scope="session")
def setup(work, pki, shared, alone):
    recorder = Recorder(shared.address)
    weir = Weir("weir", work / "weir", pki, recorder.url, [tenant("a"), tenant("b")]).start()
    yield Setup(weir, recorder, shared, alone, pki, pki.client("spiffe://example.org/a/ann"), pki.client("spiffe://example.org/b/ben"))
    assert weir.running(), f"weir ended by itself:\n{weir.log_tail()}"
    assert weir.stop() == 0, f"weir did not end well:\n{weir.log_tail()}"
    recorder.stop()
