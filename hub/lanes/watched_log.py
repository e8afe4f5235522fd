"""The audit log, watched: what keeps it from taking statements is an alert, for nothing is sent meanwhile."""

import logging
from collections.abc import Awaitable, Mapping, Sequence
from datetime import timedelta
from typing import Protocol

from hub.alerts.model import Alert
from hub.clock import Clock
from hub.lanes.ports import AuditLog, LogContradicts, LogUnavailable, Receipt, Refused

PATIENCE_SECONDS = 3.0
REPEAT_SECONDS = 10.0
SILENCE = timedelta(seconds=30)

AUDIT_UNAVAILABLE = Alert(
    key="AuditUnavailable",
    name="AuditUnavailable",
    severity="SEV0",
    labels={},
    summary="The audit log takes no statements: no provider is called until it does",
    runbook="docs/runbooks/audit-unavailable.md",
)

AUDIT_CONTRADICTS = Alert(
    key="AuditContradicts",
    name="AuditContradicts",
    severity="SEV0",
    labels={},
    summary="The audit log contradicts what it has proved: no provider is called, and a person has to look",
    runbook="docs/runbooks/audit-unavailable.md",
)

_log = logging.getLogger(__name__)


class RaisesAlerts(Protocol):
    """The store of alerts, for who has no commit of their own."""

    async def raise_alert(self, alert: Alert) -> bool:
        """Makes it fire."""
        ...

    async def see_alert(self, key: str) -> bool:
        """Says that its cause is still there; False if it does not fire."""
        ...

    async def end_alert(self, key: str) -> bool:
        """Ends it."""
        ...

    async def end_unseen(self, key: str, silence: timedelta) -> bool:
        """Ends it if nobody has seen its cause for so long."""
        ...


class WatchedLog:
    """Passes everything on, and tells those on call what keeps the log from taking statements."""

    def __init__(self, log: AuditLog, *, alerts: RaisesAlerts, clock: Clock) -> None:
        self._log = log
        self._alerts = alerts
        self._clock = clock
        self._away_since: float | None = None
        self._repeat_at = 0.0
        # What fires; None: another process may have raised it and died, so the first success ends it.
        self._fires: dict[str, bool | None] = {AUDIT_UNAVAILABLE.key: None, AUDIT_CONTRADICTS.key: None}

    async def append(self, envelopes: Sequence[bytes], trace: Mapping[str, str]) -> list[Receipt | Refused]:
        """Appends in order; raises LogUnavailable or LogContradicts."""
        try:
            answers = await self._log.append(envelopes, trace)
        except LogUnavailable:
            await self._away()
            raise
        except LogContradicts:
            await self._raise(AUDIT_CONTRADICTS)
            raise
        self._away_since = None
        await self._end(AUDIT_UNAVAILABLE)
        await self._end_of_the_dead()
        # A contradiction that this process has seen is not over because the next answer hides it.
        if self._fires[AUDIT_CONTRADICTS.key] is None:
            await self._end(AUDIT_CONTRADICTS)
        return answers

    async def _away(self) -> None:
        now = self._clock.monotonic()
        if self._away_since is None:
            self._away_since = now
        if now - self._away_since >= PATIENCE_SECONDS:
            await self._raise(AUDIT_UNAVAILABLE)
            await self._repeat(now)

    async def _repeat(self, now: float) -> None:
        """Says now and then that the log is still away, so that the others leave the alert alone."""
        if now >= self._repeat_at:
            self._repeat_at = now + REPEAT_SECONDS
            self._fires[AUDIT_UNAVAILABLE.key] = await self._told(
                AUDIT_UNAVAILABLE, self._see(AUDIT_UNAVAILABLE), fires=True
            )

    async def _see(self, alert: Alert) -> bool:
        return await self._alerts.see_alert(alert.key) or await self._alerts.raise_alert(alert)

    async def _end_of_the_dead(self) -> None:
        """Ends now and then what another process has raised and then died; one that lives repeats it."""
        now = self._clock.monotonic()
        if now >= self._repeat_at:
            self._repeat_at = now + REPEAT_SECONDS
            ending = self._alerts.end_unseen(AUDIT_UNAVAILABLE.key, SILENCE)
            self._fires[AUDIT_UNAVAILABLE.key] = await self._told(AUDIT_UNAVAILABLE, ending, fires=False)

    async def _raise(self, alert: Alert) -> None:
        if self._fires[alert.key] is not True:
            self._fires[alert.key] = await self._told(alert, self._alerts.raise_alert(alert), fires=True)

    async def _end(self, alert: Alert) -> None:
        if self._fires[alert.key] is not False:
            self._fires[alert.key] = await self._told(alert, self._alerts.end_alert(alert.key), fires=False)

    async def _told(self, alert: Alert, telling: Awaitable[bool], *, fires: bool) -> bool | None:
        try:
            await telling
        except Exception:  # noqa: BLE001 - an alert that cannot be written must not stop the work
            _log.exception("alert not written", extra={"alert": alert.key})
            return None
        return fires
