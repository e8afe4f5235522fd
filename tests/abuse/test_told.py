"""EventsService as Core calls it: a tenant's own events, in order, from wherever it left off."""

from collections.abc import Mapping
from itertools import count

import grpc
import pytest
from sqlalchemy import text

from hub.events.model import ArrivedEvent, Concern
from hub.events.store import PostgresEventStore
from hub.events.told import EventKind
from hub.jobs.agreeing import Sum
from integration.events.v1 import event_pb2
from integration.events.v1 import events_service_pb2 as messages
from integration.jobs.v1 import job_pb2
from tests.abuse.edge import TIMEOUT, Caller, Edge, charge, refusal
from tests.hub.jobs import NOW, agreed
from tests.hub.test_store import OUTCOMES

pytestmark = pytest.mark.asyncio(loop_scope="module")

_NUMBERS = count(1)
PROVIDER_ID = "pi_1"


async def disputed(edge: Edge, tenant: str) -> str:
    """A dispute about a job of a tenant; the event's id."""
    caller = edge.callers[tenant]
    job_id = (await caller.payments.Charge(charge(tenant=tenant), timeout=TIMEOUT)).job.job_id
    return await dispute(edge, job_id)


async def dispute(edge: Edge, job_id: str) -> str:
    """A dispute that names a job, or none; the event's id."""
    event_id = f"evt_{next(_NUMBERS)}"
    concern = Concern(EventKind.DISPUTE, PROVIDER_ID, Sum(100, "EUR"))
    event = ArrivedEvent("echo/default", event_id, "dispute.created", job_id, b"", b"", NOW, concern)
    await PostgresEventStore(edge.engine, OUTCOMES.get, agreed).keep(event)
    return event_id


async def listed(caller: Caller, tenant: str, **paging: int) -> messages.ListEventsResponse:
    """A page of events."""
    request = messages.ListEventsRequest(tenant=tenant, **paging)
    response: messages.ListEventsResponse = await caller.events.ListEvents(request, timeout=TIMEOUT)
    return response


async def test_an_event_says_what_the_job_and_what_the_provider_says(edge: Edge) -> None:
    event_id = await disputed(edge, "acme")
    event = (await listed(edge.core, "acme")).events[-1]
    assert (event.event_id, event.type, event.provider, event.account) == (
        event_id,
        "dispute.created",
        "echo",
        "default",
    )
    assert (event.kind, event.proposed_action) == (
        event_pb2.EVENT_KIND_DISPUTE,
        event_pb2.PROPOSED_ACTION_INVESTIGATE,
    )
    assert (event.tenant, event.job.state) == ("acme", job_pb2.JOB_STATE_QUEUED)
    assert event.provider_said.provider_reference == PROVIDER_ID
    assert event.provider_said.amount.minor_units == 100
    assert not event.job.HasField("amount")
    assert event.event_time.ToDatetime() == NOW.replace(tzinfo=None)


async def test_pages_go_on_where_the_last_one_ended(edge: Edge) -> None:
    start = (await listed(edge.core, "acme", page_size=500)).next_cursor
    made = [await disputed(edge, "acme") for _ in range(3)]
    first = await listed(edge.core, "acme", after_cursor=start, page_size=2)
    second = await listed(edge.core, "acme", after_cursor=first.next_cursor, page_size=2)
    assert [e.event_id for e in [*first.events, *second.events]] == made
    last = await listed(edge.core, "acme", after_cursor=second.next_cursor)
    assert (len(last.events), last.next_cursor) == (0, second.next_cursor)


async def test_a_watch_comes_back_with_its_cursor_and_misses_nothing(edge: Edge) -> None:
    request = messages.WatchEventsRequest(tenant="acme", after_cursor=-1)
    watch = edge.core.events.WatchEvents(request, timeout=TIMEOUT)
    begun = await watch.read()
    assert not begun.events
    first = await disputed(edge, "acme")
    heard = await watch.read()
    assert [e.event_id for e in heard.events] == [first]
    watch.cancel()
    missed = await disputed(edge, "acme")
    for after, expected in ((heard.cursor, [missed]), (begun.cursor, [first, missed])):
        again = messages.WatchEventsRequest(tenant="acme", after_cursor=after)
        watch = edge.core.events.WatchEvents(again, timeout=TIMEOUT)
        assert (await watch.read()).cursor == after
        assert [e.event_id for e in (await watch.read()).events] == expected
        watch.cancel()


async def test_events_of_one_job_are_listed_and_watched_apart(edge: Edge) -> None:
    one, _ = await disputed(edge, "acme"), await disputed(edge, "acme")
    everything = await listed(edge.core, "acme", page_size=500)
    (job_id,) = {e.job.job_id for e in everything.events if e.event_id == one}
    page = messages.ListEventsRequest(tenant="acme", job_id=job_id, history=everything.history)
    assert [e.event_id for e in (await edge.core.events.ListEvents(page, timeout=TIMEOUT)).events] == [one]
    request = messages.WatchEventsRequest(tenant="acme", job_id=job_id)
    watch = edge.core.events.WatchEvents(request, timeout=TIMEOUT)
    assert (await watch.read()).history == everything.history
    assert [e.event_id for e in (await watch.read()).events] == [one]
    watch.cancel()


async def test_a_cursor_beyond_the_newest_is_out_of_range(edge: Edge) -> None:
    beyond = 1 << 62
    page = messages.ListEventsRequest(tenant="acme", after_cursor=beyond)
    watch = messages.WatchEventsRequest(tenant="acme", after_cursor=beyond)
    for call in (
        edge.core.events.ListEvents(page, timeout=TIMEOUT),
        edge.core.events.WatchEvents(watch, timeout=TIMEOUT).read(),
    ):
        code, details = await refusal(call)
        assert (code, details.reason) == (grpc.StatusCode.OUT_OF_RANGE, "CURSOR_OUT_OF_RANGE")


async def test_a_tenant_reads_its_own_events_and_nobody_elses(edge: Edge) -> None:
    theirs, nobodys = await disputed(edge, "acme"), await dispute(edge, "")
    mine = await disputed(edge, "beta")
    beta = edge.callers["beta"]
    found = {e.event_id for e in (await listed(beta, "beta", page_size=500)).events}
    assert mine in found
    assert not found & {theirs, nobodys}
    watch = beta.events.WatchEvents(messages.WatchEventsRequest(tenant="beta"), timeout=TIMEOUT)
    await watch.read()
    assert {e.tenant for e in (await watch.read()).events} == {"beta"}
    watch.cancel()
    for tenant in ("acme", ""):
        page = messages.ListEventsRequest(tenant=tenant)
        stream = messages.WatchEventsRequest(tenant=tenant)
        endpoints = messages.ListEndpointsRequest(tenant=tenant)
        for call in (
            beta.events.ListEndpoints(endpoints, timeout=TIMEOUT),
            beta.events.ListEvents(page, timeout=TIMEOUT),
            beta.events.WatchEvents(stream, timeout=TIMEOUT).read(),
        ):
            code, details = await refusal(call)
            assert (code, details.reason) == (grpc.StatusCode.PERMISSION_DENIED, "TENANT_NOT_PERMITTED")


async def test_what_concerns_no_tenant_is_read_by_those_who_act_for_all(edge: Edge) -> None:
    nobodys = await dispute(edge, "")
    found = (await listed(edge.callers["operator"], "", page_size=500)).events
    assert nobodys in {e.event_id for e in found}
    assert not any(e.HasField("job") or e.tenant for e in found)


async def test_a_tenant_reads_how_its_own_endpoint_stands_and_an_operator_all(
    edge: Edge, hub_urls: Mapping[str, str]
) -> None:
    kept = text(
        "INSERT INTO event_delivery (cursor, tenant, since, next_at) VALUES (:n, :tenant, now(), now())"
    )
    async with edge.engine.begin() as connection:
        for number, tenant in ((1 << 40, "acme"), (1 << 41, "beta")):
            await connection.execute(kept, {"n": number, "tenant": tenant})
    for caller, asked, seen in (("acme", "acme", ["acme"]), ("operator", "", ["acme", "beta"])):
        request = messages.ListEndpointsRequest(tenant=asked)
        answer = await edge.callers[caller].events.ListEndpoints(request, timeout=TIMEOUT)
        assert [(e.tenant, e.waiting, e.HasField("off_time")) for e in answer.endpoints] == [
            (tenant, 1, False) for tenant in seen
        ]


async def test_nothing_can_be_changed_of_what_was_told(edge: Edge, hub_urls: Mapping[str, str]) -> None:
    await disputed(edge, "acme")
    for statement in ("UPDATE provider_event SET tenant = 'beta'", "DELETE FROM provider_event"):
        async with edge.engine.connect() as connection:
            with pytest.raises(Exception, match="permission denied"):
                await connection.execute(text(statement))
