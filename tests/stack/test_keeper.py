"""A stack is kept running."""

from datetime import UTC, datetime

import pytest

from hubctl.errors import PartFailed
from local.stack.certificates import CORE, RENEW_EVERY_SECONDS
from local.stack.keeper import MOST_RESTARTS, RESTART_WINDOW_SECONDS, Keeper
from local.stack.stack import Stack
from tests.fakes import HandClock

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
