"""Which role may call what: one table for all services; what is not in it is refused to everybody."""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

import integration
from integration.common.v1 import operation_pb2

Table = Mapping[str, frozenset[str]]

ROLES = frozenset({"core", "hub", "spoke", "audit", "envoy", "operator", "auditor"})
CALLERS = ROLES - {"envoy"}

_READERS = frozenset({"operator", "auditor"})
_CORE = frozenset({"core"})
_HUB = frozenset({"hub"})
_OPERATOR = frozenset({"operator"})

_OPERATION: Any = operation_pb2.operation

_JOBS = "integration.jobs.v1.JobsService"
_EVENTS = "integration.events.v1.EventsService"
_SPOKE = "integration.spoke.v1.SpokeService"
_AUDIT = "integration.audit.v1.AuditService"
_OPERATIONS = "integration.operations.v1.OperationsService"

_STATIC: Mapping[str, frozenset[str]] = {
    f"/{_JOBS}/GetJob": _CORE | _READERS,
    f"/{_JOBS}/ListJobs": _CORE | _READERS,
    f"/{_JOBS}/WaitJob": _CORE | _READERS,
    f"/{_JOBS}/WatchJobs": _CORE | _READERS,
    f"/{_JOBS}/CancelJob": frozenset({"core", "operator"}),
    f"/{_EVENTS}/ListEvents": _CORE | _READERS,
    f"/{_EVENTS}/WatchEvents": _CORE | _READERS,
    f"/{_EVENTS}/ListEndpoints": _CORE | _READERS,
    f"/{_SPOKE}/Describe": _HUB,
    f"/{_SPOKE}/Execute": _HUB,
    f"/{_SPOKE}/LookUp": _HUB,
    f"/{_SPOKE}/Fence": _HUB,
    f"/{_SPOKE}/ParseWebhook": _HUB,
    f"/{_SPOKE}/ParseWebhooks": _HUB,
    f"/{_SPOKE}/ListEvents": _HUB,
    f"/{_AUDIT}/Append": _HUB,
    f"/{_AUDIT}/GetCheckpoint": CALLERS,
    f"/{_AUDIT}/GetEntry": _READERS,
    f"/{_AUDIT}/GetConsistency": _READERS,
    f"/{_AUDIT}/SearchEntries": _READERS,
    f"/{_AUDIT}/ExportBundle": _READERS,
    f"/{_AUDIT}/ExportTiles": _READERS,
    f"/{_AUDIT}/CheckLog": _READERS,
    f"/{_OPERATIONS}/ListLanes": _READERS,
    f"/{_OPERATIONS}/ListDeadLetters": _READERS,
    f"/{_OPERATIONS}/CountDeadLetters": _READERS,
    f"/{_OPERATIONS}/GetDeadLetter": _READERS,
    f"/{_OPERATIONS}/GetPlan": _READERS,
    f"/{_OPERATIONS}/ListPlans": _READERS,
    f"/{_OPERATIONS}/ListPlanItems": _READERS,
    f"/{_OPERATIONS}/ListAlerts": _READERS,
    f"/{_OPERATIONS}/SetLaneMode": _OPERATOR,
    f"/{_OPERATIONS}/SetBreaker": _OPERATOR,
    f"/{_OPERATIONS}/ResolveJob": _OPERATOR,
    f"/{_OPERATIONS}/CreatePlan": _OPERATOR,
    f"/{_OPERATIONS}/ApprovePlan": _OPERATOR,
    f"/{_OPERATIONS}/StopPlan": _OPERATOR,
    f"/{_OPERATIONS}/ResumePlan": _OPERATOR,
    f"/{_OPERATIONS}/AbandonPlan": _OPERATOR,
    f"/{_OPERATIONS}/GoOnPlan": _OPERATOR,
    "/grpc.health.v1.Health/Check": ROLES,
    "/grpc.health.v1.Health/Watch": ROLES,
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": _OPERATOR,
}


def services() -> Iterator[ServiceDescriptor]:
    """Every service of the contracts under `integration`."""
    for module in pkgutil.walk_packages(integration.__path__, "integration."):
        if module.name.endswith("_service_pb2"):
            yield from importlib.import_module(module.name).DESCRIPTOR.services_by_name.values()


def full_method(method: MethodDescriptor) -> str:
    """The method's name on the wire, "/package.Service/Method"."""
    return f"/{method.containing_service.full_name}/{method.name}"


def is_capability(service: ServiceDescriptor) -> bool:
    """True if every method declares its operation, so that the hub serves it for Core."""
    return all(method.GetOptions().HasExtension(_OPERATION) for method in service.methods)


def _table() -> Table:
    rows = dict(_STATIC)
    for service in services():
        if is_capability(service):
            rows.update((full_method(method), _CORE) for method in service.methods)
    return MappingProxyType(rows)


TABLE: Table = _table()
