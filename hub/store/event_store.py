"""Webhooks: kept before they are answered, matched to their jobs then or later."""

import json
from collections.abc import Callable, Mapping
from uuid import NAMESPACE_OID, uuid5

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hub.jobs.decide import UNSETTLED, Decision, after_event
from hub.jobs.events import ArrivedEvent
from hub.jobs.model import JobState
from hub.jobs.outcome import Outcome
from hub.store import statements
from hub.store.engine import single


class PostgresEventStore:
    """Keeps events and lets them settle jobs. `decode` reads the bytes of an outcome."""

    def __init__(self, engine: AsyncEngine, decode: Callable[[bytes], Outcome | None]) -> None:
        self._engine = engine
        self._single = single(engine)
        self._decode = decode

    async def keep(self, event: ArrivedEvent) -> bool:
        """Makes an event durable; False if it is a redelivery."""
        row = {
            "lane": event.lane,
            "event_id": event.event_id,
            "type": event.type,
            "job_id": event.job_id or None,
            "outcome": event.outcome,
            "confirmation": event.confirmation,
        }
        async with self._single.connect() as connection:
            return (await connection.execute(statements.KEEP_EVENT, row)).first() is not None

    async def kept(self, lane: str, event_id: str) -> ArrivedEvent | None:
        """An event as it was kept."""
        wanted = {"lane": lane, "event_id": event_id}
        async with self._single.connect() as connection:
            row = (await connection.execute(statements.KEPT_EVENT, wanted)).mappings().first()
        if row is None:
            return None
        job_id = str(row["job_id"]) if row["job_id"] else ""
        return ArrivedEvent(lane, event_id, row["type"], job_id, row["outcome"], row["confirmation"])

    async def trace(self, job_id: str) -> Mapping[str, str]:
        """The trace context under which the job was accepted; empty if there is no such job."""
        async with self._single.connect() as connection:
            carrier = (await connection.execute(statements.TRACE_OF_JOB, {"job_id": job_id})).scalar()
        return json.loads(carrier) if carrier else {}

    async def apply(self, job_id: str) -> bool:
        """Lets held events settle the job, if nobody is working on it; True if it has now ended."""
        async with self._engine.begin() as connection:
            found = await connection.execute(statements.JOB_FOR_EVENT, {"job_id": job_id})
            live = found.mappings().first()
            if live is None:
                await self._note_ended(connection, job_id)
                return False
            if live["claimed_term"]:
                # Its owner is at work and applies what is held when it settles.
                return False
            return await self._apply_in_order(connection, job_id, live)

    async def held_jobs(self) -> list[tuple[str, str]]:
        """Jobs, with their lanes, that events are held for although nobody is at work on them."""
        async with self._single.connect() as connection:
            rows = (await connection.execute(statements.HELD_JOBS)).mappings().all()
        return [(str(row["job_id"]), row["lane_id"]) for row in rows]

    async def _apply_in_order(self, connection: AsyncConnection, job_id: str, live: RowMapping) -> bool:
        state = JobState(live["state"])
        held = await connection.execute(statements.HELD_EVENTS, {"job_id": job_id, "lane": live["lane_id"]})
        for event in held.mappings().all():
            outcome = self._decode(event["outcome"])
            decision = after_event(state, outcome) if outcome else None
            await _handle(connection, event, job_id, live["lane_id"], "applied" if decision else "noted")
            if decision:
                await _end(connection, job_id, decision)
                await self._note_ended(connection, job_id)
                return True
        return False

    async def _note_ended(self, connection: AsyncConnection, job_id: str) -> None:
        row = (await connection.execute(statements.GET_JOB, {"job_id": job_id})).mappings().first()
        if row is None:
            return
        held = await connection.execute(statements.HELD_EVENTS, {"job_id": job_id, "lane": row["lane_id"]})
        for event in held.mappings().all():
            await _handle(connection, event, job_id, row["lane_id"], "late")


async def _handle(
    connection: AsyncConnection, event: RowMapping, job_id: str, job_lane: str, handled: str
) -> None:
    statement_id = uuid5(NAMESPACE_OID, f"confirmation:{event['lane_id']}/{event['event_id']}")
    change = {
        "handled": handled,
        "lane": event["lane_id"],
        "event_id": event["event_id"],
        "job_lane": job_lane,
        "statement_id": str(statement_id),
    }
    await connection.execute(statements.HANDLE_EVENT, change)


async def _end(connection: AsyncConnection, job_id: str, decision: Decision) -> None:
    change = {
        "job_id": job_id,
        "from_states": [int(state) for state in UNSETTLED],
        "state": int(decision.state),
        "reason": decision.reason,
        "message": decision.message,
        "reference": decision.provider_reference,
        "result_type": decision.result_type,
        "result": decision.result,
        "left_by": "confirmed",
    }
    await connection.execute(statements.END_JOB, change)
