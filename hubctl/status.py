"""`hubctl status`: is every part ready?"""

import asyncio
from collections.abc import Sequence

import click

from hubctl.concerns import concerns
from hubctl.errors import NotReady
from hubctl.options import json_option, profile_options
from hubctl.output import Output
from hubctl.probes import probe
from hubctl.profile import Part, Profile, Source

Answers = Sequence[tuple[Part, bool]]


@click.command()
@profile_options
@json_option
def status(source: Source, as_json: bool) -> None:
    """Asks every part whether it is ready. Exit code 0 only if all are; 3 names those that are not."""
    profile, output = source.profile(), Output(as_json=as_json)
    answers = asyncio.run(ask(profile))
    output.table(("part", "state", "address"), [(p.name, _word(p, ready), p.address) for p, ready in answers])
    missing = [part.name for part, ready in answers if not ready]
    hub_is_ready = any(ready for part, ready in answers if part.address == profile.hub)
    worries = asyncio.run(concerns(profile)) if hub_is_ready else []
    for worry in worries:
        output.say(worry)
    parts = {p.name: {"ready": ready, "address": p.address, "fault": p.fault} for p, ready in answers}
    output.result({"ready": not missing, "parts": parts, "concerns": worries})
    if missing:
        raise NotReady(f"not ready: {', '.join(missing)}")


async def ask(profile: Profile) -> Answers:
    """Every part, and whether it is ready: those of the profile, and the two that commands go to."""
    profile.identities.load("operator", trust_domain=profile.trust_domain)
    asked = {part.address for part in profile.parts}
    addresses = (("addresses.hub", profile.hub), ("addresses.audit", profile.audit))
    more = [Part(name, "grpc", address) for name, address in addresses if address not in asked]
    parts = [*profile.parts, *more]
    return list(zip(parts, await asyncio.gather(*(_is_ready(profile, p) for p in parts)), strict=True))


async def _is_ready(profile: Profile, part: Part) -> bool:
    identity = profile.identities.folder("operator")
    return not part.fault and await probe(part.probe, part.address, identity)


def _word(part: Part, ready: bool) -> str:
    return "ready" if ready else part.fault or "not ready"
