"""`hubctl events`: what providers say that no job's own work answers, and whether Core takes it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import click

from hubctl.moments import shown
from hubctl.options import json_option, profile_options, tenant_option
from hubctl.output import Output, as_dict
from hubctl.profile import Profile, Source
from hubctl.rpc import CALL_SECONDS, hub_channel
from hubctl.words import name_of
from integration.events.v1 import event_pb2, events_service_pb2_grpc
from integration.events.v1 import events_service_pb2 as messages

Stub = events_service_pb2_grpc.EventsServiceStub


@click.group(help="Lists what providers say, and the endpoints that it is posted to.")
def events() -> None:
    """Groups the commands."""


@events.command(name="list")
@click.option("--after", default=0, show_default=True, help="Only events after this cursor.")
@click.option("--limit", default=50, show_default=True, help="Greatest number of events.")
@click.option("--job", "job_id", default="", help="Only events that are about this job.")
@tenant_option
@profile_options
@json_option
def list_events(after: int, limit: int, job_id: str, tenant: str, source: Source, as_json: bool) -> None:
    """Lists events of a tenant, oldest first."""
    profile, output = source.profile(), Output(as_json=as_json)
    request = messages.ListEventsRequest(
        tenant=tenant or profile.tenant, after_cursor=after, page_size=limit, job_id=job_id
    )
    found = _call(profile, lambda stub: stub.ListEvents(request, timeout=CALL_SECONDS)).events
    output.table(("cursor", "kind", "provider", "type", "job", "told", "proposal"), map(_event, found))
    output.result({"events": [as_dict(event) for event in found]})


@events.command()
@click.option("--tenant", default="", help="Only the endpoint of this tenant.")
@profile_options
@json_option
def endpoints(tenant: str, source: Source, as_json: bool) -> None:
    """Lists the tenants' endpoints that something waits for, or that are switched off."""
    output, request = Output(as_json=as_json), messages.ListEndpointsRequest(tenant=tenant)
    answer = _call(source.profile(), lambda stub: stub.ListEndpoints(request, timeout=CALL_SECONDS))
    head = ("tenant", "waiting", "given up", "oldest", "not taken for", "switched off")
    output.table(head, map(_endpoint, answer.endpoints))
    if not answer.endpoints:
        output.say("nothing waits for any endpoint")
    output.result({"endpoints": [as_dict(endpoint) for endpoint in answer.endpoints]})


def _call(profile: Profile, use: Callable[[Stub], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with hub_channel(profile) as channel:
            return await use(Stub(channel))

    return asyncio.run(run())


def _event(event: event_pb2.Event) -> tuple[object, ...]:
    return (
        event.cursor,
        name_of(event_pb2.EventKind, event.kind),
        f"{event.provider}/{event.account}",
        event.type,
        event.job.job_id,
        shown(event.create_time),
        name_of(event_pb2.ProposedAction, event.proposed_action) if event.proposed_action else "",
    )


def _endpoint(endpoint: messages.Endpoint) -> tuple[object, ...]:
    return (
        endpoint.tenant,
        endpoint.waiting,
        endpoint.given_up,
        shown(endpoint.oldest_time),
        endpoint.reason,
        shown(endpoint.off_time),
    )
