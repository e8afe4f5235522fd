"""The table of bugs fits the product as it is, and the page that shows it."""

import subprocess
import sys

import pytest

from tests.bugs.bug import Bug, NotPlanted
from tests.bugs.table import BUGS, documented, markdown
from tests.bugs.tree import ROOT

PAGE = ROOT / "docs" / "faults.md"


@pytest.mark.parametrize("bug", BUGS, ids=lambda b: b.name)
def test_every_bug_can_still_be_planted(bug: Bug) -> None:
    source = (ROOT / bug.file).read_text()
    planted = bug.planted(source)
    assert planted != source
    if bug.file.endswith(".py"):
        compile(planted, bug.file, "exec")


def test_the_tests_that_catch_bugs_are_there_each_with_the_case_that_is_meant() -> None:
    named = {test for bug in BUGS for test in bug.tests}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-m", "", "-n0"]
    command += sorted({test.partition("::")[0] for test in named})
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert all(bug.tests for bug in BUGS)
    assert not named - set(done.stdout.splitlines())


def test_there_are_enough_bugs_and_each_has_a_name_of_its_own() -> None:
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 16


def test_a_bug_is_planted_only_where_it_is_meant() -> None:
    bug = Bug("x", "f", "a", "b", "", "", ("t",))
    assert bug.planted("1 a 2") == "1 b 2"
    for source in ("none", "a a"):
        with pytest.raises(NotPlanted):
            bug.planted(source.replace("n", ""))


def test_a_page_is_read_up_to_the_end_of_its_table() -> None:
    rows = [row for row in markdown() if row.startswith("| `")]
    page = "\n".join(["# Faults", "", *markdown(), "", "| `another` | table |"])
    assert documented(page) == rows
    assert documented("| `another` | table |\n") == []


def test_the_page_shows_the_bugs_as_they_are() -> None:
    assert documented(PAGE.read_text()) == [row for row in markdown() if row.startswith("| `")]
