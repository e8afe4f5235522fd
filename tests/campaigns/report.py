"""What a campaign has found: its figures, and whatever is not as it must be."""

import json
import os
import sys
import time
from collections.abc import Sequence
from typing import Any


class Report:
    """The figures and violations of one campaign. `quiet`: tells nothing on the way."""

    def __init__(self, name: str, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._began = time.monotonic()
        self.figures: dict[str, Any] = {"campaign": name, "load_before": os.getloadavg()[0]}
        self.violations: list[str] = []

    def note(self, **figures: Any) -> None:
        """Keeps figures, and tells them."""
        self.figures |= figures
        self.say(", ".join(f"{name}: {value}" for name, value in figures.items()))

    def expect(self, claim: str, holds: bool, found: object = "") -> None:
        """Keeps a claim that does not hold, with what was found instead."""
        if not holds:
            self.violations.append(f"NOT SO: {claim}" + (f" ({found})" if found != "" else ""))
            self.say(self.violations[-1])

    def say(self, text: str) -> None:
        """A line of the story."""
        if not self._quiet:
            sys.stderr.write(f"{time.monotonic() - self._began:7.1f}  {text}\n")

    def line(self) -> str:
        """All of it, as one JSON object."""
        seconds = round(time.monotonic() - self._began, 1)
        ending = {"seconds": seconds, "load_after": os.getloadavg()[0], "violations": self.violations}
        return json.dumps(self.figures | ending)


def milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    """How latencies lie: how many, the median and the 95th percentile."""
    if not seconds:
        return {"n": 0, "p50": 0.0, "p95": 0.0}
    ordered = sorted(seconds)
    at = {"p50": ordered[len(ordered) // 2], "p95": ordered[int(len(ordered) * 0.95)]}
    return {"n": len(ordered), **{name: round(value * 1000, 1) for name, value in at.items()}}
