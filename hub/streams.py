"""Puts together what tells Core: of its jobs, and of what providers say."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import grpc
from sqlalchemy.ext.asyncio import AsyncEngine

from hub.callbacks.store import PostgresCallbackStore
from hub.events.service import EventsApi
from hub.events.told_store import PostgresToldLog
from hub.feeds import watching
from hub.jobs.api import JobsApi
from hub.jobs.board import Board
from hub.jobs.event_store import PostgresEventLog
from hub.jobs.model import Cancel
from hub.jobs.ports import Post, Withdrawal
from hub.jobs.store import PostgresJobStore
from hub.jobs.waiting import Waiting
from hub.tenants import Tenants
from integration.events.v1 import events_service_pb2_grpc
from integration.jobs.v1 import jobs_service_pb2_grpc
from mesh.duty import DutyLoop


@dataclass(frozen=True, slots=True)
class Telling:
    """What the streams of one replica need.

    One loop reads by `fed` for all who follow; who is behind reads by `log`. `most`: streams per tenant.
    `run` keeps a loop going. `sign` states that a job is withdrawn.
    """

    fed: AsyncEngine
    log: AsyncEngine
    jobs: PostgresJobStore
    waiting: Waiting
    board: Board
    post: Post
    tenants: Tenants
    draining: asyncio.Event
    most: int
    run: Callable[[DutyLoop], None]
    sign: Callable[[str, Cancel], Withdrawal]

    def add_to(self, server: grpc.aio.Server) -> None:
        """Adds both services."""
        jobs_service_pb2_grpc.add_JobsServiceServicer_to_server(self._jobs(), server)
        events_service_pb2_grpc.add_EventsServiceServicer_to_server(self._events(), server)

    def _jobs(self) -> JobsApi:
        followed = watching.start(
            "job events",
            fed=PostgresEventLog(self.fed),
            log=PostgresEventLog(self.log),
            news=self.board.news,
            draining=self.draining,
            most=self.most,
            run=self.run,
        )
        return JobsApi(
            self.jobs,
            waiting=self.waiting,
            watching=followed,
            post=self.post,
            tenants=self.tenants,
            draining=self.draining,
            sign=self.sign,
        )

    def _events(self) -> EventsApi:
        log = PostgresToldLog(self.log)
        followed = watching.start(
            "provider events",
            fed=PostgresToldLog(self.fed),
            log=log,
            news=asyncio.Event,  # nobody hints at them
            draining=self.draining,
            most=self.most,
            run=self.run,
        )
        return EventsApi(
            log,
            endpoints=PostgresCallbackStore(self.log).endpoints,
            watching=followed,
            tenants=self.tenants,
            draining=self.draining,
        )
