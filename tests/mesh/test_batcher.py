"""Group commit: who goes together, and who learns what."""

import asyncio

import pytest

from mesh.batcher import Batcher, Closed, Full
from mesh.errors import MeshError


class Refused(MeshError):
    """One item was refused."""


class Gate:
    """A flush that doubles numbers, once the test lets it through; negative ones are refused."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = asyncio.Semaphore(0)
        self.through = asyncio.Semaphore(0)
        self.broken = False

    async def flush(self, items: list[int]) -> list[int | Exception]:
        self.batches.append(items)
        self.begun.release()
        await self.through.acquire()
        if self.broken:
            raise OSError("disk")
        return [Refused(f"{item}") if item < 0 else item * 2 for item in items]


def _batcher(gate: Gate, *, max_items: int = 100, max_queue: int = 100) -> Batcher[int, int]:
    return Batcher(gate.flush, max_items=max_items, max_queue=max_queue)


def _submit(batcher: Batcher[int, int], *items: int) -> list[asyncio.Task[int]]:
    return [asyncio.ensure_future(batcher.submit(item)) for item in items]


async def test_an_item_goes_at_once_when_nothing_is_under_way() -> None:
    gate = Gate()
    (only,) = _submit(_batcher(gate), 1)
    await gate.begun.acquire()
    gate.through.release()
    assert await only == 2


async def test_what_comes_while_a_flush_is_under_way_goes_together_in_the_next() -> None:
    gate = Gate()
    batcher = _batcher(gate)
    first = _submit(batcher, 1)
    await gate.begun.acquire()
    rest = _submit(batcher, 2, 3, 4)
    for _ in range(5):
        await asyncio.sleep(0)
    assert gate.batches == [[1]]
    gate.through.release()
    await gate.begun.acquire()
    assert gate.batches == [[1], [2, 3, 4]]
    gate.through.release()
    assert await asyncio.gather(*first, *rest) == [2, 4, 6, 8]


async def test_a_batch_holds_no_more_items_than_it_may() -> None:
    gate = Gate()
    tasks = _submit(_batcher(gate, max_items=2), 1, 2, 3, 4, 5)
    for _ in range(3):
        gate.through.release()
    await asyncio.gather(*tasks)
    assert gate.batches == [[1, 2], [3, 4], [5]]


async def test_a_batch_holds_no_more_bytes_than_it_may_but_always_one_item() -> None:
    batches: list[list[bytes]] = []

    async def flush(items: list[bytes]) -> list[int]:
        batches.append(items)
        return [len(item) for item in items]

    batcher = Batcher[bytes, int](flush, max_items=100, max_queue=100, max_bytes=10, size_of=len)
    sizes = [4, 6, 1, 50, 3]
    assert await asyncio.gather(*(batcher.submit(b"x" * size) for size in sizes)) == sizes
    assert [[len(item) for item in batch] for batch in batches] == [[4, 6], [1], [50], [3]]


async def test_an_item_that_is_refused_fails_alone() -> None:
    gate = Gate()
    tasks = _submit(_batcher(gate), 1, -1, 2)
    gate.through.release()
    assert (await tasks[0], await tasks[2]) == (2, 4)
    with pytest.raises(Refused):
        await tasks[1]


async def test_a_flush_that_fails_fails_its_batch_and_the_next_goes_on() -> None:
    gate = Gate()
    batcher = _batcher(gate)
    gate.broken = True
    tasks = _submit(batcher, 1, 2)
    gate.through.release()
    failed = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(error) for error in failed] == [OSError, OSError]
    gate.broken = False
    gate.through.release()
    assert await batcher.submit(3) == 6


async def test_a_flush_that_forgets_a_result_fails_its_batch() -> None:
    async def forget(items: list[int]) -> list[int]:
        return []

    batcher = Batcher[int, int](forget, max_items=10, max_queue=10)
    with pytest.raises(RuntimeError, match="0 results for 1 items"):
        await batcher.submit(1)


async def test_a_full_queue_refuses_and_has_room_again_after_a_flush() -> None:
    gate = Gate()
    batcher = _batcher(gate, max_queue=2)
    first = _submit(batcher, 1)
    await gate.begun.acquire()
    waiting = _submit(batcher, 2, 3)
    await asyncio.sleep(0)
    with pytest.raises(Full):
        await batcher.submit(4)
    gate.through.release()
    gate.through.release()
    assert await asyncio.gather(*first, *waiting) == [2, 4, 6]
    gate.through.release()
    assert await batcher.submit(5) == 10


async def test_whoever_leaves_while_waiting_is_not_flushed() -> None:
    gate = Gate()
    batcher = _batcher(gate)
    first = _submit(batcher, 1)
    await gate.begun.acquire()
    gone, stays = _submit(batcher, 2, 3)
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    gate.through.release()
    gate.through.release()
    assert await asyncio.gather(*first, stays) == [2, 6]
    assert gate.batches == [[1], [3]]


async def test_whoever_leaves_during_the_flush_hurts_nobody() -> None:
    gate = Gate()
    gone, stays = _submit(_batcher(gate), 1, 2)
    await gate.begun.acquire()
    gone.cancel()
    gate.through.release()
    assert await stays == 4


async def test_close_finishes_what_waits_and_takes_no_more() -> None:
    gate = Gate()
    batcher = _batcher(gate, max_items=1)
    tasks = _submit(batcher, 1, 2)
    await gate.begun.acquire()
    closing = asyncio.ensure_future(batcher.close())
    await asyncio.sleep(0)
    with pytest.raises(Closed):
        await batcher.submit(3)
    assert not closing.done()
    gate.through.release()
    gate.through.release()
    await closing
    assert [task.result() for task in tasks] == [2, 4]


async def test_closing_an_idle_batcher_returns() -> None:
    await _batcher(Gate()).close()


async def test_a_busy_batcher_waits_for_company_and_an_idle_one_does_not() -> None:
    flushed: list[list[int]] = []

    async def flush(items: list[int]) -> list[int]:
        flushed.append(items)
        return items

    batcher = Batcher(flush, max_items=10, max_queue=10, linger_seconds=0.2)
    await batcher.submit(1)
    second = asyncio.create_task(batcher.submit(2))
    for _ in range(5):
        await asyncio.sleep(0)
    await asyncio.gather(second, batcher.submit(3))
    assert flushed == [[1], [2, 3]]
