"""What a pool is, how its workers are made, and the pool that has no processes."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mesh.process_clock import process_clock
from mesh.telemetry import ENDPOINT, Telemetry
from spokes.kit import registry
from spokes.kit.errors import OWN
from spokes.kit.worker import Worker


class Pool(Protocol):
    """Runs envelopes. `run` raises ActorLost (may have been done) and PoolOverloaded (was not)."""

    async def start(self) -> None:
        """Returns when the least number of actors answers."""
        ...

    async def run(self, question: bytes) -> bytes:
        """Answers one envelope."""
        ...

    def actor_pids(self) -> list[int]:
        """The process ids of the actors."""
        ...

    async def close(self) -> None:
        """Ends the actors and whatever they still do."""
        ...


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an actor makes its worker: by names and paths, so no secret passes through Ray."""

    spoke: str
    accounts_file: str
    instance: str
    otlp_endpoint: str = ""

    def make(self) -> Worker:
        """Makes the worker, in the process that will run it."""
        if self.otlp_endpoint:
            os.environ[ENDPOINT] = self.otlp_endpoint
        manifest = registry.manifest(self.spoke)
        provider = registry.build(self.spoke)
        accounts = registry.accounts(self.spoke, provider, Path(self.accounts_file))
        telemetry = Telemetry.start(self.spoke, self.instance, own=OWN)
        return Worker(manifest, provider, accounts, clock=process_clock, telemetry=telemetry)


class InlinePool:
    """No processes: the provider's code runs in this one. For tests, and machines too small for Ray."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._worker: Worker | None = None

    async def start(self) -> None:
        """Makes the worker."""
        self._worker = self._recipe.make()

    async def run(self, question: bytes) -> bytes:
        """Answers one envelope."""
        assert self._worker is not None
        return await self._worker.run(question)

    def actor_pids(self) -> list[int]:
        """There are none."""
        return []

    async def close(self) -> None:
        """Closes the worker's connections."""
        if self._worker is not None:
            await self._worker.close()
