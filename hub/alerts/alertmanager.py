"""Alerts to Prometheus Alertmanager, by its API v2."""

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.alerts.model import AlertState
from hub.posting.http import post, refusal

# Longer than a few repetitions: an alert ends by itself only when the hub has gone silent.
FIRES_FOR = timedelta(minutes=5)

_UNREADABLE = {refusal(400), refusal(413), refusal(422)}
_NOT_IN_A_NAME = re.compile(r"[^a-zA-Z0-9_]")


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """One Alertmanager. It forgets what it is not told again, so it is told again."""

    name: str
    url: str = field(repr=False)
    token: str = field(default="", repr=False)
    batch: int = 64
    repeats: bool = True

    async def send(self, states: Sequence[AlertState], now: datetime) -> list[str | None]:
        """Posts them together; if they are refused together, each alone."""
        reason = await self._post(states, now)
        if reason not in _UNREADABLE or len(states) == 1:
            return [reason] * len(states)
        # One that it cannot read must not hold back the others.
        return list(await asyncio.gather(*(self._post([state], now) for state in states)))

    async def _post(self, states: Sequence[AlertState], now: datetime) -> str | None:
        body = json.dumps([posted(state, now) for state in states]).encode()
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return await post(f"{self.url.rstrip('/')}/api/v2/alerts", body, headers)


def posted(state: AlertState, now: datetime) -> dict[str, object]:
    """What is said of an alert. One that fires ends by itself if it is not repeated."""
    alert = state.alert
    return {
        "labels": {**_labels(alert.labels), "alertname": alert.name, "severity": alert.severity},
        "annotations": {"summary": alert.summary, "runbook": alert.runbook},
        "startsAt": state.started_at.isoformat(),
        "endsAt": (state.ended_at or now + FIRES_FOR).isoformat(),
    }


def _labels(labels: Mapping[str, str]) -> dict[str, str]:
    return {_label_name(name): str(value) for name, value in labels.items()}


def _label_name(name: str) -> str:
    plain = _NOT_IN_A_NAME.sub("_", name)
    return plain if plain and not plain[0].isdigit() else f"_{plain}"
