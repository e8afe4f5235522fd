"""Who calls: the TLS peer, or whom Envoy vouches for."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from functools import lru_cache
from typing import Protocol

from mesh.errors import IdentityError, NotAuthenticated
from mesh.identity import SpiffeId

FORWARDED_HEADER = "x-forwarded-client-cert"
PROXY_ROLE = "envoy"

MAX_KNOWN = 1024

_caller: ContextVar[SpiffeId] = ContextVar("caller")
_PAIR = re.compile(r'([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;,"]*)(;|$)')


class Connection(Protocol):
    """What gRPC's context knows of the peer's certificate."""

    def peer_identities(self) -> Iterable[bytes] | None:
        """All names in it, without their kinds."""
        ...

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """All that TLS found out, by kind."""
        ...


def current_caller() -> SpiffeId:
    """The caller of the RPC under way; NotAuthenticated outside of one."""
    try:
        return _caller.get()
    except LookupError:
        raise NotAuthenticated("no call is under way") from None


def set_caller(caller: SpiffeId) -> None:
    """Sets the caller for the rest of this task; only for what authenticates."""
    _caller.set(caller)


class Peers:
    """The identities of TLS peers: exactly one URI in the certificate, of the trust domain.

    To read gRPC's whole authentication context costs more than all else that a call passes here, so
    what it said is kept by the certificate's names. Those come without their kinds, but no authority
    signs a URI as a name of another kind.
    """

    def __init__(self, trust_domain: str) -> None:
        self._trust_domain = trust_domain
        self._known: dict[tuple[bytes, ...], SpiffeId] = {}

    def peer(self, connection: Connection) -> SpiffeId:
        """The peer's identity, or NotAuthenticated."""
        names = tuple(connection.peer_identities() or ())
        known = self._known.get(names)
        if known is not None:
            return known
        uris = tuple(connection.auth_context().get("peer_uri", ()))
        if len(uris) != 1:
            raise NotAuthenticated("the certificate has not exactly one URI")
        peer = _member(uris[0].decode("utf-8", "replace"), self._trust_domain)
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        self._known[names] = peer
        return peer


def forwarded_peer(metadata: Sequence[tuple[str, str | bytes]], trust_domain: str) -> SpiffeId | None:
    """The identity that Envoy saw, None if it names none. Ask only if the TLS peer is Envoy."""
    headers = [value for key, value in metadata if key == FORWARDED_HEADER]
    if not headers:
        return None
    if len(headers) != 1 or not isinstance(headers[0], str):
        raise NotAuthenticated("more than one certificate was forwarded")
    return _forwarded(headers[0], trust_domain)


@lru_cache(maxsize=1024)
def _forwarded(header: str, trust_domain: str) -> SpiffeId:
    uris = [value.strip('"') for key, value in _pairs(header) if key.lower() == "uri"]
    if len(uris) != 1:
        raise NotAuthenticated("the forwarded certificate has not exactly one URI")
    return _member(uris[0], trust_domain)


def _pairs(header: str) -> list[tuple[str, str]]:
    """The pairs of one certificate; a comma would begin another, and is refused."""
    pairs, position = [], 0
    while position < len(header):
        match = _PAIR.match(header, position)
        if match is None:
            raise NotAuthenticated("the forwarded certificate cannot be read")
        pairs.append((match[1], match[2]))
        position = match.end()
    return pairs


@lru_cache(maxsize=1024)
def _member(uri: str, trust_domain: str) -> SpiffeId:
    try:
        peer = SpiffeId.parse(uri)
    except IdentityError as error:
        raise NotAuthenticated("the certificate carries no SPIFFE id of ours") from error
    if peer.trust_domain != trust_domain:
        raise NotAuthenticated("the certificate is of another trust domain")
    return peer
