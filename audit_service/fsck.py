"""Re-reads and re-hashes the whole log, and says what does not agree."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from audit_service.log.checkpoints import Notary
from audit_service.log.entry import Entry, Refusal, entitlement_complaint
from audit_service.log.keyring import KeyRing
from audit_service.log.ports import Kept, LogReader, State
from audit_service.log.rules import INTENT_PHASE, Standing, decide_all
from audit_service.log.tiles import TileId, TilePart, tile_path
from audit_service.log.tree import Tree
from audit_service.store.index import IndexRow, index_row
from mesh.evidence import dsse
from mesh.evidence.errors import EvidenceError
from mesh.evidence.merkle import leaf_hash
from mesh.evidence.parse import parse_statement
from mesh.evidence.statement import Evidence, Intent, KeyAdd, Statement

_PAGE: Final = 500
_MAX_FINDINGS: Final = 1_000


@dataclass(frozen=True, slots=True)
class StoredRow:
    """Everything that the database holds about one entry."""

    index: int
    id: str
    leaf: bytes
    envelope: bytes
    columns: IndexRow | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows there are: entries, index rows, full tiles."""

    entries: int
    index_rows: int
    tiles: int


class FullReader(LogReader, Protocol):
    """The reader's side, with everything that can be wrong."""

    async def state(self) -> State:
        """Returns the head as the database has it."""

    async def counts(self) -> Counts:
        """Counts the rows."""

    async def checkpoints(self) -> list[Kept]:
        """Returns all that are kept, smallest first."""

    async def rows(self, start: int, limit: int) -> list[StoredRow]:
        """Returns whole entries from an index on."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the check is, what was found since the last report, and whether it is over."""

    checked: int
    findings: Sequence[str]
    done: bool = False


async def check_log(reader: FullReader, notary: Notary) -> AsyncIterator[Progress]:
    """Checks the log as of now, page by page; the findings name the entry at fault."""
    counts, state, kept = await reader.counts(), await reader.state(), await reader.checkpoints()
    check = _Check(kept, notary)
    found = 0
    while check.checked < state.size and found < _MAX_FINDINGS:
        rows = await reader.rows(check.checked, min(_PAGE, state.size - check.checked))
        findings, tiles = await asyncio.to_thread(check.page, rows)
        findings += _compare_tiles(tiles, await reader.tiles(tiles))
        found += len(findings)
        yield Progress(check.checked, findings)
        if not rows:
            break
    yield Progress(check.checked, list(check.end(state, counts)), done=True)


class _Check:
    """The state of one run: the tree so far, the keys so far, and the intents without evidence."""

    def __init__(self, kept: Sequence[Kept], notary: Notary) -> None:
        self.checked = 0
        self._tree = Tree(0, [])
        self._tiles = 0
        self._keys = KeyRing()
        self._intents: dict[str, Standing] = {}
        self._notary = notary
        self._kept = list(reversed(kept))

    def page(self, rows: Sequence[StoredRow]) -> tuple[list[str], dict[TileId, bytes]]:
        """Checks the entries that follow; returns what was found and the tiles that became full."""
        findings: list[str] = []
        tiles: dict[TileId, bytes] = {}
        for row in rows:
            if row.index != self.checked:
                findings.append(f"entry {self.checked}: missing")
                self.checked = row.index
            findings += [f"entry {row.index}: {finding}" for finding in self._entry(row)]
            growth = self._tree.grow([leaf_hash(row.envelope)])
            self._tree.accept(growth)
            tiles.update(growth.tiles)
            self.checked += 1
            findings += self._checkpoints()
        self._tiles += len(tiles)
        return findings, tiles

    def end(self, state: State, counts: Counts) -> Iterator[str]:
        """Compares the whole with the head."""
        if (self._tree.size, self._tree.root) != (state.size, state.root):
            yield f"head: size {state.size} and root are not those of the {self._tree.size} entries"
        if state.origin not in ("", self._notary.origin):
            yield "head: origin is not the configured one"
        if counts.entries > state.size or counts.index_rows != counts.entries:
            yield f"log: {counts.entries} entries and {counts.index_rows} index rows for size {state.size}"
        if counts.tiles > self._tiles:
            yield f"log: {counts.tiles} full tiles, {self._tiles} expected"
        for kept in self._kept:
            yield f"checkpoint {kept.size}: beyond the head"

    def _entry(self, row: StoredRow) -> Iterator[str]:
        if leaf_hash(row.envelope) != row.leaf:
            yield "leaf_hash: not that of the envelope"
        try:
            opened = dsse.open_envelope(row.envelope)
            said = parse_statement(opened.payload)
        except EvidenceError as error:
            yield f"envelope: {error}"
            return
        if row.id != said.id:
            yield "id: not that of the statement"
        yield from _column_findings(row.columns, index_row(said))
        if isinstance(said, KeyAdd):
            yield from self._key(said, row)
        else:
            yield from self._signature(opened, said)
        yield from self._rules(Entry(row.envelope, leaf_hash(row.envelope), said), row.index)

    def _key(self, said: KeyAdd, row: StoredRow) -> Iterator[str]:
        if complaint := self._keys.complaint(said, row.envelope, row.index):
            yield complaint
        else:
            self._keys = self._keys.with_key(said)

    def _signature(self, opened: dsse.Opened, said: Statement) -> Iterator[str]:
        producer = self._keys.get(opened.keyid)
        if producer is None:
            yield "signature: by a key that was not in the log by then"
            return
        if complaint := entitlement_complaint(said, producer):
            yield complaint
        try:
            dsse.verify(opened, producer.public)
        except EvidenceError as error:
            yield f"signature: {error}"

    def _rules(self, entry: Entry, index: int) -> Iterator[str]:
        said = entry.statement
        if not isinstance(said, Intent | Evidence):
            return
        intent = self._intents.get(said.attempt)
        (decision,), _ = decide_all([entry], [intent] if intent else [], index, self._keys)
        if isinstance(decision, Refusal):
            yield decision.message
        elif isinstance(said, Intent):
            self._intents[said.attempt] = Standing(
                index, said.id, entry.leaf, said.attempt, INTENT_PHASE, said.tenant, said.purpose, said.op
            )
        else:
            del self._intents[said.attempt]

    def _checkpoints(self) -> Iterator[str]:
        while self._kept and self._kept[-1].size <= self._tree.size:
            kept = self._kept.pop()
            try:
                checkpoint = self._notary.read(kept.note)
            except EvidenceError as error:
                yield f"checkpoint {kept.size}: {error}"
                continue
            if (checkpoint.size, checkpoint.root) != (self._tree.size, self._tree.root):
                yield f"checkpoint {kept.size}: not the tree's head at that size"


def _column_findings(columns: IndexRow | None, expected: IndexRow) -> Iterator[str]:
    if columns is None:
        yield "entry_ix: missing"
        return
    for name in IndexRow._fields:
        if getattr(columns, name) != getattr(expected, name):
            yield f"entry_ix.{name}: not as in the statement"


def _compare_tiles(expected: Mapping[TileId, bytes], stored: Mapping[TileId, bytes]) -> list[str]:
    findings = []
    for tile, content in expected.items():
        if stored.get(tile) != content:
            what = "missing" if tile not in stored else "other hashes than the entries give"
            findings.append(f"{tile_path(TilePart(tile, 256))}: {what}")
    return findings
