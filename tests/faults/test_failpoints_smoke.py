"""A few failpoints on a real stack: the process dies there, everything starts again, nothing is amiss."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from local.stack.ports import free_block
from tests.alerts.alertmanager import Alertmanager, Missing, is_required
from tests.faults.campaign import Campaign
from tests.faults.plan import strikes
from tests.faults.rig import Rig

POINTS = ("hub.claimed", "worker.written", "worker.read", "audit.committed", "hub.settling")


@pytest.fixture
def alertmanager(tmp_path: Path) -> Alertmanager | None:
    """An Alertmanager; where none can be had and CI is not set, all is checked but what it was told."""
    try:
        return Alertmanager(tmp_path)
    except Missing:
        if is_required():
            raise
        return None


@pytest.fixture
async def campaign(alertmanager: Alertmanager | None) -> AsyncIterator[Campaign]:
    """A campaign on a stack of its own with one spoke."""
    state = Path(tempfile.mkdtemp(prefix="faults-smoke-"))
    state.chmod(0o711)  # so that Postgres, which does not run as root, keeps its files here too
    rig = Rig(state, base_port=free_block(), peers=("echo",), alertmanager=alertmanager)
    await rig.start()
    campaign = Campaign(rig, seed=1, say=print)
    yield campaign
    await campaign.close()
    await rig.stop()
    shutil.rmtree(state, ignore_errors=True)


async def test_a_process_killed_at_a_point_loses_and_doubles_nothing(
    campaign: Campaign, alertmanager: Alertmanager | None
) -> None:
    tally = await campaign.enumerated(strikes(1, peers=("echo",), points=POINTS, repeats=1))
    assert {point for point, _ in tally.hits} == set(POINTS), tally.missed
    assert tally.violations == []
    assert tally.jobs >= len(POINTS)
    assert tally.letters == tally.states["DEAD"] == tally.doomed > 0
    assert tally.alerts or alertmanager is None
    assert tally.effects == tally.states["SUCCEEDED"] > 0
