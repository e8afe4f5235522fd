"""hubctl as people and programs use it: what it prints, and how it ends."""

import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from hubctl.errors import Failed
from hubctl.jobs import refuse_if_in_vain
from integration.jobs.v1.job_pb2 import Job, JobState
from local.stack.stack import Stack

HUBCTL = Path(sys.executable).with_name("hubctl")
CHARGE = ("--set", "amount.minor_units=1250", "--set", "amount.currency_code=EUR")
VISA = ("--set", "payment_method=pm_card_visa")


class Hubctl:
    """Runs commands against one stack."""

    def __init__(self, state: Path) -> None:
        self._state = state

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command, as typed."""
        command = [str(HUBCTL), *words]
        return subprocess.run(
            command,
            env={"HUBCTL_STATE": str(self._state), "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def json(self, *words: str) -> Any:
        """The object on the last line; the command must end well."""
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def charge(self, request_id: str, *more: str) -> Any:
        """A charge at the echo spoke; the answer."""
        words = ("submit", "payments.charge", "--provider", "echo", "--request-id", request_id)
        return self.json(*words, *CHARGE, *VISA, *more)


@pytest.fixture
def hubctl(small_stack: Stack) -> Hubctl:
    """Against the small stack."""
    return Hubctl(small_stack.layout.state)


@pytest.fixture
def charged(hubctl: Hubctl) -> Any:
    """A charge that has succeeded."""
    answer = hubctl.charge(str(uuid.uuid4()))
    assert answer["job"]["state"] == "JOB_STATE_SUCCEEDED"
    return answer


def test_status_ends_well_only_if_every_part_is_ready(small_stack: Stack, hubctl: Hubctl) -> None:
    assert hubctl.json("status")["ready"] is True
    small_stack.kill("echo-sandbox")
    missing = hubctl.run("status", "--json")
    assert missing.returncode == 3
    assert "not ready: echo-sandbox" in missing.stderr
    parts = json.loads(missing.stdout.splitlines()[-1])["parts"]
    assert [name for name, part in parts.items() if not part["ready"]] == ["echo-sandbox"]


async def test_status_is_well_again_after_a_restart(small_stack: Stack, hubctl: Hubctl) -> None:
    if small_stack.fallen():
        await small_stack.start_part("echo-sandbox")
    assert hubctl.run("status").returncode == 0


def test_where_no_stack_is_known_the_remedy_is_named(tmp_path: Path) -> None:
    for words in (("status",), ("jobs", "list"), ("audit", "checkpoint")):
        done = Hubctl(tmp_path).run(*words)
        assert done.returncode == 3
        assert "hubctl up" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("frobnicate",),
        ("submit",),
        ("submit", "payments.nothing"),
        ("submit", "payments.charge", "--body", "{"),
        ("submit", "payments.charge", "--body", "[]"),
        ("submit", "payments.charge", "--set", "amount=3"),
        ("submit", "payments.charge", "--set", "nonsense=3"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage_and_no_traceback(hubctl: Hubctl, words: tuple[str, ...]) -> None:
    done = hubctl.run(*words)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr


def test_the_same_request_is_the_same_job_and_another_is_refused(hubctl: Hubctl, charged: Any) -> None:
    job = charged["job"]
    assert hubctl.charge(job["request_id"])["job"]["job_id"] == job["job_id"]
    words = ("submit", "payments.charge", "--provider", "echo", "--request-id", job["request_id"], *VISA)
    other = hubctl.run(*words, *CHARGE, "--set", "amount.minor_units=9999")
    assert other.returncode == 4
    assert job["job_id"] in other.stderr


def test_a_request_against_the_rules_is_refused_with_the_field_at_fault(hubctl: Hubctl) -> None:
    done = hubctl.run("submit", "payments.charge", "--provider", "echo", *VISA)
    assert done.returncode == 4
    assert "amount" in done.stderr


def test_what_the_provider_declines_is_done_and_the_answer_is_no(hubctl: Hubctl) -> None:
    words = (
        "submit",
        "payments.charge",
        "--provider",
        "echo",
        *CHARGE,
        "--set",
        "payment_method=pm_declined",
    )
    done = hubctl.run(*words, "--json")
    job = json.loads(done.stdout.splitlines()[-1])["job"]
    assert (done.returncode, job["state"]) == (1, "JOB_STATE_DECLINED")
    assert f"job {job['job_id']} is DECLINED" in done.stderr
    assert hubctl.run("jobs", "wait", job["job_id"]).returncode == 1
    assert hubctl.run("jobs", "get", job["job_id"]).returncode == 0


@pytest.mark.parametrize("state", ["DECLINED", "DEAD", "CANCELLED", "EXPIRED"])
def test_a_job_that_ended_in_vain_is_told_so(state: str) -> None:
    with pytest.raises(Failed, match=f"job J is {state}"):
        refuse_if_in_vain(Job(job_id="J", state=JobState.Value(f"JOB_STATE_{state}")))


@pytest.mark.parametrize("state", ["QUEUED", "RUNNING", "WAITING_CONFIRMATION", "IN_DOUBT", "SUCCEEDED"])
def test_a_job_that_is_under_way_or_done_is_no_failure(state: str) -> None:
    refuse_if_in_vain(Job(job_id="J", state=JobState.Value(f"JOB_STATE_{state}")))


def test_a_job_is_found_by_every_command(hubctl: Hubctl, charged: Any) -> None:
    job_id = charged["job"]["job_id"]
    assert hubctl.json("jobs", "get", job_id)["job"]["job_id"] == job_id
    assert hubctl.json("jobs", "wait", job_id)["job"]["state"] == "JOB_STATE_SUCCEEDED"
    listed = hubctl.json("jobs", "list", "--provider", "echo")["jobs"]
    assert job_id in [job["job_id"] for job in listed]
    why = ("--reason", "too late", "--ticket", "OPS-1")
    assert hubctl.run("jobs", "cancel", job_id, *why).returncode == 4
    assert hubctl.run("jobs", "get", str(uuid.uuid4())).returncode == 4


def test_the_evidence_of_a_job_is_shown_exported_and_verified(
    hubctl: Hubctl, charged: Any, tmp_path: Path, small_stack: Stack
) -> None:
    job_id, bundle = charged["job"]["job_id"], tmp_path / "bundle.zip"
    while not hubctl.json("jobs", "get", job_id)["job"].get("proven"):
        pass
    entries = hubctl.json("evidence", "show", job_id)["entries"]
    assert [entry["statement"]["kind"] for entry in entries] == ["intent", "evidence"]
    hubctl.json("evidence", "export", job_id, "-o", str(bundle))
    vkey = str(small_stack.layout.vkey)
    assert hubctl.json("evidence", "verify", str(bundle), "--vkey", vkey)["valid"] is True
    assert hubctl.json("evidence", "verify", str(bundle), "--job", job_id)["anchored"] is True
    assert hubctl.run("evidence", "verify", str(bundle), "--job", str(uuid.uuid4())).returncode == 1
    whole = bytearray(bundle.read_bytes())
    whole[whole.index(b'"payload"') + 40] ^= 1
    bundle.write_bytes(whole)
    assert hubctl.run("evidence", "verify", str(bundle)).returncode == 1


def test_the_log_is_checked_and_exported(
    hubctl: Hubctl, charged: Any, tmp_path: Path, small_stack: Stack
) -> None:
    first = hubctl.json("audit", "checkpoint")
    hubctl.charge(str(uuid.uuid4()))
    assert hubctl.json("audit", "checkpoint")["size"] >= first["size"]
    assert hubctl.json("audit", "fsck")["findings"] == []
    hubctl.json("audit", "export-tiles", str(tmp_path / "log"))
    assert (tmp_path / "log" / "vkey").read_text().strip() == small_stack.layout.vkey.read_text().strip()
    assert (tmp_path / "log" / "checkpoint").exists()


def test_a_checkpoint_that_the_log_does_not_extend_is_an_alarm(hubctl: Hubctl, small_stack: Stack) -> None:
    hubctl.json("audit", "checkpoint")
    seen = small_stack.layout.state / "last-checkpoint"
    kept = seen.read_bytes()
    seen.write_bytes(kept.replace(b"\n", b"\n1", 1))
    assert hubctl.run("audit", "checkpoint").returncode == 1
    seen.write_bytes(kept)
