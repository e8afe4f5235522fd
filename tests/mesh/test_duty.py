"""Duty loops, with a pause in the test's hands: no time passes here."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from mesh.duty import LAST_BACKOFF_SECONDS, DutyLoop, patiently, pause
from tests.fakes import HandPause


class Work:
    """A duty whose every run the test answers: seconds, None, or an error to raise."""

    name = "work"

    def __init__(self) -> None:
        self.runs = 0
        self.begun: asyncio.Queue[int] = asyncio.Queue()
        self.answers: asyncio.Queue[float | Exception | None] = asyncio.Queue()

    async def run_once(self) -> float | None:
        self.runs += 1
        self.begun.put_nowait(self.runs)
        answer = await self.answers.get()
        if isinstance(answer, Exception):
            raise answer
        return answer


class Bench:
    """A loop at work, its duty and its pause."""

    def __init__(self) -> None:
        self.work = Work()
        self.pause = HandPause()
        self.loop = DutyLoop(self.work, pause=self.pause)

    async def run_with(self, answer: float | Exception | None) -> None:
        """Waits for the next run and answers it."""
        await asyncio.wait_for(self.work.begun.get(), 5)
        self.work.answers.put_nowait(answer)

    async def paused_for(self) -> float | None:
        """How long the loop wants to wait, once it does."""
        return await asyncio.wait_for(self.pause.begun.get(), 5)


@asynccontextmanager
async def _bench() -> AsyncIterator[Bench]:
    bench = Bench()
    task = asyncio.ensure_future(bench.loop.run())
    try:
        yield bench
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_the_duty_says_when_it_runs_again() -> None:
    async with _bench() as bench:
        await bench.run_with(2.5)
        assert await bench.paused_for() == 2.5
        assert bench.work.runs == 1
        bench.pause.end()
        await bench.run_with(None)
        assert await bench.paused_for() is None


async def test_zero_means_at_once() -> None:
    async with _bench() as bench:
        await bench.run_with(0)
        await bench.run_with(0)
        await bench.run_with(None)
        assert await bench.paused_for() is None
        assert bench.work.runs == 3


async def test_a_duty_that_always_has_more_to_do_lets_others_run() -> None:
    class Greedy:
        name = "greedy"

        async def run_once(self) -> float | None:
            return 0

    loop = DutyLoop(Greedy())
    task = asyncio.ensure_future(loop.run())
    await asyncio.sleep(0)
    loop.stop()
    await asyncio.wait_for(task, 5)


async def test_a_hint_ends_the_wait() -> None:
    async with _bench() as bench:
        await bench.run_with(None)
        await bench.paused_for()
        bench.loop.hint()
        await bench.run_with(None)


async def test_a_hint_during_a_run_is_not_lost_and_two_are_one() -> None:
    async with _bench() as bench:
        await asyncio.wait_for(bench.work.begun.get(), 5)
        bench.loop.hint()
        bench.loop.hint()
        bench.work.answers.put_nowait(None)
        await bench.paused_for()
        await bench.run_with(None)
        await bench.paused_for()
        await asyncio.sleep(0)
        assert bench.work.runs == 2


async def test_errors_back_off_to_a_limit_and_one_good_run_resets_it() -> None:
    async with _bench() as bench:
        waits = []
        for _ in range(9):
            await bench.run_with(OSError("down"))
            waits.append(await bench.paused_for())
            bench.pause.end()
        assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
        await bench.run_with(None)
        await bench.paused_for()
        bench.loop.hint()
        await bench.run_with(OSError("down"))
        assert await bench.paused_for() == 0.1


async def test_a_hint_does_not_cut_the_backoff_short() -> None:
    async with _bench() as bench:
        await bench.run_with(OSError("down"))
        await bench.paused_for()
        bench.loop.hint()
        for _ in range(5):
            await asyncio.sleep(0)
        assert bench.work.runs == 1


async def test_a_streak_of_errors_is_logged_once_with_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "mesh.duty"):
        async with _bench() as bench:
            for _ in range(3):
                await bench.run_with(OSError("down"))
                await bench.paused_for()
                bench.pause.end()
            await bench.run_with(None)
            await bench.paused_for()
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [
        ("ERROR", "duty fails"),
        ("INFO", "duty works again"),
    ]
    assert caplog.records[0].exc_info is not None
    assert caplog.records[0].__dict__["duty"] == "work"


@pytest.mark.parametrize("answer", [None, OSError("down")])
async def test_stop_ends_the_loop_in_its_wait_and_in_its_backoff(answer: Exception | None) -> None:
    bench = Bench()
    task = asyncio.ensure_future(bench.loop.run())
    await bench.run_with(answer)
    await bench.paused_for()
    bench.loop.stop()
    await asyncio.wait_for(task, 5)
    assert bench.work.runs == 1


async def test_stop_lets_the_run_under_way_finish() -> None:
    bench = Bench()
    task = asyncio.ensure_future(bench.loop.run())
    await bench.work.begun.get()
    bench.loop.stop()
    bench.work.answers.put_nowait(3.0)
    await asyncio.wait_for(task, 5)
    assert bench.pause.begun.empty()


async def test_the_real_pause_ends_with_the_event_or_with_the_time() -> None:
    event = asyncio.Event()
    await asyncio.wait_for(pause(event, 0.001), 5)
    event.set()
    await asyncio.wait_for(pause(event, None), 5)


class Away(Exception):
    """What passes."""


class Hopeless(Away):
    """What does not."""


class Attempts:
    """Answers one after the other, and how long it was waited between them."""

    def __init__(self, *answers: Exception | str) -> None:
        self.left = list(answers)
        self.waits: list[float] = []

    async def make(self) -> str:
        answer = self.left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def wait(self, seconds: float) -> None:
        self.waits.append(seconds)


async def test_what_is_away_is_waited_for_with_a_backoff_and_one_line_for_each_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    attempts = Attempts(*[Away("it is down")] * 9, Away("it starts"), "there")
    assert await patiently(attempts.make, away=Away, pause=attempts.wait) == "there"
    assert caplog.messages == ["waiting: it is down", "waiting: it starts"]
    assert not [record for record in caplog.records if record.exc_info]
    assert attempts.waits == sorted(attempts.waits)
    assert (attempts.waits[0] < 0.2, attempts.waits[-1]) == (True, LAST_BACKOFF_SECONDS)


@pytest.mark.parametrize("error", [Hopeless("never"), ValueError("ours")])
async def test_what_does_not_pass_is_not_waited_for(error: Exception) -> None:
    attempts = Attempts(error)
    with pytest.raises(type(error)):
        await patiently(attempts.make, away=Away, but=(Hopeless,), pause=attempts.wait)
    assert attempts.waits == []
