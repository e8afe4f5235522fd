"""`hubctl audit`: the log as a whole."""

import asyncio
from pathlib import Path

import click

from hubctl.errors import Failed
from hubctl.options import json_option, profile_options
from hubctl.output import Output
from hubctl.profile import Profile, Source
from hubctl.rpc import CALL_SECONDS, audit_channel
from integration.audit.v1 import audit_service_pb2 as messages
from integration.audit.v1 import audit_service_pb2_grpc
from mesh.evidence import merkle
from mesh.evidence.checkpoint import Checkpoint, open_checkpoint

LONG_SECONDS = 3600.0


@click.group(help="Reads, checks and exports the log.")
def audit() -> None:
    """Groups the commands."""


@audit.command()
@profile_options
@json_option
def checkpoint(source: Source, as_json: bool) -> None:
    """Shows the newest checkpoint, once it has been proven to extend the last one seen here."""
    note, head, last = asyncio.run(newest_checkpoint(source.profile()))
    output = Output(as_json=as_json)
    output.say(note.decode().rstrip())
    if last:
        output.say(f"\nextends the checkpoint of size {last.size} that was seen here before")
    output.result({"origin": head.origin, "size": head.size, "root": head.root.hex(), "note": note.decode()})


@audit.command()
@profile_options
@json_option
def fsck(source: Source, as_json: bool) -> None:
    """Has the service re-read and re-hash the whole log. Exit code 1: something does not agree."""
    output = Output(as_json=as_json)
    checked, findings = asyncio.run(check_log(source.profile(), output))
    for finding in findings:
        output.say(finding)
    output.say(f"{checked} entries checked, {len(findings)} findings")
    output.result({"checked": checked, "findings": findings})
    if findings:
        raise Failed("the log does not agree with itself")


@audit.command(name="export-tiles")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False))
@profile_options
@json_option
def export_tiles(directory: Path, source: Source, as_json: bool) -> None:
    """Writes the whole log as C2SP tlog-tiles, and its verifier key as DIRECTORY/vkey."""
    count = asyncio.run(write_tiles(source.profile(), directory))
    output = Output(as_json=as_json)
    output.say(f"{directory}: {count} files")
    output.result({"directory": str(directory), "files": count})


async def newest_checkpoint(profile: Profile) -> tuple[bytes, Checkpoint, Checkpoint | None]:
    """The newest note, verified with the pinned key and against the last one seen from this machine."""
    vkey, seen = profile.pinned_key(), profile.last_checkpoint
    last = open_checkpoint(seen.read_bytes(), vkey) if seen.exists() else None
    async with audit_channel(profile) as channel:
        stub = audit_service_pb2_grpc.AuditServiceStub(channel)
        answer = await stub.GetCheckpoint(messages.GetCheckpointRequest(), timeout=CALL_SECONDS)
        head = open_checkpoint(answer.checkpoint, vkey)
        if last and last.size and last.size != head.size:
            await _prove_extension(stub, last, head)
    if last and last.size == head.size and last.root != head.root:
        raise Failed(f"two checkpoints of size {head.size} disagree: the log has been rewritten")
    seen.write_bytes(answer.checkpoint)
    return answer.checkpoint, head, last


async def check_log(profile: Profile, output: Output) -> tuple[int, list[str]]:
    """Entries checked and findings; says how far it is."""
    checked, findings = 0, []
    async with audit_channel(profile) as channel:
        stub = audit_service_pb2_grpc.AuditServiceStub(channel)
        async for progress in stub.CheckLog(messages.CheckLogRequest(), timeout=LONG_SECONDS):
            checked = progress.checked_count
            findings += progress.findings
            if not progress.done:
                output.say(f"{checked} entries …")
    return checked, findings


async def write_tiles(profile: Profile, directory: Path) -> int:
    """Writes the files; how many."""
    written: set[str] = set()
    async with audit_channel(profile) as channel:
        stub = audit_service_pb2_grpc.AuditServiceStub(channel)
        async for file in stub.ExportTiles(messages.ExportTilesRequest(), timeout=LONG_SECONDS):
            target = (directory / file.path).resolve()
            if not target.is_relative_to(directory.resolve()):
                raise Failed(f"the service named a file outside of {directory}")
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("ab" if file.path in written else "wb") as opened:
                opened.write(file.content)
            written.add(file.path)
    return len(written)


async def _prove_extension(
    stub: audit_service_pb2_grpc.AuditServiceStub, last: Checkpoint, head: Checkpoint
) -> None:
    request = messages.GetConsistencyRequest(from_size=last.size, to_size=head.size)
    proof = await stub.GetConsistency(request, timeout=CALL_SECONDS)
    merkle.verify_consistency(
        from_size=last.size,
        to_size=head.size,
        path=list(proof.path),
        from_root=last.root,
        to_root=head.root,
    )
