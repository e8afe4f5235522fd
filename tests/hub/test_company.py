"""Who may be under way beside whom."""

import asyncio

from hub.lanes.exclusive import Company


class Visit:
    """Somebody who is under way until the test lets them go."""

    def __init__(self, company: Company, *, alone: bool) -> None:
        self._way = company.alone if alone else company.together
        self.is_under_way = False
        self._over = asyncio.Event()
        self._task = asyncio.create_task(self._go())

    async def end(self) -> None:
        """Lets them go."""
        self._over.set()
        await self._task

    def cancel(self) -> None:
        """Drops them wherever they are."""
        self._task.cancel()

    async def _go(self) -> None:
        async with self._way():
            self.is_under_way = True
            await self._over.wait()


async def turns() -> None:
    """Lets everybody go on as far as they can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_any_number_go_together() -> None:
    company = Company()
    visits = [Visit(company, alone=False) for _ in range(3)]
    await turns()
    assert [v.is_under_way for v in visits] == [True] * 3
    assert not company.is_closed
    for visit in visits:
        await visit.end()


async def test_whoever_must_be_alone_waits_for_those_under_way_and_holds_up_those_who_come_later() -> None:
    company = Company()
    before = [Visit(company, alone=False) for _ in range(2)]
    await turns()
    alone, after = Visit(company, alone=True), Visit(company, alone=False)
    await turns()
    assert company.is_closed
    assert (alone.is_under_way, after.is_under_way) == (False, False)
    await before[0].end()
    await turns()
    assert not alone.is_under_way
    await before[1].end()
    await turns()
    assert (alone.is_under_way, after.is_under_way) == (True, False)
    await alone.end()
    await turns()
    assert after.is_under_way
    assert not company.is_closed
    await after.end()


async def test_two_who_must_be_alone_go_one_after_the_other() -> None:
    company = Company()
    first, second = Visit(company, alone=True), Visit(company, alone=True)
    await turns()
    assert (first.is_under_way, second.is_under_way) == (True, False)
    await first.end()
    await turns()
    assert second.is_under_way
    await second.end()


async def test_who_is_dropped_while_under_way_or_waiting_holds_up_nobody() -> None:
    company = Company()
    inside, waiting = Visit(company, alone=False), Visit(company, alone=True)
    await turns()
    waiting.cancel()
    inside.cancel()
    last = Visit(company, alone=True)
    await turns()
    assert last.is_under_way
    await last.end()
