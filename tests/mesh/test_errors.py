"""How errors become statuses, and statuses become errors again."""

import logging
from collections.abc import Mapping
from datetime import timedelta

import grpc
import pytest
from google.rpc import code_pb2

from mesh.channel import open_channel
from mesh.errors import (
    MAX_VIOLATIONS,
    MESH_STATUSES,
    Closed,
    DeadlineTooShort,
    Full,
    InvalidRequest,
    MeshError,
    NotAuthenticated,
    NotPermitted,
    Violation,
    details_of,
    reason_of,
    to_status,
)
from tests.mesh.serving import DOMAIN, Papers, call, failure_of, guarded

METHOD = "/integration.jobs.v1.JobsService/GetJob"


class Missing(Exception):
    """An error of a service."""

    reason = "JOB_NOT_FOUND"


class LostForGood(Missing):
    """Has no row of its own."""


class Busy(Exception):
    """Knows when to come back, and says more."""

    reason = "BUSY"
    retry_after = timedelta(seconds=2)
    metadata: Mapping[str, str] = {"lane": "stripe/default"}


STATUSES = {Missing: grpc.StatusCode.NOT_FOUND, Busy: grpc.StatusCode.RESOURCE_EXHAUSTED}

MESH_ERRORS: Mapping[grpc.StatusCode, MeshError] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequest([Violation("tenant", "must be set")]),
    grpc.StatusCode.UNAUTHENTICATED: NotAuthenticated("nobody"),
    grpc.StatusCode.PERMISSION_DENIED: NotPermitted("spiffe://t/core/one", METHOD),
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineTooShort("late"),
    grpc.StatusCode.RESOURCE_EXHAUSTED: Full("full"),
    grpc.StatusCode.UNAVAILABLE: Closed("closed"),
}


async def _raised(papers: Papers, error: Exception, *, streams: bool = False) -> grpc.aio.AioRpcError:
    async def fail(request: bytes, context: object) -> bytes:
        raise error

    async def fail_later(request: bytes, context: object):  # type: ignore[no-untyped-def]
        yield b"one"
        raise error

    handler = (
        grpc.unary_stream_rpc_method_handler(fail_later)
        if streams
        else grpc.unary_unary_rpc_method_handler(fail)
    )
    async with (
        guarded(papers.identity("hub"), handler, statuses=STATUSES) as port,
        open_channel(f"127.0.0.1:{port}", papers.identity("core")) as channel,
    ):
        if not streams:
            return await failure_of(call(channel, METHOD))
        stream = channel.unary_stream(METHOD, None, None)(b"", timeout=5)
        assert await stream.read() == b"one"
        return await failure_of(stream.read())


def test_every_error_that_the_mesh_answers_with_has_an_example_here() -> None:
    assert {type(error): code for code, error in MESH_ERRORS.items()} == MESH_STATUSES


@pytest.mark.parametrize("code", MESH_ERRORS, ids=str)
async def test_an_error_of_the_mesh_arrives_with_its_status_and_reason(
    papers: Papers, code: grpc.StatusCode
) -> None:
    error = await _raised(papers, MESH_ERRORS[code])
    assert error.code() is code
    assert error.details() == str(MESH_ERRORS[code])
    assert reason_of(error) == MESH_ERRORS[code].reason


@pytest.mark.parametrize("streams", [False, True])
async def test_an_error_of_the_service_arrives_with_its_row_of_the_table(
    papers: Papers, streams: bool
) -> None:
    error = await _raised(papers, Missing("no job of that id"), streams=streams)
    assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "no job of that id")
    details = details_of(error)
    assert details is not None
    assert (details.reason, details.domain) == ("JOB_NOT_FOUND", DOMAIN)


async def test_an_error_without_a_row_takes_that_of_its_ancestor(papers: Papers) -> None:
    error = await _raised(papers, LostForGood("gone"))
    assert error.code() is grpc.StatusCode.NOT_FOUND


async def test_metadata_and_the_time_to_come_back_arrive(papers: Papers) -> None:
    details = details_of(await _raised(papers, Busy("later")))
    assert details is not None
    assert details.retry_after == timedelta(seconds=2)
    assert details.metadata == {"lane": "stripe/default"}


@pytest.mark.parametrize("streams", [False, True])
async def test_an_unknown_error_keeps_its_text_to_itself_and_is_logged_once(
    papers: Papers, caplog: pytest.LogCaptureFixture, streams: bool
) -> None:
    with caplog.at_level(logging.ERROR):
        error = await _raised(papers, ValueError("password=hunter2"), streams=streams)
    assert (error.code(), error.details()) == (grpc.StatusCode.INTERNAL, "internal error")
    assert "hunter2" not in repr(error.trailing_metadata())
    details = details_of(error)
    assert details is not None
    assert details.reason == "INTERNAL"
    (record,) = [r for r in caplog.records if r.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert record.exc_info[0] is ValueError
    assert record.__dict__["incident"] == details.metadata["incident"]


async def test_an_abort_of_the_handler_itself_passes_unchanged(papers: Papers) -> None:
    async def abort(request: bytes, context: grpc.aio.ServicerContext) -> bytes:  # type: ignore[type-arg]
        await context.abort(grpc.StatusCode.ABORTED, "my own")

    handler = grpc.unary_unary_rpc_method_handler(abort)
    async with (
        guarded(papers.identity("hub"), handler) as port,
        open_channel(f"127.0.0.1:{port}", papers.identity("core")) as channel,
    ):
        error = await failure_of(call(channel, METHOD))
    assert (error.code(), error.details(), reason_of(error)) == (grpc.StatusCode.ABORTED, "my own", None)


def test_of_many_broken_rules_only_the_first_are_told_but_all_are_counted() -> None:
    many = [Violation(f"items[{i}]", "must be set") for i in range(500)]
    status = to_status(InvalidRequest(many), {}, DOMAIN)
    assert status.code == code_pb2.INVALID_ARGUMENT
    assert status.message == "items[0]: must be set (and 499 more)"
    assert status.ByteSize() < 4096
    assert sum(part.type_url.endswith("BadRequest") for part in status.details) == 1
    assert MAX_VIOLATIONS < 500


async def test_details_that_cannot_be_read_are_no_details(papers: Papers) -> None:
    async def abort(request: bytes, context: grpc.aio.ServicerContext) -> bytes:  # type: ignore[type-arg]
        await context.abort(grpc.StatusCode.ABORTED, "odd", (("grpc-status-details-bin", b"\xff\xff\xff"),))

    handler = grpc.unary_unary_rpc_method_handler(abort)
    async with (
        guarded(papers.identity("hub"), handler) as port,
        open_channel(f"127.0.0.1:{port}", papers.identity("core")) as channel,
    ):
        assert details_of(await failure_of(call(channel, METHOD))) is None
