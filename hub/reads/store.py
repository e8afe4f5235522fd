"""What reads ask the store, once a second for all of them: which lanes are held back, and how many share."""

from datetime import timedelta

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.database.engine import single
from hub.database.statements import reader
from hub.lanes.breaker import BreakerState
from hub.lanes.model import LaneMode
from hub.reads.model import Standing, Standings

_LANES_STANDING = reader(__package__, LaneMode, BreakerState)("lanes_standing")


class PostgresStandingStore:
    """Reads only."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._single = single(engine)

    async def standings(self, lease: timedelta) -> Standings:
        """How things stand; a replica lives that has been seen within a lease's time."""
        async with self._single.connect() as connection:
            rows = (await connection.execute(_LANES_STANDING, {"lease": lease})).mappings().all()
        return Standings(
            rows[0]["replicas"], {row["lane_id"]: _standing(row) for row in rows if row["lane_id"]}
        )


def _standing(row: RowMapping) -> Standing:
    return Standing(
        works=row["mode"] == LaneMode.WORKING,
        breaker=BreakerState(row["breaker_state"]),
        open_seconds=max(row["open_seconds"] or 0.0, 0.0),
        throttled_seconds=max(row["throttled_seconds"] or 0.0, 0.0),
    )
