"""Many questions in few calls, and none lost."""

import asyncio

import pytest

from integration.spoke.v1.spoke_service_pb2 import Attempt
from spokes.kit.coalesce import Courier, Desk
from spokes.kit.envelope import Task, pack
from spokes.kit.errors import ActorLost


class Wire:
    """A desk that works when told to, and a count of the exchanges with it."""

    def __init__(self):
        self.exchanges = 0
        self.at_once = 0
        self.most_at_once = 0
        self.gates = {}
        self.broken = False
        self.desk = Desk(self.work)
        self.courier = Courier(self.exchange, freed=lambda: None)

    async def work(self, question):
        await self.gates.setdefault(question, asyncio.Event()).wait()
        return b"answer to " + question

    async def exchange(self, items):
        self.exchanges += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.broken:
                raise ActorLost("broken")
            await asyncio.sleep(0)
            return await self.desk.exchange(items)
        finally:
            self.at_once -= 1

    def ask(self, name):
        return self.courier.ask(question(name))

    def open(self, name):
        self.gates.setdefault(question(name), asyncio.Event()).set()


def question(name, deadline=1e12):
    return pack(Task.EXECUTE, deadline, Attempt(attempt_id=str(name)))


@pytest.fixture
async def wire():
    return Wire()


async def turns(count=20):
    for _ in range(count):
        await asyncio.sleep(0)


async def test_what_is_asked_in_one_turn_goes_in_one_exchange(wire):
    answers = [wire.ask(n) for n in range(50)]
    for n in range(50):
        wire.open(n)
    assert await asyncio.wait_for(asyncio.gather(*answers), 10) == [
        b"answer to " + question(n) for n in range(50)
    ]
    assert wire.exchanges <= 3


async def test_a_new_question_does_not_wait_for_the_answer_to_an_old_one(wire):
    slow = wire.ask("slow")
    await turns()
    quick = wire.ask("quick")
    wire.open("quick")
    assert await asyncio.wait_for(quick, 5)
    assert not slow.done()
    wire.open("slow")
    assert await asyncio.wait_for(slow, 5)


async def test_there_are_never_more_than_two_exchanges(wire):
    answers = []
    for n in range(200):
        answers.append(wire.ask(n))
        wire.open(n if n % 3 else n - 1 if n else n)
        await asyncio.sleep(0)
    for n in range(200):
        wire.open(n)
    await asyncio.wait_for(asyncio.gather(*answers), 10)
    assert wire.most_at_once <= 2
    assert wire.courier.in_flight == 0


async def test_a_lost_actor_answers_everything_with_lost(wire):
    handed_over = wire.ask("one")
    await turns()
    wire.broken = True
    queued = wire.ask("two")
    for answer in (handed_over, queued):
        with pytest.raises(ActorLost):
            await answer
    with pytest.raises(ActorLost):
        await wire.ask("three")


async def test_overdue_questions_show(wire):
    wire.courier.ask(question("late", deadline=100.0))
    assert wire.courier.is_overdue(101.0)
    assert not wire.courier.is_overdue(99.0)
    await turns()
    wire.courier.lose()
