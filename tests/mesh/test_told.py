"""A foreign error's text is told nowhere: not in logs, not in spans, not in a process's last words."""

import asyncio
import json
import logging
import ssl
import subprocess
import sys
from typing import Any
from urllib.error import URLError

import aiohttp
import asyncpg
import grpc
import pytest
import sqlalchemy.exc
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from integration.jobs.v1 import jobs_service_pb2, jobs_service_pb2_grpc
from mesh.channel import open_channel
from mesh.errors import Full, answer_of
from mesh.evidence.errors import BadProof
from mesh.server import MeshServer
from mesh.settings import Environment
from mesh.telemetry import Telemetry
from mesh.told import MESH, brief, kind, whole
from tests.mesh.serving import DOMAIN, Papers
from tests.mesh.test_telemetry import _receiver, _root_logger

__all__ = ["_root_logger"]

CANARY = "sk_live_canary4eC39"
log = logging.getLogger("tests.told")


class Reasoned(Exception):
    """A foreign error that has a reason too, as urllib3's have."""

    reason = f"GET https://api.example/?key={CANARY}"


class Deceiver(Exception):
    """A foreign error with codes that are none."""

    errno = CANARY
    sqlstate = CANARY


def _rpc_error() -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(
        grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), grpc.aio.Metadata(), CANARY, f"debug {CANARY}"
    )


def _response_error() -> aiohttp.ClientResponseError:
    url = URL(f"https://api.example/{CANARY}")
    about = aiohttp.RequestInfo(url, "GET", CIMultiDictProxy(CIMultiDict({"Authorization": CANARY})), url)
    return aiohttp.ClientResponseError(about, (), status=401, message=CANARY)


FOREIGN = [
    ValueError(CANARY),
    Reasoned(CANARY),
    Deceiver(CANARY),
    URLError(f"https://api.example/?key={CANARY}"),
    ssl.SSLError(1, CANARY),
    _rpc_error(),
    _response_error(),
    aiohttp.InvalidURL(f"https://{CANARY}"),
    sqlalchemy.exc.IntegrityError("INSERT", {"key": CANARY}, ValueError(CANARY)),
    asyncpg.UniqueViolationError(f"Key (api_key)=({CANARY}) already exists"),
    UnicodeDecodeError("utf-8", CANARY.encode(), 0, 1, CANARY),
    KeyError(CANARY),
    ExceptionGroup(CANARY, [ValueError(CANARY)]),
]
each = pytest.mark.parametrize("error", FOREIGN, ids=lambda e: type(e).__name__)


def _raised(error: Exception) -> Exception:
    """The error as it is caught: with a place, and a cause."""
    try:
        try:
            raise LookupError(f"first {CANARY}")
        except LookupError as first:
            raise error from first
    except type(error) as caught:
        return caught


@each
def test_a_foreign_error_is_told_by_its_class_and_place(error: Exception) -> None:
    said = whole(_raised(error), MESH)
    assert CANARY not in said + kind(error, MESH) + brief(error, MESH)
    assert type(error).__name__ in said
    assert "test_told.py" in said
    assert said.index("LookupError") < said.rindex(type(error).__name__)


def test_an_error_of_our_own_is_told_in_its_own_words() -> None:
    assert brief(BadProof("the path is too short"), MESH) == "BadProof: the path is too short"
    assert kind(Full("too much"), MESH) == "OVERLOADED"
    assert brief(OSError(28, CANARY), MESH) == "OSError: 28"


@each
def test_no_way_of_logging_an_error_writes_its_text(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    Telemetry.start("hub", "one", environment=Environment({}))
    caught = _raised(error)
    log.error("failed", exc_info=caught)
    log.error("failed: %s", caught)
    log.error("failed: %(problem)s", {"problem": caught})
    log.error(caught)
    log.error("failed", extra={"problem": caught})
    said = capsys.readouterr().err
    assert CANARY not in said
    assert len(said.splitlines()) == 5
    assert all(type(error).__name__ in line for line in said.splitlines())


async def test_a_task_that_nobody_waits_for_shows_no_text(capsys: pytest.CaptureFixture[str]) -> None:
    Telemetry.start("hub", "one", environment=Environment({}))
    task = asyncio.get_running_loop().create_task(_fail(), name="forgotten")
    await asyncio.wait([task])
    del task
    said = capsys.readouterr().err
    assert "never retrieved" in said
    assert "ValueError" in said
    assert CANARY not in said


async def _fail() -> None:
    raise ValueError(CANARY)


class Failing(jobs_service_pb2_grpc.JobsServiceServicer):
    """Ends each call with a status whose text is a secret."""

    async def GetJob(self, request: Any, context: Any) -> Any:
        await context.abort(grpc.StatusCode.UNAVAILABLE, CANARY)

    async def WatchJobs(self, request: Any, context: Any) -> Any:
        yield jobs_service_pb2.WatchJobsResponse()
        await context.abort(grpc.StatusCode.UNAVAILABLE, CANARY)


async def test_no_span_holds_the_text_of_an_error_or_of_a_peer(papers: Papers) -> None:
    async with _receiver() as (receiver, environment):
        telemetry = Telemetry.start("hub", "one", environment=environment)
        for error in FOREIGN:
            with pytest.raises(type(error)), telemetry.span("work"):
                raise error
        await _calls_that_fail(papers, telemetry)
        await asyncio.to_thread(telemetry.shutdown)
    assert CANARY not in repr(receiver.spans)
    kinds = {a.value.string_value for s in receiver.spans for a in s.attributes if a.key == "error.type"}
    assert {type(error).__name__ for error in FOREIGN} == kinds
    assert len([s for s in receiver.spans if s.status.code == 2]) >= len(FOREIGN) + 4


async def _calls_that_fail(papers: Papers, telemetry: Telemetry) -> None:
    server = MeshServer(papers.identity("hub"), domain=DOMAIN, statuses={}, telemetry=telemetry)
    jobs_service_pb2_grpc.add_JobsServiceServicer_to_server(Failing(), server.raw)
    port = await server.serve("127.0.0.1:0")
    async with open_channel(f"127.0.0.1:{port}", papers.identity("core"), telemetry=telemetry) as channel:
        stub = jobs_service_pb2_grpc.JobsServiceStub(channel)
        request = jobs_service_pb2.GetJobRequest(tenant="acme", job_id="0" * 36)
        with pytest.raises(grpc.aio.AioRpcError):
            await stub.GetJob(request, timeout=10)
        with pytest.raises(grpc.aio.AioRpcError):
            async for _ in stub.WatchJobs(jobs_service_pb2.WatchJobsRequest(tenant="acme"), timeout=10):
                pass
    await server.drain(0)


def test_a_failed_call_is_told_by_its_code() -> None:
    assert answer_of(_rpc_error()) == "UNAVAILABLE"


CRASH = "from mesh.told import *; tell_crashes(MESH); "


@pytest.mark.parametrize(
    "code",
    [
        f"raise ValueError('{CANARY}')",
        f"import threading; t = threading.Thread(target=lambda: int('{CANARY}')); t.start(); t.join()",
    ],
    ids=["process", "thread"],
)
def test_the_last_words_of_a_process_are_the_class_and_the_place(code: str) -> None:
    done = subprocess.run([sys.executable, "-c", CRASH + code], capture_output=True, text=True, check=False)
    assert CANARY not in done.stderr
    assert "ValueError" in done.stderr
    assert "line 1" in done.stderr


@pytest.mark.parametrize(
    ("command", "variable"),
    [("hub", "HUB_OWNER_DATABASE_URL"), ("audit_service", "AUDIT_OWNER_DATABASE_URL")],
)
def test_a_database_url_that_cannot_be_read_is_not_shown(command: str, variable: str) -> None:
    # A port that is no number: its message quotes what stands there.
    done = subprocess.run(
        [sys.executable, "-m", command, "migrate"],
        env={variable: f"postgresql+asyncpg://hub:pw@localhost:{CANARY}/hub"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert CANARY not in done.stderr
    assert "Error" in done.stderr


def test_the_lines_are_still_json(capsys: pytest.CaptureFixture[str]) -> None:
    Telemetry.start("hub", "one", environment=Environment({}))
    log.error("failed", exc_info=_raised(ValueError("x")))
    assert json.loads(capsys.readouterr().err)["exc_info"].endswith("ValueError")
