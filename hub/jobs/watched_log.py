"""The audit log, watched: an outage is an alert, since nothing is sent while it lasts."""

import logging
from collections.abc import Mapping, Sequence
from typing import Protocol

from hub.jobs.alerts import Alert
from hub.jobs.ports import AuditLog, Clock, LogUnavailable, Receipt, Refused

PATIENCE_SECONDS = 3.0

AUDIT_UNAVAILABLE = Alert(
    key="AuditUnavailable",
    name="AuditUnavailable",
    severity="SEV0",
    labels={},
    summary="The audit log takes no statements: no provider is called until it does",
    runbook="docs/runbooks/audit-unavailable.md",
)

_log = logging.getLogger(__name__)


class RaisesAlerts(Protocol):
    """The store of alerts, for who has no commit of their own."""

    async def raise_alert(self, alert: Alert) -> bool:
        """Makes it fire."""
        ...

    async def end_alert(self, key: str) -> bool:
        """Ends it."""
        ...


class WatchedLog:
    """Passes everything on, and tells those on call when the log has been away for a few seconds."""

    def __init__(self, log: AuditLog, *, alerts: RaisesAlerts, clock: Clock) -> None:
        self._log = log
        self._alerts = alerts
        self._clock = clock
        self._away_since: float | None = None
        # None: another process may have raised it and died, so the first success ends it.
        self._fires: bool | None = None

    async def append(self, envelopes: Sequence[bytes], trace: Mapping[str, str]) -> list[Receipt | Refused]:
        """Appends in order; raises LogUnavailable."""
        try:
            answers = await self._log.append(envelopes, trace)
        except LogUnavailable:
            await self._away()
            raise
        self._away_since = None
        if self._fires is not False:
            await self._tell(fires=False)
        return answers

    async def _away(self) -> None:
        now = self._clock.monotonic()
        if self._away_since is None:
            self._away_since = now
        if now - self._away_since >= PATIENCE_SECONDS and self._fires is not True:
            await self._tell(fires=True)

    async def _tell(self, *, fires: bool) -> None:
        self._fires = fires
        try:
            if fires:
                await self._alerts.raise_alert(AUDIT_UNAVAILABLE)
            else:
                await self._alerts.end_alert(AUDIT_UNAVAILABLE.key)
        except Exception:  # noqa: BLE001 - an alert that cannot be written must not stop the work
            self._fires = None
            _log.exception("alert not written", extra={"alert": AUDIT_UNAVAILABLE.key})
