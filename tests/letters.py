"""Addresses that are none, subjects that would be more than text, and a letter read by hand."""

import re
from base64 import b64decode

NO_MAILBOXES = [
    ".b@example.com",
    "a.@example.com",
    "a..b@example.com",
    "@example.com",
    "a@",
    "a@.",
    "a@.example.com",
    "a@example.com.",
    "a@x..com",
    "a@-x.com",
    "a@x-.com",
    "a@x_y.com",
    f"a@{'x' * 64}.com",
    f"{'x' * 65}@example.com",
    f"a@{'x.' * 125}com",
    "[a]@example.com",
    "a@[127.0.0.1]",
    "a@[IPv6:::1]",
    "=?utf-8?q?a=40b=2C?=@example.com",
    "=?utf-8?q?=0aBcc=3ax?=@example.com",
    "=?utf-8?b?YUBi?=@example.com",
    "a@=?utf-8?q?x?=",
    "grp:bob@example.com",
    "grp:bob@example.com;",
    "a(b)c@example.com",
    "a@example.com(b)",
    '"a"@example.com',
    '"a b"@example.com',
    "a\\@b@example.com",
    "a@b@example.com",
    "@relay.example:a@example.com",
    "<a@example.com>",
    "Ann <a@example.com>",
    "a@example.com,b@example.com",
    "a@example.com;b@example.com",
    " a@example.com",
    "a@example.com ",
    "a b@example.com",
    "a@example.com\r\nBcc: b@example.com",
    "a@example.com\n",
    "a@example.com\r",
    "a\0@example.com",
    "a\t@example.com",
    "a\x7f@example.com",
    "a\x85@example.com",
    "a\u2028@example.com",
    "josé@example.com",
    "a@bücher.example",
    "a@example\uff0ecom",
    "\u202ea@example.com",
]

MAILBOXES = [
    "a@example.com",
    "first.last+tag@sub.example.com",
    "bounce=ann=example.com@lists.example",
    "!#$%&'*+/=^_`{|}~-@example.com",
    "a@xn--bcher-kva.example",
    "a@localhost",
    f"{'x' * 64}@example.com",
]

SUBJECTS = [
    "hi =?utf-8?b?DQpSZXBseS1UbzogdGhpZWZAZXZpbC5leGFtcGxl?=",
    "=?utf-8?q?=0d=0a=0d=0aanother_body?=",
    "=?utf-8?q?a?= =?utf-8?q?b?=",
    "=?utf-8?q?unfinished",
    "Grüße =?utf-8?b?w7w=?= und mehr",
    " blanks  at both ends ",
    " ",
    "x" * 255,
    "ü" * 255,
    "\U0001f389 " * 127,
    "word " * 50 + "end",
    "Bcc: thief@example.com",
]

_WORD = re.compile(r"=\?utf-8\?b\?([A-Za-z0-9+/=]*)\?=")


def head(letter: bytes) -> list[tuple[str, str]]:
    """The headers as they stand in the bytes, each unfolded; nothing is decoded."""
    lines = letter.partition(b"\r\n\r\n")[0].decode("ascii")
    assert not re.search(r"\r(?!\n)|(?<!\r)\n", lines), "a bare CR or LF"
    pairs = [line.split(": ", 1) for line in lines.replace("\r\n ", " ").split("\r\n")]
    return [(name, value) for name, value in pairs]


def own_head(letter: bytes) -> dict[str, str]:
    """The headers without those that a mail system adds on top."""
    found = head(letter)
    names = [name for name, _ in found]
    own = found[names.index("From") :]
    assert len(dict(own)) == len(own), "a header stands twice"
    assert all(name.startswith("X-") for name in names[: -len(own)])
    return dict(own)


def decoded(value: str) -> str:
    """A header's text, by hand: encoded words of UTF-8 in base64 or text, not both."""
    words = value.split(" ")
    if not all(map(_WORD.fullmatch, words)):
        assert "=?" not in value
        return value
    return "".join(b64decode(_WORD.sub(r"\1", word), validate=True).decode() for word in words)
