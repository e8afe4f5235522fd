"""The duty that passes signed statements from a lane's outbox to the log until it holds them."""

import asyncio
import logging

from hub.lanes.ports import AuditLog, LaneStore, Receipt

BATCH = 128  # of the greatest envelopes, just under the message limit
POLL_SECONDS = 1.0
LINGER_SECONDS = 0.2

_log = logging.getLogger(__name__)


class Relay:
    """Relays one lane's statements, oldest first. A log that is down makes the loop wait and try again."""

    def __init__(self, lane: str, *, store: LaneStore, log: AuditLog) -> None:
        self.name = f"relay {lane}"
        self._lane = lane
        self._store = store
        self._log = log
        self._is_behind = False

    async def run_once(self) -> float | None:
        """Relays one batch; at once again if there may be more."""
        if not self._is_behind:
            # Nobody waits for this: what is said within a fifth of a second goes together.
            await asyncio.sleep(LINGER_SECONDS)
        statements = await self._store.read_outbox(self._lane, BATCH)
        if not statements:
            return POLL_SECONDS
        answers = await self._log.append([s.envelope for s in statements], {})
        held = [s.statement_id for s, a in zip(statements, answers, strict=True) if isinstance(a, Receipt)]
        refused = {
            s.statement_id: a.reason
            for s, a in zip(statements, answers, strict=True)
            if not isinstance(a, Receipt)
        }
        if refused:
            _log.error("the log refused statements", extra={"lane": self._lane, "refused": refused})
        await self._store.clear_outbox(held, refused)
        self._is_behind = len(statements) == BATCH
        return 0 if self._is_behind else POLL_SECONDS
