"""The operators' service, apart from what lies behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, cast

import pytest

from hub.jobs.convert import text_from_proto
from hub.jobs.letters import Cause
from hub.jobs.model import Job, JobState, queued
from hub.operators.api import Context, OperationsApi
from hub.operators.convert import pace_from_proto, why_from_proto
from hub.operators.model import LetterView
from hub.plans.model import Filter
from integration.operations.v1 import operations_service_pb2 as ops
from integration.operations.v1 import plan_pb2
from mesh.errors import InvalidRequest
from tests.hub.jobs import NOW, new_job

CONTEXT = cast(Context, None)


class Letters:
    """Open dead letters of some jobs."""

    def __init__(self, job_ids: Sequence[str]) -> None:
        self._letters = [LetterView(j, Cause.PROVIDER_DOWN, NOW, None, "", "key") for j in job_ids]

    async def letters(
        self, wanted: Filter, *, also_left: bool, before: tuple[datetime, str] | None, limit: int
    ) -> list[LetterView]:
        """The first of them."""
        return self._letters[:limit]


class Jobs:
    """Keeps count of what it is asked for."""

    def __init__(self, job_ids: Sequence[str]) -> None:
        self._jobs = {j: dead(j) for j in job_ids}
        self.asked: list[list[str]] = []

    async def get(self, job_id: str) -> Job | None:
        """One job."""
        return (await self.get_all([job_id])).get(job_id)

    async def get_all(self, job_ids: Sequence[str]) -> Mapping[str, Job]:
        """Some jobs."""
        self.asked.append(list(job_ids))
        return {j: self._jobs[j] for j in job_ids if j in self._jobs}


def dead(job_id: str) -> Job:
    """A job that has died."""
    return replace(queued(new_job(1), NOW), job_id=job_id, state=JobState.DEAD)


async def test_the_jobs_of_a_page_of_dead_letters_are_read_at_once() -> None:
    job_ids = [new_job(n).job_id for n in range(4)]
    letters: Any = Letters(job_ids)
    nothing: Any = None
    jobs = Jobs(job_ids[:2])
    api = OperationsApi(
        operating=nothing,
        planning=nothing,
        reads=letters,
        plans=nothing,
        alerts=nothing,
        jobs=jobs,
        limits=dict,
    )
    page = await api.ListDeadLetters(ops.ListDeadLettersRequest(page_size=3), CONTEXT)
    assert jobs.asked == [job_ids[:3]]
    assert [letter.job.job_id for letter in page.dead_letters] == job_ids[:2]
    assert page.next_page_token


def test_a_text_that_is_too_long_once_it_is_composed_is_refused() -> None:
    longer = "\ufb2c"  # three characters in NFC
    kept = text_from_proto(ops.ResolveJobRequest(provider_reference=longer * 85), "provider_reference")
    assert len(kept) == 255
    with pytest.raises(InvalidRequest, match="provider_reference"):
        text_from_proto(ops.ResolveJobRequest(provider_reference=longer * 86), "provider_reference")
    with pytest.raises(InvalidRequest, match=r"why\.reason"):
        why_from_proto(ops.Justification(reason=longer * 167, ticket="OPS-1"))


@pytest.mark.parametrize(
    ("said", "percent"),
    [({}, 10), ({"stop_error_percent": 3}, 3), ({"stop_at_first_failure": True, "stop_error_percent": 3}, 0)],
)
def test_a_percentage_of_0_can_be_said(said: Mapping[str, Any], percent: int) -> None:
    assert pace_from_proto(plan_pb2.PlanPace(**said)).stop_error_percent == percent
