"""Runs tests in a copy of the product, and judges whether they have caught a bug."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bugs.witness import REPORT

TEST_SECONDS = 60
RUN_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class End:
    """How a test ended. `judged`: it failed by its own judgement, not by an accident."""

    phase: str
    passed: bool
    judged: bool
    said: str


@dataclass(frozen=True, slots=True)
class Report:
    """How tests ended, by their ids. `foreign`: modules of the product that were not the copy's."""

    ends: Mapping[str, End]
    foreign: Sequence[str]
    seconds: float
    output: str


def run_tests(tree: Path, tests: Sequence[str], *, database_url: str) -> Report:
    """Runs tests of a copy with the interpreter that runs this."""
    with tempfile.TemporaryDirectory(prefix="bugs-report-") as directory:
        report = Path(directory) / "report.json"
        command = [sys.executable, "-m", "pytest", "-p", "tests.bugs.witness", "-p", "no:cacheprovider"]
        command += [f"--timeout={TEST_SECONDS}", "--tb=short", *tests]
        begun = time.monotonic()
        output = _run(command, tree, {REPORT: str(report), "DATABASE_URL": database_url})
        written = json.loads(report.read_text()) if report.exists() else {"ends": {}, "foreign": []}
    ends = {test: End(**end) for test, end in written["ends"].items()}
    return Report(ends, written["foreign"], time.monotonic() - begun, output)


def not_sound(report: Report, tests: Sequence[str]) -> list[str]:
    """Why the copy without a bug is no ground to judge on; empty if it is."""
    if not report.ends:
        return ["no test ran"]
    bad = [t for t in tests if t not in report.ends or not report.ends[t].passed]
    return [*_foreign(report), *(f"{t} does not pass without a bug" for t in bad)]


def not_caught(report: Report, tests: Sequence[str]) -> list[str]:
    """Which tests have not noticed the bug, and why not; empty if all have."""
    complaints = _foreign(report)
    for test in tests:
        end = report.ends.get(test)
        if end is None:
            complaints.append(f"{test} did not run")
        elif end.passed:
            complaints.append(f"{test} passes")
        elif end.phase != "call" or not end.judged:
            complaints.append(f"{test} fails by accident in {end.phase}: {end.said}")
    return complaints


def _foreign(report: Report) -> list[str]:
    return [f"{module} is not the copy's" for module in report.foreign]


def _run(command: Sequence[str], tree: Path, more: Mapping[str, str]) -> str:
    environment = {**os.environ, **more, "PYTHONPATH": f"{tree}:{tree / 'protos'}"}
    process = subprocess.Popen(
        command,
        cwd=tree,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        return process.communicate(timeout=RUN_SECONDS)[0]
    except subprocess.TimeoutExpired:
        return "the run did not end in time"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
