"""What statements have in common is said once, in parts; numbers of states stand nowhere in them."""

import re
from pathlib import Path

import pytest

from hub.database import statements
from hub.events.told import EventKind
from hub.jobs.contradicting import Proposal
from hub.jobs.statements import reader
from hub.lanes.breaker import BreakerState
from hub.lanes.model import LaneMode
from hub.plans.model import ItemState, PlanState
from tests.bugs.tree import ROOT

HUB = ROOT / "hub"
FILES = sorted(HUB.glob("*/sql/*.sql"))
PARTS = sorted(HUB.glob("*/sql/parts/*.sql"))
A_NUMBER = re.compile(r"\b(?:state|mode|cause|letter)\b\s*(?:=|<>|(?:NOT )?IN \()\s*\d+|THEN (?:[2-9]|10)\b")


def whole(path: Path) -> str:
    """A statement with all that it names."""
    enums = (LaneMode, BreakerState, PlanState, ItemState, EventKind, Proposal)
    return str(reader(f"hub.{path.parent.parent.name}", *enums)(path.stem))


def said(path: Path) -> str:
    """What a part says, without what it names in its turn."""
    return path.read_text().rstrip().partition("{")[0]


def test_a_statement_says_the_parts_that_it_names_and_theirs() -> None:
    settle = whole(HUB / "lanes" / "sql" / "settle.sql")
    for part in (
        "jobs/sql/parts/transition",
        "jobs/sql/parts/letters_alarmed",
        "alerts/sql/parts/alert_fires",
    ):
        assert said(HUB / f"{part}.sql") in settle
    assert "{" not in settle


@pytest.mark.parametrize("part", PARTS, ids=lambda path: path.stem)
def test_every_part_is_said_by_more_than_one_statement(part: Path) -> None:
    assert sum(said(part) in whole(path) for path in FILES) > 1


@pytest.mark.parametrize("path", [*FILES, *PARTS], ids=lambda path: path.stem)
def test_states_and_causes_are_named_and_not_numbered(path: Path) -> None:
    text = re.sub(r"letter (?:=|<>) 0|0 AS letter|cause AS smallint\) = 0", "", path.read_text())
    assert not A_NUMBER.findall(text)


def test_only_one_text_moves_jobs_and_writes_their_events_and_their_archive() -> None:
    for what in (
        "INSERT INTO job_event",
        "INSERT INTO job_done",
        "INSERT INTO dead_letter",
        "DELETE FROM job ",
    ):
        assert [path.stem for path in (*FILES, *PARTS) if what in path.read_text()] == ["transition"], what


def test_a_name_that_nobody_gave_is_refused_when_the_statement_is_read() -> None:
    with pytest.raises(KeyError, match="JobState"):
        statements.reader("hub.jobs")("accept")


def test_what_filters_of_letters_and_of_ended_jobs_share_is_said_once() -> None:
    assert sum("CAST(:account AS text) = ''" in path.read_text() for path in [*FILES, *PARTS]) == 1
