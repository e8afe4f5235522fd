"""Many seeds, one after the other, and what they came to."""

import gc
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.simulation.faults import ALL_KINDS
from tests.simulation.patches import Patch, patched
from tests.simulation.proofs import PROOFS
from tests.simulation.run import Run, simulate
from tests.simulation.watch import Violation

COLLECT_EVERY = 50
SAY_EVERY = 500


@dataclass(slots=True)
class Tally:
    """The sum of many runs."""

    runs: int = 0
    jobs: int = 0
    attempts: int = 0
    virtual_seconds: float = 0.0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    proofs: Counter[str] = field(default_factory=Counter)
    violations: list[tuple[int, Violation]] = field(default_factory=list)

    def add(self, run: Run) -> None:
        """Counts a run."""
        self.runs += 1
        self.jobs += run.jobs
        self.attempts += run.attempts
        self.virtual_seconds += run.seconds
        self.faults += run.faults
        self.proofs += run.proofs
        self.violations += [(run.seed, violation) for violation in run.violations]

    @property
    def never(self) -> list[str]:
        """Kinds of faults that have not struck once, and what has not come about once."""
        struck = [kind for kind in ALL_KINDS if not self.faults[kind]]
        return struck + [what for what in PROOFS if not self.proofs[what]]

    def lines(self) -> list[str]:
        """The tally in words."""
        rate = self.runs / self.cpu_seconds if self.cpu_seconds else 0.0
        per_run = self.virtual_seconds / max(self.runs, 1)
        struck = " ".join(f"{kind}={self.faults[kind]}" for kind in ALL_KINDS)
        seen = " ".join(f"{what}={self.proofs[what]}" for what in PROOFS)
        return [
            f"{self.runs} runs in {self.seconds:.1f} s ({rate:.0f} per second of processor time), "
            f"{per_run:.0f} virtual s each",
            f"{self.jobs} jobs, {self.attempts} attempts, {self.faults.total()} faults: {struck}",
            f"came about: {seen}",
            f"{len(self.violations)} violations in {len({seed for seed, _ in self.violations})} seeds",
            *(f"seed {seed}: {violation}" for seed, violation in self.violations[:20]),
        ]


def campaign(
    seeds: Sequence[int],
    *,
    sown: Sequence[Patch] = (),
    until_found: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Tally:
    """Runs seeds, with bugs sown; `until_found`: to the first violation. `say` is told how far it is."""
    tally, began, cpu_began = Tally(), time.perf_counter(), time.process_time()
    gc.disable()
    try:
        with patched(sown):
            for number, seed in enumerate(seeds):
                tally.add(simulate(seed))
                if number % COLLECT_EVERY == COLLECT_EVERY - 1:
                    gc.collect()
                if tally.runs % SAY_EVERY == 0:
                    say(f"{tally.runs} runs, {len(tally.violations)} violations")
                if until_found and tally.violations:
                    break
    finally:
        gc.enable()
    tally.seconds, tally.cpu_seconds = time.perf_counter() - began, time.process_time() - cpu_began
    return tally
