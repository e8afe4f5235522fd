"""EventsService: following what providers say that no job's own work answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import grpc

from hub.events.convert import endpoint_to_proto, told_to_proto
from hub.events.told import EndpointView, Told
from hub.feeds.model import Log
from hub.feeds.watching import Watching
from hub.jobs.convert import is_uuid
from hub.tenants import Tenants
from integration.events.v1 import events_service_pb2 as messages
from integration.events.v1 import events_service_pb2_grpc
from mesh.errors import InvalidRequest, Violation

DEFAULT_PAGE = 50

Context = grpc.aio.ServicerContext[Any, Any]


class EventsApi(events_service_pb2_grpc.EventsServiceServicer):
    """Converts, calls, converts. `endpoints` says how the endpoints of a tenant, or of all, stand."""

    def __init__(
        self,
        log: Log[Told],
        *,
        endpoints: Callable[[str], Awaitable[Sequence[EndpointView]]],
        watching: Watching[Told],
        tenants: Tenants,
        draining: asyncio.Event,
    ) -> None:
        self._log = log
        self._endpoints = endpoints
        self._watching = watching
        self._tenants = tenants
        self._draining = draining

    async def ListEvents(
        self, request: messages.ListEventsRequest, context: Context
    ) -> messages.ListEventsResponse:
        """One page, oldest first."""
        self._check(request.tenant, request.job_id)
        head = await self._watching.head(request.after_cursor, request.history, now=True)
        found = await self._log.between(
            request.tenant,
            after=request.after_cursor,
            upto=head.cursor,
            limit=request.page_size or DEFAULT_PAGE,
            job_id=request.job_id,
        )
        return messages.ListEventsResponse(
            events=[told_to_proto(t) for t in found],
            next_cursor=found[-1].cursor if found else request.after_cursor,
            history=head.history,
        )

    async def WatchEvents(
        self, request: messages.WatchEventsRequest, context: Context
    ) -> AsyncIterator[messages.WatchEventsResponse]:
        """All events after a cursor, until the client or this replica goes."""
        self._check(request.tenant, request.job_id)
        opening = self._watching.stream(
            request.tenant, after=request.after_cursor, history=request.history, job_id=request.job_id
        )
        async with opening as stream:
            yield messages.WatchEventsResponse(cursor=stream.cursor, history=stream.history)
            while not self._draining.is_set():
                if found := await stream.batch():
                    yield messages.WatchEventsResponse(
                        events=[told_to_proto(t) for t in found],
                        cursor=stream.cursor,
                        history=stream.history,
                    )

    async def ListEndpoints(
        self, request: messages.ListEndpointsRequest, context: Context
    ) -> messages.ListEndpointsResponse:
        """Those where something waits."""
        self._tenants.check(request.tenant)
        found = await self._endpoints(request.tenant)
        return messages.ListEndpointsResponse(endpoints=[endpoint_to_proto(each) for each in found])

    def _check(self, tenant: str, job_id: str) -> None:
        self._tenants.check(tenant)
        if job_id and not is_uuid(job_id):
            raise InvalidRequest([Violation("job_id", "is not the id of a job")])
