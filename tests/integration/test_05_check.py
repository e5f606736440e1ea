"""`weir check`: the shipped examples are fine, mistakes are told all at once with their places, backends are asked on demand."""

import json
import re
import shutil
import subprocess

import pytest
import yaml

from harness.prometheus import ROOT
from harness.process import free_port
from harness.weir import binary

FINDING = re.compile(r"^(?P<file>[^:]+):(?:(?P<line>\d+):(?P<column>\d+):)? (?P<severity>error|warning): (?P<text>.+)$")


@pytest.fixture
def folder(tmp_path, pki):
    """deploy/weir.yaml with the example tenants and real certificates beside it."""
    shutil.copy(ROOT / "deploy/weir.yaml", tmp_path)
    shutil.copytree(ROOT / "tenants/examples", tmp_path / "tenants")
    (tmp_path / "certs").mkdir()
    edge, key = pki.edge
    for source, name in [(edge, "edge.pem"), (key, "edge.key"), (pki.clients.path, "clients.pem"), (pki.operators.path, "operators.pem")]:
        shutil.copy(source, tmp_path / "certs" / name)
    return tmp_path


def check(folder, *arguments):
    return subprocess.run([binary(), "check", *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)


def change(path, edit):
    document = yaml.safe_load(path.read_text())
    edit(document)
    path.write_text(yaml.safe_dump(document))


def findings(done):
    return [found.groupdict() for line in done.stderr.splitlines() if (found := FINDING.match(line))]


def test_examples_are_fine(folder):
    done = check(folder, "-c", "weir.yaml")
    assert (done.returncode, done.stderr) == (0, "")
    assert "weir.yaml is fine (tenants: 2, backends: 1, warnings: 0" in done.stdout


def test_all_mistakes_at_once(folder):
    acme = folder / "tenants/acme.yaml"
    acme.write_text(acme.read_text().replace("id: acme", "id: acme\ncolour: red").replace("policy: none", "policy: acme.lua"))
    config = folder / "weir.yaml"
    config.write_text(config.read_text().replace("durability: strict", "durability: quick"))
    done = check(folder, "-c", "weir.yaml")
    assert done.returncode == 1
    assert [(f["file"], f["severity"], f["text"][:40]) for f in findings(done)] == [
        ("weir.yaml", "error", 'durability: "quick" is not one of: strict'[:40]),
        ("tenants/acme.yaml", "error", 'unknown key "colour"; known here: id, time_zone'[:40]),
        ("tenants/acme.yaml", "error", "Lua policies are not served by this version"[:40]),
    ]
    lines = acme.read_text().splitlines()
    assert lines[int(findings(done)[1]["line"]) - 1] == "colour: red"
    told = json.loads(check(folder, "-c", "weir.yaml", "--json").stdout)
    assert (told["ok"], told["errors"], told["left_out"]) == (False, 3, 0)
    assert [f["text"] for f in told["findings"]] == [f["text"] for f in findings(done)]


def test_certificates_are_read(folder):
    (folder / "certs/edge.pem").write_text("no certificate")
    done = check(folder, "-c", "weir.yaml")
    assert done.returncode == 1 and "edge.pem" in done.stderr, done.stderr


@pytest.mark.parametrize("arguments", [[], ["-c"], ["-c", "nowhere.yaml"], ["-c", "certs"], ["-c", "weir.yaml", "more"], ["--what"]])
def test_what_cannot_run(folder, arguments):
    done = check(folder, *arguments)
    assert done.returncode == 2 and done.stderr, done


def use_backend(folder, url):
    def edit(config):
        del config["backends"]["metrics"]["tls"]
        config["backends"]["metrics"]["url"] = url

    change(folder / "weir.yaml", edit)


def test_probe_of_a_real_backend(folder, shared):
    use_backend(folder, shared.url)
    done = check(folder, "-c", "weir.yaml", "--probe")
    assert done.returncode == 0, done.stderr
    assert "backend metrics answers: version 3." in done.stdout


def test_probe_of_nobody(folder):
    use_backend(folder, f"http://127.0.0.1:{free_port()}")
    assert check(folder, "-c", "weir.yaml").returncode == 0
    done = check(folder, "-c", "weir.yaml", "--probe")
    assert done.returncode == 1 and "backend metrics cannot be reached" in done.stderr
