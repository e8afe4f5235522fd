"""Alerts by signed webhook, as Standard Webhooks 1.0 has it."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from hub.alerts.model import AlertState, SinkGone
from hub.posting.http import GONE, post, refusal
from hub.posting.signing import signed_headers


@dataclass(frozen=True, slots=True)
class SignedWebhook:
    """One receiver. Every key signs, so that the receiver can change from one to the next."""

    name: str
    url: str = field(repr=False)
    keys: tuple[bytes, ...] = field(repr=False)
    batch: int = 16
    repeats: bool = False

    async def send(self, states: Sequence[AlertState], now: datetime) -> list[str | None]:
        """Posts each alone, all at once; raises SinkGone at a 410."""
        reasons = list(await asyncio.gather(*(self._post(state, now) for state in states)))
        if refusal(GONE) in reasons:
            raise SinkGone
        return reasons

    async def _post(self, state: AlertState, now: datetime) -> str | None:
        body = payload(state)
        return await post(self.url, body, signed_headers(self.keys, message_id(state), body, now))


def message_id(state: AlertState) -> str:
    """The same whenever this change is sent; receivers drop what they have by it."""
    return f"alert_{state.change_id}"


def payload(state: AlertState) -> bytes:
    """The body: the same bytes whenever this change is sent."""
    alert = state.alert
    data = {
        "key": alert.key,
        "name": alert.name,
        "severity": alert.severity,
        "labels": dict(alert.labels),
        "summary": alert.summary,
        "runbook": alert.runbook,
        "change": state.change,
        "started_at": state.started_at.isoformat(),
        "ended_at": state.ended_at.isoformat() if state.ended_at else None,
    }
    kind = "alert.ended" if state.ended_at else "alert.firing"
    return json.dumps({"type": kind, "timestamp": state.changed_at.isoformat(), "data": data}).encode()
