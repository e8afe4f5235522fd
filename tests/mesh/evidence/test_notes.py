"""Checkpoints, verifier keys, receipts and envelopes against golden bytes and against mangling."""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mesh.evidence import dsse, merkle, receipt
from mesh.evidence.checkpoint import Checkpoint, Vkey, open_checkpoint, sign_checkpoint
from mesh.evidence.errors import BadCheckpoint, BadEnvelope, BadKey, BadProof, BadSignature
from mesh.evidence.keys import PublicKey, SigningKey, load_producers
from mesh.evidence.merkle import Node
from tests.mesh.evidence.test_merkle import LEAVES, READ, ROOTS

KEY = SigningKey.from_seed(bytes(range(32)))
ORIGIN = "audit.example.com/2026"
VKEY = Vkey(ORIGIN, KEY.public)
VKEY_TEXT = "audit.example.com/2026+ab5c4a13+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
HEAD = Checkpoint(ORIGIN, 8, bytes.fromhex(ROOTS[8]))
NOTE = sign_checkpoint(HEAD, KEY)
PROOF = """c2sp.org/tlog-proof@v1
index 5
vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=
yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=
037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc=

audit.example.com/2026
8
XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=

— audit.example.com/2026 q1xKE3ihUd/IFgUcOGEgnes7gfQ69kmkmi9HaMWPo1VJAH2vkH/D0oxmMNIV8ufHJ0eTHAhaP6hFCuv26pbPUUw7EQY=
"""  # noqa: E501


@dataclass(frozen=True)
class Fields:
    index: int
    leaf_hash: bytes
    path: tuple[bytes, ...]


def _proof() -> receipt.TlogProof:
    path = tuple(merkle.range_hash(leaves, READ) for leaves in merkle.inclusion_ranges(5, 8))
    return receipt.TlogProof(5, path, NOTE)


def test_the_golden_key_note_and_proof_come_out() -> None:
    assert KEY.public.raw.hex() == "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
    assert str(VKEY) == VKEY_TEXT
    assert Vkey.parse(VKEY_TEXT + "\n") == VKEY
    assert len(NOTE) == 191
    assert READ(Node(0, 5)).hex() == "4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658"
    text = receipt.write_proof(_proof())
    assert text.decode() == PROOF
    assert (
        hashlib.sha256(text).hexdigest() == "b220f114564b480de388fe8c2ed1f49fc8230b757f2fbb90e79318a915a42b34"
    )


def test_a_proof_reads_back_and_leads_to_its_checkpoint() -> None:
    proof = receipt.read_proof(PROOF.encode())
    assert proof == _proof()
    extra = PROOF.replace("\nindex", "\nextra AAAA\nindex", 1).encode()
    assert receipt.read_proof(extra) == proof
    checkpoint = open_checkpoint(proof.note, VKEY)
    fields = Fields(proof.index, READ(Node(0, 5)), proof.path)
    receipt.verify_receipt(fields, envelope=LEAVES[5], checkpoint=checkpoint)
    with pytest.raises(BadProof):
        receipt.verify_receipt(fields, envelope=LEAVES[4], checkpoint=checkpoint)
    with pytest.raises(BadProof):
        receipt.verify_receipt(
            Fields(4, *(fields.leaf_hash, fields.path)), envelope=LEAVES[5], checkpoint=checkpoint
        )


def test_every_changed_byte_of_a_proof_is_noticed() -> None:
    text = PROOF.encode()
    for position in range(len(text)):
        mangled = text[:position] + bytes([text[position] ^ 1]) + text[position + 1 :]
        with pytest.raises((BadProof, BadCheckpoint)):
            proof = receipt.read_proof(mangled)
            checkpoint = open_checkpoint(proof.note, VKEY)
            leaf = Fields(proof.index, READ(Node(0, 5)), proof.path)
            receipt.verify_receipt(leaf, envelope=LEAVES[5], checkpoint=checkpoint)


def test_every_changed_byte_of_a_verifier_key_is_noticed() -> None:
    for position in range(len(VKEY_TEXT)):
        for bit in (1, 2, 32):
            mangled = VKEY_TEXT[:position] + chr(ord(VKEY_TEXT[position]) ^ bit) + VKEY_TEXT[position + 1 :]
            with pytest.raises(BadKey):
                Vkey.parse(mangled)


def test_signatures_of_strangers_are_ignored_and_a_bad_one_of_ours_refuses() -> None:
    stranger = SigningKey.generate()
    lines = [
        sign_checkpoint(Checkpoint("witness.example.net/w1", 8, HEAD.root), stranger).split(b"\n\n")[1]
        for _ in range(20)
    ]
    assert open_checkpoint(NOTE + b"".join(lines), VKEY) == HEAD
    blob = base64.b64encode(VKEY.key_id + bytes(64)).decode()
    with pytest.raises(BadCheckpoint):
        open_checkpoint(NOTE + f"— {ORIGIN} {blob}\n".encode(), VKEY)
    with pytest.raises(BadCheckpoint):
        open_checkpoint(sign_checkpoint(HEAD, stranger), VKEY)


@pytest.mark.parametrize(
    "text",
    [
        f"{ORIGIN}\n08\n{base64.b64encode(HEAD.root).decode()}\n",
        f"{ORIGIN}\n-8\n{base64.b64encode(HEAD.root).decode()}\n",
        f"{ORIGIN}\n8\n{base64.b64encode(HEAD.root).decode()}\nextension\n",
        f"{ORIGIN}\n8\n{base64.b64encode(HEAD.root[:31]).decode()}\n",
        f"{ORIGIN}\n8\n",
        f"{ORIGIN}\n8\n????\n",
        f"{ORIGIN}\n8\r\n{base64.b64encode(HEAD.root).decode()}\n",
        f"other.example.com\n8\n{base64.b64encode(HEAD.root).decode()}\n",
    ],
)
def test_a_signed_note_that_is_no_checkpoint_of_the_log_is_refused(text: str) -> None:
    blob = base64.b64encode(VKEY.key_id + KEY.sign(text.encode())).decode()
    with pytest.raises(BadCheckpoint):
        open_checkpoint(f"{text}\n— {ORIGIN} {blob}\n".encode(), VKEY)


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\n\n",
        NOTE[:-1],
        NOTE + b"\n",
        NOTE.replace(b"\n\n", b"\n"),
        b"\xff" + NOTE,
        NOTE + b"x" * 70_000,
    ],
)
def test_bytes_that_are_no_note_are_refused(note: bytes) -> None:
    with pytest.raises(BadCheckpoint):
        open_checkpoint(note, VKEY)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"c2sp.org/tlog-proof@v2\nindex 5\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex 05\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex 5\nAAAA\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex 5\n?\n\n" + NOTE,
        b"c2sp.org/tlog-proof@v1\nindex 5",
        b"\xff\n\n" + NOTE,
        b"x" * 200_000,
    ],
)
def test_bytes_that_are_no_proof_are_refused(text: bytes) -> None:
    with pytest.raises(BadProof):
        receipt.read_proof(text)


def test_the_signed_bytes_of_an_envelope_are_those_of_dsse() -> None:
    signed = dsse.pae(b'{"v":1}', "application/vnd.integra.audit.entry.v1+json")
    assert signed == b'DSSEv1 43 application/vnd.integra.audit.entry.v1+json 7 {"v":1}'
    digest = hashlib.sha256(signed).hexdigest()
    assert digest == "03cba046664538326641690b035988d3cea47ec610b9d7080f64529bbc3447d8"
    assert dsse.pae(b"hello world", "http://example.com/HelloWorld") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_every_changed_byte_of_an_envelope_is_noticed() -> None:
    envelope = dsse.seal(b'{"v":1}', KEY)
    opened = dsse.open_envelope(envelope)
    dsse.verify(opened, KEY.public)
    assert (opened.payload, opened.keyid) == (b'{"v":1}', KEY.keyid)
    for position in range(len(envelope)):
        mangled = envelope[:position] + bytes([envelope[position] ^ 1]) + envelope[position + 1 :]
        with pytest.raises((BadEnvelope, BadSignature)):
            opened = dsse.open_envelope(mangled)
            dsse.verify(opened, {KEY.keyid: KEY.public}.get(opened.keyid, SigningKey.generate().public))


@pytest.mark.parametrize(
    "envelope",
    [
        b"",
        b"[]",
        b"{}",
        b'{"payload":1,"payloadType":1,"signatures":[{"keyid":1,"sig":1}]}',
        b'{"payload":"","payloadType":1,"signatures":[{"keyid":"","sig":""}]}',
        b'{"payload":"","payloadType":"","signatures":[]}',
        b'{"payload":"","payloadType":"","signatures":[1]}',
        dsse.seal(b"{}", KEY) + b" ",
        dsse.seal(b"{}", KEY).replace(b'"keyid"', b'"x":1,"keyid"'),
        dsse.seal(b"{}", KEY, dsse.BUNDLE_TYPE),
        dsse.seal(b"x" * 30_000, KEY),
    ],
)
def test_bytes_that_are_no_envelope_of_ours_are_refused(envelope: bytes) -> None:
    with pytest.raises(BadEnvelope):
        dsse.open_envelope(envelope)


def test_a_key_is_known_by_the_hash_of_its_spki() -> None:
    spki = (
        Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    assert KEY.keyid == hashlib.sha256(spki).digest()[:8].hex()
    assert PublicKey.from_base64(KEY.public.to_base64()) == KEY.public


def _pem(key: object, path: Path) -> Path:
    assert hasattr(key, "private_bytes")
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return path


def test_keys_and_producers_are_read_from_files(tmp_path: Path) -> None:
    pem = _pem(Ed25519PrivateKey.from_private_bytes(bytes(range(32))), tmp_path / "key.pem")
    assert SigningKey.load(pem).public == KEY.public
    listed = tmp_path / "producers.json"
    listed.write_text(f'[{{"holder":"spiffe://td/hub/hub","public_key":"{KEY.public.to_base64()}"}}]')
    producer = load_producers(listed)[KEY.keyid]
    assert (producer.holder, producer.role, producer.public) == ("spiffe://td/hub/hub", "hub", KEY.public)


def test_files_that_hold_no_key_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text("nothing")
    for path in [_pem(generate_private_key(SECP256R1()), tmp_path / "ec.pem"), other, tmp_path / "absent"]:
        with pytest.raises(BadKey):
            SigningKey.load(path)
    row = f'{{"holder":"spiffe://td/hub/hub","public_key":"{KEY.public.to_base64()}"}}'
    for content in ["{}", "[1]", "nothing", f"[{row},{row}]", '[{"holder":"x","public_key":"AAAA"}]']:
        other.write_text(content)
        if content == "{}":
            assert load_producers(other) == {}
            continue
        with pytest.raises(BadKey):
            load_producers(other)
