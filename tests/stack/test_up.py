"""`hubctl up` in a tree where one spoke's manifest is broken, and status beside it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack.layout import ROOT, Layout
from local.stack.ports import free_block

PACKAGES = ("mesh", "hub", "audit_service", "spokes", "hubctl", "local", "protos")
HUBCTL = [sys.executable, "-c", "import hubctl.main; hubctl.main.main()"]


@pytest.fixture
def tree() -> Iterator[Path]:
    """A copy of the product, which Postgres' user can reach, with the stand-ins that are installed."""
    tree = Path(tempfile.mkdtemp(prefix="tree-"))
    tree.chmod(0o711)
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    cache = Layout.at().cache
    cache.mkdir(parents=True, exist_ok=True)
    (tree / ".local").mkdir()
    (tree / ".local" / "cache").symlink_to(cache)
    yield tree
    shutil.rmtree(tree)


def command(tree: Path, *words: str) -> tuple[list[str], dict[str, str]]:
    """hubctl of a tree, and its environment."""
    path = f"{tree}:{tree / 'protos'}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUBCTL_")}
    return [*HUBCTL, *words], {**environment, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def status(tree: Path) -> subprocess.CompletedProcess[str]:
    """What status says."""
    words, environment = command(tree, "status", "--json")
    return subprocess.run(words, cwd=tree, env=environment, capture_output=True, text=True, check=False)


def test_a_broken_manifest_stops_its_spoke_alone_and_is_told_by_up_and_by_status(tree: Path) -> None:
    manifest = tree / "spokes" / "smtp" / "spoke.toml"
    manifest.write_text(manifest.read_text().replace("[operations", "[nonsense"))
    words, environment = command(tree, "up", "--base-port", str(free_block()))
    said: list[str] = []
    with subprocess.Popen(words, cwd=tree, env=environment, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        try:
            for line in up.stdout:
                said.append(line)
                if line.startswith("Ready."):
                    break
            asked = status(tree)
        finally:
            up.send_signal(signal.SIGINT)
            said += up.stdout.readlines()
    assert up.returncode == 0, "".join(said)
    assert [line for line in said if "spoke-smtp" in line and "left out" in line]
    assert (asked.returncode, asked.stderr.splitlines()[-1]) == (3, "hubctl: not ready: spoke-smtp")
    parts = json.loads(asked.stdout.splitlines()[-1])["parts"]
    assert "operations" in parts["spoke-smtp"]["fault"]
    assert {"spoke-echo", "spoke-stripe", "hub"} <= {name for name, part in parts.items() if part["ready"]}
    after = status(tree)
    assert (after.returncode, "no profile" in after.stderr) == (3, True)
