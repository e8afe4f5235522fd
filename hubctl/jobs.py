"""`hubctl jobs`: following, withdrawing and resolving jobs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import click

from hubctl.errors import Failed
from hubctl.options import (
    as_option,
    json_option,
    profile_options,
    reason_option,
    tenant_option,
    ticket_option,
)
from hubctl.output import Output, as_dict
from hubctl.profile import Profile, Source
from hubctl.resolve import resolve
from hubctl.rpc import CALL_SECONDS, hub_channel
from hubctl.words import name_of
from integration.jobs.v1 import job_pb2, jobs_service_pb2_grpc
from integration.jobs.v1 import jobs_service_pb2 as messages

STATES = [n.removeprefix("JOB_STATE_") for n, v in job_pb2.JobState.items() if v]

IN_VAIN = (
    job_pb2.JOB_STATE_DECLINED,
    job_pb2.JOB_STATE_DEAD,
    job_pb2.JOB_STATE_CANCELLED,
    job_pb2.JOB_STATE_EXPIRED,
)

Stub = jobs_service_pb2_grpc.JobsServiceStub


@click.group(help="Lists, shows, follows, withdraws and resolves jobs.")
def jobs() -> None:
    """Groups the commands."""


jobs.add_command(resolve)


@jobs.command(name="list")
@click.option("--job-state", "states", multiple=True, type=click.Choice(STATES), help="Only these states.")
@click.option("--provider", default="", help="Only this spoke.")
@click.option("--limit", default=50, show_default=True, help="Greatest number of jobs.")
@tenant_option
@profile_options
@json_option
def list_jobs(
    states: tuple[str, ...], provider: str, limit: int, tenant: str, source: Source, as_json: bool
) -> None:
    """Lists jobs, newest first."""
    profile = source.profile()
    request = messages.ListJobsRequest(
        tenant=tenant or profile.tenant,
        states=[f"JOB_STATE_{s}" for s in states],
        provider=provider,
        page_size=limit,
    )
    response = _call(profile, lambda stub: stub.ListJobs(request, timeout=CALL_SECONDS))
    output = Output(as_json=as_json)
    output.table(("job", "state", "operation", "provider", "attempts", "reason"), map(_row, response.jobs))
    output.result({"jobs": [as_dict(j) for j in response.jobs]})


@jobs.command()
@click.argument("job_id")
@tenant_option
@profile_options
@json_option
def get(job_id: str, tenant: str, source: Source, as_json: bool) -> None:
    """Shows one job."""
    profile = source.profile()
    request = messages.GetJobRequest(tenant=tenant or profile.tenant, job_id=job_id)
    _show(as_json, _call(profile, lambda stub: stub.GetJob(request, timeout=CALL_SECONDS)).job)


@jobs.command()
@click.argument("job_id")
@tenant_option
@profile_options
@json_option
def wait(job_id: str, tenant: str, source: Source, as_json: bool) -> None:
    """Waits up to 30 s for one job to settle, and shows it. Exit code 1: it was in vain."""
    profile = source.profile()
    request = messages.WaitJobRequest(tenant=tenant or profile.tenant, job_id=job_id)
    job = _call(profile, lambda stub: stub.WaitJob(request, timeout=CALL_SECONDS)).job
    _show(as_json, job)
    refuse_if_in_vain(job)


@jobs.command()
@click.argument("job_id")
@tenant_option
@reason_option
@ticket_option
@as_option
@profile_options
@json_option
def cancel(
    job_id: str, tenant: str, reason: str, ticket: str, operator: str, source: Source, as_json: bool
) -> None:
    """Withdraws a job that nothing has been done for. Signed into the log."""
    profile = source.profile()
    request = messages.CancelJobRequest(
        tenant=tenant or profile.tenant, job_id=job_id, reason=reason, ticket=ticket
    )
    answer = _call(profile, lambda stub: stub.CancelJob(request, timeout=CALL_SECONDS), operator=operator)
    _show(as_json, answer.job)


@jobs.command()
@click.option("--after", default=-1, show_default=True, help="Resume after this cursor; -1: from now on.")
@tenant_option
@profile_options
@json_option
def watch(after: int, tenant: str, source: Source, as_json: bool) -> None:
    """Follows changes of state until Ctrl-C, one line each."""
    output, profile = Output(as_json=as_json), source.profile()

    async def follow(stub: Stub) -> None:
        request = messages.WatchJobsRequest(tenant=tenant or profile.tenant, after_cursor=after)
        async for response in stub.WatchJobs(request):
            for event in response.events:
                if as_json:
                    output.result(as_dict(event))
                else:
                    output.say(f"{event.cursor}  " + "  ".join(str(cell) for cell in _row(event.job)))

    _call(profile, follow)


def refuse_if_in_vain(job: job_pb2.Job) -> None:
    """Raises Failed if the job has ended and what was asked for was not done."""
    if job.state in IN_VAIN:
        raise Failed(f"job {job.job_id} is {name_of(job_pb2.JobState, job.state)}")


def _call(profile: Profile, use: Callable[[Stub], Awaitable[Any]], *, operator: str = "") -> Any:
    async def run() -> Any:
        async with hub_channel(profile, name=operator) as channel:
            return await use(Stub(channel))

    return asyncio.run(run())


def _row(job: job_pb2.Job) -> tuple[object, ...]:
    state = name_of(job_pb2.JobState, job.state)
    return (job.job_id, state, job.operation.rsplit(".", 1)[-1], job.provider, job.attempt_count, job.reason)


def _show(as_json: bool, job: job_pb2.Job) -> None:
    output = Output(as_json=as_json)
    output.table(("field", "value"), as_dict(job).items())
    output.result({"job": as_dict(job)})
