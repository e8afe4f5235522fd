"""Our own stand-in for the hub's services that people ask: recorded answers, and what it was asked.

It is reached as the hub is: over mTLS, behind the mesh's interceptor, with the contract's rules checked.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import grpc
from google.protobuf.message import Message

from integration.events.v1 import events_service_pb2 as told
from integration.operations.v1 import operations_service_pb2 as operated
from mesh.caller import current_caller
from mesh.server import MeshServer

SERVICES = (
    (operated, operated.DESCRIPTOR.services_by_name["OperationsService"]),
    (told, told.DESCRIPTOR.services_by_name["EventsService"]),
)


class Refusal(Exception):
    """A refusal of the stand-in's."""

    reason = "REFUSED"

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason


class Away(Exception):
    """What a proxy answers while the hub restarts: a status, and no details of the hub's own."""


class Asked(NamedTuple):
    """One call that came."""

    method: str
    caller: str
    request: Any


class StandIn:
    """Answers each method with what was laid out for it, the last one again and again."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._answers: dict[str, list[Message | Exception]] = {}

    def lay_out(self, method: str, *answers: Message | Exception) -> None:
        """What the next calls of a method get."""
        self._answers[method] = list(answers)

    def requests(self, method: str) -> list[Any]:
        """The requests that came for a method, in order."""
        return [asked.request for asked in self.asked if asked.method == method]

    def callers(self, method: str) -> list[str]:
        """Who called a method, in order."""
        return [asked.caller for asked in self.asked if asked.method == method]

    def serve_on(self, server: MeshServer) -> None:
        """Adds every method of the contracts that answers once to a server."""
        for messages, service in SERVICES:
            handlers = {
                method.name: grpc.unary_unary_rpc_method_handler(
                    self._behaviour(method.name),
                    request_deserializer=getattr(messages, method.input_type.name).FromString,
                    response_serializer=getattr(messages, method.output_type.name).SerializeToString,
                )
                for method in service.methods
                if not method.server_streaming
            }
            generic = grpc.method_handlers_generic_handler(service.full_name, handlers)
            server.raw.add_generic_rpc_handlers((generic,))

    def _behaviour(self, method: str) -> Callable[[Any, Any], Awaitable[Message]]:
        async def behave(request: Any, context: Any) -> Message:
            self.asked.append(Asked(method, str(current_caller()), request))
            answers = self._answers[method]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            if isinstance(answer, Away):
                await context.abort(grpc.StatusCode.UNAVAILABLE, str(answer))
            if isinstance(answer, Exception):
                raise answer
            return answer

        return behave


STATUSES: dict[type[Exception], grpc.StatusCode] = {Refusal: grpc.StatusCode.FAILED_PRECONDITION}
