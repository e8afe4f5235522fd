"""EventsService: following what providers say that no job's own work answers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Protocol

import grpc

from hub.errors import CursorOutOfRange
from hub.events.convert import told_to_proto
from hub.events.told import Told
from hub.jobs.board import wait_for
from hub.tenants import Tenants
from integration.events.v1 import events_service_pb2 as messages
from integration.events.v1 import events_service_pb2_grpc

DEFAULT_PAGE = 50
EVENTS_PER_MESSAGE = 256
POLL_SECONDS = 1.0

Context = grpc.aio.ServicerContext[Any, Any]


class Store(Protocol):
    """The store, as far as this service needs it."""

    async def newest_cursor(self) -> int:
        """A cursor after which only what is told from now on comes."""
        ...

    async def told(self, tenant: str, *, after: int, limit: int) -> list[Told]:
        """Events of a tenant after a cursor, in order."""
        ...


class EventsApi(events_service_pb2_grpc.EventsServiceServicer):
    """Converts, calls, converts."""

    def __init__(self, store: Store, *, tenants: Tenants, draining: asyncio.Event) -> None:
        self._store = store
        self._tenants = tenants
        self._draining = draining

    async def ListEvents(
        self, request: messages.ListEventsRequest, context: Context
    ) -> messages.ListEventsResponse:
        """One page, oldest first."""
        self._tenants.check(request.tenant)
        await self._begin(request.after_cursor)
        size = request.page_size or DEFAULT_PAGE
        found = await self._store.told(request.tenant, after=request.after_cursor, limit=size)
        return messages.ListEventsResponse(
            events=[told_to_proto(t) for t in found],
            next_cursor=found[-1].cursor if found else request.after_cursor,
        )

    async def WatchEvents(
        self, request: messages.WatchEventsRequest, context: Context
    ) -> AsyncIterator[messages.WatchEventsResponse]:
        """All events after a cursor, until the client or this replica goes."""
        self._tenants.check(request.tenant)
        cursor = await self._begin(request.after_cursor)
        yield messages.WatchEventsResponse(cursor=cursor)
        while not self._draining.is_set():
            found = await self._store.told(request.tenant, after=cursor, limit=EVENTS_PER_MESSAGE)
            if found:
                cursor = found[-1].cursor
                yield messages.WatchEventsResponse(events=[told_to_proto(t) for t in found], cursor=cursor)
            else:
                await wait_for(self._draining, POLL_SECONDS)

    async def _begin(self, after: int) -> int:
        newest = await self._store.newest_cursor()
        if after > newest:
            raise CursorOutOfRange(f"there is no cursor {after} yet: the newest is {newest}")
        return newest if after < 0 else after
