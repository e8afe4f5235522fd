"""The hub believes no receipt that does not prove itself."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from hub.lanes.ports import LogContradicts, LogUnavailable, Receipt, Refused
from hub.peers.audit import AuditClient
from integration.audit.v1 import audit_service_pb2 as audit
from integration.audit.v1 import audit_service_pb2_grpc, log_pb2
from mesh.ca import CertificateAuthority
from mesh.channel import open_channel
from mesh.evidence import merkle
from mesh.evidence.checkpoint import Checkpoint, Vkey, sign_checkpoint
from mesh.evidence.keys import SigningKey
from mesh.identity import Identity, SpiffeId
from mesh.server import MeshServer
from mesh.telemetry import Telemetry

ORIGIN = "audit.test/log"
Lie = Callable[[audit.AppendResponse], None]


class TinyLog(audit_service_pb2_grpc.AuditServiceServicer):
    """An honest log of leaves in memory, whose answers a test may falsify before they leave."""

    def __init__(self, key: SigningKey) -> None:
        self.key = key
        self.leaves: list[bytes] = []
        self.lie: Lie = lambda response: None

    def _read(self, node: merkle.Node) -> bytes:
        width = 1 << node.level
        hashes = self.leaves[node.offset * width : (node.offset + 1) * width]
        while len(hashes) > 1:
            hashes = [merkle.node_hash(*pair) for pair in zip(hashes[::2], hashes[1::2], strict=True)]
        return hashes[0]

    def _ranges(self, ranges: list[merkle.Range]) -> list[bytes]:
        return [merkle.range_hash(r, self._read) for r in ranges]

    async def Append(self, request: audit.AppendRequest, context: Any) -> audit.AppendResponse:
        """Appends everything, and proves it."""
        first = len(self.leaves)
        self.leaves += [merkle.leaf_hash(e) for e in request.envelopes]
        size = len(self.leaves)
        checkpoint = Checkpoint(ORIGIN, size, merkle.root_hash(size, self._read))
        receipts = [
            log_pb2.Receipt(
                index=i, leaf_hash=self.leaves[i], path=self._ranges(merkle.inclusion_ranges(i, size))
            )
            for i in range(first, size)
        ]
        last = request.last_size
        response = audit.AppendResponse(
            results=[audit.AppendResult(receipt=r) for r in receipts],
            checkpoint=sign_checkpoint(checkpoint, self.key),
            consistency=self._ranges(merkle.consistency_ranges(last, size)) if last else [],
        )
        self.lie(response)
        return response


class Pair:
    """A log and a client of it."""

    def __init__(self, log: TinyLog, channel: grpc.aio.Channel, telemetry: Telemetry) -> None:
        self.log = log
        self._channel = channel
        self._telemetry = telemetry
        self.vkey = Vkey(ORIGIN, log.key.public)
        self.client = self.restarted(b"")

    def restarted(self, head_note: bytes) -> AuditClient:
        """A client that begins with a kept head."""
        return AuditClient(self._channel, self.vkey, head_note=head_note, telemetry=self._telemetry)


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    """The log on a free port."""
    authority = CertificateAuthority.create("integration.local")
    identities = {}
    for role in ("hub", "audit"):
        authority.issue(SpiffeId("integration.local", role, role), tmp_path / role)
        identities[role] = Identity.load(tmp_path / role)
    telemetry = Telemetry.start("test", "1")
    server = MeshServer(identities["audit"], domain="audit", statuses={})
    log = TinyLog(SigningKey.generate())
    audit_service_pb2_grpc.add_AuditServiceServicer_to_server(log, server.raw)
    port = await server.serve("127.0.0.1:0")
    async with open_channel(f"127.0.0.1:{port}", identities["hub"], server_role="audit") as channel:
        yield Pair(log, channel, telemetry)
    await server.drain(0)


async def test_receipts_that_prove_themselves_are_returned_in_order(pair: Pair) -> None:
    first = await pair.client.append([b"a", b"b"], {})
    second = await pair.client.append([b"c"], {})
    assert [r.index for r in [*first, *second] if isinstance(r, Receipt)] == [0, 1, 2]
    assert pair.client.head[0] == 3


def _other_leaf(response: audit.AppendResponse) -> None:
    response.results[0].receipt.leaf_hash = merkle.leaf_hash(b"other")


def _other_index(response: audit.AppendResponse) -> None:
    response.results[0].receipt.index -= 1


def _other_path(response: audit.AppendResponse) -> None:
    response.results[0].receipt.path[0] = b"\0" * 32


def _other_root(response: audit.AppendResponse) -> None:
    response.checkpoint = response.checkpoint.replace(b"\n4\n", b"\n5\n")


def _other_key(response: audit.AppendResponse) -> None:
    response.checkpoint = sign_checkpoint(Checkpoint(ORIGIN, 4, b"\0" * 32), SigningKey.generate())


def _no_consistency(response: audit.AppendResponse) -> None:
    response.ClearField("consistency")


@pytest.mark.parametrize(
    "lie", [_other_leaf, _other_index, _other_path, _other_root, _other_key, _no_consistency]
)
async def test_an_answer_that_proves_nothing_is_refused(pair: Pair, lie: Lie) -> None:
    await pair.client.append([b"a", b"b", b"c"], {})
    pair.log.lie = lie
    with pytest.raises(LogContradicts):
        await pair.client.append([b"d"], {})
    assert pair.client.head[0] == 3


async def test_a_log_that_was_rolled_back_is_seen_also_after_a_restart(pair: Pair) -> None:
    await pair.client.append([b"a", b"b", b"c"], {})
    note = pair.client.head[1]
    pair.log.leaves = pair.log.leaves[:1]
    pair.log.leaves += [merkle.leaf_hash(b"other")] * 3
    with pytest.raises(LogContradicts):
        await pair.restarted(note).append([b"d"], {})


async def test_a_refusal_is_passed_on_with_its_reason(pair: Pair) -> None:
    def refuse(response: audit.AppendResponse) -> None:
        response.results[0].refusal.reason = log_pb2.REFUSAL_REASON_NO_INTENT

    pair.log.lie = refuse
    assert await pair.client.append([b"a"], {}) == [Refused("NO_INTENT")]


async def test_a_log_that_fails_is_unavailable(pair: Pair) -> None:
    def fail(response: audit.AppendResponse) -> None:
        raise RuntimeError("disk")

    pair.log.lie = fail
    with pytest.raises(LogUnavailable):
        await pair.client.append([b"a"], {})
