"""The clock of this process, whose wall time a fault test can move while it runs.

The machine's own unless CLOCK_OFFSET_FILE names a file when this module is imported. The file, once it is
there, holds the seconds by which this process's wall clock is wrong, read each time that it is looked at.
The monotonic clock is never moved, as no real jump moves it; nor is what does not go by a `Clock`: TLS, and
the times of log lines and spans.
"""

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from mesh.clock import Clock, SystemClock

OFFSET_FILE: Final = "CLOCK_OFFSET_FILE"


class WrongClock(SystemClock):
    """The machine's clocks, the one on the wall wrong by what a file says."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> datetime:
        """The present moment, aware, in UTC, as wrong as it was made."""
        try:
            offset = float(self._file.read_text())
        except FileNotFoundError:
            offset = 0.0
        return super().now() + timedelta(seconds=offset)


def from_variables(variables: Mapping[str, str]) -> Clock:
    """The clock of a process that was started with these variables."""
    file = variables.get(OFFSET_FILE)
    return WrongClock(Path(file)) if file else SystemClock()


# As with failpoints: no service has to know of a tool of the tests, and without it there is none.
process_clock: Final[Clock] = from_variables(os.environ)
