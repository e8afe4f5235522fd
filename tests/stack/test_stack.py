"""The stack as a whole: one at a time, killed and started again, and nothing left behind."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubctl import probes
from hubctl.errors import NotReady, PortTaken
from hubctl.profile import read
from hubctl.status import ask
from local.stack import down, record
from local.stack.certificates import OPERATOR
from local.stack.layout import Layout
from local.stack.parts import INLINE
from local.stack.ports import free_block
from local.stack.stack import Options, Stack


@pytest.fixture
def open_state() -> Iterator[Path]:
    """A state directory that Postgres' user can reach, as pytest's own are not."""
    state = Path(tempfile.mkdtemp(prefix="stack-"))
    yield state
    shutil.rmtree(state)


async def test_a_second_stack_in_the_same_place_is_refused(small_stack: Stack) -> None:
    ports = small_stack.ports
    held = rf"hubctl down(.|\n)*{ports.of('hub')} \(hub\) is held by process \d+: .*hub serve"
    with pytest.raises(NotReady, match=held):
        await Stack(small_stack.options).start()


async def test_a_second_stack_on_the_same_ports_is_told_who_holds_them(
    small_stack: Stack, tmp_path: Path
) -> None:
    other = Options(Layout.at(tmp_path), base_port=small_stack.ports.base, spokes=("echo",), pool=INLINE)
    with pytest.raises(PortTaken, match=r"\(audit\) is held by process \d+: .*audit_service serve"):
        await Stack(other).start()


async def test_every_part_is_on_record_with_a_probe_that_answers(small_stack: Stack) -> None:
    known = record.read(small_stack.layout)
    assert {p.name for p in known.parts} == {
        "postgres",
        "audit",
        "hub",
        "envoy",
        "echo-sandbox",
        "spoke-echo",
    }
    identity = small_stack.layout.identity(*OPERATOR)
    for part in known.parts:
        assert part.is_running
        assert await probes.probe(part.probe, part.address, identity), part.name


@pytest.mark.parametrize("name", ["hub", "audit", "postgres", "spoke-echo"])
async def test_a_killed_part_is_missed_and_can_be_started_again(small_stack: Stack, name: str) -> None:
    small_stack.kill(name)
    assert [process.name for process in small_stack.fallen()] == [name]
    part = next(p for p in record.read(small_stack.layout).parts if p.name == name)
    assert not part.is_running
    assert not await probes.probe(part.probe, part.address, small_stack.layout.identity(*OPERATOR))
    await small_stack.start_part(name)
    assert small_stack.fallen() == []


async def test_no_part_prints_a_password_or_a_key(small_stack: Stack) -> None:
    secret = small_stack.postgres_server().password_of("hub_rw")
    logs = "".join(path.read_text() for path in small_stack.layout.state.glob("logs/*.log"))
    assert secret not in logs
    assert "PRIVATE KEY" not in logs


async def test_what_a_dead_hubctl_left_behind_is_stopped(open_state: Path) -> None:
    layout = Layout.at(open_state)
    stack = Stack(Options(layout, base_port=free_block(), spokes=(), pool=INLINE))
    await stack.start()
    known = record.read(layout)
    stopped: list[str] = []
    stop = asyncio.create_task(down.stop(layout, known, lambda name, _, __: stopped.append(name)))
    while not stop.done():  # we are the parent, and must take note of our dead
        stack.fallen()
        await asyncio.sleep(0.05)
    await stop
    assert (stopped[0], stopped[-1]) == ("hub", "postgres")
    assert not any(part.is_running for part in known.parts)
    assert record.find(layout) is None


async def test_the_profile_names_all_that_will_be_there_before_it_is(open_state: Path) -> None:
    layout = Layout.at(open_state)
    stack = Stack(Options(layout, base_port=free_block(), spokes=("echo",), pool=INLINE))
    starting = asyncio.create_task(stack.start())
    while not layout.profile.exists() or len(read(layout.profile).parts) < 2:
        assert not starting.done()
        await asyncio.sleep(0.01)
    will_be = {part.name for part in read(layout.profile).parts}
    assert will_be == {"postgres", "audit", "hub", "envoy", "echo-sandbox", "spoke-echo"}
    await starting
    assert all(ready for _, ready in await ask(read(layout.profile)))
    await stack.stop()
    assert not layout.profile.exists()


async def test_a_part_that_cannot_start_is_named_and_nothing_stays(open_state: Path) -> None:
    layout = Layout.at(open_state)
    broken = {"audit": {"AUDIT_LISTEN": "nonsense"}}
    options = Options(layout, base_port=free_block(), spokes=(), pool=INLINE, environment=broken)
    stack = Stack(options)
    with pytest.raises(NotReady, match=r"audit ended(.|\n)*AUDIT_LISTEN"):
        await stack.start()
    assert record.find(layout) is None
    assert {"audit", "postgres"} <= {process.name for process in stack.fallen()}
