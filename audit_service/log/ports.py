"""What the log needs from outside: a database, and a mark that lies elsewhere."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from audit_service.log.entry import Entry
from audit_service.log.rules import Standing
from audit_service.log.tiles import TileId
from audit_service.log.tree import Growth


@dataclass(frozen=True, slots=True)
class State:
    """The head as the database has it; `generation` counts the writers there have been."""

    origin: str
    size: int
    root: bytes
    generation: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A head that was acknowledged, kept outside the database."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """A checkpoint that the database keeps."""

    size: int
    note: bytes


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the log: the entries, what they make of the tree, and an older checkpoint to keep."""

    entries: Sequence[Entry]
    growth: Growth
    keep: Kept | None
    time: datetime


class LogStore(Protocol):
    """The writer's side of the database. Every failure is a LogUnavailable."""

    async def claim(self, origin: str) -> State:
        """Becomes the one writer and returns the head; WriterLost if another is."""

    async def release(self) -> None:
        """Stops being the writer; harmless if it is not."""

    async def standing(self, ids: Collection[str], attempts: Collection[str]) -> list[Standing]:
        """Returns the entries with one of the ids, and those of the attempts."""

    async def write(self, step: Step) -> None:
        """Makes the step durable, all of it or nothing; WriterLost if another writer has come."""


class LogReader(Protocol):
    """The reader's side of the database. Every failure is a LogUnavailable."""

    async def tiles(self, wanted: Collection[TileId]) -> Mapping[TileId, bytes]:
        """Returns those of the full tiles that are there."""

    async def leaves(self, start: int, end: int) -> list[bytes]:
        """Returns the leaf hashes of a range of entries."""

    async def last_checkpoint(self) -> Kept | None:
        """Returns the largest checkpoint that is kept."""


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry as it stands, with what the index says about it."""

    index: int
    id: str
    leaf: bytes
    envelope: bytes
    kind: str
    job: str
    attempt: str


class EntryReader(LogReader, Protocol):
    """The reader's side, with whole entries."""

    async def entry(self, index: int) -> StoredEntry | None:
        """Returns one entry."""

    async def of_job(self, job: str, *, after: int, below: int, limit: int) -> list[StoredEntry]:
        """Returns entries of a job with indexes between, in order."""

    async def keys(self, below: int) -> list[StoredEntry]:
        """Returns the entries that add keys, in order."""

    def envelopes(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Yields the envelopes of a range, in order."""


class MarkFile(Protocol):
    """The mark. Both may raise OSError."""

    async def read(self) -> Mark | None:
        """Returns the mark, or None if there is none yet; LogInconsistent if it makes no sense."""

    async def write(self, mark: Mark) -> None:
        """Makes the mark durable."""
