"""What campaigns judge by: a fault in it would let a violation pass."""

import inspect
import re
from pathlib import Path

import pytest

from tests.campaigns import books, person, standstill, troubles
from tests.campaigns.person import PageUnclear
from tests.campaigns.report import Report, milliseconds

HERE = Path(__file__).parent
PAGES = re.compile(r'person\.at\("([^"]+)"')
TYPED = re.compile(r'\.types\(\s*"([^"]+)"')


def payment(status: str = "succeeded", created: float = 100.0) -> dict[str, object]:
    """A record of the provider."""
    return {"status": status, "created": created}


@pytest.mark.parametrize(
    ("payments", "wrong"),
    [
        ({"a": [payment()]}, []),
        ({"a": [payment(), payment()]}, ["a"]),
        ({"a": [payment("requires_action")]}, ["a"]),
        ({}, ["a"]),
    ],
)
def test_a_job_is_made_once_only_with_one_payment_that_succeeded(
    payments: books.Payments, wrong: list[str]
) -> None:
    assert books.not_once(["a"], payments) == wrong


def test_the_peak_is_of_one_second_and_after_the_moment() -> None:
    made = {"a": [payment(created=at) for at in (10.0, 10.5, 10.9, 11.0, 12.0)]}
    assert (books.peak(made, since=0), books.peak(made, since=11)) == (3, 1)


def test_latencies_are_given_in_milliseconds_with_how_many_there_are() -> None:
    assert milliseconds([n / 1000 for n in range(1, 101)]) == {"n": 100, "p50": 51.0, "p95": 96.0}
    assert milliseconds([]) == {"n": 0, "p50": 0.0, "p95": 0.0}


def test_only_a_claim_that_does_not_hold_is_a_violation() -> None:
    report = Report("any", quiet=True)
    report.expect("it holds", True)
    assert report.violations == []
    report.expect("it holds", False, 7)
    assert report.violations == ["NOT SO: it holds (7)"]


@pytest.mark.parametrize("module", ["deadletters", "rollback", "backfill", "poison", "resolve"])
def test_every_command_that_a_campaign_types_stands_in_its_page(module: str, tmp_path: Path) -> None:
    source = (HERE / f"{module}.py").read_text()
    (page,) = PAGES.findall(source)
    starts = TYPED.findall(source)
    assert starts
    ana = person.at(page, tmp_path, Report("any", quiet=True))
    for start in starts:
        assert ana.line(start).startswith(start)


@pytest.mark.parametrize("trouble", troubles.TROUBLES.values())
def test_every_command_that_ends_a_trouble_stands_in_the_page_of_its_alert(
    trouble: type[troubles.Trouble], tmp_path: Path
) -> None:
    sources = [inspect.getsource(trouble), inspect.getsource(standstill)]
    if trouble.alert == "SpokeAway":
        sources.append(inspect.getsource(troubles.find))
    ana = person.at(trouble.page, tmp_path, Report("any", quiet=True))
    for start in TYPED.findall("".join(sources)):
        assert ana.line(start).startswith(start)


def test_a_command_that_the_page_does_not_have_is_no_command(tmp_path: Path) -> None:
    with pytest.raises(PageUnclear):
        person.at("rollback.md", tmp_path, Report("any", quiet=True)).line("hubctl plan undo")
