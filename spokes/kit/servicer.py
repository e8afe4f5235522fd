"""The spoke's side of the contract."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Final, TypeAlias

import grpc
from google.protobuf.message import Message

from integration.spoke.v1 import spoke_service_pb2 as pb
from integration.spoke.v1 import spoke_service_pb2_grpc
from spokes.kit import envelope
from spokes.kit.attempts import Report
from spokes.kit.describe import describe
from spokes.kit.envelope import Task, Verdict
from spokes.kit.errors import (
    ActorLost,
    ListRefused,
    NotListed,
    NotOffered,
    PoolOverloaded,
    ProviderUnavailable,
    UnknownAccount,
    WebhookRefused,
)
from spokes.kit.performing import Performing

PARSE_SECONDS: Final = timedelta(seconds=4)
LIST_SECONDS: Final = timedelta(seconds=20)
# Of the 4 MiB that an answer may hold.
MOST_ANSWER_BYTES: Final = 3 << 20
_AGAIN: Final = pb.ParsedWebhook(
    verdict=pb.WEBHOOK_VERDICT_UNAVAILABLE, reason="more events at once than one answer holds"
)

Context: TypeAlias = grpc.aio.ServicerContext[Message, Message]


@dataclass(frozen=True, slots=True)
class SpokeServicer(spoke_service_pb2_grpc.SpokeServiceServicer):
    """One provider behind the contract."""

    performing: Performing
    instance_id: str

    async def Describe(self, request: pb.DescribeRequest, context: Context) -> pb.DescribeResponse:
        """Says what the spoke can do."""
        started_at = self.performing.attempts.started_at
        return describe(self.performing.manifest, instance_id=self.instance_id, started_at=started_at)

    async def Execute(
        self, request: pb.ExecuteRequest, context: Context
    ) -> AsyncIterator[pb.ExecuteResponse]:
        """Performs attempts."""
        async for group in self.performing.perform(request):
            yield pb.ExecuteResponse(results=group)

    async def LookUp(self, request: pb.LookUpRequest, context: Context) -> AsyncIterator[pb.LookUpResponse]:
        """Asks the provider what became of earlier attempts."""
        async for group in self.performing.perform(request):
            yield pb.LookUpResponse(results=group)

    async def Fence(self, request: pb.FenceRequest, context: Context) -> pb.FenceResponse:
        """Closes the lane to older owners."""
        claims = [(a.attempt_id, a.claim_time.ToDatetime(tzinfo=UTC)) for a in request.attempts]
        reports = self.performing.attempts.fence(request.lane, request.term, claims)
        return pb.FenceResponse(instance_id=self.instance_id, reports=[_report(r) for r in reports])

    async def ParseWebhook(
        self, request: pb.ParseWebhookRequest, context: Context
    ) -> pb.ParseWebhookResponse:
        """Verifies and reads a webhook."""
        return await self._read(request)

    async def ParseWebhooks(
        self, request: pb.ParseWebhooksRequest, context: Context
    ) -> pb.ParseWebhooksResponse:
        """Verifies and reads webhooks, all at once."""
        results = await asyncio.gather(*(self._parse(webhook) for webhook in request.webhooks))
        return pb.ParseWebhooksResponse(results=_within(results))

    async def ListEvents(self, request: pb.ListEventsRequest, context: Context) -> pb.ListEventsResponse:
        """Lists the provider's events."""
        self._refuse_unknown(request.account)
        asked_at = self.performing.clock.now()
        intent = self.performing.warrants.check_list(request, asked_at)
        response = pb.ListEventsResponse.FromString(await self._ask(Task.LIST_EVENTS, request, LIST_SECONDS))
        for event in response.events:
            self._confirm(request.account, event, event.SerializeToString(deterministic=True))
        response.evidence = self.performing.notary.listed(intent, request.warrant.receipt, asked_at)
        return response

    async def _parse(self, webhook: pb.ParseWebhookRequest) -> pb.ParsedWebhook:
        try:
            read = await self._read(webhook)
        except (WebhookRefused, UnknownAccount, NotOffered) as error:
            return pb.ParsedWebhook(verdict=pb.WEBHOOK_VERDICT_REFUSED, reason=str(error))
        except (ProviderUnavailable, PoolOverloaded) as error:
            return pb.ParsedWebhook(verdict=pb.WEBHOOK_VERDICT_UNAVAILABLE, reason=str(error))
        answer = read.answer if read.HasField("answer") else None
        return pb.ParsedWebhook(verdict=pb.WEBHOOK_VERDICT_VERIFIED, events=read.events, answer=answer)

    async def _read(self, webhook: pb.ParseWebhookRequest) -> pb.ParseWebhookResponse:
        self._refuse_unknown(webhook.account)
        body = await self._ask(Task.PARSE_WEBHOOK, webhook, PARSE_SECONDS)
        response = pb.ParseWebhookResponse.FromString(body)
        for event in response.events:
            self._confirm(webhook.account, event, webhook.body)
        return response

    def _confirm(self, account: str, event: pb.ProviderEvent, body: bytes) -> None:
        if event.job_id and event.HasField("outcome"):
            event.confirmation = self.performing.notary.confirmation(account, event, body)

    def _refuse_unknown(self, account: str) -> None:
        if account not in self.performing.manifest.accounts:
            raise UnknownAccount(f"there is no account {account}")

    async def _ask(self, task: Task, request: Message, patience: timedelta) -> bytes:
        deadline = (self.performing.clock.now() + patience).timestamp()
        try:
            verdict, body = envelope.read(
                await self.performing.pool.run(envelope.pack(task, deadline, request))
            )
        except ActorLost as error:
            raise ProviderUnavailable("the process that had the request is gone") from error
        if verdict is Verdict.DONE:
            return body
        raise _REFUSALS[verdict](body.decode())


_REFUSALS: Final = {
    Verdict.REFUSED: WebhookRefused,
    Verdict.UNAVAILABLE: ProviderUnavailable,
    Verdict.NOT_OFFERED: NotOffered,
    Verdict.LIST_REFUSED: ListRefused,
    Verdict.NOT_LISTED: NotListed,
}


def _within(results: Sequence[pb.ParsedWebhook]) -> list[pb.ParsedWebhook]:
    """The results that fit into one answer; the others come again, as too long a one would lose them all."""
    size = 0
    fitting: list[pb.ParsedWebhook] = []
    for result in results:
        size += result.ByteSize()
        is_fit = size <= MOST_ANSWER_BYTES or not fitting
        fitting.append(result if is_fit else _AGAIN)
    return fitting


def _report(report: Report) -> pb.AttemptReport:
    return pb.AttemptReport(
        attempt_id=report.attempt_id, knowledge=pb.Knowledge.Name(report.knowledge), result=report.result
    )
