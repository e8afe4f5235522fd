"""A service's gRPC server: mTLS, the interceptor, health and reflection on one port."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection_pb2_grpc
from grpc_reflection.v1alpha._async import ReflectionServicer

from mesh.authorization import TABLE, Table
from mesh.identity import Identity
from mesh.interceptor import MeshInterceptor
from mesh.telemetry import Telemetry

MIB = 1 << 20
MAX_CONCURRENT_RPCS = 8192

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_OPTIONS: Sequence[tuple[str, int]] = (
    ("grpc.so_reuseport", 0),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.server_handshake_timeout_ms", 10_000),
    # Of more than a thousand calls that wait to be taken, gRPC ends some as CANCELLED, which says nothing to
    # anybody. The limit of calls refuses what is too much, by its right status.
    ("grpc.server.max_pending_requests", 2 * MAX_CONCURRENT_RPCS),
    ("grpc.server.max_pending_requests_hard_limit", 4 * MAX_CONCURRENT_RPCS),
)


class Handlers(grpc.aio.Server):
    """The server as servicers see it: it takes handlers and remembers whose. It opens no port itself."""

    def __init__(self, server: grpc.aio.Server) -> None:
        self._server = server
        self.services: list[str] = []

    def add_generic_rpc_handlers(self, generic_rpc_handlers: Any) -> None:
        """Adds handlers, before `serve`."""
        handlers = list(generic_rpc_handlers)
        names = [h.service_name() for h in handlers if isinstance(h, grpc.ServiceRpcHandler)]
        self.services.extend(name for name in names if name not in self.services)
        self._server.add_generic_rpc_handlers(handlers)

    def add_registered_method_handlers(self, service_name: str, method_handlers: Mapping[str, Any]) -> None:
        """Adds handlers, before `serve`; generated code calls it."""
        self._server.add_registered_method_handlers(service_name, method_handlers)  # type: ignore[attr-defined]

    def add_insecure_port(self, address: str) -> int:
        """Refuses: the mesh has no port without TLS."""
        raise NotImplementedError("MeshServer.serve opens the port")

    def add_secure_port(self, address: str, server_credentials: grpc.ServerCredentials) -> int:
        """Refuses: MeshServer.serve opens the port."""
        raise NotImplementedError("MeshServer.serve opens the port")

    async def start(self) -> None:
        """Refuses: MeshServer.serve starts the server."""
        raise NotImplementedError("MeshServer.serve starts the server")

    async def stop(self, grace: float | None = None) -> None:
        """Stops at once or, with a grace, once the calls under way have ended."""
        await self._server.stop(grace)

    async def wait_for_termination(self, timeout: float | None = None) -> bool:
        """Returns when the server has stopped."""
        return await self._server.wait_for_termination(timeout)


class _Health(HealthServicer):  # type: ignore[misc]
    """The standard health service, whose watches end when the server drains."""

    def __init__(self, draining: asyncio.Event) -> None:
        super().__init__()
        self._draining = draining

    async def Watch(self, request: Any, context: Any) -> None:  # noqa: N802 - the contract's name
        watching = asyncio.ensure_future(super().Watch(request, context))
        draining = asyncio.ensure_future(self._draining.wait())
        try:
            await asyncio.wait((watching, draining), return_when=asyncio.FIRST_COMPLETED)
        finally:
            watching.cancel()
            draining.cancel()


class MeshServer:
    """One service of the mesh. Add handlers to `raw`, then `serve`, then `set_ready(True)`.

    A request may have `max_message_bytes` at most: 1 MiB, or 4 for the services that take batches. A
    stream without an end should finish once `draining` is set, or it is cut when the grace is over.
    """

    def __init__(
        self,
        identity: Identity,
        *,
        domain: str,
        statuses: Mapping[type[Exception], grpc.StatusCode],
        table: Table = TABLE,
        telemetry: Telemetry | None = None,
        max_message_bytes: int = MIB,
        max_concurrent_rpcs: int = MAX_CONCURRENT_RPCS,
    ) -> None:
        self._identity = identity
        self.draining = asyncio.Event()
        guard = MeshInterceptor(
            trust_domain=identity.spiffe_id.trust_domain, table=table, statuses=statuses, domain=domain
        )
        tracing = telemetry.server_interceptors() if telemetry is not None else ()
        self._server = grpc.aio.server(
            interceptors=(*tracing, guard),
            options=(*_OPTIONS, ("grpc.max_receive_message_length", max_message_bytes)),
            maximum_concurrent_rpcs=max_concurrent_rpcs,
        )
        self.raw = Handlers(self._server)
        self._health = _Health(self.draining)

    async def serve(self, listen: str) -> int:
        """Opens "host:port", 0 for any free port, and returns the port. Health is NOT_SERVING as yet."""
        own = list(self.raw.services)
        await self.set_ready(False)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self.raw)
        names = (*own, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection")
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server(ReflectionServicer(names), self.raw)
        port = self._server.add_secure_port(listen, self._identity.server_credentials())
        await self._server.start()
        return port

    async def set_ready(self, ready: bool) -> None:
        """Says through the health service whether to send calls here."""
        status = _SERVING if ready else _NOT_SERVING
        for name in ("", *self.raw.services):
            await self._health.set(name, status)

    async def drain(self, grace_seconds: float, *, notice_seconds: float = 0.0) -> None:
        """Health says NOT_SERVING, no new call is taken, and those under way get the grace to end.

        New calls are still taken for `notice_seconds`: that long may whoever shares out the calls need
        to read the health and send them to another replica.
        """
        await self._health.enter_graceful_shutdown()
        await asyncio.sleep(notice_seconds)
        self.draining.set()
        await self._server.stop(grace_seconds)
