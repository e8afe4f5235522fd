"""Stops a stack that another process started, or left behind."""

import signal
from collections.abc import Awaitable, Callable

import psutil

from local.stack import ray, record
from local.stack.layout import Layout
from local.stack.processes import DRAIN_SECONDS, kill_group, until
from local.stack.record import PartRecord, StackRecord


async def stop(layout: Layout, known: StackRecord, say: Callable[[str, str, float], None]) -> None:
    """Drains part after part, the hub first and Postgres last, and kills what does not end."""
    for part in sorted(known.parts, key=_order):
        if not part.is_running:
            continue
        psutil.Process(part.pid).send_signal(signal.SIGINT if part.name == "postgres" else signal.SIGTERM)
        if not await until(_has_ended(part), DRAIN_SECONDS):
            kill_group(part.pid)
        say(part.name, "stopped", 0)
    ray.clean(layout)
    record.forget(layout)


def _order(part: PartRecord) -> int:
    if part.name.startswith("spoke-"):
        return 1
    if part.name.startswith("hub"):
        return 0
    return 3 if part.name == "postgres" else 2


def _has_ended(part: PartRecord) -> Callable[[], Awaitable[bool]]:
    async def has_ended() -> bool:
        return not part.is_running

    return has_ended
