"""A hub that has just started does not know its spokes yet: no mistake of its clients or providers."""

from collections.abc import AsyncIterator

import grpc
import pytest

from hub.errors import ProviderNotReady, UnknownProvider
from hub.lanes.ports import SpokeUnavailable
from hub.peers.spokes import SpokeAddress, SpokeDirectory
from hub.statuses import STATUSES
from mesh.telemetry import Telemetry

CHARGE = "integration.payments.v1.PaymentsService/Charge"


@pytest.fixture
async def directory() -> AsyncIterator[SpokeDirectory]:
    """A directory with one spoke that has never answered."""
    directory = SpokeDirectory(
        [SpokeAddress("echo", "127.0.0.1:1", "")],
        open_channel=lambda spoke: grpc.aio.insecure_channel(spoke.address),
        telemetry=Telemetry.start("hub", "test"),
    )
    yield directory
    await directory.close()


@pytest.mark.parametrize("provider", ["echo", ""])
def test_a_request_for_a_spoke_that_has_not_been_heard_is_to_be_repeated(
    directory: SpokeDirectory, provider: str
) -> None:
    with pytest.raises(ProviderNotReady) as refused:
        directory.choose(provider, CHARGE)
    assert STATUSES[ProviderNotReady] is grpc.StatusCode.UNAVAILABLE
    assert refused.value.retry_after


def test_a_webhook_for_a_spoke_that_has_not_been_heard_is_to_be_sent_again(
    directory: SpokeDirectory,
) -> None:
    with pytest.raises(SpokeUnavailable):
        directory.webhook_rules("echo/default")


def test_a_spoke_that_nobody_has_named_stays_unknown(directory: SpokeDirectory) -> None:
    with pytest.raises(UnknownProvider):
        directory.choose("acme", CHARGE)
    with pytest.raises(UnknownProvider):
        directory.webhook_rules("acme/default")


def test_whether_work_can_be_looked_up_is_not_known_of_a_spoke_that_has_not_been_heard(
    directory: SpokeDirectory,
) -> None:
    with pytest.raises(ProviderNotReady):
        directory.can_look_up("echo", CHARGE)
    assert not directory.can_look_up("acme", CHARGE)
