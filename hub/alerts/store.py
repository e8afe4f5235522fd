"""Alerts and what each sink has been told of them."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.alerts.model import NEVER, Alert, AlertState, Candidate, Told
from hub.database.engine import single
from hub.database.statements import reader

CANDIDATES = 512
LISTED = 1_000

_read = reader(__package__)
_RAISE = _read("alert_raise")
_END = _read("alert_end")
_LIST = _read("alert_list")
_SEEN = _read("alert_seen")
_UNSEEN = _read("alert_unseen")
_DELIVERIES = _read("alert_deliveries")
_CANDIDATES = _read("alert_candidates")
_TOLD = _read("alert_told")
_FAILED = _read("alert_failed")


class PostgresAlertStore:
    """One method per statement, no policy."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._single = single(engine)

    async def raise_alert(self, alert: Alert) -> bool:
        """Makes it fire, for who has no commit of their own; False if it says that already."""
        row = {
            "key": alert.key,
            "name": alert.name,
            "severity": alert.severity,
            "labels": json.dumps(dict(alert.labels), sort_keys=True),
            "summary": alert.summary,
            "runbook": alert.runbook,
        }
        async with self._single.connect() as connection:
            return (await connection.execute(_RAISE, row)).first() is not None

    async def end_alert(self, key: str) -> bool:
        """Ends it; False if it does not fire."""
        async with self._single.connect() as connection:
            return (await connection.execute(_END, {"key": key})).first() is not None

    async def see_alert(self, key: str) -> bool:
        """Says that its cause is still there; False if it does not fire."""
        async with self._single.connect() as connection:
            return (await connection.execute(_SEEN, {"key": key})).first() is not None

    async def end_unseen(self, key: str, silence: timedelta) -> bool:
        """Ends it if nobody has seen its cause for so long; False if it goes on, or does not fire."""
        async with self._single.connect() as connection:
            row = {"key": key, "silence": silence}
            return (await connection.execute(_UNSEEN, row)).first() is not None

    async def firing(self) -> list[AlertState]:
        """What fires, the newest change first."""
        return await self._list(only_firing=True)

    async def all(self) -> list[AlertState]:
        """What fires, then what has ended, the newest change first."""
        return await self._list(only_firing=False)

    async def deliveries(self, keys: Sequence[str]) -> dict[str, dict[str, Told]]:
        """What each sink has taken of these alerts, by key and sink; not there: it was never tried."""
        found: dict[str, dict[str, Told]] = {key: {} for key in keys}
        async with self._single.connect() as connection:
            rows = (await connection.execute(_DELIVERIES, {"keys": list(keys)})).mappings().all()
        for row in rows:
            found[row["alert_key"]][row["sink"]] = _told(row)
        return found

    async def candidates(self, sink: str, *, repeats: bool, now: datetime) -> list[Candidate]:
        """What may have to be told, the most urgent first; nothing that backs off still."""
        wanted = {"sink": sink, "repeats": repeats, "now": now, "limit": CANDIDATES}
        async with self._single.connect() as connection:
            rows = (await connection.execute(_CANDIDATES, wanted)).mappings().all()
        return [Candidate(_state(row), _told(row)) for row in rows]

    async def record_told(self, sink: str, states: Sequence[AlertState], at: datetime) -> None:
        """Writes down what the sink has taken."""
        columns = {
            "sink": sink,
            "at": at,
            "keys": [s.alert.key for s in states],
            "changes": [s.change for s in states],
            "starts": [s.started_at for s in states],
        }
        async with self._single.connect() as connection:
            await connection.execute(_TOLD, columns)

    async def record_failed(self, sink: str, not_before: Mapping[str, datetime]) -> None:
        """Writes down what the sink has not taken, and when to try again, by key."""
        columns = {"sink": sink, "keys": [*not_before], "next_ats": [*not_before.values()]}
        async with self._single.connect() as connection:
            await connection.execute(_FAILED, columns)

    async def _list(self, *, only_firing: bool) -> list[AlertState]:
        wanted = {"only_firing": only_firing, "limit": LISTED}
        async with self._single.connect() as connection:
            rows = (await connection.execute(_LIST, wanted)).mappings().all()
        return [_state(row) for row in rows]


def _state(row: RowMapping) -> AlertState:
    alert = Alert(
        key=row["alert_key"],
        name=row["name"],
        severity=row["severity"],
        labels=json.loads(row["labels"]),
        summary=row["summary"],
        runbook=row["runbook"],
    )
    return AlertState(alert, row["change"], row["started_at"], row["changed_at"], row["ended_at"])


def _told(row: RowMapping) -> Told:
    return Told(row["told_change"], row["told_start"], row["told_at"] or NEVER, row["failures"])
