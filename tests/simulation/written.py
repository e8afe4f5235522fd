"""What the store on Postgres has written of some jobs and events, as the model of it has it."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.jobs.letters import Cause
from tests.simulation.store import LetterRow

_LETTERS = text("SELECT job_id, seq, cause, reason, left_at, left_by FROM dead_letter ORDER BY job_id, seq")
_ATTEMPTS = text("SELECT job_id, seq, purpose, term, outcome, reason FROM attempt ORDER BY job_id, seq")
_HANDLED = text("SELECT lane_id, event_id, handled FROM webhook_event ORDER BY event_id")
_TOLD = text("SELECT event_id, differs, proposal, job_state FROM provider_event")


class Written(NamedTuple):
    """Letters and attempts by job and number, events by lane and id, what was told by the event's id."""

    letters: Mapping[tuple[str, int], LetterRow]
    attempts: Mapping[tuple[str, int], tuple[object, ...]]
    events: Mapping[tuple[str, str], object]
    told: Mapping[str, tuple[object, ...]]


async def written(engine: AsyncEngine, job_ids: Collection[str], events: str) -> Written:
    """What there is of these jobs, and of events whose ids begin so."""
    async with engine.connect() as connection:
        letters = [r for r in await connection.execute(_LETTERS) if str(r.job_id) in job_ids]
        attempts = [r for r in await connection.execute(_ATTEMPTS) if str(r.job_id) in job_ids]
        handled = [r for r in await connection.execute(_HANDLED) if r.event_id.startswith(events)]
        told = [r for r in await connection.execute(_TOLD) if r.event_id.startswith(events)]
    return Written(
        {
            (str(r.job_id), r.seq): LetterRow(Cause(r.cause), r.reason, r.left_by if r.left_at else None)
            for r in letters
        },
        {(str(r.job_id), r.seq): (r.purpose, r.term, r.outcome, r.reason) for r in attempts},
        {(r.lane_id, r.event_id): r.handled for r in handled},
        {r.event_id: (r.differs, r.proposal, r.job_state) for r in told},
    )
