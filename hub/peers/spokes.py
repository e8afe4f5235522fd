"""The spokes over gRPC: what they are, and the calls that the lanes make."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from hub.jobs.errors import ProviderAmbiguous, UnknownAccount, UnknownProvider
from hub.jobs.events import ArrivedEvent, WebhookRefused
from hub.jobs.model import Claimed, Purpose, lane_id
from hub.jobs.ports import Knowledge, Report, Result, SpokeUnavailable, Warranted
from hub.jobs.spec import OperationSpec, SpokeSpec
from hub.peers.outcomes import outcome_from_proto, spoke_from_proto
from integration.audit.v1 import log_pb2
from integration.spoke.v1 import spoke_service_pb2, spoke_service_pb2_grpc
from mesh.telemetry import Telemetry

GRACE_SECONDS = 15.0
FENCE_SECONDS = 5.0

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
        self._ready: set[str] = set()
        self._telemetry = telemetry

    def names(self) -> Sequence[str]:
        """All spokes that the hub was told of."""
        return list(self._stubs)

    def is_ready(self, provider: str) -> bool:
        """Whether the spoke answered when it was last asked."""
        return provider in self._ready

    def lanes(self) -> Mapping[str, int]:
        """The lanes of all spokes that have described themselves, with their concurrency."""
        return {
            lane_id(spec.provider, account): concurrency
            for spec in self._specs.values()
            for account, concurrency in spec.accounts.items()
        }

    def spec(self, provider: str, operation: str) -> OperationSpec:
        """What the spoke says of an operation; raises UnknownProvider."""
        spec = self._specs.get(provider)
        if spec is None or operation not in spec.operations:
            raise UnknownProvider(f"no spoke {provider} offers {operation}", provider=provider)
        return spec.operations[operation]

    def choose(self, provider: str, account: str, operation: str) -> tuple[str, str]:
        """The provider and account for a request; either may be left empty by Core."""
        if not provider:
            offering = [s.provider for s in self._specs.values() if operation in s.operations]
            if len(offering) > 1:
                raise ProviderAmbiguous(f"name one of {', '.join(sorted(offering))} in context.provider")
            provider = offering[0] if offering else ""
        self.spec(provider, operation)
        account = account or "default"
        if account not in self._specs[provider].accounts:
            raise UnknownAccount(f"{provider} has no account {account}", provider=provider, account=account)
        return provider, account

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
        self._ready.add(name)
        return True

    async def perform(
        self, lane: str, term: int, attempts: Sequence[Warranted]
    ) -> AsyncIterator[list[Result]]:
        """Performs attempts or look-ups of one purpose; raises SpokeUnavailable when cut off."""
        provider = attempts[0].claimed.provider
        with self._telemetry.span("dispatch", carrier=attempts[0].claimed.origin.trace):
            responses = self._call(provider, lane, term, attempts)
        try:
            async for response in responses:
                yield [_result(r) for r in response.results]
        except grpc.aio.AioRpcError as error:
            if error.code() is grpc.StatusCode.UNAVAILABLE:
                self._ready.discard(provider)
            raise SpokeUnavailable(f"{error.code().name}: {error.details()}") from error

    async def fence(self, lane: str, term: int, attempts: Sequence[Claimed]) -> list[Report]:
        """Closes the lane to older owners and asks about their attempts; raises SpokeUnavailable."""
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
            raise SpokeUnavailable(f"{error.code().name}: {error.details()}") from error
        return [_report(r) for r in response.reports]

    async def parse_webhook(
        self, lane: str, headers: Sequence[tuple[str, str]], body: bytes, received_at: datetime
    ) -> list[ArrivedEvent]:
        """Has the spoke verify a webhook; raises WebhookRefused, UnknownProvider or SpokeUnavailable."""
        provider, account = lane.split("/", 1)
        if lane not in self.lanes():
            raise UnknownProvider(f"there is no lane {lane}", lane=lane)
        request = spoke_service_pb2.ParseWebhookRequest(
            account=account,
            headers=[spoke_service_pb2.HttpHeader(name=n, value=v) for n, v in headers],
            body=body,
        )
        request.receive_time.FromDatetime(received_at)
        try:
            response = await self._stubs[provider].ParseWebhook(request, timeout=FENCE_SECONDS)
        except grpc.aio.AioRpcError as error:
            if error.code() in _REFUSALS:
                raise WebhookRefused(error.details() or "") from error
            raise SpokeUnavailable(error.code().name) from error
        return [_event(lane, e) for e in response.events]

    async def close(self) -> None:
        """Closes the connections."""
        for channel in self._channels.values():
            await channel.close(None)

    def _call(
        self, provider: str, lane: str, term: int, attempts: Sequence[Warranted]
    ) -> AsyncIterator[spoke_service_pb2.ExecuteResponse | spoke_service_pb2.LookUpResponse]:
        stub = self._stubs[provider]
        looks_up = attempts[0].claimed.purpose is Purpose.LOOK_UP
        request = spoke_service_pb2.LookUpRequest if looks_up else spoke_service_pb2.ExecuteRequest
        call = stub.LookUp if looks_up else stub.Execute
        longest = max(a.timeout for a in attempts).total_seconds() + GRACE_SECONDS
        responses: AsyncIterator[spoke_service_pb2.ExecuteResponse | spoke_service_pb2.LookUpResponse] = call(
            request(
                lane=lane,
                term=term,
                checkpoint=attempts[0].receipt.checkpoint,
                attempts=[_attempt(a) for a in attempts],
            ),
            timeout=longest,
        )
        return responses


_REFUSALS = frozenset(
    {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.PERMISSION_DENIED}
)


class Describing:
    """The duty that keeps the directory true: often while a spoke is silent, seldom while it answers."""

    def __init__(self, name: str, directory: SpokeDirectory, changed: Callable[[], None]) -> None:
        self.name = f"describe {name}"
        self._spoke = name
        self._directory = directory
        self._changed = changed

    async def run_once(self) -> float | None:
        """Asks once."""
        was_ready = self._directory.is_ready(self._spoke)
        answered = await self._directory.describe(self._spoke)
        if answered != was_ready:
            _log.info("spoke answers" if answered else "spoke is silent", extra={"spoke": self._spoke})
            self._changed()
        return 10.0 if answered else 0.5


def _attempt(warranted: Warranted) -> spoke_service_pb2.Attempt:
    claimed = warranted.claimed
    message = spoke_service_pb2.Attempt(
        attempt_id=claimed.attempt_id,
        job_id=claimed.job_id,
        operation=claimed.work.operation,
        account=claimed.account,
        request=claimed.work.request,
        salt=claimed.work.salt,
        provider_key=claimed.work.provider_key,
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
    return message


def _moment(claimed: Claimed) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(claimed.claimed_at)
    return stamp


def _result(message: spoke_service_pb2.AttemptResult) -> Result:
    return Result(message.attempt_id, outcome_from_proto(message.outcome), message.evidence)


def _report(message: spoke_service_pb2.AttemptReport) -> Report:
    known = {int(k): k for k in Knowledge}
    result = _result(message.result) if message.HasField("result") else None
    return Report(message.attempt_id, known.get(message.knowledge, Knowledge.NONE), result)


def _event(lane: str, message: spoke_service_pb2.ProviderEvent) -> ArrivedEvent:
    outcome = message.outcome.SerializeToString() if message.HasField("outcome") else b""
    return ArrivedEvent(lane, message.event_id, message.type, message.job_id, outcome, message.confirmation)
