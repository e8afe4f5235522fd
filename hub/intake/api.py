"""Every capability, served from its descriptors: one generic edge, no code per operation."""

from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf import symbol_database
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from hub.intake.door import Door, Known, Made
from hub.intake.new_jobs import NewJobs
from hub.jobs.board import Ticket
from hub.jobs.convert import job_to_proto, unpack, wait_seconds
from hub.jobs.model import Job, queued
from hub.jobs.waiting import Waiting, in_time
from hub.tenants import Tenants
from mesh.authorization import is_capability, services
from mesh.caller import current_caller


@dataclass(frozen=True, slots=True)
class Desk:
    """What an accepted request goes through."""

    door: Door
    waiting: Waiting
    tenants: Tenants
    new_jobs: NewJobs


def handlers(desk: Desk) -> "list[grpc.GenericRpcHandler[Any, Any]]":
    """The gRPC handlers of all capabilities."""
    return [
        grpc.method_handlers_generic_handler(
            service.full_name, {m.name: _handler(Operation(m, desk)) for m in service.methods}
        )
        for service in services()
        if is_capability(service)
    ]


class Operation:
    """One operation: a request becomes a job, the job becomes the typed response."""

    def __init__(self, method: MethodDescriptor, desk: Desk) -> None:
        classes = symbol_database.Default()
        self.request_class: type[Message] = classes.GetSymbol(method.input_type.full_name)
        self.response_class: type[Message] = classes.GetSymbol(method.output_type.full_name)
        self._name = f"{method.containing_service.full_name}/{method.name}"
        self._result_field = _result_field(method)
        self._desk = desk

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


def _handler(operation: Operation) -> "grpc.RpcMethodHandler[Any, Any]":
    return grpc.unary_unary_rpc_method_handler(
        operation.__call__,  # a bound coroutine method: grpc looks for one
        request_deserializer=operation.request_class.FromString,
        response_serializer=operation.response_class.SerializeToString,
    )


def _result_field(method: MethodDescriptor) -> str:
    names = [f.name for f in method.output_type.fields if f.name != "job"]
    if len(names) != 1:
        raise TypeError(f"{method.output_type.full_name} must hold the job and one result")
    return names[0]
