"""Webhooks: kept before they are answered, matched to their jobs then or later."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hub.database.engine import single
from hub.events.model import ArrivedEvent, Kept
from hub.events.rows import Contradicted, Stand, concern_columns, contradiction_columns
from hub.events.told import EventKind
from hub.jobs.agreeing import Compared, Task
from hub.jobs.contradicting import Weighed, weigh
from hub.jobs.decide import UNSETTLED
from hub.jobs.decision import Decision
from hub.jobs.model import JobState
from hub.jobs.outcome import Declined, Outcome, Succeeded
from hub.jobs.rows import ending_columns
from hub.jobs.statements import reader

_read = reader(__package__, EventKind)
_END_JOBS = reader("hub.jobs")("end_jobs")
_ENDED_JOBS = _read("ended_jobs")
_HANDLE_EVENTS = _read("handle_events")
_HELD_EVENTS = _read("held_events")
_HELD_JOBS = _read("held_jobs")
_JOBS_FOR_EVENTS = _read("jobs_for_events")
_JOB_FOR_EVENT = _read("job_for_event")
_KEEP_EVENTS = _read("keep_events")
_KEPT_EVENT = _read("kept_event")
_LAPSE_EVENTS = _read("lapse_events")
_REPLACE_EVENTS = _read("replace_events")
_TELL_CONCERNS = _read("tell_concerns")
_TELL_CONTRADICTIONS = _read("tell_contradictions")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Handled:
    lane: str
    event_id: str
    handled: str


class PostgresEventStore:
    """Keeps events and lets them settle jobs. `decode` reads the bytes of an outcome; `compare` tells what
    they name beside what the job asked for."""

    def __init__(
        self,
        engine: AsyncEngine,
        decode: Callable[[bytes], Outcome | None],
        compare: Callable[[Task, bytes], Compared],
    ) -> None:
        self._engine = engine
        self._single = single(engine)
        self._decode = decode
        self._compare = compare

    async def keep(self, event: ArrivedEvent) -> bool:
        """Makes an event durable; False if it is a redelivery that says no more than before."""
        return (await self.keep_all([event]))[0].is_new

    async def keep_all(self, events: Sequence[ArrivedEvent]) -> list[Kept]:
        """Makes events durable in one commit; answers in order. One that now says something where the store
        holds that it said nothing, or concerns somebody who was not told, counts as new."""
        columns = {
            "lanes": [e.lane for e in events],
            "event_ids": [e.event_id for e in events],
            "types": [e.type for e in events],
            "job_ids": [e.job_id or None for e in events],
            "outcomes": [e.outcome for e in events],
            "confirmations": [e.confirmation for e in events],
            "happened_ats": [e.happened_at for e in events],
        }
        async with self._single.connect() as connection:
            rows = (await connection.execute(_KEEP_EVENTS, columns)).mappings().all()
            known = [number for number, row in enumerate(rows) if not row["is_new"]]
            # Rare, so it is not a part of what every batch does. Died in between, it comes again.
            understood = (
                await _replaced(connection, columns) if any(events[n].outcome for n in known) else set()
            )
            if any(event.concern for event in events):
                # Known ones too: whoever kept them may have died before, or have had no word for it.
                understood |= await _told(connection, events)
        return [
            Kept(row["is_new"] or number in understood, json.loads(row["trace"]) if row["trace"] else {})
            for number, row in enumerate(rows)
        ]

    async def kept(self, lane: str, event_id: str) -> ArrivedEvent | None:
        """An event as it was kept."""
        wanted = {"lane": lane, "event_id": event_id}
        async with self._single.connect() as connection:
            row = (await connection.execute(_KEPT_EVENT, wanted)).mappings().first()
        if row is None:
            return None
        job_id = str(row["job_id"]) if row["job_id"] else ""
        return ArrivedEvent(lane, event_id, row["type"], job_id, row["outcome"], row["confirmation"])

    async def apply(self, job_id: str) -> bool:
        """Lets held events settle the job, if nobody is working on it; True if it has now ended."""
        async with self._engine.begin() as connection:
            rows = await connection.execute(_JOB_FOR_EVENT, {"job_id": job_id})
            live = rows.mappings().all()
            stands = await _stands(connection, [job_id], live)
            return job_id in await self._settle(connection, stands)

    async def apply_all(self, job_ids: Sequence[str]) -> list[bool]:
        """As `apply` for each, in one commit but for those that somebody is just writing."""
        wanted = list(dict.fromkeys(job_ids))
        async with self._engine.begin() as connection:
            rows = await connection.execute(_JOBS_FOR_EVENTS, {"job_ids": wanted})
            live = rows.mappings().all()
            stands = await _stands(connection, wanted, live)
            ended = await self._settle(connection, stands)
        seen = stands.keys() | {str(row["job_id"]) for row in live}
        ended |= {job_id for job_id in wanted if job_id not in seen and await self.apply(job_id)}
        return [job_id in ended for job_id in job_ids]

    async def held_jobs(self) -> list[tuple[str, str]]:
        """Jobs, with their lanes, that events are held for although nobody is at work on them."""
        async with self._single.connect() as connection:
            rows = (await connection.execute(_HELD_JOBS)).mappings().all()
        return [(str(row["job_id"]), row["lane_id"]) for row in rows]

    async def lapse(self, age: timedelta, limit: int) -> int:
        """Gives up to `limit` events up that have been held for so long; how many."""
        async with self._single.connect() as connection:
            lapsed = await connection.execute(_LAPSE_EVENTS, {"age": age, "limit": limit})
            return len(lapsed.all())

    async def _settle(self, connection: AsyncConnection, stands: Mapping[str, Stand]) -> set[str]:
        """Handles what is held for the jobs; the ids of those that have ended by it."""
        if not stands:
            return set()
        lanes = {"job_ids": list(stands), "lanes": [stand.lane for stand in stands.values()]}
        held = (await connection.execute(_HELD_EVENTS, lanes)).mappings().all()
        handled, decisions, contradicted = self._decide(stands, held)
        if handled:
            await _note(connection, handled)
        if contradicted:
            await connection.execute(_TELL_CONTRADICTIONS, contradiction_columns(contradicted))
        if decisions:
            change = ending_columns(decisions, left=UNSETTLED, by="confirmed")
            await connection.execute(_END_JOBS, change)
        return set(decisions)

    def _decide(
        self, stands: Mapping[str, Stand], held: Iterable[RowMapping]
    ) -> tuple[list[_Handled], dict[str, Decision], list[Contradicted]]:
        """What becomes of each event, in their order, which jobs end by one, and what is contradicted."""
        handled: list[_Handled] = []
        decisions: dict[str, Decision] = {}
        contradicted: list[Contradicted] = []
        now = dict(stands)
        for event in held:
            job_id = str(event["job_id"])
            weighed, told = self._weigh(now[job_id], event)
            if weighed.decision:
                decisions[job_id] = weighed.decision
                now[job_id] = _ended(now[job_id], weighed.decision)
            if told:
                contradicted.append(told)
            handled.append(_Handled(event["lane_id"], event["event_id"], weighed.word))
        return handled, decisions, contradicted

    def _weigh(self, stand: Stand, event: RowMapping) -> tuple[Weighed, Contradicted | None]:
        """What becomes of an event, and what is told of it."""
        outcome = self._decode(event["outcome"])
        task = Task(stand.operation, stand.provider_reference, event["request_type"], event["request"])
        compared = self._compare(task, event["outcome"]) if outcome else Compared()
        weighed = weigh(stand.state, stand.provider_reference, outcome, compared.differs)
        found = weighed.contradiction
        if found is None or not isinstance(outcome, Succeeded | Declined):
            return weighed, None
        _log.error(
            "an event contradicts its job and settles nothing",
            extra={
                "lane": event["lane_id"],
                "event": event["event_id"],
                "job": str(event["job_id"]),
                "what": found.what,
            },
        )
        return weighed, Contradicted(event["event_id"], stand, outcome, compared, found)


def _ended(stand: Stand, decision: Decision) -> Stand:
    reference = decision.provider_reference or stand.provider_reference
    return replace(stand, state=decision.state, provider_reference=reference)


def _stand(row: RowMapping) -> Stand:
    return Stand(
        row["lane_id"], JobState(row["state"]), row["tenant"], row["operation"], row["provider_reference"]
    )


async def _replaced(connection: AsyncConnection, columns: Mapping[str, Any]) -> set[int]:
    """Lets events say what nobody understood when they first came; their places in the batch."""
    rows = await connection.execute(_REPLACE_EVENTS, columns)
    return {ordinal - 1 for ordinal in rows.scalars()}


async def _told(connection: AsyncConnection, events: Sequence[ArrivedEvent]) -> set[int]:
    """Tells those whom events concern, each once; the places in the batch of what they had not been told."""
    rows = await connection.execute(_TELL_CONCERNS, concern_columns(events))
    told = {(row["lane_id"], row["event_id"]) for row in rows.mappings()}
    places = {(e.lane, e.event_id): n for n, e in reversed([*enumerate(events)]) if e.concern}
    return {places[name] for name in told}


async def _stands(
    connection: AsyncConnection, job_ids: Sequence[str], live: Sequence[RowMapping]
) -> dict[str, Stand]:
    """Those of the jobs that nobody works on: a claimed one's owner applies what is held when it settles."""
    found = {str(row["job_id"]): _stand(row) for row in live if not row["claimed_term"]}
    others = set(job_ids) - {str(row["job_id"]) for row in live}
    if others:
        rows = await connection.execute(_ENDED_JOBS, {"job_ids": list(others)})
        found |= {str(row["job_id"]): _stand(row) for row in rows.mappings()}
    return found


async def _note(connection: AsyncConnection, handled: Sequence[_Handled]) -> None:
    statement_ids = [uuid5(NAMESPACE_OID, f"confirmation:{h.lane}/{h.event_id}") for h in handled]
    change = {
        "lanes": [h.lane for h in handled],
        "event_ids": [h.event_id for h in handled],
        "handled": [h.handled for h in handled],
        "statement_ids": [str(statement_id) for statement_id in statement_ids],
    }
    await connection.execute(_HANDLE_EVENTS, change)
