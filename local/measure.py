"""What a run costs in processor time, and how its latencies lie."""

from collections.abc import Mapping, Sequence

import psutil

from local.place import Place
from local.stack.postgres import Server


def quantiles(seconds: Sequence[float]) -> dict[str, float]:
    """The median and the 99th percentile, in milliseconds."""
    ordered = sorted(seconds)
    return {
        "p50": round(ordered[len(ordered) // 2] * 1000, 2),
        "p99": round(ordered[int(len(ordered) * 0.99)] * 1000, 2),
    }


def cpu_seconds(place: Place) -> dict[str, float]:
    """Processor seconds used so far by each part and its children."""
    return {part: sum(map(_used, _tree(pid))) for part, pid in place.pids.items()}


def difference(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What each part used between two readings."""
    return {part: round(after[part] - before.get(part, 0.0), 2) for part in after}


def _tree(pid: int) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _used(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def commits(server: Server) -> int:
    """Writing transactions of both services so far: each takes one number of the database's."""
    return int(server.run("SELECT pg_snapshot_xmax(pg_current_snapshot())"))
