"""`hubctl status`: is every part ready?"""

import asyncio
from pathlib import Path

import click

from hubctl.concerns import concerns
from hubctl.errors import NotReady
from hubctl.options import json_option, state_option
from hubctl.output import Output
from hubctl.place import Place, load
from hubctl.probes import probe
from local.stack.certificates import OPERATOR
from local.stack.record import PartRecord


@click.command()
@state_option
@json_option
def status(state: Path, as_json: bool) -> None:
    """Asks every part whether it is ready. Exit code 0 only if all are; 3 names those that are not."""
    place = load(state)
    answers = asyncio.run(ask(place))
    output = Output(as_json=as_json)
    output.table(
        ("part", "state", "address", "pid"),
        [(p.name, _word(p, ready), p.address, p.pid) for p, ready in answers],
    )
    parts = {p.name: {"ready": ready, "address": p.address, "pid": p.pid} for p, ready in answers}
    missing = [p.name for p, ready in answers if not ready]
    worries = asyncio.run(concerns(place)) if parts.get("hub", {}).get("ready") else []
    for worry in worries:
        output.say(worry)
    output.result({"ready": not missing, "parts": parts, "concerns": worries})
    if missing:
        raise NotReady(f"not ready: {', '.join(missing)}")


async def ask(place: Place) -> list[tuple[PartRecord, bool]]:
    """Every part, and whether it is ready."""
    parts = place.record.parts
    return list(zip(parts, await asyncio.gather(*(_is_ready(place, p) for p in parts)), strict=True))


async def _is_ready(place: Place, part: PartRecord) -> bool:
    return part.is_running and await probe(part.probe, part.address, place.identity(*OPERATOR))


def _word(part: PartRecord, ready: bool) -> str:
    if ready:
        return "ready"
    return "not ready" if part.is_running else "not running"
