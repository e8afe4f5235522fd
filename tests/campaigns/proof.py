"""What the log proves, read without asking the services that wrote it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hubctl.evidence import export_bundle, search, verify_bundle
from local.place import Place
from mesh.evidence import dsse


async def statements(place: Place, job_id: str) -> list[dict[str, Any]]:
    """What the log holds about a job, in order."""
    return [json.loads(dsse.open_envelope(e.envelope).payload) for e in await search(place.profile, job_id)]


async def invalid(place: Place, job_ids: Sequence[str], directory: Path) -> list[str]:
    """Those jobs whose bundle is neither VALID nor VALID WITH GAPS, with the verifier's last word."""
    wrong = []
    for job_id in job_ids:
        bundle = directory / f"{job_id}.zip"
        await export_bundle(place.profile, job_id, bundle)
        _, said = verify_bundle(bundle, place.vkey_file, job_id)
        if said["verdict"] not in ("VALID", "VALID WITH GAPS"):
            wrong.append(f"{job_id}: {said['report'][-1]}")
        bundle.unlink()
    return wrong
