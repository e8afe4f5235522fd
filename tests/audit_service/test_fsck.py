"""The check of the whole log finds whatever a superuser changes behind its back."""

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from audit_service.app import Audit
from audit_service.store.index import IndexRow
from integration.audit.v1 import audit_service_pb2 as pb
from tests.audit_service.rig import Callers, Rig, confirmation, intent, new_job

ROOT = Path(__file__).parents[2]
ATTEMPT = 3  # index of the intent; its evidence is next, then a confirmation


@pytest.fixture
async def filled(rig: Rig, callers: Callers) -> AsyncIterator[Callers]:
    """A log of 300 entries, every kind among them."""
    job = new_job()
    await callers.attempt(job)
    await callers.receipts(confirmation(job))
    await callers.receipts(*[intent(new_job()) for _ in range(250)])
    await callers.receipts(*[intent(new_job()) for _ in range(44)])
    yield callers


def _tamper(callers: Callers, table: str, statement: str) -> None:
    callers.rig.as_superuser(f"ALTER TABLE {table} DISABLE TRIGGER ALL; {statement};")


async def test_an_untouched_log_is_clean(filled: Callers) -> None:
    reports = [r async for r in filled.stub("operator").CheckLog(pb.CheckLogRequest())]
    assert (reports[-1].checked_count, reports[-1].done) == (300, True)
    assert not any(report.findings for report in reports)


async def test_every_index_column_is_compared_with_its_statement(filled: Callers) -> None:
    values = {name: {"phase": "7", "job": "gen_random_uuid()"}.get(name, "'x'") for name in IndexRow._fields}
    changes = ", ".join(f"{name} = {value}" for name, value in values.items())
    _tamper(filled, "entry_ix", f"UPDATE entry_ix SET {changes} WHERE idx = {ATTEMPT}")
    assert await filled.findings() == [
        f"entry {ATTEMPT}: entry_ix.{name}: not as in the statement" for name in IndexRow._fields
    ]


@pytest.mark.parametrize(
    ("table", "statement", "expected"),
    [
        ("entry_ix", "DELETE FROM entry_ix WHERE idx = 5", "entry 5: entry_ix: missing"),
        (
            "entry_ix",
            "INSERT INTO entry_ix SELECT 900, kind, 9, tenant, job, attempt, purpose, actor_ref, provider,"
            " account, service, method, outcome, t, ret FROM entry_ix WHERE idx = 5",
            "log: 300 entries and 301 index rows for size 300",
        ),
        ("log_entry", "UPDATE log_entry SET id = gen_random_uuid() WHERE idx = 9", "entry 9: id:"),
        ("log_entry", "UPDATE log_entry SET leaf_hash = sha256('x') WHERE idx = 9", "entry 9: leaf_hash:"),
        ("log_entry", "DELETE FROM log_entry WHERE idx = 9", "entry 9: missing"),
        (
            "log_entry",
            "UPDATE log_entry SET envelope = (SELECT envelope FROM log_entry WHERE idx = 20) WHERE idx = 9",
            "entry 9: leaf_hash:",
        ),
        ("log_entry", "UPDATE log_entry SET envelope = 'x' WHERE idx = 9", "entry 9: envelope:"),
        (
            "log_entry",
            "INSERT INTO log_entry SELECT 900, gen_random_uuid(), leaf_hash, envelope, now() FROM log_entry"
            " WHERE idx = 9",
            "log: 301 entries and 300 index rows for size 300",
        ),
        ("log_tile", "DELETE FROM log_tile", "tile/0/000: missing"),
        ("log_tile", "UPDATE log_tile SET hashes = repeat('x', 8192)::bytea", "tile/0/000: other hashes"),
        (
            "log_tile",
            "INSERT INTO log_tile VALUES (0, 7, repeat('x', 8192)::bytea)",
            "log: 2 full tiles, 1 expected",
        ),
        ("log_checkpoint", "UPDATE log_checkpoint SET note = 'x'", "checkpoint 3: "),
        ("log_checkpoint", "UPDATE log_checkpoint SET size = 2 WHERE size = 3", "checkpoint 2: not the tree"),
        ("log_checkpoint", "INSERT INTO log_checkpoint VALUES (999, 'x')", "checkpoint 999: beyond"),
        ("log_state", "UPDATE log_state SET root = sha256('x')", "head: "),
        ("log_state", "UPDATE log_state SET size = 299", "head: size 299"),
        ("log_state", "UPDATE log_state SET origin = 'other'", "head: origin"),
    ],
)
async def test_every_other_change_is_found(
    filled: Callers, table: str, statement: str, expected: str
) -> None:
    _tamper(filled, table, statement)
    findings = await filled.findings()
    assert any(finding.startswith(expected) for finding in findings), findings


async def test_an_unsigned_entry_that_fits_everything_else_is_found(filled: Callers) -> None:
    rig = filled.rig
    forged = filled.sealed(intent(new_job()))
    forged = forged[:-20] + (b"AAAA" if forged[-20:-16] != b"AAAA" else b"BBBB") + forged[-16:]
    _tamper(
        filled,
        "log_entry",
        f"UPDATE log_entry SET envelope = decode('{forged.hex()}', 'hex') WHERE idx = 299;"
        " UPDATE log_entry SET leaf_hash = sha256('\\x00'::bytea || envelope) WHERE idx = 299",
    )
    assert any(finding.startswith("entry 299: signature") for finding in await filled.findings()), rig


def _fsck(rig: Rig) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "audit_service", "fsck"],
        env=rig.environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


async def test_the_command_line_says_it_too_and_by_its_exit_code(rig: Rig) -> None:
    audit: Audit = rig.audit()
    await audit.start()
    await audit.drain()
    good = _fsck(rig)
    assert (good.returncode, good.stdout) == (0, "3 entries checked, all is well\n")
    rig.as_superuser("ALTER TABLE entry_ix DISABLE TRIGGER ALL; UPDATE entry_ix SET t = 'x' WHERE idx = 1")
    bad = _fsck(rig)
    assert bad.returncode == 1
    assert bad.stdout.startswith("entry 1: entry_ix.t: not as in the statement\n")


def test_a_missing_setting_is_named_in_one_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "audit_service", "serve"],
        env={},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "audit: AUDIT_READER_DATABASE_URL is not set\n")
