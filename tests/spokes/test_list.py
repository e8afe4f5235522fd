"""`python -m spokes list`, in a tree where one spoke's manifest is broken."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spokes.kit import registry

REPOSITORY = registry.root().parent


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A copy of the spokes whose smtp has a manifest without operations."""
    for name in ("spokes", "mesh", "protos"):
        shutil.copytree(
            REPOSITORY / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "tests")
        )
    manifest = tmp_path / "spokes" / "smtp" / "spoke.toml"
    manifest.write_text(manifest.read_text().replace("[operations", "[nonsense"))
    return tmp_path


def listing(tree: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """The command, in a tree."""
    return subprocess.run(
        [sys.executable, "-m", "spokes", "list", *options],
        cwd=tree,
        env={"PYTHONPATH": f"{tree}:{tree / 'protos'}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_broken_manifest_is_named_and_the_others_are_listed(broken: Path) -> None:
    done = listing(broken, "--json")
    found = {spoke["name"]: spoke for spoke in json.loads(done.stdout)}
    assert {name for name, spoke in found.items() if "fault" in spoke} == {"smtp"}
    assert found["stripe"]["egress"] == ["api.stripe.com"]
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert done.stderr.startswith("spokes: smtp: ")


def test_people_see_the_others_too(broken: Path) -> None:
    done = listing(broken)
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["echo", "stripe", "capabilities:"]
    assert done.stderr.startswith("spokes: smtp: ")


def test_a_manifest_that_is_no_toml_is_named(broken: Path) -> None:
    (broken / "spokes" / "smtp" / "spoke.toml").write_bytes(b"\xff = [")
    assert "cannot read spoke.toml of smtp" in listing(broken).stderr
