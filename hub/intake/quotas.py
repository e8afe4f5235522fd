"""The file of the tenants' quotas."""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from hub.intake.backlog import AdmissionLimits, Quota
from mesh.settings import SettingsError

_NO_NUMBER = 1e12
_NAMES = {f.name for f in fields(Quota)}


class BadQuotas(SettingsError):
    """The file breaks its rules; names the tenant and the key at fault."""


def load(path: Path | None, *, lane_backlog: int) -> AdmissionLimits:
    """Reads `{"default": {…}, "tenants": {"acme": {"unfinished": 100, "per_second": 5, "burst": 10}}}`.

    A tenant's missing keys are those of the default, and the default's those of `Quota`. No file: the
    default holds for all.
    """
    if path is None:
        return AdmissionLimits(lane_backlog)
    try:
        written = json.loads(path.read_bytes())
    except ValueError:
        raise BadQuotas(f"{path.name} is not JSON") from None
    if not isinstance(written, dict) or not written.keys() <= {"default", "tenants"}:
        raise BadQuotas(f"{path.name} may hold `default` and `tenants` only")
    default = _quota("default", written.get("default", {}), Quota())
    tenants = {name: _quota(name, quota, default) for name, quota in written.get("tenants", {}).items()}
    return AdmissionLimits(lane_backlog, default, tenants)


def _quota(name: str, written: Mapping[str, Any], otherwise: Quota) -> Quota:
    if not isinstance(written, dict) or not written.keys() <= _NAMES:
        raise BadQuotas(f"{name} may hold {', '.join(sorted(_NAMES))} only")
    for key, value in written.items():
        sound = type(value) is int or (key == "per_second" and type(value) is float)
        if not sound or not (key == "burst") <= value < _NO_NUMBER:
            raise BadQuotas(f"{name}.{key} is not a number that can be")
    return replace(otherwise, **written)
