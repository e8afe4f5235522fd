"""What the README says is so."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from hub.jobs.diagram import diagram
from tests.docs.readme import ROOT, blocks, commands


def test_the_state_diagram_is_the_table_of_transitions() -> None:
    assert blocks("mermaid") == [diagram() + "\n"], "run `python -m hub.jobs.diagram` and paste it"


@pytest.mark.parametrize("line", [c for c in commands() if c.startswith("make ")])
def test_every_make_target_exists(line: str) -> None:
    target = line.split()[1]
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("line", [c for c in commands() if re.match(r"(\.venv/bin/)?hubctl ", c)])
def test_every_hubctl_command_exists(line: str) -> None:
    words = [w for w in line.split()[1:] if re.fullmatch(r"[a-z-]+", w) and not w.startswith("-")]
    run = subprocess.run(
        [Path(sys.executable).with_name("hubctl"), *words, "--help"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("line", [c for c in commands() if c.startswith("python -m ")])
def test_every_module_command_exists(line: str) -> None:
    module, *rest = line.split()[2:]
    words = [w for w in rest[:1] if module == "spokes"]
    run = subprocess.run(
        [sys.executable, "-m", module, *words, "--help"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert run.returncode == 0, run.stderr


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text())
    assert [link for link in links if not link.startswith("http") and not (ROOT / link).exists()] == []


def test_every_folder_of_the_table_exists() -> None:
    folders = re.findall(r"^\| `(\w+)/` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert folders
    assert all((ROOT / f).is_dir() for f in folders)
