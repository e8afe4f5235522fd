"""Real mTLS servers and identities for the mesh's tests."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mesh.authorization import TABLE, Table
from mesh.ca import CertificateAuthority, write_file
from mesh.identity import AUTHORITY, CERTIFICATE, KEY, MESH_NAME, Identity, SpiffeId
from mesh.interceptor import MeshInterceptor

TRUST_DOMAIN = "integration.local"
DOMAIN = "test.integration"
TIMEOUT = 5.0

Behavior = Callable[[Any, Any], Awaitable[Any]]


class Papers:
    """Issues identities from one authority, one directory each."""

    def __init__(self, directory: Path, trust_domain: str = TRUST_DOMAIN) -> None:
        self.directory = directory
        self.authority = CertificateAuthority.create(trust_domain)

    @property
    def authorities(self) -> bytes:
        """What a client must trust, as PEM."""
        return self.authority.certificate.public_bytes(serialization.Encoding.PEM)

    def identity(self, role: str, *, trust_domain: str | None = None) -> Identity:
        """The identity of the role; in another trust domain, still signed by the same authority."""
        spiffe_id = SpiffeId(trust_domain or self.authority.trust_domain, role, "one")
        home = self.directory / spiffe_id.trust_domain / role
        if not home.exists():
            self.authority.issue(spiffe_id, home)
        return Identity.load(home)

    def odd_credentials(
        self,
        *,
        uris: Sequence[str],
        valid: tuple[datetime, datetime] | None = None,
        signer: CertificateAuthority | None = None,
    ) -> grpc.ChannelCredentials:
        """Credentials with a certificate that `issue` would not give."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        certificate = (signer or self.authority).certify(
            key.public_key(),
            uris=uris,
            dns=[MESH_NAME],
            valid=valid or (now - timedelta(hours=1), now + timedelta(hours=1)),
        )
        pem = serialization.Encoding.PEM
        return grpc.ssl_channel_credentials(
            self.authorities,
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
            certificate.public_bytes(pem),
        )


def raw_channel(port: int, credentials: grpc.ChannelCredentials) -> grpc.aio.Channel:
    """A channel with nothing of the mesh's own."""
    options = [("grpc.ssl_target_name_override", MESH_NAME), ("grpc.use_local_subchannel_pool", 1)]
    return grpc.aio.secure_channel(f"127.0.0.1:{port}", credentials, options=options)


async def call(
    channel: grpc.aio.Channel,
    method: str,
    request: bytes = b"",
    *,
    metadata: Sequence[tuple[str, str]] = (),
    timeout: float = TIMEOUT,
) -> bytes:
    """One call, in bytes."""
    answer: bytes = await channel.unary_unary(method, None, None)(request, metadata=metadata, timeout=timeout)
    return answer


async def code_of(answer: Awaitable[object]) -> grpc.StatusCode:
    """The status of a call."""
    try:
        await answer
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


async def failure_of(answer: Awaitable[object]) -> grpc.aio.AioRpcError:
    """The error of a call that must fail."""
    try:
        await answer
    except grpc.aio.AioRpcError as error:
        return error
    raise AssertionError("the call did not fail")


class Anything(grpc.GenericRpcHandler):
    """Serves every method with the same behaviour."""

    def __init__(self, handler: Any) -> None:
        self._handler = handler

    def service(self, handler_call_details: Any) -> Any:
        """The one handler."""
        return self._handler


@asynccontextmanager
async def guarded(
    identity: Identity,
    handler: Any,
    *,
    table: Table = TABLE,
    statuses: Mapping[type[Exception], grpc.StatusCode] | None = None,
    before: Sequence[Any] = (),
) -> AsyncIterator[int]:
    """A server whose every method is the handler behind the interceptor; gives the port."""
    guard = MeshInterceptor(
        trust_domain=identity.spiffe_id.trust_domain, table=table, statuses=statuses or {}, domain=DOMAIN
    )
    server = grpc.aio.server(interceptors=(*before, guard), options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((Anything(handler),))
    port = server.add_secure_port("127.0.0.1:0", identity.server_credentials())
    await server.start()
    try:
        yield port
    finally:
        await server.stop(0)


def replace_files(source: Path, target: Path) -> None:
    """Rotates an identity's files as a certificate agent does: by renaming."""
    for name in (KEY, CERTIFICATE, AUTHORITY):
        write_file(target / name, (source / name).read_bytes())
