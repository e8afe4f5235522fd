"""Jobs, attempts and specifications for the hub's tests."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hub.jobs.agreeing import Compared, Task
from hub.jobs.model import Cancel, Claimed, JobState, NewJob, Origin, Purpose, RetryPolicy, Work
from hub.jobs.ports import Withdrawal
from hub.jobs.spec import OperationSpec, Replay

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = RetryPolicy(3, timedelta(seconds=1), timedelta(seconds=10))
OPERATION = "integration.payments.v1.PaymentsService/Charge"
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
ORIGIN = Origin(
    "spiffe://integration.local/core/demo", "user-7", {"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01"}
)
WORK = Work(OPERATION, "integration.payments.v1.ChargeRequest", b"request", b"s" * 32, "key")


def spec(replay: Replay = Replay.NATIVE_KEY, *, can_look_up: bool = True) -> OperationSpec:
    """A manifest's operation."""
    return OperationSpec(
        replay=replay,
        replay_window=timedelta(hours=24),
        can_look_up=can_look_up,
        look_up_lag=timedelta(seconds=2),
        timeout=timedelta(seconds=5),
        confirm_within=timedelta(minutes=10),
        expire_after=timedelta(hours=1),
        policy=POLICY,
    )


def new_job(
    number: int,
    *,
    tenant: str = "acme",
    fingerprint: bytes = b"f" * 32,
    request_id: str = "",
    expire_at: datetime | None = None,
    provider: str = "echo",
) -> NewJob:
    """A request on its way into the store; `number` makes its ids."""
    return NewJob(
        job_id=f"01890000-0000-7000-8000-{number:012d}",
        tenant=tenant,
        request_id=request_id or f"request-{number}",
        fingerprint=fingerprint,
        provider=provider,
        account="default",
        priority=0,
        expire_at=expire_at or datetime.max.replace(year=2999, tzinfo=UTC),
        policy=POLICY,
        labels={"order": str(number)},
        origin=ORIGIN,
        work=WORK,
    )


def withdrawal() -> Withdrawal:
    """That Core withdraws a job, stated."""
    return Withdrawal(Cancel(ORIGIN.actor), str(uuid4()), b"withdrawn")


def claimed(
    *,
    purpose: Purpose = Purpose.EXECUTE,
    state: JobState = JobState.RUNNING,
    attempt_count: int = 1,
    seq: int = 1,
    losses: int = 0,
    reason: str = "",
    doubted: bool = False,
) -> Claimed:
    """A claimed attempt of job 1."""
    return Claimed(
        job_id=new_job(1).job_id,
        seq=seq,
        purpose=purpose,
        state=state,
        attempt_count=attempt_count,
        tenant="acme",
        provider="echo",
        account="default",
        provider_reference="",
        created_at=NOW,
        claimed_at=NOW,
        expire_at=NOW + timedelta(hours=1),
        policy=POLICY,
        origin=ORIGIN,
        work=WORK,
        term=1,
        losses=losses,
        reason=reason,
        doubted=doubted,
    )


def agreed(task: Task, outcome: bytes) -> Compared:
    """Stands for the comparing of events with jobs, where a test is not about it."""
    return Compared()
