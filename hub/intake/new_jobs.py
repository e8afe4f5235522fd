"""A typed request becomes a job on its way into the store."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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

    def choose(self, provider: str, operation: str) -> str:
        """The provider for a request, which may name none."""
        ...

    def check_account(self, provider: str, account: str) -> None:
        """Raises UnknownAccount if the provider has no such account."""
        ...

    def spec(self, provider: str, operation: str) -> OperationSpec:
        """What the spoke says of an operation."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """A typed request, who sends it, and the id that its job will have if it becomes one.

    `fingerprint`: what is asked for, by which a repetition is told from another request.
    """

    job_id: str
    operation: str
    request: Any
    fingerprint: bytes
    actor: str

    @property
    def context(self) -> RequestContext:
        """What the request says about itself."""
        envelope: RequestContext = self.request.context
        return envelope


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

    def asked(self, operation: str, request: Any, actor: str) -> Asked:
        """The request as it is taken in; nothing of it has been looked at yet."""
        identity = job_id(self._clock.now(), self._chance(10))
        return Asked(identity, operation, request, fingerprint(operation, request), actor)

    def provider(self, asked: Asked) -> str:
        """Who is to do it; raises UnknownProvider, ProviderNotReady or ProviderAmbiguous."""
        return self._directory.choose(asked.context.provider, asked.operation)

    def make(self, asked: Asked, provider: str, account: str) -> NewJob:
        """The job at a provider's account; raises UnknownProvider, ProviderNotReady or UnknownAccount."""
        envelope, operation = asked.context, asked.operation
        self._directory.check_account(provider, account)
        spec = self._directory.spec(provider, operation)
        return NewJob(
            job_id=asked.job_id,
            tenant=envelope.tenant,
            request_id=envelope.request_id,
            fingerprint=asked.fingerprint,
            provider=provider,
            account=account,
            priority=envelope.priority,
            expire_at=expiry_from_proto(envelope, spec, self._clock.now()),
            policy=policy_from_proto(envelope, spec),
            labels=dict(envelope.labels),
            origin=Origin(asked.actor, envelope.principal, self._trace()),
            work=Work(
                operation=operation,
                request_type=asked.request.DESCRIPTOR.full_name,
                request=asked.request.SerializeToString(),
                salt=self._chance(SALT_BYTES),
                # The same on every attempt, and nobody but the hub makes it.
                provider_key=asked.job_id,
            ),
        )
