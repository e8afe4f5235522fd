"""No receipt, no call: whether an attempt's intent stands in the log and is about this very attempt. Pure."""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from integration.spoke.v1 import spoke_service_pb2
from mesh.evidence import dsse
from mesh.evidence import statement as said
from mesh.evidence.checkpoint import Checkpoint, Vkey, open_checkpoint
from mesh.evidence.errors import EvidenceError
from mesh.evidence.keys import Producer
from mesh.evidence.parse import parse_statement
from mesh.evidence.receipt import verify_receipt
from spokes.kit.errors import WarrantRefused

CACHED_CHECKPOINTS: Final = 64
LIST_EVENTS: Final = ("integration.spoke.v1.SpokeService", "ListEvents")
FRESH_FOR: Final = timedelta(minutes=10)


class Warrants:
    """Checks warrants for one spoke: against the log's key and the hub's keys, and nothing else."""

    def __init__(self, *, provider: str, vkey: Vkey, producers: Mapping[str, Producer]) -> None:
        self._provider = provider
        self._vkey = vkey
        self._hubs = {keyid: p for keyid, p in producers.items() if p.role == "hub"}
        self._verified: OrderedDict[bytes, Checkpoint] = OrderedDict()

    def open_checkpoint(self, note: bytes) -> Checkpoint:
        """The checkpoint that a signed note holds; raises WarrantRefused."""
        known = self._verified.get(note)
        if known is not None:
            return known
        try:
            checkpoint = open_checkpoint(note, self._vkey)
        except EvidenceError as error:
            raise WarrantRefused(f"checkpoint: {error}") from error
        self._verified[note] = checkpoint
        if len(self._verified) > CACHED_CHECKPOINTS:
            self._verified.popitem(last=False)
        return checkpoint

    def check(
        self,
        attempt: spoke_service_pb2.Attempt,
        *,
        purpose: said.Purpose,
        term: int,
        checkpoint: Checkpoint,
    ) -> said.Intent:
        """The intent of an attempt; raises WarrantRefused unless it proves itself and fits."""
        intent = self._intent(attempt.warrant, checkpoint)
        fits = (
            intent.attempt == attempt.attempt_id
            and intent.job == attempt.job_id
            and intent.purpose == purpose
            and intent.term == term
            and self._names(intent, attempt.account, attempt.operation)
        )
        if not fits:
            raise WarrantRefused("the intent is about something else")
        body = said.commit(attempt.salt, attempt.request).hex()
        if intent.req.commit != body or intent.req.bytes != len(attempt.request):
            raise WarrantRefused("the intent is about another request")
        return intent

    def check_fresh(self, intent: said.Intent, now: datetime) -> None:
        """Raises WarrantRefused for an intent that nothing else keeps from being used once more."""
        if not said.timestamp(now - FRESH_FOR) <= intent.t <= said.timestamp(now + FRESH_FOR):
            raise WarrantRefused("the intent is not fresh")

    def check_list(self, request: spoke_service_pb2.ListEventsRequest, now: datetime) -> said.Intent:
        """The intent to list this account's events, in the log and fresh; raises WarrantRefused."""
        intent = self._intent(request.warrant, self.open_checkpoint(request.checkpoint))
        if not self._names(intent, request.account, "/".join(LIST_EVENTS)):
            raise WarrantRefused("the intent is about something else")
        self.check_fresh(intent, now)
        return intent

    def _intent(self, warrant: spoke_service_pb2.Warrant, checkpoint: Checkpoint) -> said.Intent:
        try:
            opened = dsse.open_envelope(warrant.intent)
            hub = self._hubs.get(opened.keyid)
            if hub is None:
                raise WarrantRefused("the intent is not signed by a hub that we know")
            verify_receipt(warrant.receipt, envelope=warrant.intent, checkpoint=checkpoint)
            dsse.verify(opened, hub.public)
            intent = parse_statement(opened.payload)
        except EvidenceError as error:
            raise WarrantRefused(f"intent: {error}") from error
        if not isinstance(intent, said.Intent) or intent.maker.id != hub.holder:
            raise WarrantRefused("not an intent of the hub that signed it")
        return intent

    def _names(self, intent: said.Intent, account: str, operation: str) -> bool:
        service, _, method = operation.partition("/")
        return intent.op == said.Operation(self._provider, account, service, method)
