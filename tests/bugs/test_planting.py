"""The whole way once: a copy, a bug in it, and a test of the copy that fails or does not."""

import shutil
from pathlib import Path

import pytest

from tests.bugs.runs import not_caught, run_tests
from tests.bugs.table import BUGS
from tests.bugs.tree import ROOT, copy_source

TEST = "tests/hub/test_breaker.py::test_a_providers_wait_holds_the_whole_lane"
BUG = next(bug for bug in BUGS if TEST in bug.tests)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the product."""
    copy_source(tmp_path / "tree")
    return tmp_path / "tree"


def test_a_bug_is_caught_in_the_copy_and_the_product_stays_as_it_is(tree: Path) -> None:
    before = (ROOT / BUG.file).read_text()
    sound = run_tests(tree, [TEST], database_url="")
    assert not_caught(sound, [TEST]) == [f"{TEST} passes"]
    BUG.plant(tree)
    assert not_caught(run_tests(tree, [TEST], database_url=""), [TEST]) == []
    assert (ROOT / BUG.file).read_text() == before


def test_a_bug_that_breaks_the_import_is_not_caught(tree: Path) -> None:
    (tree / BUG.file).write_text("import nothing_of_that_name\n")
    assert not_caught(run_tests(tree, [TEST], database_url=""), [TEST]) == [f"{TEST} did not run"]


def test_a_copy_that_is_not_the_one_imported_is_noticed(tree: Path) -> None:
    shutil.rmtree(tree / "hub")
    complaints = not_caught(run_tests(tree, [TEST], database_url=""), [TEST])
    assert "hub.lanes.gate is not the copy's" in complaints
