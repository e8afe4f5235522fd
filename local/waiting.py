"""Jobs that wait in a lane beside the one that is measured, put there by SQL."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hubctl.errors import NotReady
from hubctl.rpc import hub_channel
from integration.common.v1 import context_pb2
from integration.jobs.v1 import job_pb2
from integration.messaging.v1 import messaging_service_pb2, messaging_service_pb2_grpc
from integration.operations.v1 import lane_pb2, operations_service_pb2, operations_service_pb2_grpc
from local.place import Place
from local.stack.postgres import Server

LANE = "smtp/default"
TENANT = "bench-waiting"
FEW = 2_000
"""So many keep a lane at work for as long as a run takes."""

CALL_SECONDS = 60.0

WAYS = {
    "working": (1, "now()"),
    "paused": (1, "now()"),
    "retry": (4, "now() + interval '1 hour' + n * interval '10 ms'"),
}
"""How they wait: their state, and when they are due."""

BATCH = 20_000
"""A commit holds no more: until it is over, who looks for what waits looks at all that it has written."""

_PUT = """
WITH copy AS (
    SELECT uuidv7() AS job_id, n FROM generate_series({first}, {last}) AS n
), job AS (
    INSERT INTO job (job_id, created_at, updated_at, expire_at, due_at, state, priority, lane_id, tenant,
                     operation, request_id)
    SELECT c.job_id, now(), now(), now() + interval '30 days', {due}, {state}, 0, d.lane_id,
           :'tenant' || '-' || n % 10, d.operation, 'waiting-' || n
    FROM copy c CROSS JOIN job_done d WHERE d.job_id = :'template'::uuid
)
INSERT INTO job_body (job_id, request_type, request, salt, provider_key, max_attempts, initial_backoff,
                      max_backoff, actor, principal, trace, labels)
SELECT c.job_id, b.request_type, b.request, b.salt, b.provider_key || '-' || n, b.max_attempts,
       b.initial_backoff, b.max_backoff, b.actor, b.principal, b.trace, b.labels
FROM copy c CROSS JOIN job_body b WHERE b.job_id = :'template'::uuid;
"""
_TIDY = """
VACUUM (ANALYZE) job;
VACUUM (ANALYZE) job_body;
VACUUM (ANALYZE) job_count;
"""
_AWAY = """
CREATE TEMPORARY TABLE gone AS
SELECT job_id FROM job WHERE starts_with(tenant, :'tenant') AND claimed_term = 0;
DELETE FROM job USING gone WHERE job.job_id = gone.job_id;
DELETE FROM job_body USING gone WHERE job_body.job_id = gone.job_id;
"""


def put(server: Server, template: str, count: int, way: str, *, database: str = "hub") -> None:
    """Lets so many jobs wait, each a copy of one that has ended, and tells the planner."""
    state, due = WAYS[way]
    batches = (
        _PUT.format(first=first, last=min(first + BATCH - 1, count), due=due, state=state)
        for first in range(1, count + 1, BATCH)
    )
    server.run("".join(batches) + _TIDY, database=database, tenant=TENANT, template=template)


def take_away(server: Server, *, database: str = "hub") -> None:
    """Removes those that wait still."""
    server.run(_AWAY + _TIDY, database=database, tenant=TENANT)


async def template(place: Place, tenant: str, request_id: str) -> str:
    """The id of a job of the lane that can be copied; raises NotReady if the lane does not work."""
    request = messaging_service_pb2.SendEmailRequest(
        context=context_pb2.RequestContext(request_id=request_id, tenant=tenant, provider="smtp"),
        to_addresses=["customer@example.org"],
        subject="Waiting",
        text_body="This has waited.\n",
    )
    request.context.wait.FromSeconds(30)
    async with hub_channel(place.profile, role="core") as channel:
        stub = messaging_service_pb2_grpc.MessagingServiceStub(channel)
        job = (await stub.SendEmail(request, timeout=CALL_SECONDS)).job
    if job.state != job_pb2.JOB_STATE_SUCCEEDED:
        raise NotReady(f"{LANE} does not work: see `hubctl lane list`")
    return str(job.job_id)


@asynccontextmanager
async def held(place: Place, way: str) -> AsyncIterator[None]:
    """The lane, held if that is the way."""
    if way == "paused":
        await _set_mode(place, lane_pb2.LANE_MODE_PAUSED)
    try:
        yield
    finally:
        if way == "paused":
            await _set_mode(place, lane_pb2.LANE_MODE_WORKING)


async def _set_mode(place: Place, mode: lane_pb2.LaneMode) -> None:
    why = operations_service_pb2.Justification(reason="a bench", ticket="BENCH")
    request = operations_service_pb2.SetLaneModeRequest(lane=LANE, mode=mode, why=why)
    async with hub_channel(place.profile) as channel:
        stub = operations_service_pb2_grpc.OperationsServiceStub(channel)
        await stub.SetLaneMode(request, timeout=CALL_SECONDS)
