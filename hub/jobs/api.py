"""JobsService: following and withdrawing jobs."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Protocol

import grpc

from hub.errors import JobNotFound, NotCancellable
from hub.feeds.watching import Watching
from hub.jobs.convert import (
    event_to_proto,
    is_uuid,
    job_to_proto,
    job_without_result,
    job_without_secrets,
    text_from_proto,
    wait_seconds,
)
from hub.jobs.model import NOT_BEGUN, Cancel, Event, Job, JobState
from hub.jobs.ports import Post, Withdrawal
from hub.jobs.waiting import Waiting, in_time
from hub.tenants import Tenants
from integration.jobs.v1 import job_pb2, jobs_service_pb2_grpc
from integration.jobs.v1 import jobs_service_pb2 as jobs
from mesh.caller import current_caller
from mesh.errors import InvalidRequest, Violation

DEFAULT_PAGE = 50
DEFAULT_WAIT = 30.0
OPERATOR = "operator"

_STATES = frozenset(int(state) for state in JobState)

Context = grpc.aio.ServicerContext[Any, Any]


class Store(Protocol):
    """The store, as far as this service needs it."""

    async def page(
        self,
        tenant: str,
        *,
        before: str,
        limit: int,
        states: Sequence[JobState] = (),
        provider: str = "",
        request_id: str = "",
    ) -> list[Job]:
        """Some jobs, newest first."""
        ...

    async def cancel(self, job_id: str, withdrawal: Withdrawal) -> bool:
        """Withdraws a job that nothing has been done for, and states it."""
        ...


class JobsApi(jobs_service_pb2_grpc.JobsServiceServicer):
    """Converts, calls, converts. `sign` states that a job is withdrawn, `post` tells all replicas."""

    def __init__(
        self,
        store: Store,
        *,
        waiting: Waiting,
        watching: Watching[Event],
        post: Post,
        tenants: Tenants,
        draining: asyncio.Event,
        sign: Callable[[str, Cancel], Withdrawal],
    ) -> None:
        self._sign = sign
        self._store = store
        self._waiting = waiting
        self._watching = watching
        self._post = post
        self._tenants = tenants
        self._draining = draining

    async def GetJob(self, request: jobs.GetJobRequest, context: Context) -> jobs.GetJobResponse:
        """One job."""
        return jobs.GetJobResponse(job=self._shown(await self._own_job(request.tenant, request.job_id)))

    async def ListJobs(self, request: jobs.ListJobsRequest, context: Context) -> jobs.ListJobsResponse:
        """Some jobs, newest first."""
        self._tenants.check(request.tenant)
        _check_page(request)
        size = request.page_size or DEFAULT_PAGE
        page = await self._store.page(
            request.tenant,
            before=request.page_token,
            limit=size + 1,
            states=[JobState(s) for s in request.states],
            provider=request.provider,
            request_id=request.request_id,
        )
        more = len(page) > size
        return jobs.ListJobsResponse(
            jobs=[job_without_result(j) for j in page[:size]],
            next_page_token=page[size - 1].job_id if more else "",
        )

    async def WaitJob(self, request: jobs.WaitJobRequest, context: Context) -> jobs.WaitJobResponse:
        """The job, once it has settled or the time is up."""
        await self._own_job(request.tenant, request.job_id)
        seconds = in_time(context, wait_seconds(request, "timeout", DEFAULT_WAIT))
        return jobs.WaitJobResponse(job=self._shown(await self._waiting.job(request.job_id, seconds=seconds)))

    async def WatchJobs(
        self, request: jobs.WatchJobsRequest, context: Context
    ) -> AsyncIterator[jobs.WatchJobsResponse]:
        """All changes of state after a cursor, until the client or this replica goes."""
        self._tenants.check(request.tenant)
        if request.job_id and not is_uuid(request.job_id):
            raise InvalidRequest([Violation("job_id", "is not the id of a job")])
        opening = self._watching.stream(
            request.tenant, after=request.after_cursor, history=request.history, job_id=request.job_id
        )
        async with opening as stream:
            yield jobs.WatchJobsResponse(cursor=stream.cursor, history=stream.history)
            while not self._draining.is_set():
                if events := await stream.batch():
                    yield jobs.WatchJobsResponse(
                        events=[event_to_proto(e) for e in events],
                        cursor=stream.cursor,
                        history=stream.history,
                    )

    async def CancelJob(self, request: jobs.CancelJobRequest, context: Context) -> jobs.CancelJobResponse:
        """The job, withdrawn."""
        cancel = _cancel(request)
        job = await self._own_job(request.tenant, request.job_id)
        if job.state in NOT_BEGUN:
            if await self._store.cancel(job.job_id, self._sign(job.job_id, cancel)):
                self._post(job.job_id)
            job = await self._own_job(request.tenant, request.job_id)
        if job.state is not JobState.CANCELLED:
            raise NotCancellable(
                f"job {job.job_id} is {job.state.name}", job_id=job.job_id, state=job.state.name
            )
        return jobs.CancelJobResponse(job=self._shown(job))

    async def _own_job(self, tenant: str, job_id: str) -> Job:
        self._tenants.check(tenant)
        if not is_uuid(job_id):
            raise InvalidRequest([Violation("job_id", "is not the id of a job")])
        job = await self._waiting.job(job_id, seconds=0)
        if job.tenant != tenant:
            raise JobNotFound(f"there is no job {job_id}", job_id=job_id)
        return job

    def _shown(self, job: Job) -> job_pb2.Job:
        return job_without_secrets(job) if self._tenants.is_guest() else job_to_proto(job)


def _check_page(request: jobs.ListJobsRequest) -> None:
    if request.page_token and not is_uuid(request.page_token):
        raise InvalidRequest([Violation("page_token", "is not a token of this service")])
    for number, state in enumerate(request.states):
        if state not in _STATES:
            raise InvalidRequest([Violation(f"states[{number}]", "is not a state of a job")])


def _cancel(request: jobs.CancelJobRequest) -> Cancel:
    caller = current_caller()
    unsaid = [field for field in ("reason", "ticket") if not getattr(request, field)]
    if caller.role == OPERATOR and unsaid:
        raise InvalidRequest([Violation(field, "must be set by an operator") for field in unsaid])
    return Cancel(str(caller), text_from_proto(request, "reason"), text_from_proto(request, "ticket"))
