"""Events on their way to the tenants' endpoints."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from hub.callbacks.model import Answers, Due, key
from hub.database.engine import single
from hub.database.statements import reader
from hub.events.rows import told_from_row
from hub.events.told import EndpointView, Told

MOST_ENDPOINTS = 500

_read = reader(__package__)
_CLAIM = _read("claim")
_ENDPOINTS = _read("endpoints")
_FORGET = _read("forget")
_PLACE = _read("place")
_RECORD = _read("record")
_SWITCHED_OFF = _read("switched_off")
_TAKE = _read("take")
_TENANTS = _read("tenants")


class PostgresCallbackStore:
    """One method per statement, no policy."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._single = single(engine)

    async def place(self) -> int:
        """The cursor up to which events have been looked at."""
        async with self._single.connect() as connection:
            return int((await connection.execute(_PLACE)).scalar_one())

    async def take(self, after: int, upto: int, wanted: Sequence[Told], now: datetime) -> None:
        """Moves on from a cursor, if nobody else has, and keeps what is to be posted."""
        columns = {
            "after": after,
            "upto": upto,
            "now": now,
            "cursors": [told.cursor for told in wanted],
            "tenants": [told.tenant for told in wanted],
        }
        async with self._single.connect() as connection:
            await connection.execute(_TAKE, columns)

    async def tenants(self, now: datetime) -> list[str]:
        """Whose events are due."""
        async with self._single.connect() as connection:
            return list((await connection.execute(_TENANTS, {"now": now})).scalars())

    async def switched_off(self) -> dict[str, str]:
        """The endpoints that want no more: by tenant the mark of each."""
        async with self._single.connect() as connection:
            rows = (await connection.execute(_SWITCHED_OFF)).mappings().all()
        return {row["tenant"]: row["mark"] for row in rows}

    async def claim(self, tenant: str, *, now: datetime, until: datetime, limit: int) -> list[Due]:
        """Some of a tenant's events that are due, which nobody else gets until then."""
        wanted = {"tenant": tenant, "now": now, "until": until, "limit": limit}
        async with self._single.connect() as connection:
            rows = (await connection.execute(_CLAIM, wanted)).mappings().all()
        return [Due(told_from_row(row), row["since"], row["failures"]) for row in rows]

    async def record(self, tenant: str, mark: str, answers: Answers, now: datetime) -> None:
        """Writes down what became of events, with the alert, in one commit."""
        alert = answers.alert
        columns = {
            "tenant": tenant,
            "mark": mark,
            "now": now,
            "taken": list(answers.taken),
            "cursors": [each.cursor for each in answers.refused],
            "reasons": [each.reason for each in answers.refused],
            "next_ats": [each.next_at for each in answers.refused],
            "is_gone": answers.gone,
            "is_well": bool(answers.taken) and alert is None,
            "key": key(tenant),
            "has_alert": alert is not None,
            "name": alert.name if alert else "",
            "severity": alert.severity if alert else "",
            "labels": json.dumps(dict(alert.labels)) if alert else "",
            "summary": alert.summary if alert else "",
            "runbook": alert.runbook if alert else "",
        }
        async with self._single.connect() as connection:
            await connection.execute(_RECORD, columns)

    async def forget(self, tenant: str) -> None:
        """Drops what is on its way to a tenant that has no endpoint any more, and its alert."""
        async with self._single.connect() as connection:
            await connection.execute(_FORGET, {"tenant": tenant, "key": key(tenant)})

    async def endpoints(self, tenant: str) -> list[EndpointView]:
        """How the endpoints of a tenant, or of all where it is empty, stand."""
        wanted = {"tenant": tenant, "limit": MOST_ENDPOINTS}
        async with self._single.connect() as connection:
            rows = (await connection.execute(_ENDPOINTS, wanted)).mappings().all()
        return [EndpointView(**row) for row in rows]
