"""The one server interceptor: authenticate, authorise, deadline, validate, handle, convert errors."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.message import DecodeError, Message

from integration.common.v1 import operation_pb2
from mesh.authorization import Table
from mesh.caller import PROXY_ROLE, Peers, forwarded_peer, set_caller
from mesh.errors import (
    DETAILS_KEY,
    DeadlineTooShort,
    InvalidRequest,
    NotAuthenticated,
    NotPermitted,
    Violation,
    to_status,
)
from mesh.identity import SpiffeId
from mesh.validation import violations

LONGEST_DEADLINE_SECONDS = 3600.0
LEAST_SECONDS = 0.01
"""A call with less time left than this is refused: its caller would be gone before any answer."""
MOST_MONEY_BYTES = 64 << 10
"""What a request that moves money may hold at most; some hundred bytes are usual."""
UNREADABLE = object()
"""Stands for a request whose bytes are not the message."""
TOO_LARGE = object()
"""Stands for a request of more bytes than its method takes."""

_OPERATION: Any = operation_pb2.operation
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_NOBODY: frozenset[str] = frozenset()

_log = logging.getLogger(__name__)

Context = Any  # grpc.aio.ServicerContext, or a tracer's proxy of it
Behavior = Callable[[Any, Context], Any]


class Details(Protocol):
    """What gRPC says of a call before its request is read."""

    method: str


def time_left(context: Context) -> float | None:
    """Seconds until the caller's deadline; None if it set none, or one more than an hour away."""
    left: float | None = context.time_remaining()
    return None if left is None or left > LONGEST_DEADLINE_SECONDS else left


@dataclass(frozen=True, slots=True)
class Gate:
    """What a call of one method must pass."""

    method: str
    peers: Peers
    trust_domain: str
    roles: frozenset[str]
    moves_money: bool

    def admit(self, context: Context) -> None:
        """Authenticates and authorises the caller and looks at the clock."""
        caller = self._caller(context)
        if caller.role not in self.roles:
            _log.warning("refused", extra={"identity": str(caller), "method": self.method})
            raise NotPermitted(str(caller), self.method)
        left = context.time_remaining()
        if left is not None and left < LEAST_SECONDS:
            raise DeadlineTooShort("the deadline is too near for an answer")
        set_caller(caller)

    def inspect(self, request: object) -> None:
        """Refuses a request that breaks its schema's rules."""
        if request is TOO_LARGE:
            raise InvalidRequest([Violation("request", f"holds more than {MOST_MONEY_BYTES} bytes")])
        if request is UNREADABLE:
            raise InvalidRequest([Violation("request", "is not the method's message")])
        if isinstance(request, Message):
            found = violations(request, refuse_unknown=self.moves_money)
            if found:
                raise InvalidRequest(found)

    def _caller(self, context: Context) -> SpiffeId:
        peer = self.peers.peer(context)
        if peer.role != PROXY_ROLE:
            return peer
        forwarded = forwarded_peer(context.invocation_metadata() or (), self.trust_domain)
        if forwarded is not None:
            return forwarded
        if PROXY_ROLE in self.roles:  # its own health checks
            return peer
        raise NotAuthenticated("the proxy names no caller")


class MeshInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[type-arg]
    """Guards every method of one server. Handlers must be asynchronous."""

    def __init__(
        self,
        *,
        trust_domain: str,
        table: Table,
        statuses: Mapping[type[Exception], grpc.StatusCode],
        domain: str,
    ) -> None:
        self._trust_domain = trust_domain
        self._peers = Peers(trust_domain)
        self._table = table
        self._statuses = statuses
        self._domain = domain
        self._guarded: dict[str, tuple[Any, Any]] = {}

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        """The method's handler, guarded."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        method = handler_call_details.method
        known = self._guarded.get(method)
        if known is not None and known[0] is handler:
            return known[1]
        guarded = self._guard(method, handler)
        if method in self._table:
            self._guarded[method] = (handler, guarded)
        return guarded

    def _guard(self, method: str, handler: Any) -> Any:
        gate = Gate(
            method=method,
            peers=self._peers,
            trust_domain=self._trust_domain,
            roles=self._table.get(method, _NOBODY),
            moves_money=_moves_money(method),
        )
        streams_in, streams_out = bool(handler.request_streaming), bool(handler.response_streaming)
        wrap = self._many if streams_out else self._one
        shape, make = _SHAPES[streams_in, streams_out]
        return make(
            wrap(gate, getattr(handler, shape), streams_in=streams_in),
            request_deserializer=_reading(handler.request_deserializer, gate),
            response_serializer=handler.response_serializer,
        )

    def _one(self, gate: Gate, behavior: Behavior, *, streams_in: bool) -> Behavior:
        async def call(request: Any, context: Context) -> Any:
            try:
                gate.admit(context)
                if streams_in:
                    return await behavior(_inspected(gate, request), context)
                gate.inspect(request)
                return await behavior(request, context)
            except grpc.aio.AbortError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets a status
                failure = error
            return await self._abort(context, failure)

        return call

    def _many(self, gate: Gate, behavior: Behavior, *, streams_in: bool) -> Behavior:
        async def stream(request: Any, context: Context) -> AsyncIterator[Any]:
            try:
                gate.admit(context)
                if not streams_in:
                    gate.inspect(request)
                answer = behavior(_inspected(gate, request) if streams_in else request, context)
                if not hasattr(answer, "__aiter__"):
                    await answer  # the handler writes to the context itself
                    return
                async for response in answer:
                    yield response
                return
            except grpc.aio.AbortError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets a status
                failure = error
            await self._abort(context, failure)

        return stream

    async def _abort(self, context: Context, error: Exception) -> None:
        """Ends the call. Not to be called in an `except` block: tracers record what the abort hangs on."""
        status = to_status(error, self._statuses, self._domain)
        await context.abort(_CODES[status.code], status.message, ((DETAILS_KEY, status.SerializeToString()),))


_SHAPES: Mapping[tuple[bool, bool], tuple[str, Callable[..., Any]]] = {
    (False, False): ("unary_unary", grpc.unary_unary_rpc_method_handler),
    (False, True): ("unary_stream", grpc.unary_stream_rpc_method_handler),
    (True, False): ("stream_unary", grpc.stream_unary_rpc_method_handler),
    (True, True): ("stream_stream", grpc.stream_stream_rpc_method_handler),
}


async def _inspected(gate: Gate, requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
    async for request in requests:
        gate.inspect(request)
        yield request


def _reading(deserialize: Callable[[bytes], Any] | None, gate: Gate) -> Callable[[bytes], Any] | None:
    if deserialize is None:
        return None

    def read(data: bytes) -> Any:
        if gate.moves_money and len(data) > MOST_MONEY_BYTES:
            return TOO_LARGE
        try:
            return deserialize(data)
        except DecodeError:
            return UNREADABLE

    return read


def _moves_money(method: str) -> bool:
    try:
        descriptor = descriptor_pool.Default().FindMethodByName(method[1:].replace("/", "."))
    except KeyError:
        return False
    operation = descriptor.GetOptions().Extensions[_OPERATION]
    return bool(operation.safety == operation_pb2.SAFETY_MONEY)
