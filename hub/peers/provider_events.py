"""A provider's own list of events: an outside call, with its intent before and its evidence after."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from hub.errors import Overloaded, PlanRefused, PlanTooLarge
from hub.events.arrivals import of_our_jobs
from hub.events.deliveries import has_fit_name
from hub.events.model import ArrivedEvent
from hub.jobs.outcome import NotSent, NotSentCause, Unknown
from hub.lanes.ports import AuditLog, LogUnavailable, Receipt, SpokeUnavailable
from hub.peers.hearing import event_from_proto
from hub.peers.notary import Notary
from hub.peers.spokes import SpokeDirectory
from integration.audit.v1 import log_pb2
from integration.spoke.v1 import spoke_service_pb2


class ProviderEvents:
    """Reads lists of events, page by page."""

    def __init__(self, directory: SpokeDirectory, *, log: AuditLog, notary: Notary) -> None:
        self._directory = directory
        self._log = log
        self._notary = notary

    async def list_events(
        self, lane: str, plan_id: str, *, start: datetime, end: datetime, most: int
    ) -> list[ArrivedEvent]:
        """The events of a time range, each once; raises Overloaded if the provider or the log is away.

        Nothing is stated of a lane that there is not: UnknownProvider, UnknownAccount or ProviderNotReady.
        """
        self._directory.check_account(*lane.split("/", 1))
        events: dict[str, ArrivedEvent] = {}
        token, page = "", 0
        while page == 0 or token:
            page += 1
            response = await self._page(lane, plan_id, page, _request(lane, start, end, token))
            told = [of_our_jobs(event_from_proto(lane, event)) for event in response.events]
            events.update({event.event_id: event for event in told if has_fit_name(event)})
            if len(events) > most:
                raise PlanTooLarge(f"the provider has more than {most} events: narrow the time range")
            token = response.next_page_token
        return list(events.values())

    async def _page(
        self, lane: str, plan_id: str, page: int, request: spoke_service_pb2.ListEventsRequest
    ) -> spoke_service_pb2.ListEventsResponse:
        intent = self._notary.list_intent(lane, plan_id, page)
        try:
            receipt = await self._state(intent)
            request.checkpoint = receipt.checkpoint
            request.warrant.CopyFrom(
                spoke_service_pb2.Warrant(
                    intent=intent,
                    receipt=log_pb2.Receipt(
                        index=receipt.index, leaf_hash=receipt.leaf_hash, path=receipt.path
                    ),
                )
            )
            response = await self._ask(lane, plan_id, page, request, receipt)
            await self._state(response.evidence)
        except (LogUnavailable, SpokeUnavailable) as problem:
            raise Overloaded(f"the provider's events cannot be listed now: {problem}") from problem
        return response

    async def _ask(
        self,
        lane: str,
        plan_id: str,
        page: int,
        request: spoke_service_pb2.ListEventsRequest,
        receipt: Receipt,
    ) -> spoke_service_pb2.ListEventsResponse:
        try:
            return await self._directory.list_events(request, lane.split("/", 1)[0])
        except SpokeUnavailable:
            unread = Unknown("SPOKE_UNAVAILABLE", "the list could not be read")
            await self._state(self._notary.list_evidence(lane, plan_id, page, unread, receipt))
            raise
        except PlanRefused as refused:
            reason = refused.metadata.get("refusal", "NOT_OFFERED")
            unasked = NotSent(NotSentCause.UNSUPPORTED, reason, str(refused))
            await self._state(self._notary.list_evidence(lane, plan_id, page, unasked, receipt))
            raise

    async def _state(self, envelope: bytes) -> Receipt:
        (answer,) = await self._log.append([envelope], {})
        if isinstance(answer, Receipt):
            return answer
        raise LogUnavailable(f"the log refused the statement: {answer.reason}")


def _request(lane: str, start: datetime, end: datetime, token: str) -> spoke_service_pb2.ListEventsRequest:
    return spoke_service_pb2.ListEventsRequest(
        account=lane.split("/", 1)[1], start_time=_stamp(start), end_time=_stamp(end), page_token=token
    )


def _stamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
