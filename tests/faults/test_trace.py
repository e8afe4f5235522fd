"""Where in an attempt's life a kill fell, by a hand-made trace."""

from pathlib import Path

import pytest

from tests.faults.trace import AFTER, CLAIMED, STATED, WRITTEN, Kill, Pass, parse, read, windows

PASSES = (
    Pass(1.0, "hub.claimed", ("a.1", "b.1")),
    Pass(2.0, "hub.executing", ("a.1",)),
    Pass(3.0, "worker.written", ("a.1",)),
    Pass(4.0, "worker.read", ("a.1",)),
    Pass(5.0, "hub.settled", ("a.1",)),
    Pass(6.0, "hub.settled", ("b.1",)),
)
PROVIDERS = {"a": "echo", "b": "smtp"}


@pytest.mark.parametrize(
    ("kill", "window"),
    [
        (Kill(0.5, "hub"), AFTER),
        (Kill(1.5, "hub"), CLAIMED),
        (Kill(2.5, "hub"), STATED),
        (Kill(3.5, "hub"), WRITTEN),
        (Kill(4.5, "hub"), WRITTEN),
        (Kill(5.5, "hub"), CLAIMED),
        (Kill(6.5, "hub"), AFTER),
        (Kill(3.5, "spoke-smtp", "smtp"), CLAIMED),
        (Kill(3.5, "spoke-echo", "echo"), WRITTEN),
        (Kill(5.5, "spoke-echo", "echo"), AFTER),
    ],
)
def test_a_kill_falls_into_the_latest_window_of_the_attempts_its_victim_had(kill: Kill, window: str) -> None:
    assert windows(PASSES, [kill], PROVIDERS) == {window: 1}


def test_traces_of_several_processes_are_read_in_order_of_time(tmp_path: Path) -> None:
    (tmp_path / "hub-1").write_text("2.000000 hub.claimed a.1 b.1\n3.000000 hub.executing a.1 !kill\n")
    (tmp_path / "actor-2").write_text("2.500000 worker.begun a.1\n")
    assert read(tmp_path) == [
        Pass(2.0, "hub.claimed", ("a.1", "b.1"), "", "hub-1"),
        Pass(2.5, "worker.begun", ("a.1",), "", "actor-2"),
        Pass(3.0, "hub.executing", ("a.1",), "kill", "hub-1"),
    ]


def test_a_point_without_ids_keeps_its_action() -> None:
    assert parse("1.5 hub.appending !kill", process="hub-1") == Pass(
        1.5, "hub.appending", (), "kill", "hub-1"
    )
