"""Jobs as a lane's owner sees them; every write is fenced by the lane's term."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.database.engine import is_about_data, single
from hub.errors import LaneLost
from hub.jobs.decision import broken
from hub.jobs.model import Claimed
from hub.jobs.statements import reader
from hub.lanes.breaker import Breaker, BreakerState
from hub.lanes.model import LaneMode
from hub.lanes.ports import Grant, Orphan, Settled, Settlement, Statement, Survey
from hub.lanes.rows import (
    begun_columns,
    broken_settlement,
    grant_from_row,
    readable,
    settled_from_row,
    settlement_columns,
    signed,
)
from mesh.failpoints import reach

_log = logging.getLogger(__name__)

_read = reader(__package__, LaneMode, BreakerState)
_ACQUIRE_LANES = _read("acquire_lanes")
_ADOPT = _read("adopt")
_BEGIN_ATTEMPTS = _read("begin_attempts")
_CLAIM = _read("claim")
_CLAIM_TRIALS = _read("claim_trials")
_CLEAR_OUTBOX = _read("clear_outbox")
_NEXT_DUE = _read("next_due")
_READ_OUTBOX = _read("read_outbox")
_RELEASE_LANES = _read("release_lanes")
_RETIRE = _read("retire")
_SAVE_BREAKER = _read("save_breaker")
_SAVE_THROTTLE = _read("save_throttle")
_SETTLE = _read("settle")
_SURVEY = _read("survey")


class PostgresLaneStore:
    """One method per commit, no policy."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._single = single(engine)

    async def claim(
        self,
        lane: str,
        term: int,
        limit: int,
        intents: Callable[[Sequence[Claimed]], list[bytes]],
        *,
        served: Sequence[str] = (),
        trial: bool = False,
    ) -> list[Orphan]:
        """Claims up to `limit` due jobs and writes down their intents, in one commit.

        `served`: tenants served lately, the one that has waited longest first; the others come before them.
        "" among them is what is in doubt.
        `trial`: such as tell most about the provider, tried least, of different operations and tenants.
        """
        wanted = {"lane": lane, "term": term, "limit": limit}
        async with self._engine.begin() as connection:
            if trial:
                rows = await connection.execute(_CLAIM_TRIALS, wanted)
            else:
                rows = await connection.execute(_CLAIM, {**wanted, "served": list(served)})
            found, unreadable = readable(rows.mappings().all(), term)
            orphans, unsigned = signed([claimed for claimed, _ in found], intents) if found else ([], [])
            if orphans:
                await connection.execute(_BEGIN_ATTEMPTS, {"term": term, **begun_columns(orphans)})
            ends = [
                broken_settlement(str(row["job_id"]), row["seq"], "its row cannot be read")
                for row in unreadable
            ]
            ends += [broken_settlement(c.job_id, c.seq, "its intent cannot be stated") for c in unsigned]
            if ends:
                await connection.execute(_SETTLE, {"lane": lane, "term": term, **settlement_columns(ends)})
            reach("hub.claiming", *(o.claimed.attempt_id for o in orphans))
        reach("hub.claimed", *(o.claimed.attempt_id for o in orphans))
        return orphans

    async def adopt(self, lane: str, term: int) -> list[Orphan]:
        """Takes over what an older owner had claimed."""
        async with self._single.connect() as connection:
            rows = (await connection.execute(_ADOPT, {"lane": lane, "term": term})).mappings().all()
        found, unreadable = readable(rows, term)
        if unreadable:
            ends = [
                broken_settlement(str(row["job_id"]), row["seq"], "its row cannot be read")
                for row in unreadable
            ]
            await self._settle(lane, term, ends)
        return [Orphan(claimed, row["intent"]) for claimed, row in found]

    async def settle(self, lane: str, term: int, settlements: Sequence[Settlement]) -> list[Settled]:
        """Settles attempts in one commit; raises LaneLost if any of them is no longer ours."""
        try:
            return await self._settle(lane, term, settlements)
        except DBAPIError as error:
            if not is_about_data(error):
                raise
            return [await self._settle_apart(lane, term, s) for s in settlements]

    async def _settle_apart(self, lane: str, term: int, settlement: Settlement) -> Settled:
        """Settles an attempt by itself; one whose end the store does not take is left to a person."""
        try:
            (settled,) = await self._settle(lane, term, [settlement])
        except DBAPIError as error:
            if not is_about_data(error):
                raise
            _log.exception("an end cannot be stored", extra={"job": settlement.job_id})
            end = replace(settlement, decision=broken("the store does not take what the attempt came to"))
            (settled,) = await self._settle(lane, term, [end])
        return settled

    async def _settle(self, lane: str, term: int, settlements: Sequence[Settlement]) -> list[Settled]:
        columns = settlement_columns(settlements)
        reach("hub.settling", *(f"{s.job_id}.{s.seq}" for s in settlements))
        async with self._single.connect() as connection:
            rows = await connection.execute(_SETTLE, {"lane": lane, "term": term, **columns})
            found = {s.job_id: s for s in map(settled_from_row, rows.mappings())}
        reach("hub.settled", *(f"{s.job_id}.{s.seq}" for s in settlements if s.job_id in found))
        if missing := [s.job_id for s in settlements if s.job_id not in found]:
            raise LaneLost(f"{len(missing)} attempts of {lane} belong to a newer owner")
        return [found[s.job_id] for s in settlements]

    async def save_breaker(
        self, lane: str, term: int, breaker: Breaker, *, orders: int, seconds: float
    ) -> None:
        """Writes down how the breaker stands, open for `seconds`, and raises or ends its alert."""
        change = {
            "lane": lane,
            "term": term,
            "orders": orders,
            "state": int(breaker.state),
            "reason": breaker.reason,
            "trips": breaker.trips,
            "by_writes": breaker.by_writes,
            "seconds": seconds,
        }
        async with self._single.connect() as connection:
            await connection.execute(_SAVE_BREAKER, change)

    async def save_throttle(self, lane: str, term: int, seconds: float, *, orders: int) -> None:
        """Writes down that the provider wants nothing for `seconds`, unless an operator has spoken."""
        wait = {"lane": lane, "term": term, "seconds": seconds, "orders": orders}
        async with self._single.connect() as connection:
            await connection.execute(_SAVE_THROTTLE, wait)

    async def next_due(self, lane: str) -> float | None:
        """Seconds until the next job is due; None if none waits."""
        async with self._single.connect() as connection:
            seconds = (await connection.execute(_NEXT_DUE, {"lane": lane})).scalar_one()
        return None if seconds is None else float(seconds)

    async def read_outbox(self, lane: str, limit: int) -> list[Statement]:
        """The oldest statements that the log has not confirmed."""
        async with self._single.connect() as connection:
            rows = await connection.execute(_READ_OUTBOX, {"lane": lane, "limit": limit})
            return [Statement(str(row["statement_id"]), row["envelope"]) for row in rows.mappings()]

    async def clear_outbox(self, done: Sequence[str], refused: Mapping[str, str]) -> None:
        """Forgets confirmed statements and sets refused ones aside, by id and reason."""
        gone = {
            "statement_ids": [*done, *refused],
            "refused_ids": list(refused),
            "reasons": list(refused.values()),
        }
        reach("hub.clearing", *done)
        async with self._single.connect() as connection:
            await connection.execute(_CLEAR_OUTBOX, gone)
        reach("hub.cleared", *done)


class PostgresLaneLeases:
    """Leases by the database's clock, so that no replica's clock matters."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._single = single(engine)

    async def survey(self, owner: str, lanes: Sequence[str], lease: timedelta) -> Survey:
        """Says that a replica lives and what it can work on; the others that live, and who owns what."""
        told = {"owner": owner, "lanes": list(lanes), "lease": lease}
        async with self._single.connect() as connection:
            rows = (await connection.execute(_SURVEY, told)).mappings().all()
        return Survey(
            offers={row["owner"]: row["lanes"] for row in rows if row["lane_id"] is None},
            owners={row["lane_id"]: row["owner"] for row in rows if row["lane_id"] is not None},
            lapses=min(
                (row["seconds"] for row in rows if row["lane_id"] is not None and row["owner"] != owner),
                default=None,
            ),
        )

    async def acquire(self, owner: str, lanes: Sequence[str], lease: timedelta) -> Mapping[str, Grant]:
        """Renews own lanes and takes free ones; the lanes now owned."""
        wanted = {"owner": owner, "lanes": list(lanes), "lease": lease}
        async with self._single.connect() as connection:
            rows = (await connection.execute(_ACQUIRE_LANES, wanted)).mappings().all()
        return {row["lane_id"]: grant_from_row(row) for row in rows}

    async def release(self, owner: str, lanes: Sequence[str]) -> None:
        """Gives up lanes; whoever takes them next has a new term."""
        async with self._single.connect() as connection:
            await connection.execute(_RELEASE_LANES, {"owner": owner, "lanes": list(lanes)})

    async def retire(self, owner: str) -> None:
        """Gives up all lanes of a replica, which goes."""
        async with self._single.connect() as connection:
            await connection.execute(_RETIRE, {"owner": owner})
