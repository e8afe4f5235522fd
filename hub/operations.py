"""Puts together what the people on call work with: their service, and the duties behind it."""

import secrets
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from hub.alerts.model import Alerting, AlertSink
from hub.alerts.store import PostgresAlertStore
from hub.callbacks.posting_events import PostEvents
from hub.callbacks.sending import send
from hub.callbacks.store import PostgresCallbackStore
from hub.clock import Clock
from hub.events.reconciling import ApplyHeld, Lapsing, Reconciling
from hub.events.store import PostgresEventStore
from hub.events.told_store import PostgresToldLog
from hub.housekeeping import concerns
from hub.housekeeping.abandoned import ParkAbandoned, RelayUnowned
from hub.housekeeping.concerns import Concern
from hub.housekeeping.expiring import Expiring
from hub.housekeeping.folding import Folding
from hub.housekeeping.store import PostgresHousekeepingStore
from hub.housekeeping.watching import Watching
from hub.intake.new_jobs import NewJobs
from hub.intake.submit import Submission
from hub.jobs.ports import Post
from hub.jobs.store import PostgresJobStore
from hub.lanes.duties import ALERTS, EVENTS, HOUSEKEEPING, PLANS
from hub.lanes.duty_group import DutyGroup
from hub.lanes.ports import AuditLog, Grant
from hub.lanes.relay import Relay
from hub.lanes.store import PostgresLaneLeases, PostgresLaneStore
from hub.operators.api import OperationsApi
from hub.operators.orders import Operating
from hub.operators.store import PostgresOperationsStore
from hub.peers.notary import Notary
from hub.peers.provider_events import ProviderEvents
from hub.peers.spokes import SpokeDirectory
from hub.plans.carrier_store import PostgresCarrierStore
from hub.plans.carriers import Backfill, Discard, Replay, Rollback
from hub.plans.inverses import Contracts, Undoing
from hub.plans.model import PlanKind
from hub.plans.planning import Planning
from hub.plans.runner import Carrier, PlanRunner
from hub.plans.store import PostgresPlanStore
from hub.tenants import Tenants
from mesh.duty import Duty


@dataclass(frozen=True, slots=True)
class Shared:
    """What the rest of the replica already has. `hint` wakes a lane's owner, if it is this replica."""

    engine: AsyncEngine
    directory: SpokeDirectory
    log: AuditLog
    notary: Notary
    clock: Clock
    new_jobs: NewJobs
    submission: Submission
    jobs: PostgresJobStore
    events: PostgresEventStore
    lanes: PostgresLaneStore
    post: Post
    hint: Callable[[str], None]
    holder: str
    tenants: Tenants
    sinks: Sequence[AlertSink]


class Operations:
    """The operators' side of one replica."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._contracts = Contracts(shared.directory.can_look_up)
        self._plans = PostgresPlanStore(shared.engine)
        self._store = PostgresOperationsStore(shared.engine)
        self._alerts = PostgresAlertStore(shared.engine)
        self._housekeeping = PostgresHousekeepingStore(shared.engine)

    def api(self) -> OperationsApi:
        """The service."""
        shared = self._shared
        return OperationsApi(
            operating=Operating(
                self._store,
                notary=shared.notary,
                read=shared.jobs.get,
                post=shared.post,
                hint=shared.hint,
                moves_money=self._contracts.moves_money,
            ),
            planning=Planning(
                self._plans,
                catalogue=self._contracts,
                lists=ProviderEvents(shared.directory, log=shared.log, notary=shared.notary),
                notary=shared.notary,
                new_id=lambda: str(uuid.uuid4()),
            ),
            reads=self._store,
            plans=self._plans,
            alerts=self._alerts,
            jobs=shared.jobs,
            limits=shared.directory.lanes,
        )

    def duties(self) -> Mapping[str, Callable[[Grant], DutyGroup]]:
        """The duties that one replica does at a time, by the name of their lease."""
        return {
            ALERTS: self._alerting,
            EVENTS: self._posting_events,
            HOUSEKEEPING: self._keeping_house,
            PLANS: self._planning,
        }

    def _alerting(self, grant: Grant) -> DutyGroup:
        draw = secrets.SystemRandom().random
        telling: list[Duty] = [
            Alerting(sink, store=self._alerts, clock=self._shared.clock, draw=draw)
            for sink in self._shared.sinks
        ]
        applying = ApplyHeld(self._shared.events.held_jobs, self._apply)
        directory = self._shared.directory
        reconciling = Reconciling(self._store, lanes=directory.lanes, unheard=directory.unheard)
        return DutyGroup([*telling, reconciling, applying], term=grant.term)

    def _posting_events(self, grant: Grant) -> DutyGroup:
        shared = self._shared
        posting = PostEvents(
            PostgresCallbackStore(shared.engine),
            PostgresToldLog(shared.engine),
            endpoint=lambda tenant: shared.tenants.rights(tenant).events,
            send=send,
            clock=shared.clock,
            draw=secrets.SystemRandom().random,
        )
        return DutyGroup([posting], term=grant.term)

    def _keeping_house(self, grant: Grant) -> DutyGroup:
        shared, store = self._shared, self._housekeeping
        parking = ParkAbandoned(
            f"{HOUSEKEEPING}.{grant.term}",
            lanes=store.lanes,
            leases=PostgresLaneLeases(shared.engine),
            store=shared.lanes,
            park_doubts=store.park_doubts,
            is_silent=shared.directory.is_silent,
            notary=shared.notary,
            log=shared.log,
            clock=shared.clock,
            post=shared.post,
        )
        duties: list[Duty] = [
            Expiring(store.expire, store.next_expiry, shared.post),
            Lapsing(shared.events.lapse),
            Folding(store.fold),
            RelayUnowned(store.lanes, self._relay),
            parking,
            Watching(self._concerns, store.agree, shared.clock),
        ]
        return DutyGroup(duties, term=grant.term)

    async def _relay(self, lane: str) -> float | None:
        return await Relay(lane, store=self._shared.lanes, log=self._shared.log).run_once()

    async def _concerns(self) -> list[Concern]:
        store, directory = self._housekeeping, self._shared.directory
        silent = [name for name in directory.names() if not directory.is_ready(name)]
        return [
            *concerns.of_lanes(await store.lanes(), silent),
            *concerns.of_outboxes(await store.old_outboxes()),
            *concerns.of_plans(await store.plans_at_a_halt()),
        ]

    def _planning(self, grant: Grant) -> DutyGroup:
        shared = self._shared
        runner = PlanRunner(
            self._plans,
            carriers=self._carriers(grant.term),
            notary=shared.notary,
            clock=shared.clock,
            actor=shared.holder,
        )
        return DutyGroup([runner, Relay(PLANS, store=shared.lanes, log=shared.log)], term=grant.term)

    def _carriers(self, term: int) -> Mapping[PlanKind, Carrier]:
        shared, store = self._shared, PostgresCarrierStore(self._shared.engine, term)
        return {
            PlanKind.REPLAY: Replay(
                store, notary=shared.notary, spokes=shared.directory, changed=self._changed
            ),
            PlanKind.DISCARD: Discard(store, notary=shared.notary, changed=self._changed),
            PlanKind.ROLLBACK: Rollback(
                store,
                notary=shared.notary,
                read=shared.jobs.get,
                undo=Undoing(self._contracts, shared.new_jobs).undo,
                submit=shared.submission.submit,
            ),
            PlanKind.BACKFILL: Backfill(
                store, notary=shared.notary, keep=shared.events.keep, apply=self._apply
            ),
        }

    async def _apply(self, job_id: str, lane: str) -> None:
        await self._shared.events.apply(job_id)
        self._changed(job_id, lane)

    def _changed(self, job_id: str, lane: str) -> None:
        self._shared.post(job_id)
        if lane:
            self._shared.hint(lane)
