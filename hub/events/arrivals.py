"""What has come by webhook: read by its spoke, kept, applied. Each step takes along all that wait for it."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from hub.events.deliveries import has_fit_name, is_fit_answer, says_the_same
from hub.events.model import Answer, ArrivedEvent, Delivery, Heard, Kept, WebhookRules
from hub.jobs.convert import is_uuid
from mesh.batcher import Batcher
from mesh.failpoints import reach
from mesh.telemetry import Telemetry

BATCH = 64
BATCH_BYTES = 2 << 20
QUEUE = 10_000
LINGER_SECONDS = 0.01

_log = logging.getLogger(__name__)


class Verifier(Protocol):
    """The spokes, as far as webhooks need them."""

    def webhook_rules(self, lane: str) -> WebhookRules:
        """How its provider calls; raises UnknownProvider, or SpokeUnavailable for a spoke not heard yet."""
        ...

    async def parse_webhooks(self, deliveries: Sequence[Delivery]) -> list[Heard | Exception]:
        """Verifies and reads what came for one spoke, in order; for one that cannot be taken WebhookRefused
        or SpokeUnavailable. Raises SpokeUnavailable."""
        ...


class EventStore(Protocol):
    """Where events are kept and matched."""

    async def keep_all(self, events: Sequence[ArrivedEvent]) -> list[Kept]:
        """Makes events durable in one commit; answers in order."""
        ...

    async def kept(self, lane: str, event_id: str) -> ArrivedEvent | None:
        """An event as it was kept."""
        ...

    async def apply_all(self, job_ids: Sequence[str]) -> list[bool]:
        """Lets held events settle the jobs; for each, whether it has now ended."""
        ...


class Arrivals:
    """One for all providers; `settled` is told of each job, with its lane, that an event may have moved."""

    def __init__(
        self,
        *,
        spokes: Verifier,
        store: EventStore,
        telemetry: Telemetry,
        settled: Callable[[str, str], None],
    ) -> None:
        self._spokes = spokes
        self._store = store
        self._telemetry = telemetry
        self._settled = settled
        self._reading: dict[str, Batcher[Delivery, Heard]] = {}
        self._keeping = Batcher[ArrivedEvent, Kept](
            store.keep_all, max_items=BATCH, max_queue=QUEUE, linger_seconds=LINGER_SECONDS
        )
        self._applying = Batcher[str, bool](
            store.apply_all, max_items=BATCH, max_queue=QUEUE, linger_seconds=LINGER_SECONDS
        )

    def rules(self, lane: str) -> WebhookRules:
        """How the lane's provider calls; raises what the spokes do."""
        return self._spokes.webhook_rules(lane)

    async def take(self, delivery: Delivery) -> Answer | None:
        """Returns when all that a webhook says is kept, with what the provider is to be told; raises what the
        spoke or the store does."""
        heard = await self._reader(delivery.lane).submit(delivery)
        # All go on to their end, so that what comes again is only what was not kept.
        ends = await asyncio.gather(*(self._take_in(e) for e in heard.events), return_exceptions=True)
        for end in ends:
            if end is not None:
                raise end
        if heard.answer is None or is_fit_answer(heard.answer):
            return heard.answer
        _log.error("a spoke's answer is not one that may be passed on", extra={"lane": delivery.lane})
        return None

    async def _take_in(self, told: ArrivedEvent) -> None:
        if not has_fit_name(told):
            _log.error("an event without a name that it could be kept under", extra={"lane": told.lane})
            return
        event = of_our_jobs(told)
        reach("hub.event_keeping", event.event_id)
        kept = await self._keeping.submit(event)
        if not kept.is_new:
            await self._compare(event)
        reach("hub.event_kept", event.event_id)
        if event.job_id:
            # Also for a redelivery: the first delivery may have died between keeping and applying.
            await self._apply(event, kept.trace)
        reach("hub.event_applied", event.event_id)

    def _reader(self, lane: str) -> Batcher[Delivery, Heard]:
        spoke = lane.split("/", 1)[0]
        if spoke not in self._reading:
            self._reading[spoke] = Batcher(
                self._spokes.parse_webhooks,
                max_items=BATCH,
                max_bytes=BATCH_BYTES,
                max_queue=QUEUE,
                size_of=_size,
                linger_seconds=LINGER_SECONDS,
            )
        return self._reading[spoke]

    async def _compare(self, event: ArrivedEvent) -> None:
        first = await self._store.kept(event.lane, event.event_id)
        if first is not None and not says_the_same(first, event):
            _log.error(
                "an event came again with another content: the first one stands",
                extra={"lane": event.lane, "event": event.event_id, "job": first.job_id},
            )

    async def _apply(self, event: ArrivedEvent, trace: Mapping[str, str]) -> None:
        # The sender's trace is not ours to trust: the webhook's own trace links to the job's.
        with self._telemetry.span("confirm", links=[trace]):
            await self._applying.submit(event.job_id)
        self._settled(event.job_id, event.lane)


def of_our_jobs(told: ArrivedEvent) -> ArrivedEvent:
    """The event; without its job where that cannot be one of ours: the reference is the provider's word."""
    return told if is_uuid(told.job_id) else replace(told, job_id="")


def _size(delivery: Delivery) -> int:
    headers = sum(len(name) + len(value) for name, value in delivery.headers)
    return len(delivery.body) + len(delivery.url) + len(delivery.query) + headers
