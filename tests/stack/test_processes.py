"""Starting, watching and ending processes."""

import sys
from pathlib import Path

import psutil
import pytest

from hubctl.errors import PartFailed
from local.stack.processes import Command, Process, environment_of, kill_group, still_runs, until

FAMILY = (
    "import subprocess, sys;"
    "subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'], start_new_session=True).wait()"
)


def python(program: str, **environment: str) -> Command:
    """A command that runs a program."""
    return Command([sys.executable, "-c", program], environment)


async def never() -> bool:
    """Is never so."""
    return False


async def test_a_part_that_ends_is_reported_with_its_last_words(tmp_path: Path) -> None:
    process = Process("clumsy", python("import sys; sys.exit('no database')"), tmp_path / "log")
    with pytest.raises(PartFailed, match=r"clumsy ended with 1(.|\n)*no database"):
        await process.ready(never, 10)


async def test_a_part_that_takes_too_long_is_reported(tmp_path: Path) -> None:
    process = Process("slow", python("input()"), tmp_path / "log")
    process_waits = Process("slow", python("import signal; signal.pause()"), tmp_path / "log2")
    with pytest.raises(PartFailed, match=r"slow was not ready within 0\.2 s"):
        await process_waits.ready(never, 0.2)
    process_waits.kill()
    assert await process.ended(10)


async def test_killing_a_part_kills_what_it_started(tmp_path: Path) -> None:
    process = Process("family", python(FAMILY), tmp_path / "log")

    async def has_child() -> bool:
        return bool(psutil.Process(process.pid).children())

    assert await until(has_child, 10)
    child = psutil.Process(process.pid).children()[0]
    process.kill()
    assert not process.is_running
    psutil.wait_procs([child], timeout=5)
    assert not still_runs(child.pid, child.create_time())


async def test_a_drained_part_may_finish(tmp_path: Path) -> None:
    program = (
        "import signal, sys; signal.signal(15, lambda *_: (print('done'), sys.exit(0)));"
        "print('up', flush=True); signal.pause()"
    )
    process = Process("polite", python(program), tmp_path / "log")

    async def is_up() -> bool:
        return "up" in process.log.read_text()

    assert await until(is_up, 10)
    process.drain()
    assert await process.ended(10)
    assert process.returncode == 0
    assert "done" in process.tail()


def test_a_part_sees_none_of_our_environment_but_what_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://a:secret@h/d")
    seen = environment_of(python("", HUB_LISTEN="here"))
    assert "DATABASE_URL" not in seen
    assert seen["HUB_LISTEN"] == "here"
    assert "secret" not in repr(Command(["x"], {"URL": "secret"}))


def test_a_number_used_again_is_another_process(tmp_path: Path) -> None:
    process = Process("one", python("input()"), tmp_path / "log")
    assert not still_runs(process.pid, process.created - 100)
    process.kill()
    assert not still_runs(process.pid, process.created)
    kill_group(process.pid)
