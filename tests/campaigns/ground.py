"""The ground that a campaign stands on: a whole stack of its own, and whom to ask about it."""

import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from hubctl.rpc import hub_channel
from integration.operations.v1 import lane_pb2, operations_service_pb2_grpc
from integration.operations.v1 import operations_service_pb2 as ops
from local.place import Place, load
from local.stack.layout import Layout
from local.stack.stack import Options, Stack
from tests.campaigns.report import Report

T = TypeVar("T")
LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a campaign needs of its stack."""

    base_port: int = 9800
    spokes: tuple[str, ...] = ("stripe", "echo", "smtp")
    environment: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    detours: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    limits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    keep: bool = False


class Ground:
    """The stack that runs."""

    def __init__(self, stack: Stack, report: Report) -> None:
        self.stack = stack
        self.report = report

    @property
    def state(self) -> Path:
        """The stack's directory."""
        return self.stack.layout.state

    @property
    def place(self) -> Place:
        """Where everything is, as of now."""
        return load(self.state)

    async def sql(self, script: str) -> list[list[str]]:
        """Rows of the hub's database."""
        answer = await asyncio.to_thread(self.stack.postgres_server().run, script, database="hub")
        return [line.split("|") for line in answer.splitlines()]

    async def count(self, script: str) -> int:
        """A number from the hub's database."""
        return int((await self.sql(script))[0][0])

    async def lane(self, name: str) -> lane_pb2.Lane:
        """A lane, as operators see it."""
        async with hub_channel(self.place.profile) as channel:
            stub = operations_service_pb2_grpc.OperationsServiceStub(channel)
            found = (await stub.ListLanes(ops.ListLanesRequest(), timeout=30)).lanes
        lane: lane_pb2.Lane = next(lane for lane in found if lane.lane == name)
        return lane

    def logged(self, part: str, message: str) -> list[tuple[datetime, dict[str, Any]]]:
        """When a part has logged a message since it was started, and what with it."""
        lines = self.stack.layout.log(part).read_text(errors="replace").splitlines()
        found = [json.loads(line) for line in lines if message in line and line.startswith("{")]
        return [(datetime.fromisoformat(f["time"]), f) for f in found if f["message"] == message]


async def until(read: Callable[[], Awaitable[T]], good: Callable[[T], bool], seconds: float, what: str) -> T:
    """What `read` gives once it is good; TimeoutError, which says of what, after so many seconds."""
    deadline = time.monotonic() + seconds
    while not good(found := await read()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:g} s; last seen: {found}")
        await asyncio.sleep(LOOK_SECONDS)
    return found


@asynccontextmanager
async def standing(report: Report, wanted: Wanted, *, state: Path | None = None) -> AsyncIterator[Ground]:
    """A stack, ready; drained at the end. Its directory stays if asked for, or if something is wrong."""
    state = state or scratch()
    options = Options(
        Layout.at(state),
        base_port=wanted.base_port,
        spokes=wanted.spokes,
        environment=wanted.environment,
        detours=wanted.detours,
        limits=wanted.limits,
    )
    stack = Stack(options)
    await stack.start()
    report.say("the stack is ready")
    try:
        yield Ground(stack, report)
    except BaseException:
        report.expect("the story comes to its end", False)
        raise
    finally:
        await stack.stop()
        if wanted.keep or report.violations:
            report.say(f"kept: {state}")
        else:
            shutil.rmtree(state, ignore_errors=True)


def scratch() -> Path:
    """A directory of its own, which Postgres, who is not root, may enter too."""
    state = Path(tempfile.mkdtemp(prefix="campaign-"))
    state.chmod(0o711)
    return state
