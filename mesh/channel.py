"""A channel to another service: mTLS, no hidden retries, and the certificate renewed with its files."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import grpc

from mesh.identity import Identity, server_name
from mesh.telemetry import Telemetry

MAX_MESSAGE_BYTES = 4 << 20
LINGER_SECONDS = 3600.0

_OPTIONS: Sequence[tuple[str, int]] = (
    ("grpc.enable_retries", 0),
    ("grpc.enable_http_proxy", 0),
    ("grpc.service_config_disable_resolution", 1),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 2_000),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
)


def open_channel(
    target: str,
    identity: Identity,
    *,
    authority: str | None = None,
    server_role: str | None = None,
    telemetry: Telemetry | None = None,
) -> grpc.aio.Channel:
    """A channel to "host:port". It connects with the first call.

    The peer must hold a certificate of our authorities, with the DNS name of `server_role` if one is
    given. `authority` becomes `:authority`, by which Envoy routes. Once the identity's files change,
    calls go over a new connection; those under way keep the old one, for an hour at most.
    """
    options: list[tuple[str, Any]] = [
        *_OPTIONS,
        ("grpc.ssl_target_name_override", server_name(server_role)),
    ]
    if authority is not None:
        options.append(("grpc.default_authority", authority))
    tracing = telemetry.client_interceptors() if telemetry is not None else ()

    def connect() -> grpc.aio.Channel:
        return grpc.aio.secure_channel(
            target, identity.channel_credentials(), options=options, interceptors=tracing
        )

    return RenewingChannel(connect, version=lambda: identity.material().version)


class RenewingChannel(grpc.aio.Channel):
    """Calls over the newest of a series of channels: `connect` makes one, `version` says when it is old."""

    def __init__(self, connect: Callable[[], grpc.aio.Channel], *, version: Callable[[], int]) -> None:
        self._connect = connect
        self._version = version
        self.version = version()
        self._channel = connect()
        self._lingering: dict[asyncio.Task[None], grpc.aio.Channel] = {}
        self._closed = False

    def newest(self) -> grpc.aio.Channel:
        """The channel for a call that begins now."""
        version = self._version()
        if version != self.version and not self._closed:
            old, self._channel, self.version = self._channel, self._connect(), version
            lingering = asyncio.get_running_loop().create_task(_close_later(old))
            self._lingering[lingering] = old
            lingering.add_done_callback(lambda task: self._lingering.pop(task, None))
        return self._channel

    async def close(self, grace: float | None = None) -> None:
        """Takes no more calls; those under way are cancelled when the grace is over."""
        self._closed = True
        channels = [self._channel, *self._lingering.values()]
        for task in list(self._lingering):
            task.cancel()
        await asyncio.gather(*(channel.close(grace) for channel in channels))

    async def __aenter__(self) -> "RenewingChannel":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close(None)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """The state of the newest connection."""
        return self.newest().get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Returns when the newest connection is in another state."""
        await self.newest().wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Returns when the newest connection stands."""
        await self.newest().channel_ready()

    def unary_unary(self, *args: Any, **kwargs: Any) -> Any:
        """As grpc.aio.Channel has it."""
        return _calling(self, lambda channel: channel.unary_unary(*args, **kwargs))

    def unary_stream(self, *args: Any, **kwargs: Any) -> Any:
        """As grpc.aio.Channel has it."""
        return _calling(self, lambda channel: channel.unary_stream(*args, **kwargs))

    def stream_unary(self, *args: Any, **kwargs: Any) -> Any:
        """As grpc.aio.Channel has it."""
        return _calling(self, lambda channel: channel.stream_unary(*args, **kwargs))

    def stream_stream(self, *args: Any, **kwargs: Any) -> Any:
        """As grpc.aio.Channel has it."""
        return _calling(self, lambda channel: channel.stream_stream(*args, **kwargs))


async def _close_later(channel: grpc.aio.Channel) -> None:
    await asyncio.sleep(LINGER_SECONDS)  # a close with a grace could not be cut short
    await channel.close(None)


def _calling(channels: RenewingChannel, bind: Callable[[grpc.aio.Channel], Any]) -> Callable[..., Any]:
    """Calls one method on whatever channel is the newest."""
    channel = channels.newest()
    call = bind(channel)

    def start(*args: Any, **kwargs: Any) -> Any:
        nonlocal channel, call
        newest = channels.newest()
        if newest is not channel:
            channel, call = newest, bind(newest)
        return call(*args, **kwargs)

    return start
