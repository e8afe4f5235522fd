"""The statements of reads on their way to the log: intents before a call, evidence after it."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

from hub.errors import LogAway
from hub.lanes.ports import AuditLog, LogContradicts, LogUnavailable, Receipt, Refused

MOST_UNPROVEN = 10_000
"""While so many pieces of evidence wait for the log, nothing is read."""
TOGETHER = 128
GATHER_SECONDS = 0.05
"""So long evidence waits for an intent that takes it along."""

_log = logging.getLogger(__name__)


class Stating:
    """States intents, and takes evidence that waits along. Evidence lives in this process's memory only.

    As a duty it sends the evidence that no intent has taken along. `hint` wakes it.
    """

    name = "prove reads"

    def __init__(self, log: AuditLog) -> None:
        self._log = log
        self._evidence: deque[bytes] = deque()
        self.hint: Callable[[], None] = lambda: None

    @property
    def unproven(self) -> int:
        """How many pieces of evidence wait."""
        return len(self._evidence)

    def prove(self, evidence: bytes) -> None:
        """Evidence goes to the log as soon as it can."""
        self._evidence.append(evidence)
        self.hint()

    async def state(self, intents: Sequence[bytes]) -> list[Receipt | Refused]:
        """The receipts of intents, in order; raises LogAway, and then nothing may be sent."""
        if len(self._evidence) >= MOST_UNPROVEN:
            raise LogAway("too much evidence waits for the audit log")
        try:
            return await self._append(intents)
        except (LogUnavailable, LogContradicts) as error:
            raise LogAway("the audit log takes no statements, so nothing was sent") from error

    async def run_once(self) -> float | None:
        """Sends what waits and no intent takes along; raises LogUnavailable while the log is away."""
        if self._evidence:
            await asyncio.sleep(GATHER_SECONDS)
        await self.flush()
        return None

    async def flush(self) -> None:
        """Sends all that waits; raises LogUnavailable while the log is away."""
        while self._evidence:
            await self._append(())

    async def _append(self, intents: Sequence[bytes]) -> list[Receipt | Refused]:
        along = [self._evidence.popleft() for _ in range(min(TOGETHER, len(self._evidence)))]
        try:
            answers = await self._log.append([*intents, *along], {})
        except BaseException:
            # The same bytes again are the same entry, so nothing is lost and nothing is said twice.
            self._evidence.extendleft(reversed(along))
            raise
        for answer in answers[len(intents) :]:
            if isinstance(answer, Refused):
                _log.error("evidence of a read refused", extra={"problem": answer.reason})
        return answers[: len(intents)]
