"""`hubctl evidence`: what the log holds about a job, and the proof of it."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from hubctl.errors import Failed
from hubctl.options import json_option, state_option
from hubctl.output import Output
from hubctl.place import Place, load
from hubctl.rpc import CALL_SECONDS, audit_channel
from integration.audit.v1 import audit_service_pb2 as audit
from integration.audit.v1 import audit_service_pb2_grpc, log_pb2
from mesh.evidence import dsse


@click.group(help="Shows, exports and verifies the evidence of a job.")
def evidence() -> None:
    """Groups the commands."""


@evidence.command()
@click.argument("job_id")
@state_option
@json_option
def show(job_id: str, state: Path, as_json: bool) -> None:
    """Shows the statements about a job, in order."""
    entries = asyncio.run(search(load(state), job_id))
    output = Output(as_json=as_json)
    statements = [(e, json.loads(dsse.open_envelope(e.envelope).payload)) for e in entries]
    output.table(
        ("index", "kind", "attempt", "time", "signed by", "outcome"),
        [
            (
                e.index,
                e.kind,
                s.get("attempt", "").rpartition(".")[2],
                s["t"],
                s["producer"]["id"],
                _outcome(s),
            )
            for e, s in statements
        ],
    )
    output.result({"entries": [{"index": e.index, "statement": s} for e, s in statements]})


@evidence.command()
@click.argument("job_id")
@click.option(
    "-o", "--output", "target", type=click.Path(path_type=Path), required=True, help="The zip file."
)
@state_option
@json_option
def export(job_id: str, target: Path, state: Path, as_json: bool) -> None:
    """Writes all that the log holds about a job, with its proofs and the verifier, to a zip file."""
    size = asyncio.run(export_bundle(load(state), job_id, target))
    output = Output(as_json=as_json)
    output.say(f"{target}: {size} bytes. Verify it anywhere: python -m audit_service.verify {target}")
    output.result({"file": str(target), "bytes": size})


@evidence.command()
@click.argument("bundle", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--vkey", type=click.Path(path_type=Path, exists=True), help="Verifier key got from elsewhere.")
@json_option
def verify(bundle: Path, vkey: Path | None, as_json: bool) -> None:
    """Verifies a bundle offline: no server, no database. Exit code 1: INVALID."""
    valid, report = verify_bundle(bundle, vkey)
    output = Output(as_json=as_json)
    output.say(report.rstrip())
    output.result({"valid": valid, "report": report.splitlines()})
    if not valid:
        raise Failed(f"{bundle} is INVALID")


async def search(place: Place, job_id: str) -> list[log_pb2.Entry]:
    """All entries of a job."""
    found: list[log_pb2.Entry] = []
    async with audit_channel(place) as channel:
        stub = audit_service_pb2_grpc.AuditServiceStub(channel)
        while True:
            request = audit.SearchEntriesRequest(job_id=job_id, after_index=found[-1].index if found else -1)
            page = await stub.SearchEntries(request, timeout=CALL_SECONDS)
            found += page.entries
            if not page.more:
                return found


async def export_bundle(place: Place, job_id: str, target: Path) -> int:
    """Writes a job's bundle; its size in bytes."""
    async with audit_channel(place) as channel:
        stub = audit_service_pb2_grpc.AuditServiceStub(channel)
        stream = stub.ExportBundle(audit.ExportBundleRequest(job_id=job_id), timeout=CALL_SECONDS)
        target.write_bytes(b"".join([piece.chunk async for piece in stream]))
    return target.stat().st_size


def verify_bundle(bundle: Path, vkey: Path | None = None) -> tuple[bool, str]:
    """Runs the offline verifier in a process of its own; whether it is valid, and what it printed."""
    pin = ["--vkey", str(vkey)] if vkey else []
    run = subprocess.run(
        [sys.executable, "-m", "audit_service.verify", str(bundle), *pin],
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode == 0, run.stdout + run.stderr


def _outcome(statement: dict[str, Any]) -> str:
    if "act" in statement:
        return f"{statement['act']} by {statement['actor']['ref']}"
    result = statement.get("res", {})
    return " ".join(result[k] for k in ("outcome", "reason") if k in result)
