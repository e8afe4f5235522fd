"""Ids, states and who is woken."""

import asyncio
from uuid import UUID

from hub.jobs.board import Board, wait_for
from hub.jobs.ids import job_id
from hub.jobs.model import NOT_BEGUN, SETTLED, TRANSITIONS, JobState
from integration.jobs.v1.job_pb2 import JobState as JobStateMessage
from tests.hub.jobs import NOW


def test_states_have_the_numbers_of_the_contract() -> None:
    contract = {n.removeprefix("JOB_STATE_"): v for n, v in JobStateMessage.items() if v}
    assert contract == {s.name: s.value for s in JobState}


def test_every_state_is_in_the_table_and_can_be_left_or_is_settled() -> None:
    assert set(TRANSITIONS) == set(JobState)
    assert {s.name for s in SETTLED} == {"SUCCEEDED", "DECLINED", "DEAD", "CANCELLED", "EXPIRED"}


def test_only_a_job_that_has_not_begun_can_be_withdrawn() -> None:
    assert {s for s in JobState if JobState.CANCELLED in TRANSITIONS[s]} == NOT_BEGUN | {JobState.DEAD}


def test_a_job_id_is_a_version_7_uuid_that_sorts_by_time() -> None:
    early, late = job_id(NOW, b"\xff" * 10), job_id(NOW.replace(hour=13), b"\0" * 10)
    assert UUID(early).version == 7
    assert early < late
    assert int(UUID(early)) >> 80 == int(NOW.timestamp() * 1000)


async def test_a_posted_job_wakes_those_who_wait_for_it_and_nobody_else() -> None:
    board = Board()
    mine, other = board.ticket("a"), board.ticket("b")
    board.post("a")
    assert await wait_for(mine, 1)
    assert not other.done()


async def test_every_post_is_news_to_all_followers() -> None:
    board = Board()
    first, second = board.news(), board.news()
    board.post("a")
    assert await asyncio.gather(wait_for(first, 1), wait_for(second, 1)) == [True, True]
    assert not board.news().is_set()
