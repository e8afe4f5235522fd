"""The page on limits is true."""

import json
import re
from pathlib import Path

from hub.intake import quotas
from hub.intake.backlog import AdmissionLimits, Quota
from spokes.kit import registry
from spokes.kit.accounts_file import load_accounts
from spokes.kit.manifest import limited

PAGE = (Path(__file__).parents[2] / "docs" / "limits.md").read_text()


def sample(key: str, directory: Path) -> Path:
    """The page's sample that holds a key, in a file."""
    found = next(s for s in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL) if f'"{key}"' in s)
    file = directory / "sample.json"
    file.write_text(json.dumps(json.loads(found)))
    return file


def test_the_sample_of_an_account_is_read_and_overrules_the_manifest(tmp_path: Path) -> None:
    manifest = registry.manifest("stripe")
    file = sample("limits", tmp_path)
    accounts = load_accounts(file, manifest)
    spec = limited(manifest, {name: a.limits for name, a in accounts.items()}).accounts["default"]
    assert (spec.rate_per_second, spec.burst) == (20, 5)


def test_the_sample_of_quotas_is_read_and_its_default_is_the_built_in_one(tmp_path: Path) -> None:
    file = sample("tenants", tmp_path)
    limits = quotas.load(file, lane_backlog=7)
    assert limits.of("acme") == Quota(unfinished=1000, per_second=50, burst=100)
    assert limits.of("another") == AdmissionLimits().of("another")
