"""Is a part ready? Each question is asked once and answered at once."""

import asyncio
import json
import struct
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from mesh.channel import open_channel
from mesh.identity import Identity

ANSWER_SECONDS = 2.0
KINDS = ("grpc", "http", "postgres", "tcp")

# Postgres' start-up message, version 3.0, of a user who need not exist: what it is answered says enough.
_HELLO = b"user\0probe\0database\0postgres\0\0"
_STARTUP = struct.pack("!II", 8 + len(_HELLO), 3 << 16) + _HELLO
_CANNOT_CONNECT_NOW = b"C57P03"

# The parts are on loopback, where no proxy of the environment's could reach them for us.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


async def probe(kind: str, address: str, identity_dir: Path) -> bool:
    """Asks a part in the way that its kind takes: grpc, http, tcp or postgres."""
    match kind:
        case "grpc":
            return await grpc_serving(address, identity_dir)
        case "http":
            return await asyncio.to_thread(http_answers, f"http://{address}")
        case "postgres":
            return await postgres_accepts(address)
        case "tcp":
            return await tcp_accepts(address)
        case _:
            raise ValueError(f"no probe of kind {kind}")


async def grpc_serving(address: str, identity_dir: Path) -> bool:
    """Whether the standard health service, over mTLS, says SERVING."""
    async with open_channel(address, Identity.load(identity_dir)) as channel:
        with suppress(grpc.RpcError):
            answer = await health_pb2_grpc.HealthStub(channel).Check(
                health_pb2.HealthCheckRequest(), timeout=ANSWER_SECONDS
            )
            return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)
    return False


def http_answers(url: str) -> bool:
    """Whether an HTTP server answers, with whatever status below 500."""
    try:
        with _DIRECT.open(url, timeout=ANSWER_SECONDS):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def http_posts(url: str, body: Mapping[str, str]) -> bool:
    """Whether an HTTP server takes a JSON body."""
    request = urllib.request.Request(  # noqa: S310 - always http to loopback
        url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}
    )
    try:
        with _DIRECT.open(request, timeout=ANSWER_SECONDS):
            return True
    except OSError:
        return False


async def postgres_accepts(address: str) -> bool:
    """Whether the server takes connections: not while it starts, recovers or stops."""
    host, port = address.rsplit(":", 1)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(_STARTUP)
            answer = await reader.read(1024)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return answer[:1] in (b"R", b"E") and _CANNOT_CONNECT_NOW not in answer


async def tcp_accepts(address: str) -> bool:
    """Whether something listens."""
    host, port = address.rsplit(":", 1)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            _, writer = await asyncio.open_connection(host, int(port))
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
