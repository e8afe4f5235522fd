"""Every RPC, for every identity, against a real mTLS server."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest

from mesh.authorization import ROLES, TABLE, full_method, is_capability, services
from mesh.ca import CertificateAuthority
from mesh.channel import open_channel
from mesh.errors import details_of
from tests.mesh.serving import (
    Papers,
    call,
    code_of,
    failure_of,
    guarded,
    raw_channel,
)

METHODS = sorted(TABLE)
CONTRACTS = {full_method(method) for service in services() for method in service.methods}
CAPABILITIES = {full_method(m) for service in services() if is_capability(service) for m in service.methods}
JOBS = {m for m in CONTRACTS if "/integration.jobs.v1.JobsService/" in m}
EVENTS = {m for m in CONTRACTS if "/integration.events.v1.EventsService/" in m}
SPOKE = {m for m in CONTRACTS if "/integration.spoke.v1.SpokeService/" in m}
AUDIT = {m for m in CONTRACTS if "/integration.audit.v1.AuditService/" in m}
OPERATIONS = {m for m in CONTRACTS if "/integration.operations.v1.OperationsService/" in m}
READS = ("List", "Get", "Count")
APPEND = "/integration.audit.v1.AuditService/Append"
CHECKPOINT = "/integration.audit.v1.AuditService/GetCheckpoint"
CANCEL = "/integration.jobs.v1.JobsService/CancelJob"
HEALTH = {"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"}
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"

EXPECTED: Mapping[str, set[str]] = {
    "core": HEALTH | CAPABILITIES | JOBS | EVENTS | {CHECKPOINT},
    "hub": HEALTH | SPOKE | {APPEND, CHECKPOINT},
    "spoke": HEALTH | {CHECKPOINT},
    "audit": HEALTH | {CHECKPOINT},
    "envoy": HEALTH,
    "operator": HEALTH | JOBS | EVENTS | (AUDIT - {APPEND}) | OPERATIONS | {REFLECTION},
    "auditor": HEALTH
    | (JOBS - {CANCEL})
    | EVENTS
    | (AUDIT - {APPEND})
    | {m for m in OPERATIONS if m.rpartition("/")[2].startswith(READS)},
}


class Reached:
    """A handler that notes what reached it."""

    def __init__(self) -> None:
        self.count = 0
        self.handler: Any = grpc.unary_unary_rpc_method_handler(self._answer)

    async def _answer(self, request: bytes, context: object) -> bytes:
        self.count += 1
        return b"reached"


def test_every_rpc_of_the_contracts_has_a_row_and_every_row_an_rpc() -> None:
    assert {method for method in TABLE if method.startswith("/integration.")} == CONTRACTS


def test_every_role_of_the_table_is_one_of_ours() -> None:
    assert set().union(*TABLE.values()) <= ROLES == set(EXPECTED)


def test_the_capabilities_are_those_whose_methods_declare_an_operation() -> None:
    names = {service.full_name for service in services() if is_capability(service)}
    assert names >= {
        "integration.payments.v1.PaymentsService",
        "integration.messaging.v1.MessagingService",
    }
    assert not {name for name in names if "jobs" in name or "spoke" in name or "audit" in name}


@pytest.mark.parametrize("role", sorted(ROLES))
async def test_a_role_reaches_its_methods_and_no_others(papers: Papers, role: str) -> None:
    reached = Reached()
    async with (
        guarded(papers.identity("hub"), reached.handler) as port,
        open_channel(f"127.0.0.1:{port}", papers.identity(role)) as channel,
    ):
        codes = {method: await code_of(call(channel, method)) for method in METHODS}
    allowed = {method for method, code in codes.items() if code is grpc.StatusCode.OK}
    assert allowed == EXPECTED[role]
    refused = grpc.StatusCode.UNAUTHENTICATED if role == "envoy" else grpc.StatusCode.PERMISSION_DENIED
    assert {code for method, code in codes.items() if method not in allowed} <= {refused}
    assert reached.count == len(allowed)


async def test_a_role_that_nobody_knows_reaches_nothing(papers: Papers) -> None:
    reached = Reached()
    async with (
        guarded(papers.identity("hub"), reached.handler) as port,
        open_channel(f"127.0.0.1:{port}", papers.identity("visitor")) as channel,
    ):
        codes = {await code_of(call(channel, method)) for method in METHODS}
    assert codes == {grpc.StatusCode.PERMISSION_DENIED}
    assert reached.count == 0


@pytest.mark.parametrize("method", METHODS)
async def test_a_caller_without_a_proper_certificate_reaches_no_method(papers: Papers, method: str) -> None:
    reached = Reached()
    role = min(TABLE[method] - {"envoy"})
    nobody = grpc.ssl_channel_credentials(papers.authorities)
    foreign = papers.identity(role, trust_domain="elsewhere.local")
    async with guarded(papers.identity("hub"), reached.handler) as port:
        async with raw_channel(port, nobody) as channel:
            assert await code_of(call(channel, method)) is grpc.StatusCode.UNAVAILABLE
        async with raw_channel(port, foreign.channel_credentials()) as channel:
            assert await code_of(call(channel, method)) is grpc.StatusCode.UNAUTHENTICATED
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            assert await code_of(call(channel, method)) is grpc.StatusCode.UNAVAILABLE
    assert reached.count == 0


async def test_a_method_outside_the_table_is_refused_to_everybody(papers: Papers) -> None:
    reached = Reached()
    async with guarded(papers.identity("hub"), reached.handler) as port:
        for role in sorted(ROLES - {"envoy"}):
            async with open_channel(f"127.0.0.1:{port}", papers.identity(role)) as channel:
                code = await code_of(call(channel, "/integration.jobs.v1.JobsService/DropJobs"))
                assert code is grpc.StatusCode.PERMISSION_DENIED
    assert reached.count == 0


async def test_a_refusal_names_the_identity_and_the_method_and_nothing_more(papers: Papers) -> None:
    async with (
        guarded(papers.identity("hub"), Reached().handler) as port,
        open_channel(f"127.0.0.1:{port}", papers.identity("spoke")) as channel,
    ):
        details = details_of(await failure_of(call(channel, CANCEL)))
    assert details is not None
    assert details.reason == "NOT_PERMITTED"
    assert details.metadata == {"identity": "spiffe://integration.local/spoke/one", "method": CANCEL}


async def test_an_expired_certificate_is_refused(papers: Papers) -> None:
    past = datetime.now(UTC) - timedelta(minutes=1)
    expired = papers.odd_credentials(
        uris=["spiffe://integration.local/core/one"], valid=(past - timedelta(hours=1), past)
    )
    await _assert_refused(papers, expired, grpc.StatusCode.UNAVAILABLE)


async def test_a_certificate_of_another_authority_is_refused(papers: Papers) -> None:
    forged = papers.odd_credentials(
        uris=["spiffe://integration.local/core/one"],
        signer=CertificateAuthority.create("integration.local"),
    )
    await _assert_refused(papers, forged, grpc.StatusCode.UNAVAILABLE)


@pytest.mark.parametrize(
    "uris",
    [
        [],
        ["spiffe://integration.local/core/one", "spiffe://integration.local/hub/hub"],
        ["spiffe://integration.local/core/one", "https://example.org/"],
        ["spiffe://integration.local/core"],
        ["spiffe://integration.local.evil/core/one"],
        ["spiffe://INTEGRATION.local/core/one"],
        ["https://integration.local/core/one"],
    ],
)
async def test_a_certificate_without_exactly_one_id_of_ours_is_refused(
    papers: Papers, uris: list[str]
) -> None:
    await _assert_refused(papers, papers.odd_credentials(uris=uris), grpc.StatusCode.UNAUTHENTICATED)


async def _assert_refused(
    papers: Papers, credentials: grpc.ChannelCredentials, expected: grpc.StatusCode
) -> None:
    reached = Reached()
    async with (
        guarded(papers.identity("hub"), reached.handler) as port,
        raw_channel(port, credentials) as channel,
    ):
        assert await code_of(call(channel, CHECKPOINT)) is expected
    assert reached.count == 0


async def test_two_certificates_with_the_same_names_but_one_are_told_apart(papers: Papers) -> None:
    reached = Reached()
    first = papers.odd_credentials(uris=["spiffe://integration.local/core/one"])
    second = papers.odd_credentials(uris=["spiffe://integration.local/spoke/one"])
    async with guarded(papers.identity("hub"), reached.handler) as port:
        for _ in range(2):
            async with raw_channel(port, first) as channel:
                code = await code_of(call(channel, "/integration.jobs.v1.JobsService/GetJob"))
                assert code is grpc.StatusCode.OK
            async with raw_channel(port, second) as channel:
                code = await code_of(call(channel, "/integration.jobs.v1.JobsService/GetJob"))
                assert code is grpc.StatusCode.PERMISSION_DENIED
