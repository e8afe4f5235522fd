"""What a mailbox is, and the bytes of a letter. No header parser reads what is given: some decode it."""

import re
import textwrap
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

# No `?`: an encoded word in an address is another address to who decodes it.
_ATOM: Final = "[A-Za-z0-9!#$%&'*+/=^_`{|}~-]"
_LABEL: Final = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
MAILBOX: Final = rf"{_ATOM}(?:\.?{_ATOM}){{0,63}}@{_LABEL}(?:\.{_LABEL})*"
"""One mailbox: RFC 5321's dot-string and domain, ASCII. The contract's pattern is this text."""
MAILBOX_CHARACTERS: Final = 254

_mailbox: Final = re.compile(MAILBOX).fullmatch
_one_line: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]*").fullmatch
_plain: Final = re.compile(r"(?:[!-~]+(?: [!-~]+)*)?").fullmatch
_FIELD: Final = re.compile(rb"([!-9;-~]+): [ -~]{0,900}\r\n(?: +[!-~][ -~]{0,900}\r\n)*")
_LINE_CHARACTERS: Final = 64
_WORD_CHARACTERS: Final = 11  # of at most 4 bytes: an encoded word has at most 75 characters


class UnfitLetter(ValueError):
    """What was given cannot stand in a letter, or would say more there. Its text shows no value."""


def is_mailbox(value: object) -> bool:
    """Whether a value is one mailbox, which then stands as it is in headers and in SMTP's commands."""
    return isinstance(value, str) and len(value) <= MAILBOX_CHARACTERS and _mailbox(value) is not None


def write_letter(
    sender: str, receivers: Sequence[str], subject: str, *, fields: Mapping[str, str], body: EmailMessage
) -> bytes:
    """The letter with these headers, the body's own, and no others; raises UnfitLetter."""
    if not receivers or not all(map(is_mailbox, (sender, *receivers))):
        raise UnfitLetter("an address is no mailbox")
    if not _one_line(subject):
        raise UnfitLetter("the subject is not one line")
    head = {"From": sender, "To": ",\r\n ".join(receivers), "Subject": _text(subject), **fields}
    written = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    letter = written.encode("ascii") + body.as_bytes(policy=SMTP)
    if _names(letter) != [*head, *body]:
        raise UnfitLetter("the letter would have other headers than it was given")
    return letter


def _text(text: str) -> str:
    """A text as a header's value: a reader that decodes it has exactly the text."""
    if _plain(text) and "=?" not in text:
        return _folded(textwrap.wrap(text, _LINE_CHARACTERS, break_long_words=False, break_on_hyphens=False))
    pieces = (text[at : at + _WORD_CHARACTERS] for at in range(0, len(text), _WORD_CHARACTERS))
    return _folded(f"=?utf-8?b?{b64encode(piece.encode()).decode()}?=" for piece in pieces)


def _folded(lines: Iterable[str]) -> str:
    return "\r\n ".join(lines)


def _names(letter: bytes) -> list[str]:
    """The names of the headers, read from the bytes; none where the head is not lines of headers alone."""
    head = letter[: letter.find(b"\r\n\r\n") + 2]
    fields = list(_FIELD.finditer(head))
    whole = b"".join(field[0] for field in fields) == head
    return [field[1].decode() for field in fields] if whole else []
