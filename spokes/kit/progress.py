"""How far the request of one attempt got: what decides between NotSent and Unknown."""

from datetime import datetime
from enum import IntEnum

from mesh.clock import Clock
from mesh.failpoints import reach


class Progress(IntEnum):
    """The numbers are those of the contract."""

    NOT_STARTED = 1
    CONNECTING = 2
    WRITING = 3
    WRITTEN = 4
    REPLY_BEGUN = 5
    REPLY_READ = 6


class Track:
    """The furthest that any request with an effect got in one attempt; it never goes back."""

    __slots__ = ("_clock", "attempt_id", "progress", "sent_at")

    def __init__(self, clock: Clock, attempt_id: str = "") -> None:
        self._clock = clock
        self.attempt_id = attempt_id
        self.progress = Progress.NOT_STARTED
        self.sent_at: datetime | None = None

    def advance(self, progress: Progress) -> None:
        """Notes progress. Call it with WRITING before the first byte can leave, never after."""
        if progress >= Progress.WRITING and self.sent_at is None:
            self.sent_at = self._clock.now()
        self.progress = max(self.progress, progress)
        if progress is Progress.WRITING:
            reach("worker.writing", self.attempt_id)
        elif progress is Progress.REPLY_READ:
            reach("worker.read", self.attempt_id)

    @property
    def may_have_left(self) -> bool:
        """Whether a byte of a request with an effect may have left."""
        return self.progress >= Progress.WRITING
