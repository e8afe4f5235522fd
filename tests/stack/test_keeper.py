"""A stack is kept running."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from hubctl.errors import PartFailed
from local.stack.certificates import CORE, RENEW_EVERY_SECONDS
from local.stack.keeper import MOST_RESTARTS, RESTART_WINDOW_SECONDS, Keeper
from local.stack.layout import Layout
from local.stack.parts import CLUSTER
from local.stack.ports import free_block
from local.stack.stack import Options, Stack
from tests.fakes import HandClock
from tests.stack.kept import Kept

PART = "echo-sandbox"


async def test_a_part_that_dies_is_started_again_and_said_so(small_stack: Stack) -> None:
    told: list[tuple[str, str]] = []
    keeper = Keeper(
        small_stack,
        clock=HandClock(datetime.now(UTC)),
        say=lambda name, became, _: told.append((name, became)),
    )
    small_stack.kill(PART)
    await keeper.look()
    assert small_stack.fallen() == []
    assert told == [(PART, "died"), (PART, "ready")]


async def test_a_part_that_dies_again_and_again_is_given_up(small_stack: Stack) -> None:
    clock = HandClock(datetime.now(UTC))
    keeper = Keeper(small_stack, clock=clock, say=lambda *_: None)
    for _ in range(MOST_RESTARTS):
        small_stack.kill(PART)
        await keeper.look()
    small_stack.kill(PART)
    with pytest.raises(PartFailed, match=f"{PART} ends again and again"):
        await keeper.look()
    clock.move(RESTART_WINDOW_SECONDS + 1)
    await keeper.look()
    assert small_stack.fallen() == []


async def test_certificates_are_renewed_long_before_they_expire(small_stack: Stack) -> None:
    clock = HandClock(datetime.now(UTC))
    keeper = Keeper(small_stack, clock=clock, say=lambda *_: None)
    certificate = small_stack.layout.identity(*CORE) / "cert.pem"
    before = certificate.read_bytes()
    await keeper.look()
    assert certificate.read_bytes() == before
    clock.move(RENEW_EVERY_SECONDS)
    await keeper.look()
    assert certificate.read_bytes() != before


@pytest.fixture
async def kept(small_stack: Stack) -> AsyncIterator[Kept]:
    """The small stack, kept."""
    kept = Kept(small_stack)
    yield kept
    await kept.end()


@pytest.mark.parametrize(
    "names",
    [
        ("postgres", "hub"),
        ("hub", "postgres"),
        ("postgres", "audit"),
        ("audit", "hub"),
        ("hub", "audit", "postgres", "envoy", "spoke-echo", "echo-sandbox"),
    ],
    ids="-".join,
)
async def test_parts_that_die_together_are_all_mended(kept: Kept, names: tuple[str, ...]) -> None:
    await kept.mended(kept.kill(names))


async def test_a_part_is_mended_whose_database_dies_while_it_starts(kept: Kept) -> None:
    hub = kept.kill(["hub"])
    await kept.begun("hub", hub["hub"])
    await kept.mended(hub | kept.kill(["postgres"]))


async def test_a_stop_does_not_wait_for_what_is_being_mended(small_stack: Stack) -> None:
    kept = Kept(small_stack)
    killed = kept.kill(["hub"])
    await kept.begun("hub", killed["hub"])
    async with asyncio.timeout(1):
        await kept.end()
    await small_stack.start_part("hub")


def address_of(process: psutil.Process) -> str:
    """Where a spoke's process listens; empty for another's."""
    with contextlib.suppress(psutil.Error):
        return str(process.environ().get("SPOKE_LISTEN", ""))
    return ""


@pytest.fixture(scope="module")
def ray_stack() -> Iterator[Stack]:
    """A stack whose spoke has its actors in a Ray."""
    state = Path(tempfile.mkdtemp(prefix="stack-"))
    stack = Stack(Options(Layout.at(state), base_port=free_block(), spokes=("echo",), pool=CLUSTER))
    asyncio.run(stack.start())
    yield stack
    asyncio.run(stack.stop())
    shutil.rmtree(state)


@pytest.mark.parametrize(
    "names", [("ray",), ("ray", "spoke-echo"), ("spoke-echo", "ray", "hub")], ids="-".join
)
async def test_a_new_ray_has_a_new_spoke_in_whatever_order_they_died(
    ray_stack: Stack, names: tuple[str, ...]
) -> None:
    kept, address = Kept(ray_stack), ray_stack.ports.address("spoke-echo")
    before = kept.pids()
    kept.kill(names)
    await kept.mended({name: before[name] for name in {*names, "spoke-echo"}})
    await kept.end()
    spokes = [child.pid for child in psutil.Process().children() if address_of(child) == address]
    assert spokes == [kept.pids()["spoke-echo"]], "and no other process of the spoke is left"
