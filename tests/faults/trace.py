"""What the failpoints wrote down, and where in an attempt's life a kill fell. Pure but for the reading."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CLAIMED, STATED, WRITTEN, AFTER = "claimed..intent", "intent..written", "written..evidence", "no attempt open"
WINDOWS = (CLAIMED, STATED, WRITTEN, AFTER)
_STAGES: Mapping[str, int] = {
    "hub.claimed": 1,
    "hub.executing": 2,
    "worker.written": 3,
    "worker.read": 3,
    "hub.settled": 4,
}


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass of a point: by the monotonic clock, by a process, for ids; `action` if it was armed."""

    at: float
    name: str
    ids: tuple[str, ...] = ()
    action: str = ""
    process: str = ""


@dataclass(frozen=True, slots=True)
class Kill:
    """A process that was killed. `provider` "": it served all of them."""

    at: float
    victim: str
    provider: str = ""


def read(directory: Path) -> list[Pass]:
    """Everything in the trace files, in order of time."""
    passes = [
        parse(line, process=file.name)
        for file in directory.iterdir()
        for line in file.read_text().splitlines()
    ]
    return sorted(passes, key=lambda p: p.at)


def parse(line: str, *, process: str) -> Pass:
    """One line."""
    at, name, *rest = line.split(" ")
    action = rest.pop().removeprefix("!") if rest and rest[-1].startswith("!") else ""
    return Pass(float(at), name, tuple(rest), action, process)


def windows(passes: Sequence[Pass], kills: Sequence[Kill], providers: Mapping[str, str]) -> Counter[str]:
    """How many kills fell into each window; `providers` by job id.

    A kill counts for the latest stage of the attempts that the victim then had a part in. The stages are
    those that were passed before it: "written" begins when the bytes have gone, so it is never too early.
    """
    by_attempt: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for one in passes:
        if (stage := _STAGES.get(one.name)) is not None:
            for attempt in one.ids:
                by_attempt[attempt].append((one.at, stage))
    return Counter(_window(kill, by_attempt, providers) for kill in kills)


def _window(
    kill: Kill, by_attempt: Mapping[str, Sequence[tuple[float, int]]], providers: Mapping[str, str]
) -> str:
    stages = [
        max((stage for at, stage in passed if at <= kill.at), default=0)
        for attempt, passed in by_attempt.items()
        if not kill.provider or providers.get(attempt.rpartition(".")[0]) == kill.provider
    ]
    open_stage = max((stage for stage in stages if stage < 4), default=0)
    return {1: CLAIMED, 2: STATED, 3: WRITTEN}.get(open_stage, AFTER)


def of_job(passes: Iterable[Pass], name: str) -> dict[str, float]:
    """When the jobs first passed a point, by job id."""
    first: dict[str, float] = {}
    for one in passes:
        if one.name == name:
            for subject in one.ids:
                first.setdefault(subject.partition(".")[0], one.at)
    return first
