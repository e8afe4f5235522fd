"""All bugs, and the table of them that people read."""

from collections.abc import Iterator, Sequence

from tests.bugs.bug import Bug
from tests.bugs.going import GOING
from tests.bugs.people import PEOPLE
from tests.bugs.sending import SENDING
from tests.bugs.storing import STORING

BUGS: Sequence[Bug] = (*SENDING, *STORING, *PEOPLE, *GOING)

HEAD = "| Planted bug | What it breaks | What must hold | Caught by |"


def markdown() -> Iterator[str]:
    """The lines of the table."""
    yield HEAD
    yield "|---|---|---|---|"
    for bug in BUGS:
        yield f"| `{bug.name}` | {bug.breaks} | {bug.holds} | {caught_by(bug)} |"


def caught_by(bug: Bug) -> str:
    """The tests that catch a bug, each by its file and name."""
    tests = (test.removeprefix("tests/").partition("[")[0].partition("::") for test in bug.tests)
    return "<br>".join(dict.fromkeys(f"`{file}`: `{name}`" for file, _, name in tests))


def documented(page: str) -> list[str]:
    """The rows of the table on a page; empty if it is not there."""
    _, _, after = page.partition(HEAD + "\n")
    rows = after.split("\n\n")[0].splitlines()
    return [row for row in rows if row.startswith("| `")]
