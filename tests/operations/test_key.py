"""However often a job is sent, its provider sees one key."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from aiohttp import web

from integration.jobs.v1 import job_pb2
from tests.abuse.whole import running
from tests.operations.office import Office, Person, Provider
from tests.spokes.harness import account, http_server

Failures = tuple[Callable[[], web.Response], ...]


class Failing:
    """A provider that fails at first and works then. It knows nothing of what it failed at."""

    def __init__(self, *failures: web.Response) -> None:
        self._failures = list(failures)
        self.keys: list[str] = []

    def application(self) -> web.Application:
        """The HTTP application."""
        application = web.Application()
        application.router.add_post("/v1/payments", self._pay)
        application.router.add_get("/v1/payments", self._find)
        return application

    async def _pay(self, request: web.Request) -> web.Response:
        self.keys.append(request.headers["Idempotency-Key"])
        if self._failures:
            return self._failures.pop(0)
        asked = await request.json()
        payment = {
            "id": "pay_1",
            "state": "captured",
            "captured": asked["amount"],
            "refunded": 0,
            "created": 1,
        }
        named = {name: asked[name] for name in ("amount", "currency", "reference")}
        return web.json_response({**payment, **named}, status=201)

    async def _find(self, request: web.Request) -> web.Response:
        return web.json_response({"data": []})


def down() -> web.Response:
    """Certainly not done."""
    return web.Response(status=503, headers={"Retry-After": "0"})


def broken() -> web.Response:
    """Perhaps done: it is looked up first."""
    return web.Response(status=500)


@pytest.mark.parametrize("failures", [(down, down), (broken,), (down, broken)], ids=["down", "doubt", "both"])
async def test_a_job_that_is_sent_again_is_sent_under_its_first_key(
    hub_database: Mapping[str, str],
    audit_database: Mapping[str, str],
    tmp_path: Path,
    failures: Failures,
) -> None:
    failing, urls = Failing(*(f() for f in failures)), {**hub_database, **audit_database}
    async with (
        http_server(failing.application()) as url,
        running(tmp_path, urls, {"echo": account(url, webhook_secrets=[])}) as whole,
    ):
        office = Office(whole, Provider(), Person(whole.operators["ana"]), Person(whole.operators["luis"]))
        job = await office.charge(1, attempts=5, wait=20)
    assert job.state == job_pb2.JOB_STATE_SUCCEEDED
    assert failing.keys == [job.job_id] * (len(failures) + 1)
