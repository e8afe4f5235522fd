"""The runbooks: every command in them exists, every link leads somewhere, every alert has its page."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from hubctl.main import hubctl
from tests.cli.parsing import parse
from tests.docs.readme import ROOT, blocks, commands

HOME = ROOT / "docs" / "runbooks"
INDEX = HOME / "README.md"
PAGES = sorted(HOME.glob("*.md"))
RUNBOOKS = [page for page in PAGES if page != INDEX]
ALERTS = (
    "DeadLetters",
    "BreakerOpen",
    "LaneMisconfigured",
    "LaneThrottled",
    "AuditUnavailable",
    "LaneNotWorking",
    "EventsUnmatched",
    "EventContradicts",
    "StatementRefused",
    "PlanStopped",
    "PlanWaiting",
    "SpokeAway",
    "LaneUnowned",
    "OutboxOld",
    "BacklogFull",
    "EventsUndelivered",
)
SHAPES = (
    ["Meaning", "Impact", "Diagnosis", "Mitigation", "Rollback and backfill", "Escalation", "Evidence"],
    [
        "Significado",
        "Impacto",
        "Diagnóstico",
        "Mitigación",
        "Reversión y backfill",
        "Escalamiento",
        "Evidencia",
    ],
)
CHANGING = re.compile(
    r"hubctl (lane (pause|drain|resume)|breaker (open|try)|jobs (resolve|cancel)|plan (?!list|show|watch))"
)


def said(page: Path) -> list[str]:
    """Every command line of a page, those in its sentences too."""
    return commands(page) + re.findall(r"`(hubctl [^`]+)`", page.read_text())


def lines(start: str) -> list[str]:
    """Every command of every page that begins so, once each."""
    return sorted({line for page in PAGES for line in said(page) if line.startswith(start)})


def without_reasons(line: str) -> list[str]:
    """A command, whatever the language of its reason."""
    words = shlex.split(line)
    return [word for before, word in zip(["", *words], words, strict=False) if before != "--reason"]


@pytest.mark.parametrize("line", lines("hubctl "))
def test_every_command_parses(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JOB.zip", "PLAN.zip", "VKEY"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    parse(hubctl, line)


@pytest.mark.parametrize("line", ["hubctl dlq triag", "hubctl dlq list --caus bug", "hubctl plan approve"])
def test_what_is_no_command_does_not_parse(line: str) -> None:
    with pytest.raises(click.UsageError, match=r"(?i)no such|missing"):
        parse(hubctl, line)


@pytest.mark.parametrize("line", lines("python -m "))
def test_every_module_command_exists_and_has_its_options(line: str) -> None:
    module, *rest = line.split()[2:]
    words = rest[:1] if module == "spokes" else []
    run = subprocess.run(
        [sys.executable, "-m", module, *words, "--help"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert run.returncode == 0, run.stderr
    assert [option for option in rest if option.startswith("--") and option not in run.stdout] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_shows_no_other_programs(page: Path) -> None:
    assert [line for line in commands(page) if not line.startswith(("hubctl ", "python -m "))] == []


@pytest.mark.parametrize("line", [line for line in lines("hubctl ") if CHANGING.match(line)])
def test_every_command_that_changes_something_is_complete(line: str) -> None:
    assert {"--reason", "--ticket", "--as"} <= set(shlex.split(line))


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.name)
def test_every_page_has_the_same_shape(page: Path) -> None:
    assert re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE) in SHAPES


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.name)
def test_every_part_that_needs_commands_has_some(page: Path) -> None:
    for part in re.split(r"^## ", page.read_text(), flags=re.MULTILINE)[1:]:
        if part.startswith(("Diag", "Mitig", "Eviden")):
            assert "```sh\nhubctl " in part, part.splitlines()[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#]*)(?:#([^)]+))?\)", page.read_text()):
        linked = page.parent / target if target else page
        assert linked.is_file(), target
        headings = re.findall(r"^#+ (.+)$", linked.read_text(), re.MULTILINE)
        assert not anchor or anchor in [heading.lower().replace(" ", "-") for heading in headings]


def test_a_page_and_its_translation_have_the_same_commands() -> None:
    translated = [page for page in RUNBOOKS if page.name.endswith(".es.md")]
    assert translated
    for page in translated:
        original = page.with_name(page.name.replace(".es.md", ".md"))
        assert [*map(without_reasons, said(page))] == [*map(without_reasons, said(original))]
        assert re.findall(r"≤ \d+ \w+", page.read_text()) == re.findall(r"≤ \d+ \w+", original.read_text())


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_a_page_that_names_it(alert: str) -> None:
    (row,) = re.findall(rf"^\| `{alert}` \|.*$", INDEX.read_text(), re.MULTILINE)
    pages = re.findall(r"\]\(([^)]+)\)", row)
    assert pages
    assert all(f"`{alert}`" in (HOME / page).read_text() for page in pages)


def test_every_page_is_in_the_index() -> None:
    linked = set(re.findall(r"\]\(([^)#]+)\)", INDEX.read_text()))
    assert linked == {page.name for page in RUNBOOKS}


def test_every_page_that_the_hub_names_exists() -> None:
    sources = [path for kind in ("py", "sql") for path in (ROOT / "hub").rglob(f"*.{kind}")]
    named = {
        name for path in sources for name in re.findall(r"docs/runbooks/([\w.-]+\.md)", path.read_text())
    }
    assert [name for name in named if not (HOME / name).is_file()] == []


def test_the_times_are_those_of_the_severity_matrix() -> None:
    matrix = re.findall(
        r"^\| \*\*(SEV\d)\*\* \|.*?\| ≤ (\S+) .*?\| ≤ (.+?) \| every (.+?) \|", INDEX.read_text(), re.M
    )
    assert matrix == [
        ("SEV0", "5", "30 min", "15 min"),
        ("SEV1", "10", "60 min", "30 min"),
        ("SEV2", "30", "4 h", "2 h"),
    ]
    times = re.compile(r"≤ \d+ \w+")
    assert times.findall((HOME / "provider-down.md").read_text()) == times.findall(INDEX.read_text())


def test_blocks_of_commands_hold_no_placeholders_of_another_kind() -> None:
    text = "\n".join(block for page in PAGES for block in blocks("sh", page))
    assert re.findall(r"<\w+>|\.\.\.|…", text) == []
