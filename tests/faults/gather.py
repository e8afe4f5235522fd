"""Collects what the checker compares: from the client, the providers, the log, the hub and those on call."""

import asyncio
import base64
import json
import mailbox
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import grpc

from audit_service import verify
from hubctl.rpc import audit_channel
from integration.audit.v1 import audit_service_pb2, audit_service_pb2_grpc
from local.sandboxes.stripe.client import API_KEY, LocalStripe
from tests.faults.checker import Delivery, Effect, Found, Proof, Said
from tests.faults.client import Client
from tests.faults.oncall import told
from tests.faults.rig import SANDBOXES, Rig
from tests.faults.trace import Pass

AT_ONCE = 8
DONE = frozenset({"succeeded", "processing", "requires_capture"})
_EVENTS = "SELECT event_id, coalesce(CAST(job_id AS text), ''), handled FROM webhook_event;"


async def gather(rig: Rig, client: Client) -> Found:
    """Everything about the client's journal."""
    asked = await client.asked()
    jobs = sorted({job_id for one in asked for job_id in one.job_ids})
    said, proofs = await bundles(rig, jobs)
    passes = rig.passes()
    letters, alerts = await told(rig)
    return Found(
        asked=asked,
        effects=await effects(rig, {j: one.provider for one in asked for j in one.job_ids}),
        said=said,
        proofs=proofs,
        wired=sorted({one.ids[0] for one in passes if one.name == "worker.writing"}),
        deliveries=await deliveries(rig, passes),
        letters=letters,
        alerts=alerts,
    )


async def bundles(rig: Rig, jobs: Sequence[str]) -> tuple[list[Said], list[Proof]]:
    """The statements about each job, from its bundle, and what the offline verifier says of it."""
    turn = asyncio.Semaphore(AT_ONCE)
    async with audit_channel(rig.place.profile) as channel:
        stub = audit_service_pb2_grpc.AuditServiceStub(channel)

        async def one(job_id: str) -> tuple[list[Said], Proof]:
            request = audit_service_pb2.ExportBundleRequest(job_id=job_id)
            try:
                async with turn:
                    stream = stub.ExportBundle(request, timeout=30)
                    content = b"".join([piece.chunk async for piece in stream])
            except grpc.aio.AioRpcError as error:
                return [], Proof(job_id, f"{error.code().name}: {error.details()}")
            return await asyncio.to_thread(_read_bundle, job_id, content, rig.layout.vkey)

        found = await asyncio.gather(*(one(job_id) for job_id in jobs))
    return [s for said, _ in found for s in said], [proof for _, proof in found]


def _read_bundle(job_id: str, content: bytes, vkey: Path) -> tuple[list[Said], Proof]:
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        file.write(content)
        file.flush()
        try:
            gaps = verify.check_bundle(Path(file.name), vkey, lambda *_: None, job=job_id).gaps
        except verify.Invalid as invalid:
            return [], Proof(job_id, str(invalid))
        with zipfile.ZipFile(file.name) as archive:
            names = [name for name in archive.namelist() if name.startswith("entries/")]
            said = [_said(int(name[8:-5]), archive.read(name)) for name in names]
    return said, Proof(job_id, gaps=tuple(gaps))


def _said(index: int, envelope: bytes) -> Said:
    statement: dict[str, Any] = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    return Said(
        index,
        statement["kind"],
        statement.get("job", ""),
        statement.get("attempt", ""),
        statement["t"],
        statement.get("purpose", ""),
        int(statement.get("term", 0)),
        statement.get("res", {}).get("outcome", ""),
    )


async def effects(rig: Rig, jobs: dict[str, str]) -> list[Effect]:
    """What the providers did for the jobs, and for any other that they have a record of."""
    found: list[Effect] = []
    if "stripe" in rig.peers:
        found += await _stripe(rig)
    if "smtp" in rig.peers:
        found += await asyncio.to_thread(lambda: list(_letters(rig.place.inbox)))
    if "echo" in rig.peers:
        found += await _echo(rig, [job_id for job_id, peer in jobs.items() if peer == "echo"])
    return found


async def _stripe(rig: Rig) -> list[Effect]:
    payments = await LocalStripe(rig.place.address(SANDBOXES["stripe"])).payments()
    return [
        Effect(job_id, "stripe", float(payment["created"]), exact=1.0)
        for job_id, made in payments.items()
        for payment in made
        if payment["status"] in DONE
    ]


def _letters(inbox: Path) -> Iterable[Effect]:
    for message in mailbox.Maildir(inbox, create=False):
        if message["Auto-Submitted"]:
            continue  # the hub's own letter to those on call
        job_id = str(message["Message-ID"]).strip("<>").partition("@")[0]
        yield Effect(job_id, "smtp", message.get_date(), exact=1.0)


async def _echo(rig: Rig, jobs: Sequence[str]) -> list[Effect]:
    base = f"http://{rig.place.address(SANDBOXES['echo'])}/v1/payments"
    headers = {"Authorization": f"Bearer {API_KEY}"}
    found = []
    async with aiohttp.ClientSession(headers=headers) as session:
        for job_id in jobs:
            async with session.get(base, params={"reference": job_id}) as response:
                listed = (await response.json())["data"]
            found += [Effect(job_id, "echo", payment["created"]) for payment in listed]
    return found


async def deliveries(rig: Rig, passes: Sequence[Pass]) -> list[Delivery]:
    """The webhooks that the hub was about to answer 2xx, and what it did with them."""
    rows = (line.split("|") for line in (await rig.sql(_EVENTS)).splitlines())
    kept = {event_id: (job_id, handled) for event_id, job_id, handled in rows}
    answered = sorted({one.ids[0] for one in passes if one.name == "hub.event_applied"})
    return [Delivery(e, *kept.get(e, ("", None))) for e in answered]


async def forget(rig: Rig) -> None:
    """Empties the stand-ins and the trace, so that lists stay short."""
    if "stripe" in rig.peers:
        await LocalStripe(rig.place.address(SANDBOXES["stripe"])).forget()
    if "smtp" in rig.peers:
        await asyncio.to_thread(lambda: mailbox.Maildir(rig.place.inbox, create=False).clear())
    rig.forget_passes()
