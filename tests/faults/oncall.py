"""Those on call in a campaign: what they are told of dead letters, and how they deal with them."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from hubctl.rpc import hub_channel
from integration.operations.v1 import plan_pb2
from local.stack.processes import until
from tests.faults.checker import Letter, Told, check_alerts
from tests.faults.rig import Rig
from tests.operations.office import Person

# Longer than the longest pause after which a receiver is tried again.
TOLD_SECONDS = 90.0
PLAN_SECONDS = 120.0

_KEPT = """
SELECT json_build_object(
    'letters', (SELECT coalesce(json_agg(json_build_object(
        'job', job_id, 'alert', alert_key, 'waits', left_at IS NULL)), '[]') FROM dead_letter),
    'alerts', (SELECT coalesce(json_agg(json_build_object(
        'key', alert_key, 'name', name, 'severity', severity, 'labels', CAST(labels AS json),
        'began', started_at, 'fires', ended_at IS NULL,
        'told', ARRAY(SELECT sink FROM alert_delivery d
                      WHERE d.alert_key = alert.alert_key AND d.delivered_start = alert.started_at))), '[]')
        FROM alert));
"""


async def told(rig: Rig) -> tuple[list[Letter], list[Told]]:
    """All dead letters and alerts, once those on call know what they must, or have had the time to."""
    letters: list[Letter] = []
    alerts: list[Told] = []

    async def is_told() -> bool:
        letters[:], alerts[:] = await _look(rig)
        return not check_alerts(letters, alerts)

    await until(is_told, TOLD_SECONDS)
    return letters, alerts


async def give_up(rig: Rig) -> int:
    """Two people discard all jobs that are dead; how many there were."""
    given_up = 0
    async with (
        hub_channel(rig.place.profile, name="ana") as one,
        hub_channel(rig.place.profile, name="luis") as another,
    ):
        ana, luis = Person(one), Person(another)
        for peer in rig.peers:
            plan = await ana.preview("DISCARD", provider=peer)
            if plan.counts.total:
                over = await ana.over(await luis.approve(plan), PLAN_SECONDS)
                assert over.state == plan_pb2.PLAN_STATE_FINISHED, over
                given_up += over.counts.total
    return given_up


async def _look(rig: Rig) -> tuple[list[Letter], list[Told]]:
    kept = json.loads(await rig.sql(_KEPT))
    shown = None if rig.alertmanager is None else await asyncio.to_thread(rig.alertmanager.alerts)
    letters = [Letter(one["job"], one["alert"], waits=one["waits"]) for one in kept["letters"]]
    return letters, [_told(one, rig.sinks, shown) for one in kept["alerts"]]


def _told(kept: Mapping[str, Any], sinks: frozenset[str], shown: list[dict[str, Any]] | None) -> Told:
    labels = {**kept["labels"], "alertname": kept["name"], "severity": kept["severity"]}
    return Told(
        kept["key"],
        kept["began"],
        fires=kept["fires"],
        untold=tuple(sorted(sinks - set(kept["told"]))),
        shown=None if shown is None else any(one["labels"] == labels for one in shown),
    )
