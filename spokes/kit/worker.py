"""Runs a provider's code: in an actor, or in this process for tests. Bytes in, bytes out."""

import asyncio
import logging
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, assert_never

from google.protobuf.message import Message

from integration.spoke.v1 import outcome_pb2, spoke_service_pb2
from mesh.clock import Clock
from mesh.failpoints import reach
from mesh.telemetry import Telemetry
from spokes.kit import envelope
from spokes.kit.accounts import Account, find
from spokes.kit.envelope import Task, Verdict
from spokes.kit.errors import Interrupted, UnknownAccount, WebhookRefused
from spokes.kit.hearing import answer_to_proto, delivery_of, heard
from spokes.kit.http import Connections, ProviderHttp, Sends
from spokes.kit.manifest import Manifest, OperationSpec
from spokes.kit.outcome import Cause, Doing, NotSent, Outcome, Unknown, doubtful, stamp, to_proto
from spokes.kit.progress import Track
from spokes.kit.spoke import Call, Cancels, Concern, Event, HearsWebhooks, ListsEvents, LooksUp, Spoke

MOST_OF_A_FIELD: Final = 255

_log = logging.getLogger(__name__)


class Worker:
    """One provider's code with its connections. Use it in one event loop only."""

    def __init__(
        self,
        manifest: Manifest,
        spoke: Spoke,
        accounts: Mapping[str, Account],
        *,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._manifest = manifest
        self._spoke = spoke
        self._handlers = spoke.handlers()
        self._accounts = accounts
        self._clock = clock
        self._telemetry = telemetry
        self._connections = {a.name: Connections(sandbox=a.sandbox) for a in accounts.values()}

    async def run(self, question: bytes) -> bytes:
        """Answers one envelope. Raises nothing: what a provider's code breaks is an outcome too."""
        opened = envelope.unpack(question)
        try:
            match opened.task:
                case Task.EXECUTE | Task.LOOK_UP | Task.CANCEL:
                    attempt = spoke_service_pb2.Attempt.FromString(opened.body)
                    return envelope.answer(await self._attempt(attempt, opened.task, opened.deadline))
                case Task.LIST_EVENTS:
                    return await self._list_events(opened)
                case Task.PARSE_WEBHOOK:
                    return self._parse_webhook(spoke_service_pb2.ParseWebhookRequest.FromString(opened.body))
                case _:
                    assert_never(opened.task)
        except (UnknownAccount, WebhookRefused) as error:
            return envelope.refuse(Verdict.REFUSED, str(error))
        except Exception as error:  # noqa: BLE001 - as in `_guarded`
            _log.error("spoke failed", extra=_where(error, opened.task.name))
            return envelope.refuse(Verdict.UNAVAILABLE, "the spoke's own code failed")

    async def close(self) -> None:
        """Closes the connections and sends the last spans."""
        for connections in self._connections.values():
            await connections.close()
        self._telemetry.shutdown()

    async def _attempt(
        self, attempt: spoke_service_pb2.Attempt, task: Task, deadline: float
    ) -> outcome_pb2.Outcome:
        reach("worker.begun", attempt.attempt_id)
        track = Track(self._clock, attempt.attempt_id)
        rpc = attempt.operation.rpartition("/")[2]
        with self._telemetry.span(f"{task.name.lower()} {rpc}", carrier=dict(attempt.trace)) as span:
            outcome, message = await self._written(attempt, task, deadline, track)
            span.set_attribute("integration.attempt", attempt.attempt_id)
            span.set_attribute("integration.outcome", type(outcome).__name__)
        return stamp(message, track, self._clock.now())

    async def _written(
        self, attempt: spoke_service_pb2.Attempt, task: Task, deadline: float, track: Track
    ) -> tuple[Outcome, outcome_pb2.Outcome]:
        try:
            outcome = await self._outcome(attempt, task, deadline, track)
            return outcome, to_proto(outcome)
        except Exception as error:  # noqa: BLE001 - as in `_guarded`, and its code returns anything
            _log.error("attempt failed", extra=_where(error, task.name))
        fault: Outcome = _own_fault(track, harmless=False)
        fault = _of_look_up(fault) if task is Task.LOOK_UP else fault
        return fault, to_proto(fault)

    async def _outcome(
        self, attempt: spoke_service_pb2.Attempt, task: Task, deadline: float, track: Track
    ) -> Outcome:
        spec = self._manifest.operations.get(attempt.operation)
        account = self._accounts.get(attempt.account)
        if spec is None or account is None:
            return NotSent(Cause.UNSUPPORTED, "NOT_OFFERED", "no such operation or account here")
        call = self._call(attempt, account, track, _sends(spec, task))
        remaining = deadline - self._clock.now().timestamp()
        if remaining <= 0:
            return NotSent(Cause.OVERLOADED, "NO_TIME_LEFT", "the attempt's time was up before it began")
        outcome = await self._guarded(call, spec, attempt.request, task, remaining)
        return _of_look_up(outcome) if task is Task.LOOK_UP else outcome

    async def _guarded(
        self, call: Call, spec: OperationSpec, request: bytes, task: Task, remaining: float
    ) -> Outcome:
        try:
            async with asyncio.timeout(remaining):
                return await self._perform(call, spec, spec.operation.request.FromString(request), task)
        except Interrupted as interrupted:
            return _of_question(interrupted.outcome) if call.http.asks else interrupted.outcome
        except TimeoutError:
            return _late(call.track, harmless=call.http.asks)
        except Exception as error:  # noqa: BLE001 - a provider's code raises anything, and its text may hold secrets
            _log.error("handler failed", extra=_where(error, spec.operation.rpc))
            return _own_fault(call.track, harmless=call.http.asks)

    async def _perform(self, call: Call, spec: OperationSpec, request: Message, task: Task) -> Outcome:
        rpc = spec.operation.rpc
        if task is Task.EXECUTE:
            return await self._handlers[rpc](call, request)
        if task is Task.CANCEL:
            if isinstance(self._spoke, Cancels) and spec.can_cancel:
                return await self._spoke.cancel(call, rpc, request)
            return NotSent(Cause.UNSUPPORTED, "NO_CANCEL", "the provider cannot call this operation off")
        if isinstance(self._spoke, LooksUp) and spec.can_look_up:
            return await self._spoke.look_up(call, rpc, request)
        return Unknown("NO_LOOK_UP", "the provider cannot be asked about this operation")

    def _call(self, attempt: spoke_service_pb2.Attempt, account: Account, track: Track, sends: Sends) -> Call:
        http = ProviderHttp(self._connections[account.name], account, track, sends, self._telemetry)
        return Call(
            job_id=attempt.job_id,
            account=account,
            key=attempt.provider_key,
            reference=attempt.provider_reference,
            job_created_at=attempt.job_create_time.ToDatetime(tzinfo=UTC),
            http=http,
            track=track,
        )

    async def _list_events(self, opened: envelope.Opened) -> bytes:
        request = spoke_service_pb2.ListEventsRequest.FromString(opened.body)
        account = find(self._accounts, request.account)
        if not isinstance(self._spoke, ListsEvents):
            return envelope.refuse(Verdict.NOT_OFFERED, "the provider lists no events")
        attempt = spoke_service_pb2.Attempt(account=account.name)
        call = self._call(attempt, account, Track(self._clock), Sends.QUESTION)
        start, end = (t.ToDatetime(tzinfo=UTC) for t in (request.start_time, request.end_time))
        try:
            async with asyncio.timeout(max(0.0, opened.deadline - self._clock.now().timestamp())):
                page = await self._spoke.list_events(call, start, end, request.page_token)
        except Interrupted as interrupted:
            return envelope.refuse(_unlisted(interrupted.outcome), interrupted.outcome.reason)
        except TimeoutError:
            return envelope.refuse(Verdict.NOT_LISTED, "NO_REPLY_IN_TIME")
        events = [self._event(event, self._clock.now()) for event in page.events]
        return envelope.answer(
            spoke_service_pb2.ListEventsResponse(events=events, next_page_token=page.next_token)
        )

    def _parse_webhook(self, request: spoke_service_pb2.ParseWebhookRequest) -> bytes:
        account = find(self._accounts, request.account)
        if not isinstance(self._spoke, HearsWebhooks):
            return envelope.refuse(Verdict.NOT_OFFERED, "the provider sends no webhooks")
        delivery = delivery_of(request)
        found = heard(self._spoke.verify_webhook(account, delivery))
        events = [self._event(event, delivery.received_at) for event in found.events]
        answer = answer_to_proto(found.answer)
        return envelope.answer(spoke_service_pb2.ParseWebhookResponse(events=events, answer=answer))

    def _event(self, event: Event, now: datetime) -> spoke_service_pb2.ProviderEvent:
        message = spoke_service_pb2.ProviderEvent(
            event_id=event.id, type=event.type, job_id=event.job_id, provider_reference=event.reference
        )
        if event.outcome is not None:
            message.outcome.CopyFrom(to_proto(event.outcome))
            message.outcome.done_time.FromDatetime(now)
            message.outcome.subject.CopyFrom(self._subject(event))
        elif event.concern is not None:
            message.concern.CopyFrom(_concern(event.concern))
        if event.happened_at is not None:
            message.event_time.FromDatetime(event.happened_at)
        return message

    def _subject(self, event: Event) -> outcome_pb2.Subject:
        operations = [o for o in self._manifest.operations if o.rpartition("/")[2] in event.rpcs]
        fields = {name: value[:MOST_OF_A_FIELD] for name, value in event.fields.items()}
        return outcome_pb2.Subject(operations=operations, amount=event.amount, request_fields=fields)


def _concern(concern: Concern) -> spoke_service_pb2.Concern:
    return spoke_service_pb2.Concern(
        kind=spoke_service_pb2.ConcernKind.Name(int(concern.kind)),
        concerned_reference=concern.reference[:MOST_OF_A_FIELD],
        amount=concern.amount,
    )


def _late(track: Track, *, harmless: bool) -> NotSent | Unknown:
    if harmless or not track.may_have_left:
        return NotSent(Cause.PROVIDER_DOWN, "NO_REPLY_IN_TIME", "the provider did not answer in time")
    return Unknown("REPLY_TIMEOUT", "the request left, and no reply came in time", cause=Doing.PROVIDER)


def _own_fault(track: Track, *, harmless: bool) -> NotSent | Unknown:
    if harmless or not track.may_have_left:
        return NotSent(Cause.MISCONFIGURED, "SPOKE_FAULT", "the spoke's own code failed; nothing was done")
    return Unknown("SPOKE_FAULT", "the spoke's own code failed after the request may have left")


def _unlisted(outcome: NotSent | Unknown) -> Verdict:
    """Whether asking for the list again could help."""
    useless = isinstance(outcome, NotSent) and outcome.cause in (Cause.UNSUPPORTED, Cause.MISCONFIGURED)
    return Verdict.LIST_REFUSED if useless else Verdict.NOT_LISTED


def _sends(spec: OperationSpec, task: Task) -> Sends:
    if task is Task.LOOK_UP:
        return Sends.QUESTION
    return Sends.READ if spec.operation.is_read else Sends.WORK


def _of_question(outcome: NotSent | Unknown) -> NotSent:
    """A question that came to nothing leaves no doubt behind."""
    if isinstance(outcome, NotSent):
        return outcome
    return NotSent(Cause.PROVIDER_DOWN, outcome.reason, outcome.message)


def _of_look_up(outcome: Outcome) -> Outcome:
    """A look-up that could not ask says Unknown: only ABSENT may say that nothing was done."""
    if isinstance(outcome, NotSent) and outcome.cause is not Cause.ABSENT:
        return doubtful(outcome)
    return outcome


def _where(error: Exception, work: str) -> dict[str, str]:
    """Class and place of an error, never its text: that may hold what the request held."""
    frames = traceback.extract_tb(error.__traceback__)[-5:]
    return {
        "error": type(error).__name__,
        "work": work,
        "at": " < ".join(f"{f.filename.rpartition('/')[2]}:{f.lineno}" for f in reversed(frames)),
    }
