"""`python -m spokes check`: is a spoke fit to be released?"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from spokes.kit import registry
from spokes.kit.errors import SpokeError
from spokes.kit.manifest import Manifest

Say = Callable[[str], None]


def check(name: str, *, say: Say) -> int:
    """Runs all checks; returns 0 if the spoke is fit, 1 if not."""
    try:
        manifest = registry.manifest(name)
        registry.build(name)
    except SpokeError as error:
        say(f"not fit  {error}")
        return 1
    say(f"fit      manifest: {len(manifest.operations)} operations, all with a handler")
    own = [registry.root() / name, Path(f"tests/spokes/test_{name}.py")]
    codes = [_run(Path("tests/conformance"), say, f"--spoke={name}")]
    return max(*codes, *(_run(suite, say) for suite in own if suite.exists()))


def facts(manifest: Manifest) -> dict[str, object]:
    """What generated files need of a manifest, as JSON has it."""
    return {
        "name": manifest.name,
        "title": manifest.title,
        "version": manifest.version,
        "capability": manifest.capabilities[0],
        "capabilities": list(manifest.capabilities),
        "operations": [
            {
                "operation": spec.operation.name,
                "replay": spec.replay.value,
                "can_look_up": spec.can_look_up,
                "can_cancel": spec.can_cancel,
                "timeout_seconds": spec.timeout.total_seconds(),
                "confirmed_later": spec.operation.confirmed_later,
            }
            for spec in manifest.operations.values()
        ],
        "accounts": {
            a.name: {"max_concurrency": a.max_concurrency, "rate_per_second": a.rate_per_second}
            for a in manifest.accounts.values()
        },
        "egress": sorted(manifest.egress),
        "webhook": manifest.webhook.scheme.value,
        "pool": {
            "min": manifest.pool.least,
            "max": manifest.pool.most,
            "concurrency": manifest.pool.concurrency,
        },
    }


def _run(suite: Path, say: Say, *options: str) -> int:
    if not suite.exists():
        say(f"skipped  {suite}: not here (the suite comes with the repository, not with the wheel)")
        return 0
    command = [sys.executable, "-m", "pytest", "--no-header", str(suite), *options]
    # Exit code 5 means that a folder has no tests of its own, which is permitted.
    fit = subprocess.run(command, check=False).returncode in (0, 5)
    say(f"{'fit    ' if fit else 'not fit'}  {suite}")
    return 0 if fit else 1
