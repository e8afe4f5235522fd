"""What statements have in common is said once, in parts."""

from pathlib import Path

from hub.database.statements import read
from tests.bugs.tree import ROOT

HUB = ROOT / "hub"


def said(path: Path) -> str:
    """What a part says, without what it names in its turn."""
    return path.read_text().rstrip().partition("{")[0]


def test_a_statement_says_the_parts_that_it_names_and_theirs() -> None:
    settle = str(read("hub.lanes", "settle"))
    for part in ("letters_alarmed", "alert_fires"):
        assert said(HUB / "alerts" / "sql" / "parts" / f"{part}.sql") in settle
        assert f"{part}}}" not in settle


def test_every_part_is_said_by_more_than_one_statement() -> None:
    slices = {path: f"hub.{path.parent.parent.name}" for path in HUB.glob("*/sql/*.sql")}
    whole = [str(read(package, path.stem)) for path, package in slices.items()]
    parts = [*HUB.glob("*/sql/parts/*.sql")]
    assert parts
    for part in parts:
        assert sum(said(part) in statement for statement in whole) > 1, part.name
