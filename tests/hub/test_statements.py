"""What statements have in common is said once, in parts."""

from pathlib import Path

from hub.store import statements
from tests.bugs.tree import ROOT

SQL = ROOT / "hub" / "store" / "sql"


def said(path: Path) -> str:
    """What a part says, without what it names in its turn."""
    return path.read_text().rstrip().partition("{")[0]


def test_a_statement_says_the_parts_that_it_names_and_theirs() -> None:
    settle = str(statements.SETTLE)
    for part in ("letters_alarmed", "alert_fires"):
        assert said(SQL / "parts" / f"{part}.sql") in settle
        assert f"{{{part}}}" not in settle


def test_every_part_is_said_by_more_than_one_statement() -> None:
    whole = [str(statements.read(path.stem)) for path in SQL.glob("*.sql")]
    for part in (SQL / "parts").glob("*.sql"):
        assert sum(said(part) in statement for statement in whole) > 1, part.name
