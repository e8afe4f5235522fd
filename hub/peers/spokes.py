"""The spokes over gRPC: what they are, and the calls that the lanes make."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from hub.errors import PlanRefused, ProviderAmbiguous, ProviderNotReady, UnknownAccount, UnknownProvider
from hub.events.model import Delivery, Heard, WebhookRules
from hub.jobs.model import Claimed, Purpose, lane_id
from hub.jobs.spec import Limits, OperationSpec, SpokeSpec
from hub.lanes.ports import Knowledge, Report, Result, SpokeUnavailable, Warranted
from hub.peers.hearing import delivery_to_proto, heard_from_proto
from hub.peers.outcomes import outcome_from_proto, spoke_from_proto, webhook_rules_from_proto
from integration.audit.v1 import log_pb2
from integration.spoke.v1 import spoke_service_pb2, spoke_service_pb2_grpc
from mesh.errors import answer_of, reason_of
from mesh.failpoints import reach
from mesh.telemetry import Telemetry

GRACE_SECONDS = 15.0
FENCE_SECONDS = 5.0
LIST_SECONDS = 25.0
NO_RECEIPT = "NO_RECEIPT"
FENCE_BATCH = 256
FIRST_ASK_SECONDS = 0.05
LAST_ASK_SECONDS = 0.5
ANSWERED_SECONDS = 10.0

Request = spoke_service_pb2.ExecuteRequest | spoke_service_pb2.LookUpRequest
Response = spoke_service_pb2.ExecuteResponse | spoke_service_pb2.LookUpResponse
Answers = grpc.aio.UnaryStreamCall[Request, Response]
"""The stream of a spoke's results."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SpokeAddress:
    """Where a spoke is reached: the mesh's proxy, and the name that routes there."""

    name: str
    address: str
    authority: str


class SpokeDirectory:
    """The spokes by name. `open_channel` connects to one."""

    def __init__(
        self,
        addresses: Sequence[SpokeAddress],
        *,
        open_channel: Callable[[SpokeAddress], grpc.aio.Channel],
        telemetry: Telemetry,
    ) -> None:
        self._channels = {a.name: open_channel(a) for a in addresses}
        self._stubs = {
            name: spoke_service_pb2_grpc.SpokeServiceStub(channel) for name, channel in self._channels.items()
        }
        self._specs: dict[str, SpokeSpec] = {}
        self._webhooks: dict[str, WebhookRules] = {}
        self._ready: set[str] = set()
        self._telemetry = telemetry
        self.ask_again: Callable[[str], None] = lambda provider: None
        """Says that a spoke did not answer a call, and should be asked whether it is there."""

    def names(self) -> Sequence[str]:
        """All spokes that the hub was told of."""
        return list(self._stubs)

    def unheard(self) -> Set[str]:
        """The spokes that have never said what they offer."""
        return self._stubs.keys() - self._specs.keys()

    def is_ready(self, provider: str) -> bool:
        """Whether the spoke answered when it was last asked."""
        return provider in self._ready

    def is_silent(self, provider: str) -> bool:
        """Whether the hub was told of the spoke, and it did not answer."""
        return provider in self._stubs and provider not in self._ready

    def lanes(self) -> Mapping[str, Limits]:
        """The lanes of all spokes that have described themselves, with their limits."""
        return {
            lane_id(spec.provider, account): limits
            for spec in self._specs.values()
            for account, limits in spec.accounts.items()
        }

    def spec(self, provider: str, operation: str) -> OperationSpec:
        """What the spoke says of an operation; raises UnknownProvider or ProviderNotReady."""
        spec = self._specs.get(provider)
        if spec is None and self._is_unheard(provider):
            raise ProviderNotReady("the spoke has not said yet what it offers", provider=provider)
        if spec is None or operation not in spec.operations:
            raise UnknownProvider(f"no spoke {provider} offers {operation}", provider=provider)
        return spec.operations[operation]

    def choose(self, provider: str, operation: str) -> str:
        """The provider for a request; Core may leave it empty where only one offers the operation."""
        if not provider:
            offering = [s.provider for s in self._specs.values() if operation in s.operations]
            if len(offering) > 1:
                raise ProviderAmbiguous(f"name one of {', '.join(sorted(offering))} in context.provider")
            provider = offering[0] if offering else ""
        self.spec(provider, operation)
        return provider

    def _is_unheard(self, provider: str) -> bool:
        # A request that names nobody may be meant for any spoke that is still to be heard.
        unheard = self.unheard()
        return bool(unheard) if not provider else provider in unheard

    def offered(self) -> Mapping[str, bool]:
        """ "lane|operation" for everything that spokes offer: whether the provider can be asked about it."""
        return {
            f"{lane_id(spec.provider, account)}|{name}": operation.can_look_up
            for spec in self._specs.values()
            for account in spec.accounts
            for name, operation in spec.operations.items()
        }

    def can_look_up(self, provider: str, operation: str) -> bool:
        """Whether the provider can be asked what became of it; raises ProviderNotReady."""
        spec = self._specs.get(provider)
        if spec is None and self._is_unheard(provider):
            raise ProviderNotReady("the spoke has not said yet what it offers", provider=provider)
        return spec is not None and operation in spec.operations and spec.operations[operation].can_look_up

    async def describe(self, name: str) -> bool:
        """Asks a spoke what it can do; False if it does not answer."""
        try:
            answer = await self._stubs[name].Describe(
                spoke_service_pb2.DescribeRequest(), timeout=FENCE_SECONDS
            )
        except grpc.aio.AioRpcError:
            self._ready.discard(name)
            return False
        self._specs[name] = spoke_from_proto(answer)
        self._webhooks[name] = webhook_rules_from_proto(answer.webhooks)
        self._ready.add(name)
        return True

    def limits(self, lane: str) -> Limits | None:
        """The limits that a lane's spoke says now; None: it has said none."""
        provider, account = lane.split("/", 1)
        spec = self._specs.get(provider)
        return spec.accounts.get(account) if spec else None

    async def perform(
        self, lane: str, term: int, attempts: Sequence[Warranted]
    ) -> AsyncIterator[list[Result]]:
        """Performs attempts or look-ups of one purpose; raises SpokeUnavailable when cut off."""
        provider = attempts[0].claimed.provider
        reach("hub.executing", *(a.claimed.attempt_id for a in attempts))
        with self._telemetry.span("dispatch", carrier=attempts[0].claimed.origin.trace):
            responses = self._call(provider, lane, term, attempts)
        try:
            async for response in responses:
                reach("hub.answered", *(r.attempt_id for r in response.results))
                yield [result_from_proto(r) for r in response.results]
        except grpc.aio.AioRpcError as error:
            self._missed(provider, error)
            raise SpokeUnavailable(answer_of(error)) from error
        finally:
            # Whoever asked may have gone: then nobody waits for the rest.
            responses.cancel()

    async def fence(self, lane: str, term: int, attempts: Sequence[Claimed]) -> list[Report]:
        """Closes the lane to older owners and asks about their attempts; raises SpokeUnavailable."""
        reports: list[Report] = []
        for first in range(0, len(attempts), FENCE_BATCH):
            reports += await self._fence(lane, term, attempts[first : first + FENCE_BATCH])
        return reports

    async def _fence(self, lane: str, term: int, attempts: Sequence[Claimed]) -> list[Report]:
        provider = lane.split("/", 1)[0]
        request = spoke_service_pb2.FenceRequest(
            lane=lane,
            term=term,
            attempts=[
                spoke_service_pb2.FencedAttempt(attempt_id=a.attempt_id, claim_time=_moment(a))
                for a in attempts
            ],
        )
        try:
            response = await self._stubs[provider].Fence(request, timeout=FENCE_SECONDS)
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and len(attempts) > 1:
                # The results of all of them are more than one message can hold.
                half = len(attempts) // 2
                first = await self._fence(lane, term, attempts[:half])
                return first + await self._fence(lane, term, attempts[half:])
            self._missed(provider, error)
            raise SpokeUnavailable(answer_of(error)) from error
        return [_report(r) for r in response.reports]

    def check_account(self, provider: str, account: str) -> None:
        """Raises UnknownProvider, UnknownAccount, or ProviderNotReady for a spoke still to be heard."""
        if self._is_unheard(provider):
            raise ProviderNotReady("the spoke has not said yet what it offers", provider=provider)
        if provider not in self._specs:
            raise UnknownProvider(f"there is no spoke {provider}", provider=provider)
        if account not in self._specs[provider].accounts:
            raise UnknownAccount(f"{provider} has no account {account}", provider=provider, account=account)

    def webhook_rules(self, lane: str) -> WebhookRules:
        """How the lane's provider calls; raises UnknownProvider, or SpokeUnavailable for a spoke still to be
        heard."""
        provider = lane.split("/", 1)[0]
        if self._is_unheard(provider):
            raise SpokeUnavailable("the spoke has not said yet what it offers")
        if lane not in self.lanes():
            raise UnknownProvider(f"there is no lane {lane}", lane=lane)
        return self._webhooks[provider]

    async def parse_webhooks(self, deliveries: Sequence[Delivery]) -> list[Heard | Exception]:
        """Has their spoke verify webhooks; WebhookRefused or SpokeUnavailable stands for one not taken.

        Raises SpokeUnavailable.
        """
        provider = deliveries[0].lane.split("/", 1)[0]
        request = spoke_service_pb2.ParseWebhooksRequest(webhooks=[delivery_to_proto(d) for d in deliveries])
        try:
            response = await self._stubs[provider].ParseWebhooks(request, timeout=FENCE_SECONDS)
        except grpc.aio.AioRpcError as error:
            raise SpokeUnavailable(error.code().name) from error
        return [
            heard_from_proto(delivery.lane, parsed)
            for delivery, parsed in zip(deliveries, response.results, strict=True)
        ]

    async def list_events(
        self, request: spoke_service_pb2.ListEventsRequest, provider: str
    ) -> spoke_service_pb2.ListEventsResponse:
        """A page of the provider's events; raises SpokeUnavailable, or PlanRefused if it will list none."""
        try:
            response: spoke_service_pb2.ListEventsResponse = await self._stubs[provider].ListEvents(
                request, timeout=LIST_SECONDS
            )
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNIMPLEMENTED:
                raise PlanRefused(f"{provider} lists no events", provider=provider) from error
            if error.code() is grpc.StatusCode.FAILED_PRECONDITION and reason_of(error) != NO_RECEIPT:
                refusal = answer_of(error).removeprefix("FAILED_PRECONDITION: ")
                problem = f"{provider} will not list its events: {refusal}"
                raise PlanRefused(problem, provider=provider, refusal=refusal) from error
            raise SpokeUnavailable(answer_of(error)) from error
        return response

    async def close(self) -> None:
        """Closes the connections."""
        for channel in self._channels.values():
            await channel.close(None)

    def _missed(self, provider: str, error: grpc.aio.AioRpcError) -> None:
        if error.code() is grpc.StatusCode.UNAVAILABLE:
            self._ready.discard(provider)
            self.ask_again(provider)

    def _call(self, provider: str, lane: str, term: int, attempts: Sequence[Warranted]) -> Answers:
        stub = self._stubs[provider]
        call, request = _asking(stub, attempts[0].claimed.purpose)
        longest = max(a.timeout for a in attempts).total_seconds() + GRACE_SECONDS
        responses: Answers = call(
            request(
                lane=lane,
                term=term,
                checkpoint=attempts[0].receipt.checkpoint,
                attempts=[_attempt(a) for a in attempts],
            ),
            timeout=longest,
        )
        return responses


class Describing:
    """The duty that keeps the directory true: often while a spoke is silent, seldom while it answers."""

    def __init__(self, name: str, directory: SpokeDirectory, changed: Callable[[], None]) -> None:
        self.name = f"describe {name}"
        self._spoke = name
        self._directory = directory
        self._changed = changed
        self._wait = FIRST_ASK_SECONDS

    async def run_once(self) -> float | None:
        """Asks once."""
        was_ready = self._directory.is_ready(self._spoke)
        answered = await self._directory.describe(self._spoke)
        if answered != was_ready:
            _log.info("spoke answers" if answered else "spoke is silent", extra={"spoke": self._spoke})
            self._changed()
        if answered:
            self._wait = FIRST_ASK_SECONDS
            return ANSWERED_SECONDS
        wait, self._wait = self._wait, min(self._wait * 2, LAST_ASK_SECONDS)
        return wait


def _asking(stub: spoke_service_pb2_grpc.SpokeServiceStub, purpose: Purpose) -> tuple[Any, Any]:
    """The call for attempts of one purpose, and what makes its request."""
    if purpose is Purpose.LOOK_UP:
        return stub.LookUp, spoke_service_pb2.LookUpRequest
    if purpose is Purpose.CANCEL:
        cancel = spoke_service_pb2.ATTEMPT_PURPOSE_CANCEL
        return stub.Execute, partial(spoke_service_pb2.ExecuteRequest, purpose=cancel)
    return stub.Execute, spoke_service_pb2.ExecuteRequest


def _key(claimed: Claimed) -> str:
    """The key for the provider: calling off is a request of its own."""
    key = claimed.work.provider_key
    return f"{key}-cancel" if claimed.purpose is Purpose.CANCEL else key


def _attempt(warranted: Warranted) -> spoke_service_pb2.Attempt:
    claimed = warranted.claimed
    message = spoke_service_pb2.Attempt(
        attempt_id=claimed.attempt_id,
        job_id=claimed.job_id,
        operation=claimed.work.operation,
        account=claimed.account,
        request=claimed.work.request,
        salt=claimed.work.salt,
        provider_key=_key(claimed),
        provider_reference=claimed.provider_reference,
        warrant=spoke_service_pb2.Warrant(
            intent=warranted.intent,
            receipt=log_pb2.Receipt(
                index=warranted.receipt.index,
                leaf_hash=warranted.receipt.leaf_hash,
                path=warranted.receipt.path,
            ),
        ),
        trace=dict(claimed.origin.trace),
    )
    message.timeout.FromTimedelta(warranted.timeout)
    message.job_create_time.FromDatetime(claimed.created_at)
    if warranted.begin_by is not None:
        message.expire_time.FromDatetime(warranted.begin_by)
    return message


def _moment(claimed: Claimed) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(claimed.claimed_at)
    return stamp


def result_from_proto(message: spoke_service_pb2.AttemptResult) -> Result:
    """What an attempt came to, and its evidence."""
    return Result(message.attempt_id, outcome_from_proto(message.outcome), message.evidence)


def _report(message: spoke_service_pb2.AttemptReport) -> Report:
    known = {int(k): k for k in Knowledge}
    result = result_from_proto(message.result) if message.HasField("result") else None
    return Report(message.attempt_id, known.get(message.knowledge, Knowledge.NONE), result)
