"""What goes between a spoke's server and its actors: bytes in, bytes out."""

import struct
from dataclasses import dataclass
from enum import IntEnum

from google.protobuf.message import Message

_HEAD = struct.Struct("!Bd")


class Task(IntEnum):
    """What an actor is asked to do. The body is the contract's message for it."""

    EXECUTE = 1
    LOOK_UP = 2
    LIST_EVENTS = 3
    PARSE_WEBHOOK = 4
    CANCEL = 5


class Verdict(IntEnum):
    """How an actor's answer is to be read: the contract's message, or the reason of a refusal."""

    DONE = 0
    REFUSED = 1
    UNAVAILABLE = 2
    NOT_OFFERED = 3
    LIST_REFUSED = 4
    NOT_LISTED = 5


@dataclass(frozen=True, slots=True)
class Opened:
    """A question: what, until when (seconds since 1970), and the message's bytes."""

    task: Task
    deadline: float
    body: bytes


def pack(task: Task, deadline: float, message: Message) -> bytes:
    """Writes a question."""
    return _HEAD.pack(task, deadline) + message.SerializeToString()


def deadline_of(envelope: bytes) -> float:
    """When the answer is no longer wanted, in seconds since 1970."""
    deadline: float = _HEAD.unpack_from(envelope)[1]
    return deadline


def unpack(envelope: bytes) -> Opened:
    """Reads a question."""
    task, deadline = _HEAD.unpack_from(envelope)
    return Opened(Task(task), deadline, envelope[_HEAD.size :])


def answer(message: Message) -> bytes:
    """Writes an answer."""
    return bytes((Verdict.DONE,)) + message.SerializeToString()


def refuse(verdict: Verdict, reason: str) -> bytes:
    """Writes a refusal; the reason holds nothing of the provider's."""
    return bytes((verdict,)) + reason.encode()


def read(reply: bytes) -> tuple[Verdict, bytes]:
    """Takes an answer or a refusal apart."""
    return Verdict(reply[0]), reply[1:]
