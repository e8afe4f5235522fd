"""SPIFFE ids, certificates, and their rotation under way."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from cryptography import x509

from mesh.ca import CertificateAuthority, public_key_text, write_file, write_signing_key
from mesh.channel import RenewingChannel, open_channel
from mesh.errors import IdentityError
from mesh.identity import LOOK_EVERY_SECONDS, MESH_NAME, Identity, SpiffeId, peer_id
from tests.fakes import HandClock
from tests.mesh.serving import Papers, call, code_of, failure_of, guarded, replace_files

METHOD = "/integration.jobs.v1.JobsService/GetJob"
WATCH = "/integration.jobs.v1.JobsService/WatchJobs"
HUB = SpiffeId("integration.local", "hub", "hub")
CORE = SpiffeId("integration.local", "core", "demo")


def test_an_id_survives_its_text() -> None:
    assert SpiffeId.parse("spiffe://integration.local/hub/hub") == HUB
    assert str(HUB) == "spiffe://integration.local/hub/hub"


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "spiffe://integration.local/hub",
        "spiffe://integration.local/hub/hub/extra",
        "spiffe://integration.local//hub",
        "spiffe://integration.local/hub/..",
        "spiffe://integration.local/hub/hub\n",
        "spiffe://integration.local:443/hub/hub",
        "spiffe://user@integration.local/hub/hub",
        "spiffe://integration.local/hub/hub?x=1",
        "spiffe://integration.local/hub/%68ub",
        "SPIFFE://integration.local/hub/hub",
        "https://integration.local/hub/hub",
    ],
)
def test_a_text_that_is_not_exactly_an_id_is_refused(uri: str) -> None:
    with pytest.raises(IdentityError):
        SpiffeId.parse(uri)


def _issue(authority: CertificateAuthority, spiffe_id: SpiffeId, home: Path) -> Path:
    authority.issue(spiffe_id, home)
    return home


def test_an_identity_is_what_its_certificate_says(papers: Papers, tmp_path: Path) -> None:
    assert Identity.load(_issue(papers.authority, HUB, tmp_path)).spiffe_id == HUB


@pytest.mark.parametrize("name", ["cert.pem", "key.pem", "ca.pem"])
def test_a_missing_or_broken_file_is_refused(papers: Papers, tmp_path: Path, name: str) -> None:
    home = _issue(papers.authority, HUB, tmp_path)
    write_file(home / name, b"not PEM")
    with pytest.raises(IdentityError):
        Identity.load(home)
    (home / name).unlink()
    with pytest.raises(IdentityError):
        Identity.load(home)


def test_a_key_of_another_certificate_is_refused(papers: Papers, tmp_path: Path) -> None:
    home = _issue(papers.authority, HUB, tmp_path / "a")
    other = _issue(papers.authority, HUB, tmp_path / "b")
    write_file(home / "key.pem", (other / "key.pem").read_bytes())
    with pytest.raises(IdentityError, match="the key is not the certificate's"):
        Identity.load(home)


def test_new_files_are_seen_after_a_second_and_only_if_they_fit_together(
    papers: Papers, tmp_path: Path
) -> None:
    clock = HandClock()
    home = _issue(papers.authority, HUB, tmp_path / "now")
    new = _issue(papers.authority, HUB, tmp_path / "new")
    identity = Identity.load(home, clock=clock)
    first = identity.material()
    write_file(home / "key.pem", (new / "key.pem").read_bytes())
    clock.move(LOOK_EVERY_SECONDS)
    assert identity.material() is first
    write_file(home / "cert.pem", (new / "cert.pem").read_bytes())
    assert identity.material() is first
    clock.move(LOOK_EVERY_SECONDS)
    assert identity.material().certificate == (new / "cert.pem").read_bytes()
    assert identity.material().version == 1


def test_files_of_another_identity_are_not_taken(papers: Papers, tmp_path: Path) -> None:
    clock = HandClock()
    home = _issue(papers.authority, HUB, tmp_path / "now")
    identity = Identity.load(home, clock=clock)
    replace_files(_issue(papers.authority, CORE, tmp_path / "new"), home)
    clock.move(LOOK_EVERY_SECONDS)
    assert identity.material().version == 0
    assert identity.spiffe_id == HUB


async def _endless(request: bytes, context: object) -> AsyncIterator[bytes]:
    while True:
        yield b"tick"
        await asyncio.sleep(0)


async def _served_certificate(port: int, home: Path) -> x509.Certificate:
    context = ssl.create_default_context(cafile=str(home / "ca.pem"))
    context.load_cert_chain(home / "cert.pem", home / "key.pem")
    context.set_alpn_protocols(["h2"])
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=MESH_NAME)
    served: Any = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return x509.load_der_x509_certificate(served)


def _certificate(home: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((home / "cert.pem").read_bytes())


async def test_a_server_shows_new_connections_its_new_certificate_and_keeps_old_streams(
    papers: Papers, tmp_path: Path
) -> None:
    clock = HandClock()
    home = _issue(papers.authority, HUB, tmp_path / "hub")
    core = _issue(papers.authority, CORE, tmp_path / "core")
    old = _certificate(home)
    handler = grpc.unary_stream_rpc_method_handler(_endless)
    async with (
        guarded(Identity.load(home, clock=clock), handler) as port,
        open_channel(f"127.0.0.1:{port}", Identity.load(core)) as channel,
    ):
        stream = channel.unary_stream(WATCH, None, None)(b"", timeout=30)
        assert await stream.read() == b"tick"
        assert await _served_certificate(port, core) == old
        replace_files(_issue(papers.authority, HUB, tmp_path / "new"), home)
        clock.move(LOOK_EVERY_SECONDS)
        assert await _served_certificate(port, core) == _certificate(home) != old
        for _ in range(10):
            assert await stream.read() == b"tick"


async def _serial(request: bytes, context: Any) -> bytes:
    (pem,) = context.auth_context()["x509_pem_cert"]
    return str(x509.load_pem_x509_certificate(pem).serial_number).encode()


async def test_a_channel_connects_anew_with_its_new_certificate_and_keeps_old_streams(
    papers: Papers, tmp_path: Path
) -> None:
    clock = HandClock()
    home = _issue(papers.authority, CORE, tmp_path / "core")
    begun, release = asyncio.Semaphore(0), asyncio.Event()

    async def linger(request: bytes, context: object) -> bytes:
        begun.release()
        await release.wait()
        return b"done"

    unary: Any = grpc.unary_unary_rpc_method_handler(_serial)
    slow: Any = grpc.unary_unary_rpc_method_handler(linger)
    async with (
        guarded(papers.identity("hub"), unary) as port,
        guarded(papers.identity("hub"), slow) as slow_port,
        open_channel(f"127.0.0.1:{port}", Identity.load(home, clock=clock)) as channel,
        open_channel(f"127.0.0.1:{slow_port}", Identity.load(home, clock=clock)) as slow_channel,
    ):
        method = channel.unary_unary(METHOD, None, None)
        before = await method(b"", timeout=5)
        assert before == str(_certificate(home).serial_number).encode()
        under_way = slow_channel.unary_unary(METHOD, None, None)(b"", timeout=30)
        await asyncio.wait_for(begun.acquire(), 5)
        replace_files(_issue(papers.authority, CORE, tmp_path / "new"), home)
        clock.move(LOOK_EVERY_SECONDS)
        assert await method(b"", timeout=5) == str(_certificate(home).serial_number).encode() != before
        next_one = slow_channel.unary_unary(METHOD, None, None)(b"", timeout=30)
        await asyncio.wait_for(begun.acquire(), 5)
        release.set()
        assert [await under_way, await next_one] == [b"done", b"done"]


async def test_closing_a_channel_also_ends_what_lingers_on_the_old_connection(
    papers: Papers, tmp_path: Path
) -> None:
    clock = HandClock()
    home = _issue(papers.authority, CORE, tmp_path / "core")
    handler = grpc.unary_stream_rpc_method_handler(_endless)
    async with guarded(papers.identity("hub"), handler) as port:
        channel = open_channel(f"127.0.0.1:{port}", Identity.load(home, clock=clock))
        stream = channel.unary_stream(WATCH, None, None)(b"", timeout=30)
        assert await stream.read() == b"tick"
        replace_files(_issue(papers.authority, CORE, tmp_path / "new"), home)
        clock.move(LOOK_EVERY_SECONDS)
        assert isinstance(channel, RenewingChannel)
        channel.newest()
        assert channel.version == 1
        assert await stream.read() == b"tick"
        await channel.close(None)
        assert await stream.code() is grpc.StatusCode.CANCELLED


async def test_a_client_insists_on_the_servers_role(papers: Papers) -> None:
    handler = grpc.unary_unary_rpc_method_handler(_serial)
    async with guarded(papers.identity("hub"), handler) as port:
        target, core = f"127.0.0.1:{port}", papers.identity("core")
        async with open_channel(target, core, server_role="hub") as channel:
            assert await code_of(call(channel, METHOD)) is grpc.StatusCode.OK
        async with open_channel(target, core, server_role="audit") as channel:
            error = await failure_of(call(channel, METHOD))
    assert error.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_client_refuses_a_server_of_another_authority(papers: Papers, tmp_path: Path) -> None:
    foreign = Papers(tmp_path)
    handler = grpc.unary_unary_rpc_method_handler(_serial)
    async with (
        guarded(foreign.identity("hub"), handler) as port,
        open_channel(f"127.0.0.1:{port}", papers.identity("core")) as channel,
    ):
        assert await code_of(call(channel, METHOD)) is grpc.StatusCode.UNAVAILABLE


async def test_an_authority_for_envoy_does_not_change_whom_the_client_trusts(papers: Papers) -> None:
    handler = grpc.unary_unary_rpc_method_handler(_serial)
    async with guarded(papers.identity("hub"), handler) as port:
        target, core = f"127.0.0.1:{port}", papers.identity("core")
        async with open_channel(target, core, authority="stripe.spokes") as channel:
            assert await code_of(call(channel, METHOD)) is grpc.StatusCode.OK
        async with open_channel(target, core, authority="stripe.spokes", server_role="envoy") as channel:
            assert await code_of(call(channel, METHOD)) is grpc.StatusCode.UNAVAILABLE


@asynccontextmanager
async def _https(context: ssl.SSLContext, seen: list[SpiffeId | None]) -> AsyncIterator[int]:
    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(None)
        seen[-1] = peer_id(writer.get_extra_info("ssl_object"))
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_an_http_server_asks_for_a_certificate_and_renews_its_own(
    papers: Papers, tmp_path: Path
) -> None:
    clock = HandClock()
    home = _issue(papers.authority, HUB, tmp_path / "hub")
    core = _issue(papers.authority, CORE, tmp_path / "core")
    seen: list[SpiffeId | None] = []
    old = _certificate(home)
    async with _https(Identity.load(home, clock=clock).ssl_context(), seen) as port:
        assert await _served_certificate(port, core) == old
        replace_files(_issue(papers.authority, HUB, tmp_path / "new"), home)
        clock.move(LOOK_EVERY_SECONDS)
        assert await _served_certificate(port, core) == _certificate(home) != old
        anonymous = ssl.create_default_context(cafile=str(home / "ca.pem"))
        reader, _ = await asyncio.open_connection("127.0.0.1", port, ssl=anonymous, server_hostname=MESH_NAME)
        with contextlib.suppress(ssl.SSLError, ConnectionError):
            assert await reader.read() == b""
    assert seen == [CORE, CORE]


def test_keys_are_for_their_owner_only_and_each_is_new(papers: Papers, tmp_path: Path) -> None:
    home = _issue(papers.authority, HUB, tmp_path)
    first = (home / "key.pem").read_bytes()
    assert (home / "key.pem").stat().st_mode & 0o777 == 0o600
    papers.authority.issue(HUB, home)
    assert (home / "key.pem").read_bytes() != first
    assert sorted(path.name for path in home.iterdir()) == ["ca.pem", "cert.pem", "key.pem"]


def test_a_certificate_is_for_servers_and_clients_and_signs_no_other(papers: Papers, tmp_path: Path) -> None:
    extensions = _certificate(_issue(papers.authority, HUB, tmp_path)).extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == [str(HUB)]
    assert set(names.get_values_for_type(x509.DNSName)) == {
        "mesh.internal",
        "hub.mesh.internal",
        "localhost",
    }
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    own = papers.authority.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert (own.ca, own.path_length) == (True, 0)


def test_a_signing_key_is_for_its_owner_only_and_shows_its_public_half(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "hub.pem"
    write_signing_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(public_key_text(path)) == 44
    write_signing_key(tmp_path / "other.pem")
    assert public_key_text(path) != public_key_text(tmp_path / "other.pem")
