"""The proxy of every hop: who may pass, what is refused, and how its certificate is renewed."""

import asyncio
import http.client
import json
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import grpc
import pytest
import yaml
from cryptography import x509
from grpc_health.v1 import health_pb2, health_pb2_grpc

from integration.jobs.v1 import jobs_service_pb2, jobs_service_pb2_grpc
from integration.payments.v1 import payments_service_pb2, payments_service_pb2_grpc
from integration.spoke.v1 import spoke_service_pb2, spoke_service_pb2_grpc
from local.stack import certificates, envoy
from local.stack.certificates import AUDITOR, CORE, HUB, OPERATOR
from local.stack.envoy_listeners import spoke_authority
from local.stack.layout import TRUST_DOMAIN, Layout
from local.stack.ports import Ports
from local.stack.processes import until
from local.stack.stack import Stack
from mesh.ca import CertificateAuthority
from mesh.channel import open_channel
from mesh.identity import Identity
from spokes.echo import hooks

JOB = "00000000-0000-7000-8000-000000000000"


def channel(
    stack: Stack, who: tuple[str, str], *, listener: str = "core", authority: str | None = None
) -> grpc.aio.Channel:
    """A channel to one of Envoy's listeners."""
    identity = Identity.load(stack.layout.identity(*who))
    return open_channel(stack.addresses[listener], identity, authority=authority)


def validate(bootstrap: Path) -> subprocess.CompletedProcess[str]:
    """What Envoy itself says of a bootstrap."""
    program = Path(sys.executable).with_name("envoy")
    return subprocess.run(
        [program, "--mode", "validate", "--disable-hot-restart", "-c", bootstrap],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def inlined(tmp_path: Path) -> Path:
    """The bootstrap with its certificates inside: `--mode validate` reads no other files."""
    layout, spokes = Layout.at(tmp_path), ("echo", "stripe")
    layout.make()
    certificates.issue(layout, spokes, CertificateAuthority.create(TRUST_DOMAIN))
    path = layout.data("envoy") / "inlined.yaml"
    envoy.write(envoy.Edge(layout, Ports(7400, spokes, hubs=2), spokes, inline=True), path)
    return path


def test_envoy_accepts_the_bootstrap_and_finds_nothing_deprecated(inlined: Path) -> None:
    checked = validate(inlined)
    assert checked.returncode == 0, checked.stderr
    assert "eprecated" not in checked.stderr + checked.stdout


def test_a_planted_fault_in_the_bootstrap_is_found(inlined: Path) -> None:
    root = yaml.safe_load(inlined.read_text())
    root["static_resources"]["clusters"][0]["http2_protocol_options"] = {}
    inlined.write_text(yaml.safe_dump(root))
    assert "eprecated" in validate(inlined).stderr
    root["static_resources"]["clusters"][0]["connect_timeout"] = "soon"
    inlined.write_text(yaml.safe_dump(root))
    assert validate(inlined).returncode != 0


def test_every_spoke_has_a_cluster_pinned_to_its_identity(inlined: Path) -> None:
    clusters = yaml.safe_load(inlined.read_text())["static_resources"]["clusters"]
    pinned = {
        c["name"]: c["transport_socket"]["typed_config"]["common_tls_context"]["validation_context"][
            "match_typed_subject_alt_names"
        ][0]["matcher"]["exact"]
        for c in clusters
    }
    assert pinned["spoke-stripe"] == f"spiffe://{TRUST_DOMAIN}/spoke/stripe"
    assert pinned["hub"] == pinned["hub-webhooks"] == f"spiffe://{TRUST_DOMAIN}/hub/hub"


def test_every_hub_is_asked_how_it_is_before_it_gets_requests(inlined: Path) -> None:
    clusters = {c["name"]: c for c in yaml.safe_load(inlined.read_text())["static_resources"]["clusters"]}
    ports = Ports(7400, hubs=2)
    for name, part in (("hub", "{}"), ("hub-webhooks", "{}-webhooks")):
        (locality,) = clusters[name]["load_assignment"]["endpoints"]
        found = [
            (
                e["endpoint"]["address"]["socket_address"]["port_value"],
                e["endpoint"]["health_check_config"]["port_value"],
            )
            for e in locality["lb_endpoints"]
        ]
        assert found == [(ports.of(part.format(hub)), ports.of(hub)) for hub in ("hub", "hub-2")]
        assert "grpc_health_check" in clusters[name]["health_checks"][0]


def test_no_request_is_sent_again_that_may_have_arrived(inlined: Path) -> None:
    root = yaml.safe_load(inlined.read_text())["static_resources"]
    managers = [each["filter_chains"][0]["filters"][0]["typed_config"] for each in root["listeners"]]
    policies = [
        route["route"]["retry_policy"]["retry_on"]
        for manager in managers
        for host in manager["route_config"]["virtual_hosts"]
        for route in host["routes"]
        if "retry_policy" in route["route"]
    ]
    assert policies == ["connect-failure,refused-stream"] * 2


async def test_the_roles_reach_the_hub_through_envoy(small_stack: Stack) -> None:
    for who in (CORE, OPERATOR, AUDITOR):
        async with channel(small_stack, who) as to_hub:
            answer = await health_pb2_grpc.HealthStub(to_hub).Check(
                health_pb2.HealthCheckRequest(), timeout=5
            )
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("who", [OPERATOR, AUDITOR, HUB])
async def test_only_core_may_ask_for_work(small_stack: Stack, who: tuple[str, str]) -> None:
    async with channel(small_stack, who) as to_hub:
        stub = payments_service_pb2_grpc.PaymentsServiceStub(to_hub)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Charge(payments_service_pb2.ChargeRequest(), timeout=5)
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert "RBAC" in str(refused.value.details())


@pytest.mark.parametrize("who", [CORE, OPERATOR, ("spoke", "echo")])
async def test_only_the_hub_reaches_a_spoke(small_stack: Stack, who: tuple[str, str]) -> None:
    async with channel(small_stack, who, listener="spokes", authority=spoke_authority("echo")) as to_spoke:
        stub = spoke_service_pb2_grpc.SpokeServiceStub(to_spoke)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Describe(spoke_service_pb2.DescribeRequest(), timeout=5)
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_the_authority_names_the_spoke(small_stack: Stack) -> None:
    async with channel(small_stack, HUB, listener="spokes", authority=spoke_authority("echo")) as to_spoke:
        stub = spoke_service_pb2_grpc.SpokeServiceStub(to_spoke)
        described = await stub.Describe(spoke_service_pb2.DescribeRequest(), timeout=5)
    assert described.provider == "echo"
    async with channel(small_stack, HUB, listener="spokes", authority=spoke_authority("nobody")) as to_nobody:
        stub = spoke_service_pb2_grpc.SpokeServiceStub(to_nobody)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.Describe(spoke_service_pb2.DescribeRequest(), timeout=5)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_an_identity_that_the_caller_writes_itself_is_dropped(small_stack: Stack) -> None:
    forged = f"URI=spiffe://{TRUST_DOMAIN}/core/demo"
    request = jobs_service_pb2.CancelJobRequest(tenant="acme", job_id=JOB)
    async with channel(small_stack, AUDITOR) as to_hub:
        stub = jobs_service_pb2_grpc.JobsServiceStub(to_hub)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await stub.CancelJob(request, timeout=5, metadata=(("x-forwarded-client-cert", forged),))
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_a_caller_without_a_certificate_is_turned_away(small_stack: Stack) -> None:
    context = ssl.create_default_context(cafile=str(small_stack.layout.identity(*CORE) / "ca.pem"))
    context.set_alpn_protocols(["h2"])
    host, port = small_stack.addresses["core"].split(":")
    with (
        socket.create_connection((host, int(port)), 5) as plain,
        context.wrap_socket(plain, server_hostname="mesh.internal") as secured,
        pytest.raises(ssl.SSLError, match="CERTIFICATE_REQUIRED"),
    ):
        secured.recv(1024)


def post(stack: Stack, path: str, body: bytes) -> tuple[int, bool]:
    """The status with which a webhook is answered, and whether it came as far as the hub."""
    connection = http.client.HTTPConnection(stack.addresses["webhooks"], timeout=10)
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    return response.status, response.getheader("x-envoy-upstream-service-time") is not None


def test_webhooks_are_taken_only_where_they_belong_and_only_so_large(small_stack: Stack) -> None:
    assert post(small_stack, "/elsewhere", b"{}") == (404, False)
    assert post(small_stack, "/webhooks/../health", b"{}") == (404, False)
    assert post(small_stack, "/webhooks/echo/default", b" " * (256 * 1024 + 1)) == (413, False)
    status, by_the_hub = post(small_stack, "/webhooks/echo/default", b" " * (256 * 1024))
    assert by_the_hub
    assert status in (400, 401, 403)  # unsigned: the spoke's word


def test_every_method_and_the_whole_address_come_as_far_as_the_hub(small_stack: Stack) -> None:
    connection = http.client.HTTPConnection(small_stack.addresses["webhooks"], timeout=10)
    connection.request("PUT", "/webhooks/echo/default", b"{}", {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Allow"), answer.read()) == (405, "GET,POST", b"")
    account = json.loads(small_stack.layout.accounts("echo").read_text())["default"]
    target = f"/webhooks/echo/default/eu?signed_at={int(time.time())}&challenge=a+%2b"
    url = f"http://{small_stack.addresses['webhooks']}{target}"
    connection.request("GET", target, headers=hooks.sign(account["webhook_secrets"][0], url, []))
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (200, b"a +")


async def test_a_renewed_certificate_is_served_without_a_restart(small_stack: Stack) -> None:
    host, port = small_stack.addresses["core"].split(":")

    def serial() -> int:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with socket.create_connection((host, int(port)), 5) as plain, context.wrap_socket(plain) as secured:
            shown = secured.getpeercert(binary_form=True)
        assert shown is not None
        return x509.load_der_x509_certificate(shown).serial_number

    before = serial()

    async def is_renewed() -> bool:
        return await asyncio.to_thread(serial) != before

    small_stack.renew_certificates()
    assert await until(is_renewed, 10)
