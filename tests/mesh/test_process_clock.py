"""The clock of a process: the machine's own unless a fault test has asked for a way to move it."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mesh import process_clock
from mesh.clock import SystemClock

ROOT = Path(__file__).resolve().parents[2]
SAY = "from mesh.process_clock import process_clock; print(type(process_clock).__name__)"
SLACK = timedelta(seconds=30)


def clock_of(**variables: str) -> str:
    """The kind of clock that a process has."""
    environment = {"PATH": os.environ["PATH"], **variables}
    return subprocess.check_output([sys.executable, "-c", SAY], env=environment, cwd=ROOT, text=True).strip()


def test_a_process_without_the_variable_has_the_machines_clock() -> None:
    assert clock_of() == clock_of(CLOCK_OFFSET_FILE="") == SystemClock.__name__
    assert clock_of(CLOCK_OFFSET_FILE="/there/is/none") == process_clock.WrongClock.__name__


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_a_moved_wall_clock_is_wrong_until_it_is_right_again_and_leaves_the_monotonic_one(
    tmp_path: Path, jump: float
) -> None:
    file = tmp_path / "clock"
    clock = process_clock.from_variables({process_clock.OFFSET_FILE: str(file)})
    assert abs(clock.now() - datetime.now(UTC)) < SLACK
    before = clock.monotonic()
    file.write_text(str(jump))
    assert abs(clock.now() - datetime.now(UTC) - timedelta(seconds=jump)) < SLACK
    assert 0 <= clock.monotonic() - before < SLACK.total_seconds()
    file.write_text("0")
    assert abs(clock.now() - datetime.now(UTC)) < SLACK
