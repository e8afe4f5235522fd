"""`python -m tests.bugs`: plants each bug into a copy of the product and demands that tests fail."""

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from tests.bugs.bug import Bug, NotPlanted
from tests.bugs.database import database_url
from tests.bugs.runs import Report, not_caught, not_sound, run_tests
from tests.bugs.table import BUGS, caught_by, markdown
from tests.bugs.tree import copy_copy, copy_source

FAILED = 1


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a bug: no complaints, if all its tests have caught it."""

    bug: Bug
    seconds: float
    complaints: Sequence[str]
    said: Sequence[str]


@click.command()
@click.option(
    "--only", "names", multiple=True, type=click.Choice([b.name for b in BUGS]), help="Only this bug."
)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON for each bug.")
@click.option("--table", is_flag=True, help="Print the table for docs/faults.md, and nothing else.")
def main(names: tuple[str, ...], as_json: bool, table: bool) -> None:
    """Exit code 1: a bug is not caught, or its tests do not pass without it."""
    if table:
        click.echo("\n".join(markdown()))
        return
    bugs = [b for b in BUGS if not names or b.name in names]
    home = Path(tempfile.mkdtemp(prefix="bugs-"))
    home.chmod(0o711)
    try:
        with database_url() as url:
            good = run(bugs, home, url, as_json=as_json)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    sys.exit(0 if good else FAILED)


def run(bugs: Sequence[Bug], home: Path, url: str, *, as_json: bool) -> bool:
    """Runs the tests without a bug, then with each; True if all bugs are caught."""
    sound = home / "sound"
    copy_source(sound)
    tests = sorted({test for bug in bugs for test in bug.tests})
    report = run_tests(sound, tests, database_url=url)
    if complaints := not_sound(report, tests):
        click.echo("\n".join([report.output, *complaints]), err=True)
        return False
    if not as_json:
        click.echo(f"{len(tests)} tests pass without a bug in {report.seconds:.0f} s")
    good = True
    for found in search(bugs, sound, home / "planted", url):
        good = good and not found.complaints
        click.echo(json.dumps(_row(found)) if as_json else _line(found))
    return good


def search(bugs: Sequence[Bug], sound: Path, planted: Path, url: str) -> Iterator[Found]:
    """Plants one bug after the other, each into a copy of its own."""
    for bug in bugs:
        copy_copy(sound, planted)
        try:
            bug.plant(planted)
            report = run_tests(planted, bug.tests, database_url=url)
            yield Found(bug, report.seconds, not_caught(report, bug.tests), _said(report))
        except NotPlanted as problem:
            yield Found(bug, 0.0, [str(problem)], [])
        finally:
            shutil.rmtree(planted)


def _said(report: Report) -> list[str]:
    return [end.said.partition("\n")[0] for end in report.ends.values()]


def _line(found: Found) -> str:
    verdict = "; ".join(found.complaints) if found.complaints else caught_by(found.bug).replace("`", "")
    mark = "NOT CAUGHT" if found.complaints else "caught"
    return f"{found.bug.name:28} {mark:10} {found.seconds:5.1f} s  " + verdict.replace("<br>", ", ")


def _row(found: Found) -> dict[str, object]:
    return {
        "bug": found.bug.name,
        "caught": not found.complaints,
        "tests": found.bug.tests,
        "said": found.said,
        "complaints": found.complaints,
        "seconds": round(found.seconds, 1),
    }


if __name__ == "__main__":
    main()
