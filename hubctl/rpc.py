"""Calls to the services, with errors that a person can act on."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import grpc

from hubctl.errors import NotReady, Refused
from hubctl.place import Place
from local.stack.certificates import refuse_if_expired
from mesh.channel import open_channel
from mesh.clock import SystemClock
from mesh.errors import details_of
from mesh.identity import Identity

CALL_SECONDS = 35.0

_UNREACHABLE = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


@asynccontextmanager
async def hub_channel(
    place: Place, *, role: str = "operator", name: str = "cli"
) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to the hub, through the proxy, as an operator or as Core."""
    directory = place.identity(role, "demo" if role == "core" else name)
    async with _channel(place, "core", directory, None) as channel:
        yield channel


@asynccontextmanager
async def audit_channel(place: Place) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to the audit service, as an auditor."""
    async with _channel(place, "audit", place.identity("auditor", "cli"), "audit") as channel:
        yield channel


@asynccontextmanager
async def _channel(
    place: Place, part: str, directory: Path, server_role: str | None
) -> AsyncIterator[grpc.aio.Channel]:
    refuse_if_expired(directory, SystemClock())
    async with open_channel(
        place.address(part), Identity.load(directory), server_role=server_role
    ) as channel:
        with readable_errors(part):
            yield channel


@contextmanager
def readable_errors(part: str) -> Iterator[None]:
    """Turns a failed call into an error of the command line."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        details = details_of(error)
        if details is None and error.code() in _UNREACHABLE:
            raise NotReady(f"{part} does not answer ({error.code().name}); try `hubctl status`") from error
        reason = details.reason if details else error.code().name
        faults = [f"{v.field}: {v.description}" for v in details.violations] if details else []
        said = error.details() if details else "the service gives no reason"
        raise Refused(f"{reason}: {'; '.join(faults) or said}") from error
