"""What a webhook must be before anybody reads it, what it may be told, and whether two say the same. Pure."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from aiohttp import hdrs
from aiohttp.helpers import MimeType, parse_mimetype

from hub.events.model import Answer, ArrivedEvent, WebhookRules
from integration.spoke.v1.outcome_pb2 import Outcome

MAX_BODY = 256 * 1024
MOST_HEADERS = 100
# Together with the public address within what the contract carries.
MOST_OF_A_PATH = 4096
MOST_OF_A_QUERY = 8192
MOST_ANSWER_BYTES = 4096
_UTF_8 = frozenset({"", "utf-8", "utf8"})
_ALWAYS_WITH_A_BODY = frozenset({hdrs.METH_POST, hdrs.METH_PUT, hdrs.METH_PATCH})
_ANSWER_TYPE: Final = re.compile(
    r"(text/(plain|xml)|application/[a-z0-9.-]+(\+(json|xml))?)(; charset=utf-8)?"
).fullmatch
_NAME: Final = re.compile(r"[!-~]{1,255}").fullmatch


class Refusal(Exception):
    """A delivery that is not even looked into; `allowed` are the methods that would be."""

    def __init__(self, status: int, why: str, allowed: Collection[str] = ()) -> None:
        super().__init__(why)
        self.status = status
        self.allowed = allowed


def check_head(method: str, headers: Mapping[str, str], rules: WebhookRules) -> None:
    """Raises Refusal for what the manifest does not name, is packed, or says that it is too large."""
    if method not in rules.methods:
        raise Refusal(405, "method", rules.methods)
    if len(headers) > MOST_HEADERS:
        raise Refusal(431, "headers")
    if headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise Refusal(415, "content encoding")
    length = int(headers.get(hdrs.CONTENT_LENGTH, "0"))
    if method in _ALWAYS_WITH_A_BODY or length or hdrs.TRANSFER_ENCODING in headers:
        _check_type(parse_mimetype(headers.get(hdrs.CONTENT_TYPE, "")), rules.content_types)
    if length > rules.max_bytes:
        raise Refusal(413, "content length")


def split_target(target: str) -> tuple[str, str]:
    """Path and query of a request line, byte for byte; raises Refusal for what no address holds."""
    path, _, query = target.partition("?")
    if not path.startswith("/") or not (target.isascii() and target.isprintable()):
        raise Refusal(400, "target")
    if len(path) > MOST_OF_A_PATH or len(query) > MOST_OF_A_QUERY:
        raise Refusal(414, "target")
    return path, query


def told_headers(headers: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """The headers by lower-case name, in order, without those that no contract could carry."""
    fit = ((name, value) for name, value in headers.items() if value.isascii() and value.isprintable())
    return [(name.lower(), value) for name, value in fit]


def is_fit_answer(answer: Answer) -> bool:
    """Whether a provider may be told so: a success, short, and nothing that a browser would run."""
    if not 200 <= answer.status < 300 or len(answer.body) > MOST_ANSWER_BYTES:
        return False
    return not answer.body or (answer.status not in (204, 205) and bool(_ANSWER_TYPE(answer.content_type)))


def has_fit_name(event: ArrivedEvent) -> bool:
    """Whether an event has an id and a type that it can be kept under."""
    return bool(_NAME(event.event_id) and _NAME(event.type))


def says_the_same(first: ArrivedEvent, second: ArrivedEvent) -> bool:
    """Whether a redelivery says of the job what the first delivery said. When it was read does not count."""
    return (first.type, first.job_id, _said(first)) == (second.type, second.job_id, _said(second))


def _check_type(kind: MimeType, named: Collection[str]) -> None:
    whole = f"{kind.type}/{kind.subtype}" + (f"+{kind.suffix}" if kind.suffix else "")
    is_json = kind.type == "application" and "json" in (kind.subtype, kind.suffix)
    if whole not in named and not (is_json and "application/json" in named):
        raise Refusal(415, "content type")
    if is_json and kind.parameters.get("charset", "").lower() not in _UTF_8:
        raise Refusal(415, "charset")


def _said(event: ArrivedEvent) -> bytes:
    outcome = Outcome.FromString(event.outcome)
    outcome.ClearField("done_time")
    return outcome.SerializeToString(deterministic=True)
