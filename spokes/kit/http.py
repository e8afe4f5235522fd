"""HTTP to a provider: kept connections, every request's progress known, every fault classified."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, cast
from urllib.parse import urlencode

import aiohttp
import orjson
from aiohttp.abc import AbstractResolver
from opentelemetry.trace import SpanKind
from yarl import URL

from mesh.failpoints import reach
from mesh.resolver import PublicResolver
from mesh.telemetry import Telemetry
from spokes.kit.accounts import Account
from spokes.kit.errors import Interrupted
from spokes.kit.outcome import Cause, Doing, NotSent, Unknown, doubtful
from spokes.kit.progress import Progress, Track
from spokes.kit.replies import Reply, refusal

MAX_REPLY_BYTES: Final = 1 << 20
CONNECT_SECONDS: Final = 5.0
# Shorter than providers keep idle connections: a request on one that is being closed is an unknown.
KEEP_ALIVE_SECONDS: Final = 10.0
MAX_CONNECTIONS: Final = 1000

_PROPAGATION: Final = frozenset(
    {"traceparent", "tracestate", "baggage", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled"}
)
_VALUE: Final = re.compile(r"[\t\x20-\x7e]*").fullmatch
_TARGET: Final = re.compile(r"[\x21-\x7e]+").fullmatch
_NOT_SENDABLE: Final = NotSent(
    Cause.MISCONFIGURED, "NOT_SENDABLE", "the address or a header holds what cannot be sent"
)
_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"


class Connections:
    """The connections of one actor. Redirects, cookies, proxies and silent resends are all off."""

    def __init__(self, *, sandbox: bool) -> None:
        resolver: AbstractResolver | None = None if sandbox else PublicResolver()
        connector = aiohttp.TCPConnector(
            limit=MAX_CONNECTIONS, keepalive_timeout=KEEP_ALIVE_SECONDS, resolver=resolver
        )
        self.http = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            trace_configs=[_progress_hooks()],
            auto_decompress=True,
            trust_env=False,
        )

    async def close(self) -> None:
        """Closes the connections."""
        await self.http.close()


class _Sending:
    """One request. `track` None: it changes nothing, so its progress decides nothing."""

    __slots__ = ("sent", "track")

    def __init__(self, track: Track | None) -> None:
        self.track = track
        self.sent = False

    def connecting(self) -> None:
        if self.track is not None:
            self.track.advance(Progress.CONNECTING)

    def connected(self) -> None:
        # aiohttp sends again by itself when a kept connection turns out closed. Never with an effect.
        if self.track is not None and self.sent:
            raise aiohttp.ClientConnectionResetError("not sent a second time")
        self.sent = True
        if self.track is not None:
            self.track.advance(Progress.WRITING)


class Sends(Enum):
    """What an attempt sends. A question of ours (a look-up, a list) may be sent again, and leaves no doubt; a
    read of Core's is sent once under its intent, and its evidence says how far it got.
    """

    WORK = 1
    QUESTION = 2
    READ = 3


@dataclass(frozen=True, slots=True)
class ProviderHttp:
    """The provider, as one attempt may talk to it."""

    connections: Connections
    account: Account
    track: Track
    sends: Sends
    telemetry: Telemetry

    async def get(
        self, path: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Reads. Raises Interrupted where the reply is none that a handler could use."""
        query = f"?{urlencode(params)}" if params else ""
        return await self._request("GET", path + query, None, headers or {}, self._tracked(changes=False))

    async def post(
        self,
        path: str,
        *,
        json: object = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """Sends JSON or a form. Raises Interrupted where the reply is none that a handler could use."""
        body, kind = (orjson.dumps(json), _JSON) if form is None else (urlencode(form).encode(), _FORM)
        headers = {**(headers or {}), "Content-Type": kind}
        return await self._request("POST", path, body, headers, self._tracked(changes=True))

    async def delete(self, path: str, *, headers: Mapping[str, str] | None = None) -> Reply:
        """Deletes. Raises Interrupted where the reply is none that a handler could use."""
        return await self._request("DELETE", path, None, headers or {}, self._tracked(changes=True))

    @property
    def asks(self) -> bool:
        """Whether all that is sent is a question of ours, which leaves nothing behind."""
        return self.sends is Sends.QUESTION

    def _tracked(self, *, changes: bool) -> Track | None:
        """What notes the progress of a request that decides what the attempt has come to."""
        decides = self.sends is Sends.READ or (self.sends is Sends.WORK and changes)
        return self.track if decides else None

    async def _request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], track: Track | None
    ) -> Reply:
        earlier = self.track.may_have_left
        try:
            reply = await self._exchange(method, path, body, headers, track)
            refused = refusal(reply)
        except Interrupted as interrupted:
            refused = interrupted.outcome
        if refused is not None:
            raise Interrupted(_in_context(refused, reads=track is None, earlier=earlier))
        return reply

    async def _exchange(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], track: Track | None
    ) -> Reply:
        # Found out only when it writes, it would look as if a request had begun to leave.
        if not _TARGET(path) or not all(map(_VALUE, headers.values())):
            raise Interrupted(_NOT_SENDABLE)
        sending = _Sending(track)
        with self.telemetry.span(f"{method} {self.account.host}", kind=SpanKind.CLIENT):
            try:
                return await self._send(method, path, body, headers, sending)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise Interrupted(_broken(error, sending)) from None

    async def _send(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], sending: "_Sending"
    ) -> Reply:
        async with self.connections.http.request(
            method,
            URL(self.account.base_url + path, encoded=True),
            data=body,
            headers={k: v for k, v in headers.items() if k.lower() not in _PROPAGATION},
            allow_redirects=False,
            trace_request_ctx=sending,
        ) as response:
            _advance(sending.track, Progress.REPLY_BEGUN)
            content = await _read(response)
            _advance(sending.track, Progress.REPLY_READ)
            return Reply(response.status, response.headers, content)


def _in_context(outcome: NotSent | Unknown, *, reads: bool, earlier: bool) -> NotSent | Unknown:
    """What one failed request means for the whole attempt; `earlier`: a request with an effect had left."""
    if earlier and isinstance(outcome, NotSent):
        return doubtful(outcome)
    if reads and not earlier and isinstance(outcome, Unknown):
        return NotSent(Cause.PROVIDER_DOWN, outcome.reason, outcome.message)
    return outcome


def _broken(error: Exception, sending: _Sending) -> NotSent | Unknown:
    if not sending.sent:
        reason = "CONNECT_TIMEOUT" if isinstance(error, TimeoutError) else "CONNECTION_REFUSED"
        return NotSent(Cause.PROVIDER_DOWN, reason, "no connection to the provider")
    if isinstance(error, _TooLarge):
        return Unknown("REPLY_TOO_LARGE", "the provider's reply is larger than any it documents")
    return Unknown(
        "REPLY_CUT", "the connection broke before the provider's reply was complete", cause=Doing.PROVIDER
    )


class _TooLarge(aiohttp.ClientPayloadError):
    """A reply beyond the cap."""


async def _read(response: aiohttp.ClientResponse) -> bytes:
    if (response.content_length or 0) > MAX_REPLY_BYTES:
        raise _TooLarge
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > MAX_REPLY_BYTES:
            raise _TooLarge
        chunks.append(chunk)
    return b"".join(chunks)


def _advance(track: Track | None, progress: Progress) -> None:
    if track is not None:
        track.advance(progress)


def _progress_hooks() -> aiohttp.TraceConfig:
    hooks = aiohttp.TraceConfig()

    async def connecting(_: object, context: object, __: object) -> None:
        _sending(context).connecting()

    async def connected(_: object, context: object, __: object) -> None:
        _sending(context).connected()

    async def written(_: object, context: object, __: object) -> None:
        if (track := _sending(context).track) is not None:
            track.advance(Progress.WRITTEN)
            # aiohttp says so just before it writes: one turn later the bytes have gone.
            asyncio.get_running_loop().call_soon(reach, "worker.written", track.attempt_id)

    hooks.on_connection_create_start.append(connecting)
    hooks.on_connection_create_end.append(connected)
    hooks.on_connection_reuseconn.append(connected)
    hooks.on_request_chunk_sent.append(written)
    return hooks


def _sending(context: object) -> _Sending:
    return cast(_Sending, getattr(context, "trace_request_ctx"))  # noqa: B009
