"""`hubctl demo`: the main job, told as a story and proven at its end."""

import asyncio
from pathlib import Path

import click

from hubctl.errors import Failed
from hubctl.options import json_option, state_option
from hubctl.output import Output
from local.session import running_stack
from local.story.tell import Teller
from mesh.clock import SystemClock


@click.command()
@state_option
@json_option
def demo(state: Path, as_json: bool) -> None:
    """Charges, confirms, refunds, writes an e-mail, refuses a duplicate, and proves it all offline.

    Uses the running stack, or starts one and stops it. Exit code 1: something is not as told.
    """
    output = Output(as_json=as_json)
    clock = SystemClock()
    begun = clock.monotonic()
    with running_stack(state, output) as place:
        teller = Teller(place, output)
        asyncio.run(teller.tell())
    seconds = round(clock.monotonic() - begun, 1)
    output.say(f"\nThe end, after {seconds} s. {len(teller.untrue)} things were not as told.")
    output.result(
        {
            "ok": not teller.untrue,
            "jobs": len(teller.jobs),
            "evidence": {"verified": teller.verified, "invalid": teller.invalid},
            "seconds": seconds,
            "untrue": teller.untrue,
        }
    )
    if teller.untrue:
        raise Failed("; ".join(teller.untrue))
