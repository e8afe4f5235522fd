"""`hubctl evidence verify`: nothing is VALID without a key to compare with; the stack's own is taken."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mesh.evidence.checkpoint import Vkey
from tests.audit_service import rig
from tests.audit_service.test_bundle import zipped
from tests.audit_service.test_dishonest_log import HUB, INTENT, JOB, KEYS, LOG, SPOKE, _answer, _bundle

PROFILE = """
trust_domain = "integration.local"
tenant = "acme"
log_key = "keys/vkey"
[addresses]
hub = "127.0.0.1:1"
audit = "127.0.0.1:2"
[identities]
directory = "identities"
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A whole bundle, whose log's key the stack does not know yet."""
    files = _bundle([*KEYS, (INTENT, HUB), (_answer(INTENT), SPOKE)])
    return zipped(tmp_path / "bundle.zip", files)


def _verify(bundle: Path, *options: str) -> tuple[int, dict[str, object]]:
    state = str(bundle.with_name("state"))
    command = ["evidence", "verify", str(bundle), "--state", state, "--json", *options]
    run = subprocess.run(
        [str(Path(sys.executable).with_name("hubctl")), *command], capture_output=True, text=True, check=False
    )
    return run.returncode, json.loads(run.stdout.splitlines()[-1])


def _pin(bundle: Path, key: Vkey) -> None:
    pinned = bundle.with_name("state") / "keys" / "vkey"
    pinned.parent.mkdir(parents=True)
    pinned.write_text(str(key))
    pinned.parents[1].joinpath("profile.toml").write_text(PROFILE)


def test_without_any_pin_a_bundle_is_consistent_with_itself_only(bundle: Path) -> None:
    code, said = _verify(bundle)
    assert (code, said["valid"], said["verdict"]) == (3, False, "CONSISTENT WITH ITSELF ONLY")


def test_the_stacks_own_key_is_pinned_by_itself(bundle: Path) -> None:
    _pin(bundle, Vkey(rig.ORIGIN, LOG.public))
    code, said = _verify(bundle)
    assert (code, said["valid"], said["job"]) == (0, True, JOB)


def test_a_bundle_of_another_logs_key_than_the_stacks_is_invalid(bundle: Path) -> None:
    _pin(bundle, Vkey(rig.ORIGIN, SPOKE.public))
    code, said = _verify(bundle)
    assert (code, said["valid"], said["verdict"]) == (1, False, "INVALID")


def test_a_bundle_of_another_job_than_named_is_invalid(bundle: Path) -> None:
    _pin(bundle, Vkey(rig.ORIGIN, LOG.public))
    assert _verify(bundle, "--job", JOB)[0] == 0
    assert _verify(bundle, "--job", rig.new_job())[0] == 1
