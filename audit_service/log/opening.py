"""Opening the log: rebuild the right edge, and believe the database only where it agrees."""

from dataclasses import dataclass, field

from audit_service.errors import LogInconsistent, LogRolledBack, LogUnavailable, MarkMissing
from audit_service.log.checkpoints import Head, Notary
from audit_service.log.keyring import KeyRing
from audit_service.log.ports import EntryReader, LogStore, Mark, MarkFile, State
from audit_service.log.proofs import Proofs
from audit_service.log.recent import Recent
from audit_service.log.tiles import HEIGHT, WIDTH, TileId, hashes_of, perfect_root
from audit_service.log.tree import Tree
from mesh.evidence.dsse import open_envelope
from mesh.evidence.errors import BadCheckpoint, EvidenceError
from mesh.evidence.parse import parse_statement
from mesh.evidence.statement import KeyAdd


@dataclass
class OpenLog:
    """The log while it can be written: its tree, its newest head, the proofs they give, and its keys.

    `recent`: what has been appended since it was opened.
    """

    tree: Tree
    head: Head
    proofs: Proofs
    keys: KeyRing
    recent: Recent = field(default_factory=Recent)


class Opening:
    """Opens the log for its one writer."""

    def __init__(
        self,
        *,
        store: LogStore,
        reader: EntryReader,
        mark_file: MarkFile,
        notary: Notary,
        accept_missing_mark: bool = False,
    ) -> None:
        self._store = store
        self._reader = reader
        self._mark_file = mark_file
        self._notary = notary
        self._accept_missing_mark = accept_missing_mark

    async def open(self) -> OpenLog:
        """Returns the log, checked; raises a LogUnavailable that says what does not agree."""
        state = await self._store.claim(self._notary.origin)
        if state.origin != self._notary.origin:
            raise LogInconsistent(f"the database holds the log {state.origin}, not {self._notary.origin}")
        tree = Tree(state.size, [await self._row(level, state.size) for level in _levels(state.size)])
        if tree.root != state.root:
            raise LogInconsistent(f"the tree of {state.size} entries has another root than the head")
        proofs = Proofs(tree, self._reader)
        await self._check_checkpoint(state, proofs)
        await self._check_mark(state, proofs)
        keys = await self._keys(state.size)
        return OpenLog(tree, self._notary.sign(state.size, state.root), proofs, keys)

    async def _keys(self, size: int) -> KeyRing:
        ring = KeyRing()
        for entry in await self._reader.keys(size):
            try:
                said = parse_statement(open_envelope(entry.envelope).payload)
            except EvidenceError as error:
                raise LogInconsistent(f"entry {entry.index}: {error}") from error
            if not isinstance(said, KeyAdd):
                raise LogInconsistent(f"entry {entry.index}: adds no key, though the index says so")
            if complaint := ring.complaint(said, entry.envelope, entry.index):
                raise LogInconsistent(f"entry {entry.index}: {complaint}")
            ring = ring.with_key(said)
        return ring

    async def _row(self, level: int, size: int) -> list[bytes]:
        count = size >> (HEIGHT * level)
        numbers = range(count - count % WIDTH, count)
        if level == 0:
            hashes = await self._reader.leaves(numbers.start, numbers.stop)
        else:
            below = [TileId(level - 1, number) for number in numbers]
            tiles = await self._reader.tiles(below)
            hashes = [perfect_root(hashes_of(tiles[tile])) for tile in below if tile in tiles]
        if len(hashes) != len(numbers):
            raise LogInconsistent(f"the log of {size} entries lacks hashes at tile level {level}")
        return hashes

    async def _check_checkpoint(self, state: State, proofs: Proofs) -> None:
        kept = await self._reader.last_checkpoint()
        if kept is None:
            return
        try:
            checkpoint = self._notary.read(kept.note)
        except BadCheckpoint as error:
            raise LogInconsistent(f"the checkpoint of size {kept.size}: {error}") from error
        await _check_prefix("the last checkpoint", Mark(checkpoint.size, checkpoint.root), state, proofs)

    async def _check_mark(self, state: State, proofs: Proofs) -> None:
        try:
            mark = await self._mark_file.read()
            if mark is not None:
                await _check_prefix("the high-water mark", mark, state, proofs)
            elif state.size and not self._accept_missing_mark:
                raise MarkMissing(
                    f"the log has {state.size} entries but no high-water mark; if the file was lost and the"
                    " database is known to be whole, start once with --accept-missing-mark"
                )
            await self._mark_file.write(Mark(state.size, state.root))
        except OSError as error:
            raise LogUnavailable(f"the high-water mark: {error.strerror}") from error


async def _check_prefix(name: str, mark: Mark, state: State, proofs: Proofs) -> None:
    if mark.size > state.size:
        raise LogRolledBack(
            f"the database was rolled back: {name} knows {mark.size} entries, the database {state.size}"
        )
    if await proofs.root(mark.size) != mark.root:
        raise LogInconsistent(f"{name} of size {mark.size} contradicts the database: the log was forked")


def _levels(size: int) -> range:
    return range((size.bit_length() + HEIGHT - 1) // HEIGHT)
