"""A new spoke is a copy of the living echo, and fit before the first edit."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spokes.kit import registry, scaffold
from spokes.kit.errors import BadManifest, UnknownCapability
from spokes.kit.manifest import load_manifest

REPOSITORY = registry.root().parent


@pytest.fixture
def copy(tmp_path):
    """The repository without its history, where a new spoke may come to be."""
    for name in ("spokes", "mesh", "protos", "tests", "hub", "pyproject.toml"):
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, tmp_path / name)
    return tmp_path


def run(directory: Path, *arguments):
    environment = {"PYTHONPATH": f"{directory}:{directory / 'protos'}", "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [sys.executable, "-m", "spokes", *arguments],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_new_spoke_is_fit_before_the_first_edit(copy):
    made = run(copy, "new", "acme", "--capability", "payments")
    assert made.returncode == 0, made.stderr
    assert load_manifest(copy / "spokes" / "acme" / "spoke.toml").title == "Acme"
    assert "echo" not in (copy / "spokes" / "acme" / "spoke.py").read_text().lower()
    checked = run(copy, "check", "acme")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "passed" in checked.stdout


def test_a_spoke_that_breaks_its_manifest_is_not_fit(copy):
    run(copy, "new", "acme", "--capability", "payments")
    code = copy / "spokes" / "acme" / "spoke.py"
    code.write_text(code.read_text().replace('            "Void": self.void,\n', ""))
    checked = run(copy, "check", "acme")
    assert checked.returncode == 1
    assert "Void" in checked.stdout


def test_an_unknown_capability_is_refused_by_naming_those_there_are(tmp_path):
    with pytest.raises(UnknownCapability, match="messaging, payments"):
        scaffold.new("acme", "teleport", root=registry.root())
    assert not (registry.root() / "acme").exists()


@pytest.mark.parametrize("name", ["echo", "Acme", "../x", "1st", ""])
def test_a_bad_name_is_refused(name):
    with pytest.raises(BadManifest):
        scaffold.new(name, "payments", root=registry.root())
