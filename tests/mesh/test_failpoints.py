"""Failpoints: inert unless enabled, acting once when armed, and each reached by the product."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from mesh import failpoints
from mesh.failpoints import POINTS, FailpointError, Failpoints

ROOT = Path(__file__).resolve().parents[2]
CALL = re.compile(r"""\breach(?:\(|, )"([^"]+)""")
PASS_AND_SAY = "import sys; from mesh.failpoints import reach; reach('hub.claimed', 'j.1'); print('passed')"


def start(variables: Mapping[str, str]) -> "subprocess.Popen[str]":
    """A process that passes one point."""
    environment = {"PATH": os.environ["PATH"], **variables}
    return subprocess.Popen(
        [sys.executable, "-c", PASS_AND_SAY], env=environment, cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """How it ended, and what it said."""
    said, _ = process.communicate(timeout=20)
    return process.returncode, said


def test_every_point_is_reached_by_a_call_and_every_call_names_a_point() -> None:
    folders = ("mesh", "hub", "audit_service", "spokes")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    called = {name for file in files for name in CALL.findall(file.read_text())}
    assert called == set(POINTS)


def test_only_stores_and_what_speaks_to_others_know_failpoints() -> None:
    knowing = {file.name for file in (ROOT / "hub").glob("*/*.py") if "failpoints" in file.read_text()}
    assert knowing == {"store.py", "arrivals.py", "audit.py", "spokes.py"}


def test_a_process_without_the_variable_has_no_failpoints(tmp_path: Path) -> None:
    (tmp_path / "hub.claimed").write_text("kill")
    assert ended(start({"FAILPOINTS_TRACE": str(tmp_path)})) == (0, "passed\n")
    assert [file.name for file in tmp_path.iterdir()] == ["hub.claimed"]
    assert failpoints.from_variables({}) is failpoints.from_variables({"FAILPOINTS_DIR": ""})


def test_an_armed_point_kills_the_process_that_passes_and_leaves_its_trace(tmp_path: Path) -> None:
    armed, trace = tmp_path / "armed", tmp_path / "trace"
    armed.mkdir()
    trace.mkdir()
    (armed / "hub.claimed").write_text("kill\n")
    enabled = {"FAILPOINTS_DIR": str(armed), "FAILPOINTS_TRACE": str(trace), "FAILPOINTS_ROLE": "hub"}
    first = start(enabled)
    assert ended(first) == (-signal.SIGKILL, "")
    assert ended(start(enabled)) == (0, "passed\n")
    (line,) = (trace / f"hub-{first.pid}").read_text().splitlines()
    assert line.split(" ")[1:] == ["hub.claimed", "j.1", "!kill"]


def test_a_point_armed_once_strikes_one_of_many_processes(tmp_path: Path) -> None:
    (tmp_path / "hub.claimed").write_text("kill")
    together = [start({"FAILPOINTS_DIR": str(tmp_path)}) for _ in range(4)]
    assert sorted(ended(process)[0] for process in together) == [-signal.SIGKILL, 0, 0, 0]


def test_a_paused_process_goes_on_when_it_is_told_to(tmp_path: Path) -> None:
    (tmp_path / "hub.claimed").write_text("pause")
    process = start({"FAILPOINTS_DIR": str(tmp_path)})
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    assert psutil.Process(process.pid).status() == psutil.STATUS_STOPPED
    process.send_signal(signal.SIGCONT)
    assert ended(process) == (0, "passed\n")


def test_a_point_armed_to_break_raises_once(tmp_path: Path) -> None:
    points = Failpoints(tmp_path)
    (tmp_path / "hub.settled").write_text("error")
    with pytest.raises(FailpointError, match="told to break"):
        points.reach("hub.settled")
    points.reach("hub.settled")


def test_a_point_lets_as_many_pass_as_it_is_told(tmp_path: Path) -> None:
    points = Failpoints(tmp_path)
    for _ in range(2):
        (tmp_path / "hub.settled").write_text("error after 2")
        points.reach("hub.settled")
        points.reach("hub.settled")
        with pytest.raises(FailpointError):
            points.reach("hub.settled")


def test_a_point_armed_for_a_role_strikes_nobody_else(tmp_path: Path) -> None:
    hub, actor = Failpoints(tmp_path, role="hub"), Failpoints(tmp_path, role="actor")
    (tmp_path / "actor.worker.read").write_text("error")
    hub.reach("worker.read")
    with pytest.raises(FailpointError):
        actor.reach("worker.read")
