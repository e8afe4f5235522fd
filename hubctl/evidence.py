"""`hubctl evidence`: what the log holds about a job, and the proof of it."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click

from hubctl.errors import Failed, NotProven
from hubctl.options import json_option, profile_options
from hubctl.output import Output
from hubctl.profile import Profile, Source
from hubctl.rpc import CALL_SECONDS, audit_channel
from integration.audit.v1 import audit_service_pb2 as audit
from integration.audit.v1 import audit_service_pb2_grpc, log_pb2
from mesh.evidence import dsse

VALID = 0
"""Exit code of the verifier for a bundle that is whole and leads to the key that was given."""


@click.group(help="Shows, exports and verifies the evidence of a job.")
def evidence() -> None:
    """Groups the commands."""


@evidence.command()
@click.argument("job_id")
@profile_options
@json_option
def show(job_id: str, source: Source, as_json: bool) -> None:
    """Shows the statements about a job, in order."""
    entries = asyncio.run(search(source.profile(), job_id))
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
@profile_options
@json_option
def export(job_id: str, target: Path, source: Source, as_json: bool) -> None:
    """Writes all that the log holds about a job, with its proofs, to a zip file."""
    profile = source.profile()
    size = asyncio.run(export_bundle(profile, job_id, target))
    output = Output(as_json=as_json)
    pinned = f"--vkey {profile.log_key} --job {job_id}"
    output.say(
        f"{target}: {size} bytes. Verify it anywhere: python -m audit_service.verify {target} {pinned}"
    )
    output.result({"file": str(target), "bytes": size})


@evidence.command()
@click.argument("bundle", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--vkey", type=click.Path(path_type=Path, exists=True), help="Verifier key got from elsewhere.")
@click.option("--job", default="", help="The job, or plan, that the bundle must be about.")
@profile_options
@json_option
def verify(bundle: Path, vkey: Path | None, job: str, source: Source, as_json: bool) -> None:
    """Verifies a bundle offline: no server, no database; with the profile's own pin, if no key is given.

    \b
    Exit codes: 0 VALID · 1 INVALID · 2 wrong usage
                3 CONSISTENT WITH ITSELF ONLY: there was no key to compare with · 4 VALID WITH GAPS
    """
    code, said = verify_bundle(bundle, vkey or source.log_key(), job)
    output = Output(as_json=as_json)
    output.say("\n".join(said["report"]))
    output.result({"valid": code == VALID, **said})
    if code != VALID:
        raise NotProven(f"{bundle} is {said['verdict']}", code)


async def search(profile: Profile, job_id: str) -> list[log_pb2.Entry]:
    """All entries of a job."""
    found: list[log_pb2.Entry] = []
    async with audit_channel(profile) as channel:
        stub = audit_service_pb2_grpc.AuditServiceStub(channel)
        while True:
            request = audit.SearchEntriesRequest(job_id=job_id, after_index=found[-1].index if found else -1)
            page = await stub.SearchEntries(request, timeout=CALL_SECONDS)
            found += page.entries
            if not page.more:
                return found


async def export_bundle(profile: Profile, job_id: str, target: Path) -> int:
    """Writes a job's bundle; its size in bytes."""
    async with audit_channel(profile) as channel:
        stub = audit_service_pb2_grpc.AuditServiceStub(channel)
        stream = stub.ExportBundle(audit.ExportBundleRequest(job_id=job_id), timeout=CALL_SECONDS)
        target.write_bytes(b"".join([piece.chunk async for piece in stream]))
    return target.stat().st_size


def verify_bundle(bundle: Path, vkey: Path | None, job: str) -> tuple[int, dict[str, Any]]:
    """Runs the offline verifier in a process of its own; its exit code and what it said."""
    options = [*(["--vkey", str(vkey)] if vkey else []), "--job", job, "--json"]
    run = subprocess.run(
        [sys.executable, "-m", "audit_service.verify", str(bundle), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    if not run.stdout:
        raise Failed(f"the verifier said nothing: {run.stderr.strip()[-500:]}")
    said: dict[str, Any] = json.loads(run.stdout)
    return run.returncode, said


def _outcome(statement: dict[str, Any]) -> str:
    if "act" in statement:
        return f"{statement['act']} by {statement['actor']['ref']}"
    result = statement.get("res", {})
    return " ".join(result[k] for k in ("outcome", "reason") if k in result)
