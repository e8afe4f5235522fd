"""`hubctl bench --reads`: how many reads a second, and what one costs beside a job."""

import asyncio
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from hubctl.audit import newest_checkpoint
from integration.common.v1 import context_pb2
from integration.payments.v1 import payments_service_pb2, payments_service_pb2_grpc
from local.measure import commits, cpu_seconds, difference, quantiles
from local.place import Place
from local.stack.postgres import Server
from mesh.clock import SystemClock

CALL_SECONDS = 60.0
MOST_AT_ONCE = 24
"""Within echo's part for reads."""
STATEMENTS = 2

_clock = SystemClock()


async def measure_reads(
    place: Place, server: Server, channel: Any, *, tenant: str, payment_id: str, count: int
) -> dict[str, Any]:
    """The figures of so many reads of one payment, each with a call of its own."""
    load = Reading(channel, tenant, payment_id)
    entries, cpu, written = await log_size(place), cpu_seconds(place), commits(server)
    begun = _clock.monotonic()
    await load.run(count)
    seconds = _clock.monotonic() - begun
    while await log_size(place) < entries + STATEMENTS * count:
        await asyncio.sleep(0.1)
    used = difference(cpu, cpu_seconds(place))
    return {
        "reads_per_second": round(count / seconds, 1),
        "read_ms": quantiles(load.taken),
        "read_commits": round((commits(server) - written) / count, 3),
        "read_cpu_seconds": used,
        "read_cpu_ms": ms_each(used, count),
    }


class Reading:
    """Reads one payment again and again."""

    def __init__(self, channel: Any, tenant: str, payment_id: str) -> None:
        self._payments = payments_service_pb2_grpc.PaymentsServiceStub(channel)
        self._tenant = tenant
        self._payment_id = payment_id
        self._run = secrets.token_hex(4)
        self.taken: list[float] = []

    async def run(self, count: int) -> None:
        """So many reads, as many at once as echo lets through."""
        numbers = iter(range(count))
        await asyncio.gather(*(self._one_after_another(numbers) for _ in range(MOST_AT_ONCE)))

    async def _one_after_another(self, numbers: Iterator[int]) -> None:
        for number in numbers:
            begun = _clock.monotonic()
            context = context_pb2.RequestContext(
                request_id=f"read-{self._run}-{number}", tenant=self._tenant, provider="echo"
            )
            request = payments_service_pb2.GetPaymentRequest(context=context, payment_id=self._payment_id)
            await self._payments.GetPayment(request, timeout=CALL_SECONDS)
            self.taken.append(_clock.monotonic() - begun)


def ms_each(cpu: Mapping[str, float], count: int) -> float:
    """Processor time of one, in milliseconds, over all parts."""
    return round(sum(cpu.values()) / count * 1000, 3)


async def log_size(place: Place) -> int:
    """How many statements the log holds."""
    return (await newest_checkpoint(place.profile))[1].size
