"""A caller that speaks HTTP/2 frame by frame over mTLS, as no gRPC library would."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import h2.config
import h2.connection
from hyperframe.frame import Frame

from mesh.identity import AUTHORITY, CERTIFICATE, KEY, MESH_NAME
from tests.abuse.edge import CHARGE


class Wire:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
        self.h2.initiate_connection()

    def open_call(self, path: str = CHARGE, *, end_stream: bool = False) -> int:
        """Begins a call; its stream."""
        stream = self.h2.get_next_available_stream_id()
        headers = [
            (":method", "POST"),
            (":scheme", "https"),
            (":path", path),
            (":authority", MESH_NAME),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
        ]
        self.h2.send_headers(stream, headers, end_stream=end_stream)
        return stream

    def frame(self, frame: Frame) -> None:
        """Sends a frame past all of the library's rules."""
        self.writer.write(self.h2.data_to_send() + frame.serialize())

    async def flush(self) -> None:
        """Sends what is pending; returns early if the other side has gone."""
        self.writer.write(self.h2.data_to_send())
        async with asyncio.timeout(10):
            await self.writer.drain()

    async def closed(self) -> None:
        """Returns when the other side has closed the connection."""
        async with asyncio.timeout(10):
            while await self.reader.read(65_536):
                pass


@asynccontextmanager
async def wire(port: int, identity: Path) -> AsyncIterator[Wire]:
    """Connects with an identity's certificate."""
    context = ssl.create_default_context(cafile=identity / AUTHORITY)
    context.load_cert_chain(identity / CERTIFICATE, identity / KEY)
    context.set_alpn_protocols(["h2"])
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=MESH_NAME)
    connection = Wire(reader, writer)
    await connection.flush()
    try:
        yield connection
    finally:
        writer.transport.abort()
