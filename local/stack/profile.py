"""The profile of a local stack, by which the command line finds it."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from hubctl.profile import Part
from local.stack.layout import TENANT, TRUST_DOMAIN, Layout, write_whole
from local.stack.ports import Ports


def write(layout: Layout, ports: Ports, parts: Sequence[Part]) -> None:
    """Writes it for all the parts that the stack will have."""
    lines = [
        "# Written by `hubctl up`, for all the parts that this stack will have: see docs/hubctl.md.",
        _line("trust_domain", TRUST_DOMAIN),
        _line("tenant", TENANT),
        _line("log_key", str(layout.vkey)),
        "\n[addresses]",
        _line("hub", ports.address("core")),
        _line("audit", ports.address("audit")),
        "\n[identities]",
        _line("directory", str(layout.identities)),
    ]
    for part in parts:
        lines += ["\n[[parts]]", *(_line(key, value) for key, value in asdict(part).items() if value)]
    layout.state.mkdir(parents=True, exist_ok=True)
    write_whole(layout.profile, "\n".join(lines) + "\n")


def forget(layout: Layout) -> None:
    """Removes it: there is nothing to be found any more."""
    layout.profile.unlink(missing_ok=True)


def _line(key: str, value: str) -> str:
    return f"{key} = {json.dumps(value)}"  # a text of JSON is one of TOML
