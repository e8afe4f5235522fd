"""What the conformance suite needs to know of a provider, given by its folder's `specimen.py`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from google.protobuf.message import Message


@dataclass(frozen=True, slots=True)
class ScriptedReply:
    """What the provider answers when all is well."""

    body: Mapping[str, object]
    status: int = 200


@dataclass(frozen=True, slots=True)
class HookCall:
    """One call of a provider's: its query, headers and body."""

    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Hook:
    """A further way in which the provider calls, signed together with the public address.

    `call` makes one: secret, seconds since 1970, public address. What it says is as many events about the job
    `JOB_ID` as `events` counts, and it asks for `answer`.
    """

    name: str
    method: str
    call: Callable[[str, int, str], HookCall]
    events: int = 0
    answer: bytes = b""


@dataclass(frozen=True, slots=True)
class Specimen:
    """One good request per HTTP operation, by RPC name, and the provider's good reply to it.

    `key_header` is where the provider takes our idempotency key, empty if nowhere. `sign` makes the
    headers of a webhook: secret, seconds since 1970, body. `webhook` is a body that it signs, about
    the job `JOB_ID`. `hooks` are further ways in which it calls. `secrets` are texts that must never
    be seen outside the wire to the provider.
    """

    requests: Mapping[str, Message] = field(default_factory=dict)
    replies: Mapping[str, ScriptedReply] = field(default_factory=dict)
    key_header: str = ""
    webhook: bytes = b""
    webhook_secrets: tuple[str, str] = ("", "")
    sign: Callable[[str, int, bytes], Mapping[str, str]] | None = None
    hooks: tuple[Hook, ...] = ()
    secrets: tuple[str, ...] = ()


JOB_ID = "01890000-0000-7000-8000-00000000c0de"
"""The job that specimens speak of."""
