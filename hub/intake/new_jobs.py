"""A typed request becomes a job on its way into the store."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from hub.clock import Clock
from hub.jobs.convert import expiry_from_proto, fingerprint, policy_from_proto
from hub.jobs.ids import job_id
from hub.jobs.model import NewJob, Origin, Work
from hub.jobs.spec import OperationSpec
from integration.common.v1.context_pb2 import RequestContext

SALT_BYTES = 32


class Directory(Protocol):
    """Which spoke serves what."""

    def choose(self, provider: str, account: str, operation: str) -> tuple[str, str]:
        """The provider and account for a request."""
        ...

    def spec(self, provider: str, operation: str) -> OperationSpec:
        """What the spoke says of an operation."""
        ...


class NewJobs:
    """Makes jobs. `chance` gives random bytes, `trace` the current trace context."""

    def __init__(
        self,
        directory: Directory,
        *,
        clock: Clock,
        chance: Callable[[int], bytes],
        trace: Callable[[], Mapping[str, str]],
    ) -> None:
        self._directory = directory
        self._clock = clock
        self._chance = chance
        self._trace = trace

    def make(self, operation: str, request: Any, actor: str) -> NewJob:
        """The job; raises UnknownProvider, UnknownAccount or ProviderAmbiguous."""
        envelope: RequestContext = request.context
        provider, account = self._directory.choose(envelope.provider, envelope.account, operation)
        spec = self._directory.spec(provider, operation)
        now = self._clock.now()
        identity = job_id(now, self._chance(10))
        return NewJob(
            job_id=identity,
            tenant=envelope.tenant,
            request_id=envelope.request_id,
            fingerprint=fingerprint(operation, request),
            provider=provider,
            account=account,
            priority=envelope.priority,
            expire_at=expiry_from_proto(envelope, spec, now),
            policy=policy_from_proto(envelope, spec),
            labels=dict(envelope.labels),
            origin=Origin(actor, envelope.principal, self._trace()),
            work=Work(
                operation=operation,
                request_type=request.DESCRIPTOR.full_name,
                request=request.SerializeToString(),
                salt=self._chance(SALT_BYTES),
                # The same on every attempt, and nobody but the hub makes it.
                provider_key=identity,
            ),
        )
