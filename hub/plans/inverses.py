"""What the contracts say of operations: what moves money, and what undoes what."""

from collections.abc import Callable
from typing import Any

from google.protobuf import symbol_database
from google.protobuf.descriptor import MethodDescriptor

from hub.intake.new_jobs import NewJobs
from hub.jobs.model import Job, NewJob
from hub.plans.model import undo_key
from integration.common.v1 import operation_pb2
from mesh.authorization import is_capability, services

_OPERATION: Any = operation_pb2.operation


class Contracts:
    """The operations of all capabilities, by full name. `looks_up` asks the spokes."""

    def __init__(self, looks_up: Callable[[str, str], bool]) -> None:
        self._looks_up = looks_up
        self._methods = {
            f"{service.full_name}/{method.name}": method
            for service in services()
            if is_capability(service)
            for method in service.methods
        }

    def moves_money(self, operation: str) -> bool:
        """Whether it moves money or a claim to money; what is not known might."""
        method = self._methods.get(operation)
        return method is None or _declared(method).safety == operation_pb2.SAFETY_MONEY

    def has_inverse(self, operation: str) -> bool:
        """Whether the contract says what undoes it."""
        method = self._methods.get(operation)
        return method is not None and bool(_declared(method).inverse)

    def can_look_up(self, provider: str, operation: str) -> bool:
        """Whether the provider can be asked what became of it; ProviderNotReady: nobody knows yet."""
        return self._looks_up(provider, operation)

    def inverse(self, operation: str) -> tuple[str, str, Any]:
        """Full name of what undoes an operation, the field that names the work, and an empty request."""
        method = self._methods[operation]
        declared, service = _declared(method), method.containing_service
        undoing = service.methods_by_name[declared.inverse]
        request = symbol_database.Default().GetSymbol(undoing.input_type.full_name)()
        return f"{service.full_name}/{declared.inverse}", declared.inverse_field, request


class Undoing:
    """Makes the job that undoes another one: an attempt is the same for every plan, so it exists once."""

    def __init__(self, contracts: Contracts, new_jobs: NewJobs) -> None:
        self._contracts = contracts
        self._new_jobs = new_jobs

    def undo(self, job: Job, number: int, actor: str) -> NewJob:
        """The inverse of a succeeded job; `number`: of the attempt to undo it, which makes its key."""
        operation, field, request = self._contracts.inverse(job.operation)
        request.context.request_id = undo_key(job.job_id, number)
        request.context.tenant = job.tenant
        request.context.provider, request.context.account = job.provider, job.account
        setattr(request, field, job.provider_reference)
        asked = self._new_jobs.asked(operation, request, actor)
        return self._new_jobs.make(asked, job.provider, job.account)


def _declared(method: MethodDescriptor) -> Any:
    return method.GetOptions().Extensions[_OPERATION]
