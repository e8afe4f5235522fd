"""The page on faults names failpoints that there are."""

import re
from collections.abc import Set

import pytest

from mesh.failpoints import POINTS
from tests.bugs.tree import ROOT

PAGE = (ROOT / "docs" / "faults.md").read_text()
NAMED = re.findall(r"^\| [^`|]+ \| `([\w/]+\.py)`: `(test_\w+)` \|$", PAGE, re.M)


def points(page: str) -> Set[str]:
    """What is named in backticks as a failpoint is; not the files and patterns of the same beginning."""
    named = re.findall(r"`((?:hub|worker|spoke|audit)\.[a-z_]+)`", page)
    return {name for name in named if not name.endswith(".py")}


def test_every_failpoint_that_the_page_names_is_there() -> None:
    assert points(PAGE) >= {"hub.accepting", "worker.read", "spoke.signed"}
    assert points(PAGE) <= set(POINTS)


@pytest.mark.parametrize("name", ["hub/store.md", "hub.py", "hub.event_*", "audit.*", "audit_service.verify"])
def test_what_is_a_file_or_a_pattern_is_no_failpoint(name: str) -> None:
    assert not points(f"`{name}`")


@pytest.mark.parametrize("pattern", re.findall(r"`((?:hub|worker|spoke|audit)\.[a-z_]*)\*`", PAGE))
def test_every_pattern_of_failpoints_fits_some(pattern: str) -> None:
    assert [name for name in POINTS if name.startswith(pattern)]


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_every_test_that_holds_what_the_page_says_is_there(file: str, name: str) -> None:
    assert f"def {name}(" in (ROOT / "tests" / file).read_text()


def test_the_page_names_tests_for_what_goes_away_comes_late_or_is_too_much() -> None:
    section = PAGE.partition("## What goes away, comes late, or is too much")[2].partition("\n## ")[0]
    assert section.count("`test_") >= 35
