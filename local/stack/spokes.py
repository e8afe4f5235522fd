"""The spokes that there are, as their kit lists them: those that can run here, and those that cannot."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from hubctl.errors import PartFailed
from local.sandboxes.all import SANDBOXES
from local.stack.layout import ROOT, Layout


@dataclass(frozen=True, slots=True)
class Spokes:
    """The names of those to start, and by name what is wrong with the others."""

    names: tuple[str, ...]
    faults: Mapping[str, str] = field(default_factory=dict)


def listed(layout: Layout) -> Spokes:
    """Those that have a stand-in or an accounts file here; one with a broken manifest stops only itself."""
    command = [sys.executable, "-m", "spokes", "list", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        found = json.loads(done.stdout)
    except ValueError as error:
        raise PartFailed(f"the spokes cannot be listed: {done.stderr.strip()[-500:]}") from error
    faults = {spoke["name"]: spoke["fault"] for spoke in found if "fault" in spoke}
    have_sandbox = {sandbox.spoke for sandbox in SANDBOXES}
    names = (spoke["name"] for spoke in found if "fault" not in spoke)
    return Spokes(tuple(n for n in names if n in have_sandbox or layout.accounts(n).exists()), faults)
