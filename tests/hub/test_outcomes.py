"""What a spoke says, as the hub reckons with it."""

from datetime import timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from hub.jobs.decide import after_attempt
from hub.jobs.decision import Moment
from hub.jobs.model import LONGEST_LIFE
from hub.jobs.outcome import NotSent, Pending
from hub.jobs.spec import Limits
from hub.peers.outcomes import outcome_from_proto, spoke_from_proto
from integration.spoke.v1 import outcome_pb2, spoke_service_pb2
from tests.hub.jobs import NOW, claimed, spec

NEVER = 253_402_300_799
"""The last second of the year 9999."""


@pytest.mark.parametrize("seconds", [NEVER, 2**63 - 1], ids=["never", "no moment"])
def test_a_confirmation_that_is_promised_for_never_is_looked_for_within_the_longest_wait(
    seconds: int,
) -> None:
    pending = outcome_pb2.Pending(confirm_by_time=Timestamp(seconds=seconds))
    outcome = outcome_from_proto(outcome_pb2.Outcome(pending=pending))
    assert isinstance(outcome, Pending)
    assert after_attempt(claimed(), outcome, spec(), Moment(NOW, 0.5)).wait == LONGEST_LIFE


@pytest.mark.parametrize("seconds", [NEVER, 2**63 - 1], ids=["ages", "no duration"])
def test_no_providers_wait_is_longer_than_the_longest(seconds: int) -> None:
    not_sent = outcome_pb2.NotSent(cause=1, retry_after=Duration(seconds=seconds))  # type: ignore[arg-type]
    outcome = outcome_from_proto(outcome_pb2.Outcome(not_sent=not_sent))
    assert isinstance(outcome, NotSent)
    assert outcome.retry_after == LONGEST_LIFE


def test_a_manifests_durations_are_held_between_nothing_and_the_longest_wait() -> None:
    operation = spoke_service_pb2.OperationSpec(
        operation="o",
        replay=1,  # type: ignore[arg-type]
        confirm_within=Duration(seconds=2**63 - 1),
        expire_after=Duration(seconds=NEVER),
        look_up_lag=Duration(seconds=-5),
        timeout=Duration(seconds=1, nanos=500_000_000),
    )
    read = spoke_from_proto(spoke_service_pb2.DescribeResponse(operations=[operation])).operations["o"]
    assert (read.confirm_within, read.expire_after) == (LONGEST_LIFE, LONGEST_LIFE)
    assert (read.look_up_lag.total_seconds(), read.timeout.total_seconds()) == (0, 1.5)


def test_an_account_has_a_part_for_reads_only_where_its_spoke_offers_some() -> None:
    account = spoke_service_pb2.AccountSpec(name="default", max_concurrency=10)
    read = spoke_service_pb2.OperationSpec(operation="o", replay=spoke_service_pb2.REPLAY_KIND_READ)
    read.cache_time.FromSeconds(99_999)
    told = spoke_from_proto(spoke_service_pb2.DescribeResponse(accounts=[account], operations=[read]))
    assert told.accounts["default"].read_share == 0.2
    assert told.operations["o"].cache == timedelta(hours=1)
    assert spoke_from_proto(spoke_service_pb2.DescribeResponse(accounts=[account])).accounts[
        "default"
    ] == Limits(10)
