"""Calls to the services, with errors that a person can act on."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import grpc

from hubctl.errors import NotReady, Refused
from hubctl.profile import Profile
from mesh.channel import open_channel
from mesh.errors import details_of

CALL_SECONDS = 35.0

_UNREACHABLE = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


@asynccontextmanager
async def hub_channel(
    profile: Profile, *, role: str = "operator", name: str = ""
) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to the hub, through the proxy, as an operator or as Core."""
    identity = profile.identities.load(role, name, trust_domain=profile.trust_domain)
    async with open_channel(profile.hub, identity) as channel:
        with readable_errors("the hub"):
            yield channel


@asynccontextmanager
async def audit_channel(profile: Profile) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to the audit service, as an auditor."""
    identity = profile.identities.load("auditor", trust_domain=profile.trust_domain)
    async with open_channel(profile.audit, identity, server_role="audit") as channel:
        with readable_errors("the audit service"):
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
