"""Every capability, served from its descriptors: one generic edge, no code per operation."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import grpc
from google.protobuf import symbol_database
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from hub.intake.door import Door, Known, Made
from hub.intake.new_jobs import Asked, NewJobs
from hub.jobs.board import Ticket
from hub.jobs.convert import job_to_proto, unpack, wait_seconds
from hub.jobs.model import Job, queued
from hub.jobs.waiting import Waiting, in_time
from hub.tenants import Rights, Tenants
from integration.common.v1 import operation_pb2
from mesh.authorization import is_capability, services
from mesh.caller import current_caller
from mesh.interceptor import time_left

ANSWER_SHARE = 0.9
"""The part of the caller's time that a read may take, so that its error still arrives."""

_OPERATION: Any = operation_pb2.operation


class Read(Protocol):
    """The answer to a read."""

    @property
    def read_id(self) -> str:
        """Under which the log holds its statements."""
        ...

    @property
    def result_type(self) -> str:
        """The full name of the result's message."""
        ...

    @property
    def result(self) -> bytes:
        """The result, serialized."""
        ...

    @property
    def age(self) -> timedelta | None:
        """How old it is; None: the provider was asked just now."""
        ...


class Reads(Protocol):
    """What answers a read."""

    async def read(self, asked: Asked, rights: Rights, seconds: float | None) -> Read:
        """The answer, within so many seconds; raises what the caller is told."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What an accepted request goes through."""

    door: Door
    reads: Reads
    waiting: Waiting
    tenants: Tenants
    new_jobs: NewJobs


def handlers(desk: Desk) -> "list[grpc.GenericRpcHandler[Any, Any]]":
    """The gRPC handlers of all capabilities."""
    return [
        grpc.method_handlers_generic_handler(
            service.full_name, {m.name: _handler(_served(m, desk)) for m in service.methods}
        )
        for service in services()
        if is_capability(service)
    ]


class Served:
    """One operation: its messages, and what an answer to it goes through."""

    def __init__(self, method: MethodDescriptor, desk: Desk) -> None:
        classes = symbol_database.Default()
        self.request_class: type[Message] = classes.GetSymbol(method.input_type.full_name)
        self.response_class: type[Message] = classes.GetSymbol(method.output_type.full_name)
        self._name = f"{method.containing_service.full_name}/{method.name}"
        self._result_field = _result_field(method)
        self._desk = desk


class ReadOperation(Served):
    """A read: the provider's answer becomes the typed response, and there is no job."""

    async def __call__(self, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Message:
        """Answers with the result, or with an error, within the caller's deadline."""
        desk, tenant = self._desk, request.context.tenant
        desk.tenants.check(tenant)
        asked = desk.new_jobs.asked(self._name, request, str(current_caller()))
        left = time_left(context)
        seconds = None if left is None else left * ANSWER_SHARE
        return self._response(await desk.reads.read(asked, desk.tenants.rights(tenant), seconds))

    def _response(self, read: Read) -> Message:
        response = self.response_class()
        response.read.read_id = read.read_id  # type: ignore[attr-defined]
        if read.age is not None:
            response.read.age.FromTimedelta(read.age)  # type: ignore[attr-defined]
        unpack(read.result_type, read.result, getattr(response, self._result_field))
        return response


class Operation(Served):
    """Work: a request becomes a job, the job becomes the typed response."""

    async def __call__(self, request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Message:
        """Accepts the request; answers with the result if it comes within `context.wait`."""
        desk, tenant = self._desk, request.context.tenant
        desk.tenants.check(tenant)
        asked = desk.new_jobs.asked(self._name, request, str(current_caller()))
        ticket = desk.waiting.ticket(asked.job_id)
        try:
            wait = in_time(context, wait_seconds(request.context, "wait", 0.0))
            taken = await desk.door.take(asked, desk.tenants.rights(tenant))
            return self._response(await self._job(taken, ticket, wait))
        finally:
            ticket.cancel()

    async def _job(self, taken: Made | Known, ticket: Ticket, wait: float) -> Job:
        if isinstance(taken, Known):
            return await self._desk.waiting.job(taken.job_id, seconds=wait)
        if wait <= 0:
            return queued(taken.job, taken.created_at)
        return await self._desk.waiting.fresh_job(taken.job, taken.created_at, ticket, seconds=wait)

    def _response(self, job: Job) -> Message:
        response = self.response_class()
        response.job.CopyFrom(job_to_proto(job))  # type: ignore[attr-defined]
        unpack(job.result_type, job.result, getattr(response, self._result_field))
        return response


def _served(method: MethodDescriptor, desk: Desk) -> "Operation | ReadOperation":
    reads = method.GetOptions().Extensions[_OPERATION].safety == operation_pb2.SAFETY_READ
    return ReadOperation(method, desk) if reads else Operation(method, desk)


def _handler(operation: Operation | ReadOperation) -> "grpc.RpcMethodHandler[Any, Any]":
    return grpc.unary_unary_rpc_method_handler(
        operation.__call__,  # a bound coroutine method: grpc looks for one
        request_deserializer=operation.request_class.FromString,
        response_serializer=operation.response_class.SerializeToString,
    )


def _result_field(method: MethodDescriptor) -> str:
    names = [f.name for f in method.output_type.fields if f.name not in {"job", "read"}]
    if len(names) != 1:
        raise TypeError(f"{method.output_type.full_name} must hold the job, or the read, and one result")
    return names[0]
