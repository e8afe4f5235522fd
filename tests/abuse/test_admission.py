"""A full hub says so at once, with a reason and a time to come back, and stores nothing."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import BacklogFull, LaneClosed, QuotaExceeded
from hub.intake.backlog import Admission, AdmissionLimits, Quota
from hub.intake.quotas import BadQuotas, load
from mesh.settings import SettingsError
from tests.abuse.edge import TIMEOUT, Edge, charge, refusal, serving
from tests.hub.jobs import withdrawal

LANE = "echo/default"
LIMITS = AdmissionLimits(3, Quota(100, 0.0, 1), {"acme": Quota(100, 0.0, 1)})


def admit(admission: Admission, times: int, *, lane: str = LANE, tenant: str = "acme") -> None:
    for _ in range(times):
        assert admission.refusal(lane, tenant) is None
        admission.enter(lane, tenant)
        admission.leave(lane, tenant, stored=True)


def test_a_lane_takes_as_many_as_it_may_and_no_more() -> None:
    admission = Admission(LIMITS)
    admit(admission, 3)
    assert isinstance(admission.refusal(LANE, "beta"), BacklogFull)
    assert admission.refusal("stripe/default", "acme") is None


def test_a_tenant_has_as_many_as_it_may_over_all_lanes() -> None:
    admission = Admission(AdmissionLimits(100, Quota(), {"acme": Quota(unfinished=2)}))
    admit(admission, 1)
    admit(admission, 1, lane="stripe/default")
    refusal = admission.refusal("smtp/default", "acme")
    assert isinstance(refusal, QuotaExceeded)
    assert refusal.metadata == {"tenant": "acme", "quota": "unfinished"}
    assert admission.refusal(LANE, "beta") is None


def test_what_was_not_stored_takes_no_room() -> None:
    admission = Admission(LIMITS)
    for _ in range(9):
        admission.enter(LANE, "acme")
        admission.leave(LANE, "acme", stored=False)
    assert admission.refusal(LANE, "acme") is None


def test_what_is_on_its_way_takes_room() -> None:
    admission = Admission(LIMITS)
    for _ in range(3):
        admission.enter(LANE, "acme")
    assert isinstance(admission.refusal(LANE, "acme"), BacklogFull)


def test_a_count_of_the_store_frees_the_room_of_what_has_ended() -> None:
    admission = Admission(LIMITS)
    admit(admission, 3)
    admission.end_count({(LANE, "acme"): 1}, admission.begin_count(), 0.0)
    admit(admission, 2)
    assert isinstance(admission.refusal(LANE, "acme"), BacklogFull)


def test_jobs_of_other_replicas_count() -> None:
    admission = Admission(LIMITS)
    admission.end_count({(LANE, "beta"): 3}, admission.begin_count(), 0.0)
    assert isinstance(admission.refusal(LANE, "acme"), BacklogFull)


def test_what_comes_while_the_store_is_counted_is_not_forgotten() -> None:
    admission = Admission(LIMITS)
    covered = admission.begin_count()
    admit(admission, 2)
    admission.enter(LANE, "acme")
    admission.end_count({}, covered, 0.0)
    assert isinstance(admission.refusal(LANE, "acme"), BacklogFull)


@given(st.lists(st.sampled_from(["enter", "store", "drop", "begin", "end", "finish"]), max_size=60))
def test_never_more_than_the_limit_is_let_in(steps: list[str]) -> None:
    admission = Admission(LIMITS)
    live = on_the_way = seen = 0
    covered: Mapping[tuple[str, str], int] | None = None
    for step in steps:
        if step == "enter" and admission.refusal(LANE, "acme") is None:
            admission.enter(LANE, "acme")
            on_the_way += 1
        elif step in ("store", "drop") and on_the_way:
            admission.leave(LANE, "acme", stored=step == "store")
            on_the_way -= 1
            live += step == "store"
        elif step == "finish" and live:
            live -= 1
        elif step == "begin":
            covered, seen = admission.begin_count(), live
        elif step == "end" and covered is not None:
            admission.end_count({(LANE, "acme"): seen}, covered, 0.0)
            covered = None
        assert live + on_the_way <= LIMITS.lane_backlog


def test_a_burst_is_taken_and_then_so_many_a_second() -> None:
    admission = Admission(AdmissionLimits(default=Quota(per_second=2.0, burst=3)))
    for _ in range(3):
        admission.take_turn("acme", 10.0)
    with pytest.raises(QuotaExceeded) as refused:
        admission.take_turn("acme", 10.0)
    assert refused.value.retry_after == timedelta(seconds=0.5)
    admission.take_turn("beta", 10.0)
    admission.take_turn("acme", 10.5)
    with pytest.raises(QuotaExceeded):
        admission.take_turn("acme", 10.6)


def test_a_tenant_that_is_still_is_forgotten_without_a_second_burst() -> None:
    admission = Admission(AdmissionLimits(default=Quota(per_second=1.0, burst=2)))
    admission.take_turn("acme", 0.0)
    admission.take_turn("acme", 0.0)
    admission.end_count({}, admission.begin_count(), 1.0)
    admission.take_turn("acme", 1.0)
    with pytest.raises(QuotaExceeded):
        admission.take_turn("acme", 1.0)


def test_a_closed_lane_takes_nothing_while_others_do() -> None:
    admission = Admission(AdmissionLimits(), closed={LANE}.__contains__)
    assert isinstance(admission.refusal(LANE, "acme"), LaneClosed)
    assert admission.refusal("stripe/default", "acme") is None


def test_a_hub_that_nobody_uses_counts_nothing() -> None:
    admission = Admission(LIMITS)
    admission.end_count({}, admission.begin_count(), 0.0)
    assert not admission.is_stale
    admission.refusal(LANE, "acme")
    assert admission.is_stale


def write(path: Path, written: object) -> Path:
    file = path / "quotas.json"
    file.write_text(json.dumps(written))
    return file


def test_a_tenants_quota_is_the_default_with_its_own_numbers(tmp_path: Path) -> None:
    file = write(tmp_path, {"default": {"per_second": 7.5}, "tenants": {"acme": {"unfinished": 5}}})
    limits = load(file, lane_backlog=9)
    assert limits.lane_backlog == 9
    assert limits.of("acme") == Quota(unfinished=5, per_second=7.5)
    assert limits.of("beta") == Quota(per_second=7.5)
    assert load(None, lane_backlog=9) == AdmissionLimits(9)


@pytest.mark.parametrize(
    "written",
    [
        [],
        {"tenant": {}},
        {"default": []},
        {"default": {"perSecond": 1}},
        {"tenants": {"acme": {"burst": 0}}},
        {"tenants": {"acme": {"unfinished": -1}}},
        {"tenants": {"acme": {"unfinished": "5"}}},
        {"tenants": {"acme": {"unfinished": True}}},
        {"tenants": {"acme": {"per_second": float("nan")}}},
        {"tenants": {"acme": {"per_second": float("inf")}}},
    ],
)
def test_a_file_that_breaks_its_rules_stops_the_start(tmp_path: Path, written: object) -> None:
    with pytest.raises(BadQuotas):
        load(write(tmp_path, written), lane_backlog=9)


def test_quotas_that_are_no_json_stop_the_start_as_a_setting_does(tmp_path: Path) -> None:
    file = tmp_path / "quotas.json"
    file.write_text("{")
    with pytest.raises(SettingsError, match=r"quotas\.json"):
        load(file, lane_backlog=9)


@pytest.fixture
async def edge(hub_urls: Mapping[str, str], tmp_path: Path) -> AsyncIterator[Edge]:
    """An edge whose lanes hold three jobs, and whose tenant beta may ask twice."""
    limits = AdmissionLimits(3, Quota(), {"beta": Quota(per_second=0.01, burst=2)})
    async with serving(hub_urls, tmp_path, limits=limits) as edge:
        yield edge
        for job in await edge.store.page("acme", before="", limit=100):
            await edge.store.cancel(job.job_id, withdrawal())


async def test_a_full_backlog_is_refused_with_reason_and_time_before_anything_is_stored(edge: Edge) -> None:
    first = charge()
    job = (await edge.core.payments.Charge(first, timeout=TIMEOUT)).job
    for _ in range(2):
        await edge.core.payments.Charge(charge(), timeout=TIMEOUT)
    before = await edge.stored()
    code, details = await refusal(edge.core.payments.Charge(charge(), timeout=TIMEOUT))
    assert (code, details.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "BACKLOG_FULL")
    assert details.metadata["lane"] == LANE
    assert details.retry_after is not None
    assert details.retry_after > timedelta(0)
    assert await edge.stored() == before
    # Its job is in the backlog: a repetition only asks where.
    assert (await edge.core.payments.Charge(first, timeout=TIMEOUT)).job.job_id == job.job_id
    first.amount.minor_units += 1
    code, details = await refusal(edge.core.payments.Charge(first, timeout=TIMEOUT))
    assert details.reason == "REQUEST_ID_REUSED"
    await edge.core.payments.Charge(charge(provider="other"), timeout=TIMEOUT)


async def test_there_is_room_again_once_the_jobs_have_ended(edge: Edge) -> None:
    ids = [(await edge.core.payments.Charge(charge(), timeout=TIMEOUT)).job.job_id for _ in range(3)]
    await refusal(edge.core.payments.Charge(charge(), timeout=TIMEOUT))
    for job_id in ids:
        await edge.store.cancel(job_id, withdrawal())
    await edge.counting.run_once()
    await edge.core.payments.Charge(charge(), timeout=TIMEOUT)


async def test_a_replica_that_starts_sees_what_others_have_taken(edge: Edge) -> None:
    for _ in range(3):
        await edge.core.payments.Charge(charge(), timeout=TIMEOUT)
    edge.admission.end_count({}, {(LANE, "acme"): 3}, 0.0)
    await edge.counting.run_once()
    _, details = await refusal(edge.core.payments.Charge(charge(), timeout=TIMEOUT))
    assert details.reason == "BACKLOG_FULL"


async def test_a_hundred_at_once_are_not_let_through_together(edge: Edge) -> None:
    calls = (edge.core.payments.Charge(charge(), timeout=TIMEOUT) for _ in range(100))
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(not isinstance(a, BaseException) for a in answers) == 3


async def test_a_tenant_that_asks_too_often_is_told_when_to_come_back(edge: Edge) -> None:
    beta = edge.callers["beta"]
    for _ in range(2):
        await beta.payments.Charge(charge("once", tenant="beta"), timeout=TIMEOUT)
    before = await edge.stored()
    code, details = await refusal(beta.payments.Charge(charge(tenant="beta"), timeout=TIMEOUT))
    assert (code, details.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "QUOTA_EXCEEDED")
    assert details.metadata == {"tenant": "beta", "quota": "per_second"}
    assert details.retry_after is not None
    assert timedelta(seconds=90) < details.retry_after <= timedelta(seconds=100)
    # Its job was taken in when there was room: a repetition only asks where.
    again = await beta.payments.Charge(charge("once", tenant="beta"), timeout=TIMEOUT)
    assert again.job.request_id == "once"
    assert await edge.stored() == before
    await edge.core.payments.Charge(charge(), timeout=TIMEOUT)
