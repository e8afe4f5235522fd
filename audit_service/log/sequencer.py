"""The one writer: takes statements in batches, gives each its index, and answers when all is durable."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from audit_service.errors import AlreadyThere, LogUnavailable, Overloaded
from audit_service.log.checkpoints import Head, Notary
from audit_service.log.entry import Entry, Refusal
from audit_service.log.opening import Opening, OpenLog
from audit_service.log.ports import Kept, LogStore, Mark, MarkFile, Step
from audit_service.log.rules import Decision, Place, Standing, decide_all
from mesh.batcher import Batcher, Full
from mesh.clock import Clock
from mesh.evidence.statement import Evidence, Intent, KeyAdd
from mesh.failpoints import reach

MAX_BATCH_ENTRIES: Final = 512
MAX_WAITING: Final = 256
LINGER_SECONDS: Final = 0.003
KEEP_CHECKPOINT_EVERY_SECONDS: Final = 1.0

Submission: TypeAlias = Sequence[Entry | Refusal]


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where an entry stands, and its path to the root of the head that comes with it."""

    index: int
    leaf_hash: bytes
    path: tuple[bytes, ...]


Answer: TypeAlias = Receipt | Refusal


@dataclass(frozen=True, slots=True)
class Appended:
    """The answers to one submission, in its order, and the head that its receipts lead to."""

    answers: Sequence[Answer]
    head: Head


class Sequencer:
    """Batches submissions. After any failure the log is opened afresh before the next batch."""

    def __init__(
        self, *, opening: Opening, store: LogStore, mark_file: MarkFile, notary: Notary, clock: Clock
    ) -> None:
        self._opening = opening
        self._store = store
        self._mark_file = mark_file
        self._notary = notary
        self._clock = clock
        self._log: OpenLog | None = None
        self._kept = Kept(0, b"")
        self._kept_at: float | None = None
        self._turn = asyncio.Lock()
        self._batcher = Batcher(
            self._flush,
            max_items=MAX_WAITING,
            max_bytes=MAX_BATCH_ENTRIES,
            size_of=len,
            max_queue=MAX_WAITING,
            linger_seconds=LINGER_SECONDS,
        )

    async def open(self) -> OpenLog:
        """Returns the open log, opening it if need be; raises a LogUnavailable."""
        if self._log is not None:
            return self._log
        async with self._turn:
            return await self._opened()

    @property
    def log(self) -> OpenLog:
        """The open log; LogUnavailable while it is not."""
        if self._log is None:
            raise LogUnavailable("the log is not open")
        return self._log

    async def append(self, submission: Submission) -> Appended:
        """Answers when every entry that was not refused is durable."""
        try:
            return await self._batcher.submit(submission)
        except Full as error:
            raise Overloaded("too many statements wait") from error

    async def close(self) -> None:
        """Writes what waits, and gives the log up."""
        await self._batcher.close()
        self._log = None
        await self._store.release()

    async def _flush(self, batch: list[Submission]) -> list[Appended | Exception]:
        async with self._turn:
            log = await self._opened()
            try:
                return await self._append(log, batch)
            except BaseException:
                # What the database did is not known: nothing in memory is believed any more.
                self._log = None
                raise

    async def _opened(self) -> OpenLog:
        if self._log is None:
            self._log = await self._opening.open()
        return self._log

    async def _append(self, log: OpenLog, batch: list[Submission]) -> list[Appended | Exception]:
        entries = [item for submission in batch for item in submission if isinstance(item, Entry)]
        decisions = await self._placed(log, entries)
        answers = iter(await _answers(log, decisions))
        return [
            Appended([next(answers) if isinstance(item, Entry) else item for item in submission], log.head)
            for submission in batch
        ]

    async def _placed(self, log: OpenLog, entries: list[Entry]) -> list[Decision]:
        """Decides on entries and makes durable what is fresh; asks the store only if need be."""
        if not entries:
            return []
        known = log.recent.standing(entries)
        if known is not None:
            try:
                return await self._place(log, entries, known)
            except AlreadyThere:
                pass  # nothing was written; the store knows of older ones
        statements = [entry.statement for entry in entries]
        ids = {statement.id for statement in statements}
        attempts = {said.attempt for said in statements if isinstance(said, Intent | Evidence)}
        return await self._place(log, entries, await self._store.standing(ids, attempts))

    async def _place(
        self, log: OpenLog, entries: list[Entry], standing: Iterable[Standing]
    ) -> list[Decision]:
        decisions, keys = decide_all(entries, standing, log.tree.size, log.keys)
        pairs = zip(entries, decisions, strict=True)
        fresh = [entry for entry, place in pairs if isinstance(place, Place) and place.fresh]
        if fresh:
            if log.tree.size == 0 and not isinstance(fresh[0].statement, KeyAdd):
                raise LogUnavailable("the log does not hold its own first key yet")
            await self._commit(log, fresh)
            log.keys = keys
        return decisions

    async def _commit(self, log: OpenLog, entries: list[Entry]) -> None:
        growth = log.tree.grow([entry.leaf for entry in entries])
        now = self._clock.now()
        keep = self._worth_keeping(log.head)
        reach("audit.committing")
        await self._store.write(Step(entries, growth, keep, now))
        reach("audit.committed")
        if keep is not None:
            self._kept, self._kept_at = keep, self._clock.monotonic()
        try:
            await self._mark_file.write(Mark(growth.size, growth.root))
        except OSError as error:
            raise LogUnavailable(f"the high-water mark: {error.strerror}") from error
        reach("audit.marked")
        log.tree.accept(growth)
        log.recent.add(entries, growth.start)
        log.head = self._notary.sign(growth.size, growth.root)

    def _worth_keeping(self, head: Head) -> Kept | None:
        now = self._clock.monotonic()
        recent = self._kept_at is not None and now - self._kept_at < KEEP_CHECKPOINT_EVERY_SECONDS
        if recent or head.size <= self._kept.size:
            return None
        return Kept(head.size, head.note)


async def _answers(log: OpenLog, decisions: Sequence[Decision]) -> list[Answer]:
    fresh = [place for place in decisions if isinstance(place, Place) and place.fresh]
    paths = log.tree.inclusion_paths([place.index for place in fresh])
    receipts = {
        place.index: Receipt(place.index, place.leaf, path) for place, path in zip(fresh, paths, strict=True)
    }
    for place in decisions:
        if isinstance(place, Place) and place.index not in receipts:
            path = await log.proofs.inclusion(place.index, log.head.size)
            receipts[place.index] = Receipt(place.index, place.leaf, path)
    return [receipts[item.index] if isinstance(item, Place) else item for item in decisions]
