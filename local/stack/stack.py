"""The stack: starts its parts side by side as far as their order allows, and drains them in reverse."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from hubctl.errors import CliError, NotReady, PartFailed
from hubctl.profile import Part as ProfilePart
from local.sandboxes import environment
from local.sandboxes.all import SANDBOXES
from local.sandboxes.sandbox import write_accounts
from local.stack import certificates, parts, postgres, profile, ray, record, services, spokes
from local.stack.layout import TRUST_DOMAIN, Layout
from local.stack.parts import CLUSTER, RAY, Part
from local.stack.ports import DEFAULT_BASE, Ports, refuse_if_taken, taken
from local.stack.processes import DRAIN_SECONDS, Command, Process
from local.stack.record import PartRecord, StackRecord
from mesh.ca import CertificateAuthority
from mesh.clock import SystemClock

MIGRATION_SECONDS = 60.0
UNREADY_SECONDS = 3.0

Say = Callable[[str, str, float], None]
"""Told of progress: the part, what became of it ("starting", "ready", "stopped"), and the seconds it took."""


@dataclass(frozen=True, slots=True)
class Options:
    """What may differ between stacks.

    `hubs`: replicas of the hub. `environment`: more variables, by part. `detours`: by part, addresses by
    which it reaches other parts (`audit`, `postgres`, a spoke its stand-in) instead of straight. `limits`: by
    spoke, those of its account instead of the manifest's.
    """

    layout: Layout = field(default_factory=Layout.at)
    base_port: int = DEFAULT_BASE
    spokes: tuple[str, ...] | None = None
    pool: str = CLUSTER
    database_url: str = field(default="", repr=False)
    environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    hubs: int = 1
    detours: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    limits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


class Stack:
    """One stack. The process that starts it holds its certificate authority, and drains it."""

    def __init__(self, options: Options | None = None, *, say: Say | None = None) -> None:
        self.options = options or Options()
        self.layout = self.options.layout
        self.ports = Ports(self.options.base_port, hubs=self.options.hubs)
        self._say = say or (lambda *_: None)
        self._clock = SystemClock()
        self._authority = CertificateAuthority.create(TRUST_DOMAIN)
        self._parts: dict[str, Part] = {}
        self._processes: dict[str, Process] = {}
        self._done: dict[str, asyncio.Event] = {}
        self._urls: dict[str, str] = {}
        self._faults: Mapping[str, str] = {}

    @property
    def addresses(self) -> dict[str, str]:
        """host:port by name: core, spokes, webhooks, hub, audit, postgres, the stand-ins, spoke-<name>."""
        return {name: self.ports.address(name) for name in self.ports.named()}

    async def start(self) -> None:
        """Returns when every part is ready; if one fails, stops what has started and raises."""
        known = record.find(self.layout)
        if known is not None and known.is_running:
            held = "\n".join(taken(known.ports))
            raise NotReady(f"a stack runs in {self.layout.state} already; stop it: hubctl down\n{held}")
        refuse_if_taken(self.ports.named())
        self.layout.make()
        try:
            async with asyncio.TaskGroup() as group:
                await self._launch(group)
        except BaseExceptionGroup as failures:
            await self.stop()
            raise first_of(failures) from failures
        except asyncio.CancelledError:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Drains every part, those that depend on others first."""
        levels = {name: self._parts[name].drain_level for name in self._processes}
        for level in sorted(set(levels.values()), reverse=True):
            await asyncio.gather(*(self._stop(name) for name in levels if levels[name] == level))
        ray.clean(self.layout)
        record.forget(self.layout)
        profile.forget(self.layout)

    def kill(self, name: str) -> None:
        """Ends a part with SIGKILL, as a crash would."""
        self._processes[name].kill()

    async def start_part(self, name: str) -> None:
        """Starts a part that has ended, and what cannot live on without it; returns when they are ready."""
        names = [name, *self.living_in(name)]
        for each in names:
            self.take_down(each)
        await asyncio.gather(*(self.start_one(each) for each in names))

    def living_in(self, name: str) -> list[str]:
        """The parts that cannot live on in another process of this one: a new Ray takes new spokes."""
        if name != RAY:
            return []
        return [each for each in self._processes if RAY in self._parts[each].after]

    def take_down(self, name: str) -> None:
        """Ends what may be left of a part. From now on, whoever is started and needs it waits for it."""
        self.kill(name)
        if self._event(name).is_set():
            self._done[name] = asyncio.Event()

    async def start_one(self, name: str) -> None:
        """Starts one part that is down, as soon as what it needs is there; returns when it is ready."""
        part = self._parts[name]
        for other in part.after:
            await self._event(other).wait()
        await self._start_part(part)
        self._event(name).set()

    async def stop_part(self, name: str) -> None:
        """Drains one part, as a rolling release would; returns when it has ended."""
        await self._stop(name)

    def fallen(self) -> list[Process]:
        """The parts that have ended by themselves."""
        return [process for process in self._processes.values() if not process.is_running]

    def tail(self, name: str) -> str:
        """A part's last words."""
        return self._processes[name].tail()

    def renew_certificates(self) -> None:
        """Issues new certificates to everybody; the services take them without a restart."""
        certificates.issue(self.layout, self.ports.spokes, self._authority)

    async def _launch(self, group: asyncio.TaskGroup) -> None:
        """Begins everything; each waits for what it needs. What needs no manifests begins at once."""
        layout, ports, options = self.layout, self.ports, self.options
        profile.write(layout, ports, [ProfilePart("spokes", fault="which there are is not known yet")])
        self._task(group, "sandboxes", (), lambda: asyncio.to_thread(environment.build, layout))
        if options.database_url:
            after: tuple[str, ...] = ()
        else:
            after = ("postgres",)
            self._part(group, parts.postgres_part(layout, ports))
        self._task(group, "databases", after, lambda: asyncio.to_thread(self._make_databases))
        if options.pool == CLUSTER:
            self._part(group, parts.ray_part(layout, ports))
        self._migration(group, "audit", lambda: services.audit_migration(self._urls))
        self._migration(group, "hub", lambda: services.hub_migration(self._urls))
        self._launch_rest(group, await self._spokes())
        self._write_profile()

    async def _spokes(self) -> tuple[str, ...]:
        """The spokes that can run here: those asked for, or all that have a stand-in or an accounts file."""
        if self.options.spokes is not None:
            return self.options.spokes
        found = await asyncio.to_thread(spokes.listed, self.layout)
        self._faults = found.faults
        for name, fault in found.faults.items():
            self._say(f"spoke-{name}", f"left out: {fault}", 0)
        return found.names

    def _launch_rest(self, group: asyncio.TaskGroup, names: tuple[str, ...]) -> None:
        layout, options = self.layout, self.options
        self.ports = ports = replace(self.ports, spokes=names)
        refuse_if_taken({f"spoke-{name}": ports.of(f"spoke-{name}") for name in names})
        self._task(group, "files", (), lambda: asyncio.to_thread(self._write_files))
        for sandbox in SANDBOXES:
            if sandbox.spoke in names:
                self._part(group, parts.sandbox_part(layout, ports, sandbox))
        self._part(group, parts.envoy_part(layout, ports, names))
        self._part(group, parts.audit_part(layout, self._ports_of("audit"), lambda: self._urls))
        for name in names:
            self._part(group, parts.spoke_part(layout, ports, name, pool=options.pool))
        for hub in ports.hub_names:
            self._part(group, parts.hub_part(layout, self._ports_of(hub), hub, lambda: self._urls))

    def _task(
        self, group: asyncio.TaskGroup, name: str, after: tuple[str, ...], run: Callable[[], Awaitable[None]]
    ) -> None:
        async def in_order() -> None:
            for other in after:
                await self._event(other).wait()
            began = self._clock.monotonic()
            self._say(name, "starting", 0)
            await run()
            self._say(name, "ready", self._clock.monotonic() - began)
            self._event(name).set()

        group.create_task(in_order())

    def _part(self, group: asyncio.TaskGroup, part: Part) -> None:
        self._parts[part.name] = part
        self._task(group, part.name, part.after, lambda: self._start_part(part))

    def _migration(self, group: asyncio.TaskGroup, service: str, command: Callable[[], Command]) -> None:
        name = f"{service}-schema"

        async def run() -> None:
            process = Process(name, command(), self.layout.log(name))
            if not await process.ended(MIGRATION_SECONDS) or process.returncode != 0:
                process.kill()
                raise PartFailed(f"{name} failed. {process.tail()}")

        self._task(group, name, ("databases",), run)

    async def _start_part(self, part: Part) -> None:
        command = await asyncio.to_thread(part.command)
        more = self.options.environment.get(part.name, {})
        command = replace(command, environment={**command.environment, **more})
        process = Process(part.name, command, self.layout.log(part.name))
        self._processes[part.name] = process
        self._write_record()
        await process.ready(part.is_ready, part.patience_seconds)

    async def _stop(self, name: str) -> None:
        process, began = self._processes[name], self._clock.monotonic()
        if not process.is_running:
            return
        process.drain(signal.SIGINT if name == "postgres" else signal.SIGTERM)
        # A part that never became ready has nothing to finish.
        if not await process.ended(DRAIN_SECONDS if self._event(name).is_set() else UNREADY_SECONDS):
            process.kill()
        self._say(name, "stopped", self._clock.monotonic() - began)

    def _make_databases(self) -> None:
        server = self.postgres_server()
        postgres.create_roles(server)
        self._urls = {**postgres.create_hub_database(server), **postgres.create_audit_database(server)}

    def postgres_server(self) -> postgres.Server:
        """The server of both databases, as its superuser."""
        if self.options.database_url:
            return postgres.Server.of_url(self.options.database_url)
        return postgres.prepare(self.layout.data("postgres")).server(self.ports.of("postgres"))

    def _write_files(self) -> None:
        names = self.ports.spokes
        self.renew_certificates()
        certificates.make_keys(self.layout, names)
        services.write_config(self.layout, self.ports, names)
        for sandbox in SANDBOXES:
            ports = self._ports_of(f"spoke-{sandbox.spoke}")
            write_accounts(self.layout, ports, sandbox, limits=self.options.limits.get(sandbox.spoke, {}))

    def _ports_of(self, part: str) -> Ports:
        """The ports as a part sees them."""
        return self.ports.seen_by(self.options.detours.get(part))

    def _event(self, name: str) -> asyncio.Event:
        return self._done.setdefault(name, asyncio.Event())

    def _write_profile(self) -> None:
        """Says where the stack is, and all that it will have."""
        will_be = [ProfilePart(part.name, part.probe, part.address) for part in self._parts.values()]
        faulty = [ProfilePart(f"spoke-{name}", fault=fault) for name, fault in self._faults.items()]
        profile.write(self.layout, self.ports, [*will_be, *faulty])

    def _write_record(self) -> None:
        running = tuple(
            PartRecord(name, process.pid, process.created, self._parts[name].probe, self._parts[name].address)
            for name, process in self._processes.items()
        )
        StackRecord(
            base_port=self.ports.base,
            addresses=self.addresses,
            parts=running,
            spokes=self.ports.spokes,
            own_postgres=not self.options.database_url,
        ).write(self.layout)


def first_of(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """The failure to tell of: ours, where there is one."""
    ours = failures.subgroup(CliError)
    first: BaseException = ours or failures
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
