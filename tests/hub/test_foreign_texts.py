"""What a peer, a database or a library says in its errors goes into no message of the hub's."""

from collections.abc import AsyncIterator

import grpc
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from audit_service.store.log_reader import PostgresLogReader
from audit_service.store.log_store import PostgresLogStore
from hub.lanes.ports import LogUnavailable, SpokeUnavailable
from hub.peers.audit import AuditClient
from hub.peers.spokes import SpokeAddress, SpokeDirectory
from hubctl.errors import CliError
from hubctl.rpc import readable_errors
from integration.spoke.v1 import spoke_service_pb2
from mesh.evidence.checkpoint import Vkey
from mesh.evidence.keys import SigningKey
from mesh.telemetry import Telemetry
from tests.hub.jobs import claimed

CANARY = "sk_live_canary4eC39"
URL = "postgresql+asyncpg://hub:pw@127.0.0.1:1/hub"


class Gossip(grpc.GenericRpcHandler):
    """Ends whatever it is called for with a status whose text is a secret."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        """The same for every method."""

        async def fail(request: bytes, context: grpc.aio.ServicerContext) -> bytes:
            await context.abort(grpc.StatusCode.UNAVAILABLE, CANARY)

        return grpc.unary_unary_rpc_method_handler(fail)


@pytest.fixture
async def gossip() -> AsyncIterator[str]:
    """The address of a peer that talks too much."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((Gossip(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"127.0.0.1:{port}"
    await server.stop(0)


async def test_a_spokes_words_go_no_further(gossip: str) -> None:
    directory = SpokeDirectory(
        [SpokeAddress("echo", gossip, "")],
        open_channel=lambda spoke: grpc.aio.insecure_channel(spoke.address),
        telemetry=Telemetry(None),
    )
    request = spoke_service_pb2.ListEventsRequest(account="default")
    for asked in (directory.fence("echo/default", 1, [claimed()]), directory.list_events(request, "echo")):
        with pytest.raises(SpokeUnavailable) as failed:
            await asked
        assert str(failed.value) == "UNAVAILABLE"
    await directory.close()


async def test_the_logs_words_go_no_further(gossip: str) -> None:
    vkey = Vkey("audit.test/log", SigningKey.generate().public)
    async with grpc.aio.insecure_channel(gossip) as channel:
        client = AuditClient(channel, vkey, head_note=b"", telemetry=Telemetry(None))
        with pytest.raises(LogUnavailable) as failed:
            await client.append([b"statement"], {})
    assert str(failed.value) == "UNAVAILABLE"


def test_the_command_line_shows_only_what_a_service_of_ours_says() -> None:
    nothing = grpc.aio.Metadata()
    error = grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, nothing, nothing, CANARY)
    with pytest.raises(CliError) as shown, readable_errors("hub"):
        raise error
    assert str(shown.value) == "INTERNAL: the service gives no reason"


async def test_a_statement_that_fails_does_not_show_what_it_was_given(hub_engine: AsyncEngine) -> None:
    async with hub_engine.connect() as connection:
        with pytest.raises(DBAPIError) as failed:
            await connection.execute(text("SELECT 1 / 0, CAST(:key AS text)"), {"key": CANARY})
    assert CANARY not in str(failed.value)


def test_no_engine_shows_parameters() -> None:
    for store in (PostgresLogStore(URL), PostgresLogReader(URL)):
        assert store._engine.sync_engine.hide_parameters
