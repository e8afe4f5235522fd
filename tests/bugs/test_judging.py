"""A failure counts only if it is the test's own judgement on the copy's own code."""

from dataclasses import replace

import pytest

from tests.bugs.runs import End, Report, not_caught, not_sound

CAUGHT = End("call", passed=False, judged=True, said="AssertionError: assert 1 == 2")
PASSED = End("call", passed=True, judged=False, said="")


def report(end: End | None, *foreign: str) -> Report:
    """What a run of one test came to; None: it did not run."""
    return Report({"t": end} if end else {}, foreign, 1.0, "")


def test_a_test_that_judges_catches() -> None:
    assert not_caught(report(CAUGHT), ["t"]) == []


@pytest.mark.parametrize(
    "accident",
    [
        PASSED,
        None,
        replace(CAUGHT, phase="setup"),
        replace(CAUGHT, judged=False, said="ImportError: no such module"),
    ],
    ids=["passes", "did not run", "breaks before it begins", "cannot import"],
)
def test_anything_else_does_not(accident: End | None) -> None:
    assert not_caught(report(accident), ["t"])


def test_all_tests_must_catch() -> None:
    assert not_caught(Report({"t": CAUGHT, "u": PASSED}, [], 1.0, ""), ["t", "u"]) == ["u passes"]


def test_nothing_is_judged_on_code_that_is_not_the_copys() -> None:
    assert not_caught(report(CAUGHT, "hub.jobs.decide"), ["t"])
    assert not_sound(report(PASSED, "hub.jobs.decide"), ["t"])


def test_what_fails_without_a_bug_is_no_ground() -> None:
    assert not_sound(report(PASSED), ["t"]) == []
    assert not_sound(report(CAUGHT), ["t"])
    assert not_sound(report(None), ["t"])
