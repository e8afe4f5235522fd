"""What a webhook must be before anybody reads it, and whether two of them say the same. Pure."""

from collections.abc import Mapping

from aiohttp import hdrs
from aiohttp.helpers import parse_mimetype

from hub.events.model import ArrivedEvent
from integration.spoke.v1.outcome_pb2 import Outcome

MAX_BODY = 256 * 1024
_CHARSETS = frozenset({"", "utf-8", "utf8"})


class Refusal(Exception):
    """A delivery that is not even looked into."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def check_head(headers: Mapping[str, str]) -> None:
    """Raises Refusal for what is packed, is no JSON, or says that it is too large."""
    if headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise Refusal(415, "content encoding")
    kind = parse_mimetype(headers.get(hdrs.CONTENT_TYPE, ""))
    is_json = kind.type == "application" and "json" in (kind.subtype, kind.suffix)
    if not is_json or kind.parameters.get("charset", "").lower() not in _CHARSETS:
        raise Refusal(415, "content type")
    if int(headers.get(hdrs.CONTENT_LENGTH, "0")) > MAX_BODY:
        raise Refusal(413, "content length")


def says_the_same(first: ArrivedEvent, second: ArrivedEvent) -> bool:
    """Whether a redelivery says of the job what the first delivery said. When it was read does not count."""
    return (first.type, first.job_id, _said(first)) == (second.type, second.job_id, _said(second))


def _said(event: ArrivedEvent) -> bytes:
    outcome = Outcome.FromString(event.outcome)
    outcome.ClearField("done_time")
    return outcome.SerializeToString(deterministic=True)
