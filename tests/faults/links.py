"""A stack of two hubs with a fault proxy on its links, and what the tests of this folder do to it."""

import asyncio
import json
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import grpc

from integration.common.v1 import context_pb2, money_pb2
from integration.jobs.v1 import job_pb2
from integration.payments.v1 import payments_service_pb2, payments_service_pb2_grpc
from local.place import Place, load
from local.stack.layout import Layout
from local.stack.parts import INLINE
from local.stack.ports import Ports
from local.stack.processes import until
from local.stack.stack import Options, Stack
from mesh.channel import open_channel
from mesh.identity import Identity
from mesh.process_clock import OFFSET_FILE
from tests.alerts.alertmanager import Alertmanager
from tests.alerts.sinks import write_sinks
from tests.e2e.core import TENANT, Core, statements
from tests.faults.checker import Asked, Effect, Found, check
from tests.faults.gather import bundles
from tests.faults.proxy import FaultProxy

BASE_PORT = 8900
HUBS = ("hub", "hub-2")
LANE = "echo/default"
STEP_SECONDS = 60.0


class Linked:
    """The stack. `provider`, `audit` and `database` are the proxies before what they are named after.

    The hubs tell their alerts to `alertmanager`.
    """

    def __init__(
        self,
        stack: Stack,
        alertmanager: Alertmanager,
        *,
        provider: FaultProxy,
        audit: FaultProxy,
        database: FaultProxy,
    ) -> None:
        self.stack = stack
        self.alertmanager = alertmanager
        self.provider = provider
        self.audit = audit
        self.database = database
        self.core = Core(self.place)

    @property
    def place(self) -> Place:
        """Where everything is, as of now."""
        return load(self.layout.state)

    @property
    def layout(self) -> Layout:
        """The stack's files."""
        return self.stack.layout

    def signal(self, part: str, number: int) -> None:
        """Sends a signal to a part's process."""
        os.kill(self.place.pids[part], number)

    @asynccontextmanager
    async def paused(self, part: str) -> AsyncIterator[None]:
        """Stops a part in its tracks, and wakes it at the end."""
        self.signal(part, signal.SIGSTOP)
        try:
            yield
        finally:
            self.signal(part, signal.SIGCONT)

    def move_clock(self, part: str, seconds: float) -> None:
        """Makes a part's wall clock wrong by so much from now on; the monotonic one goes on as it did."""
        file = offset_file(self.layout, part)
        draft = file.with_suffix(".draft")
        draft.write_text(str(seconds))
        draft.rename(file)

    @asynccontextmanager
    async def clocks_moved(self, parts: Sequence[str], seconds: float) -> AsyncIterator[None]:
        """Lets the wall clocks of parts jump, and jump back at the end."""
        for part in parts:
            self.move_clock(part, seconds)
        try:
            yield
        finally:
            for part in parts:
                self.move_clock(part, 0)

    def log(self, part: str) -> list[dict[str, Any]]:
        """What a part has logged since it was started."""
        lines = self.layout.log(part).read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def logged(self, part: str, *messages: str) -> int:
        """How often a part has logged one of these messages."""
        return sum(line.get("message") in messages for line in self.log(part))

    async def until_logged(self, part: str, *messages: str, more_than: int = 0) -> None:
        """Returns when a part has logged one of these messages more often than that."""

        async def has_logged() -> bool:
            return self.logged(part, *messages) > more_than

        assert await until(has_logged, STEP_SECONDS), f"{part} never said: {messages}"

    async def shows(self, alert: str) -> bool:
        """Whether Alertmanager says that an alert of this name fires."""
        shown = await asyncio.to_thread(self.alertmanager.alerts)
        return alert in {one["labels"]["alertname"] for one in shown}

    async def until_shown(self, alert: str) -> None:
        """Returns when Alertmanager says that an alert of this name fires."""
        assert await until(lambda: self.shows(alert), STEP_SECONDS), f"{alert} is not shown"

    async def until_resolved(self, alert: str) -> None:
        """Returns when Alertmanager says no more that an alert of this name fires."""

        async def is_resolved() -> bool:
            return not await self.shows(alert)

        assert await until(is_resolved, STEP_SECONDS), f"{alert} is shown still"

    def owner(self) -> str:
        """The hub that owns the lane: who was the last to take it."""
        taken = {
            hub: max((e["term"] for e in self.log(hub) if e.get("message") == "lane taken"), default=0)
            for hub in HUBS
        }
        return max(taken, key=lambda hub: taken[hub])

    async def charge(self, count: int, **options: str) -> list[str]:
        """Has so many charges accepted by the echo provider; the jobs' ids."""
        run = secrets.token_hex(4)
        keys = [f"fault-{run}-{number}" for number in range(count)]
        jobs = await asyncio.gather(*(self.core.charge(k, provider="echo", **options) for k in keys))
        return [job.job_id for job in jobs]

    async def payments(self, job_ids: Sequence[str]) -> list[Effect]:
        """What the provider itself has under our references."""
        found = []
        async with aiohttp.ClientSession(f"http://{self.place.address('echo-sandbox')}") as http:
            for job_id in job_ids:
                async with http.get("/v1/payments", params={"reference": job_id}) as answer:
                    listed = (await answer.json())["data"]
                found += [Effect(job_id, "echo", payment["created"]) for payment in listed]
        return found

    async def effects(self) -> int:
        """How many payments the provider has made."""
        address = self.place.address("echo-sandbox")
        async with aiohttp.ClientSession() as http, http.get(f"http://{address}/effects") as answer:
            return int((await answer.json())["payments"])

    async def end_well(self, job_ids: Sequence[str], *, seconds: float = STEP_SECONDS) -> None:
        """All jobs end, succeed, and keep every invariant."""
        jobs = await self.core.ended(job_ids, seconds=seconds)
        assert [j for j in jobs if j.state != job_pb2.JOB_STATE_SUCCEEDED] == []
        assert check(await self.found(jobs)) == []

    async def found(self, jobs: Sequence[job_pb2.Job]) -> Found:
        """What client, provider and log say of these jobs, for the checker."""
        said, proofs = await bundles(self, [job.job_id for job in jobs])  # type: ignore[arg-type]
        asked = [Asked(j.request_id, (j.job_id,), "echo", _state(j), due=False) for j in jobs]
        effects = await self.payments([job.job_id for job in jobs])
        return Found(asked=asked, effects=effects, said=said, proofs=proofs)

    async def outcomes(self, job_id: str) -> list[tuple[str, str, str]]:
        """The evidence about a job, in order: purpose, outcome, reason."""
        said = [s for _, s in await statements(self.place, job_id) if s["kind"] == "evidence"]
        return [(s["purpose"], s["res"]["outcome"], s["res"].get("reason", "")) for s in said]


def _state(job: job_pb2.Job) -> str:
    return job_pb2.JobState.Name(job.state).removeprefix("JOB_STATE_")


def offset_file(layout: Layout, part: str) -> Path:
    """What the wall clock of a part is wrong by."""
    return layout.state / f"clock-{part}"


@asynccontextmanager
async def linked(*, hubs: int = 2, clocks: Sequence[str] = ()) -> AsyncIterator[Linked]:
    """The stack, ready; stopped at the end. `clocks`: the parts whose wall clocks can be moved."""
    state = Path(tempfile.mkdtemp(prefix="links-"))
    ports = Ports(BASE_PORT, hubs=hubs)
    async with AsyncExitStack() as open_things:
        open_things.callback(shutil.rmtree, state, ignore_errors=True)
        proxies = {
            name: await open_things.enter_async_context(FaultProxy(ports.address(name)))
            for name in ("echo-sandbox", "audit", "postgres")
        }
        alertmanager = Alertmanager(state)
        open_things.callback(alertmanager.stop)
        await asyncio.to_thread(alertmanager.start)
        sinks = write_sinks(state, alertmanager)
        before_hub = {name: proxies[name].address for name in ("audit", "postgres")}
        before_spoke = {"echo-sandbox": proxies["echo-sandbox"].address}
        layout = Layout.at(state)
        environment: dict[str, dict[str, str]] = {hub: dict(sinks) for hub in ports.hub_names}
        for part in clocks:
            environment.setdefault(part, {})[OFFSET_FILE] = str(offset_file(layout, part))
        stack = Stack(
            Options(
                layout,
                base_port=BASE_PORT,
                spokes=("echo",),
                pool=INLINE,
                hubs=hubs,
                environment=environment,
                detours={"spoke-echo": before_spoke, **dict.fromkeys(ports.hub_names, before_hub)},
            )
        )
        open_things.push_async_callback(stack.stop)
        await stack.start()
        links = Linked(
            stack,
            alertmanager,
            provider=proxies["echo-sandbox"],
            audit=proxies["audit"],
            database=proxies["postgres"],
        )
        open_things.push_async_callback(links.core.close)
        yield links


class Load:
    """Clients that charge one after another, each call with a deadline, waiting for its result."""

    def __init__(self, place: Place) -> None:
        identity = Identity.load(place.identity("core", "demo"))
        self._channel = open_channel(place.address("core"), identity)
        self._payments = payments_service_pb2_grpc.PaymentsServiceStub(self._channel)
        self._run = secrets.token_hex(4)
        self._count = 0
        self._stop = asyncio.Event()
        self._news = asyncio.Condition()
        self.answered: list[job_pb2.Job] = []
        self.failed: list[grpc.aio.AioRpcError] = []

    async def after(self, more: int) -> None:
        """Returns when so many more calls have been answered, or one has failed."""
        enough = len(self.answered) + more
        async with asyncio.timeout(STEP_SECONDS), self._news:
            await self._news.wait_for(lambda: self.failed or len(self.answered) >= enough)

    async def charge_at_once(self, count: int) -> None:
        """So many calls side by side, that ask only to be accepted."""
        await asyncio.gather(*(self._charge(wait=0, deadline=10) for _ in range(count)))

    async def close(self) -> None:
        """Hangs up."""
        await self._channel.close(None)

    async def _charge(self, *, wait: float, deadline: float) -> None:
        self._count += 1
        context = context_pb2.RequestContext(
            request_id=f"load-{self._run}-{self._count}", tenant=TENANT, provider="echo"
        )
        context.wait.FromMilliseconds(int(wait * 1000))
        amount = money_pb2.Money(minor_units=1000, currency_code="EUR")
        request = payments_service_pb2.ChargeRequest(
            context=context, amount=amount, payment_method="pm_card_visa"
        )
        try:
            self.answered.append((await self._payments.Charge(request, timeout=deadline)).job)
        except grpc.aio.AioRpcError as error:
            self.failed.append(error)
        async with self._news:
            self._news.notify_all()

    async def _go_on(self, wait: float, deadline: float) -> None:
        while not self._stop.is_set():
            await self._charge(wait=wait, deadline=deadline)

    @asynccontextmanager
    async def running(
        self, *, clients: int = 8, wait: float = 15.0, deadline: float = 25.0
    ) -> AsyncIterator["Load"]:
        """The clients at work; at the end each finishes its call."""
        tasks = [asyncio.create_task(self._go_on(wait, deadline)) for _ in range(clients)]
        try:
            yield self
        finally:
            self._stop.set()
            await asyncio.gather(*tasks)
            await self.close()
