"""One entry of a file of settings, read field by field; no error shows a value."""

import ipaddress
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from mesh.settings import SettingsError
from mesh.webhook_keys import standard_key

_ADDRESS = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One entry. `place` is what errors call it; secrets' paths count from `directory`."""

    fields: Mapping[str, object]
    place: str
    directory: Path

    @classmethod
    def of(cls, entry: object, place: str, directory: Path) -> "FileEntry":
        """Takes what the file holds at a place."""
        if not isinstance(entry, dict):
            raise SettingsError(f"{place} is not an object")
        return cls(entry, place, directory)

    def wrong(self, name: str, what: str) -> SettingsError:
        """The error that names the field."""
        return SettingsError(f"{self.place}.{name} {what}")

    def only(self, *names: str) -> None:
        """Refuses fields of other names."""
        for name in self.fields:
            if name not in names:
                shown = f".{name}" if _ADDRESS.fullmatch(name) else ""
                raise SettingsError(f"{self.place}{shown} is not known there")

    def text(self, name: str, pattern: re.Pattern[str] | None = None, *, default: str | None = None) -> str:
        """A text field, written as the pattern wants it."""
        value = self.fields.get(name, default)
        if not isinstance(value, str) or (not value and default is None):
            raise self.wrong(name, "is missing or not a text")
        if pattern is not None and not pattern.fullmatch(value):
            raise self.wrong(name, "is not written as it must be")
        return value

    def flag(self, name: str) -> bool:
        """A field that is true or false; false without the field."""
        value = self.fields.get(name, False)
        if not isinstance(value, bool):
            raise self.wrong(name, "is not true or false")
        return value

    def keys(self, name: str) -> tuple[bytes, ...]:
        """The keys of the secrets, one a line, in the file that the field names; at least one."""
        lines = self.secret_lines(name)
        if not lines:
            raise self.wrong(name, "is missing")
        try:
            return tuple(standard_key(line) for line in lines)
        except ValueError as unfit:
            raise self.wrong(name, f"names a secret that is {unfit}") from None

    def secret(self, name: str) -> str:
        """The one line of the file that the field names; empty without the field."""
        lines = self.secret_lines(name)
        if len(lines) > 1:
            raise self.wrong(name, "names a file of more than one line")
        return lines[0] if lines else ""

    def secret_lines(self, name: str) -> Sequence[str]:
        """The lines of the file that the field names, printable ASCII; none without the field."""
        if name not in self.fields:
            return ()
        try:
            lines = (self.directory / self.text(name)).read_text().strip().splitlines()
        except (OSError, ValueError):
            raise self.wrong(name, "names a file that cannot be read") from None
        if not lines:
            raise self.wrong(name, "names a file that is empty")
        if not all(line.isascii() and line.isprintable() for line in lines):
            raise self.wrong(name, "names a file that holds more than printable ASCII")
        return [line.strip() for line in lines if line.strip()]

    def url(self, *, plain_only_to_loopback: bool) -> str:
        """The field `url`, an http or https address without credentials."""
        value = self.text("url")
        try:
            parts = urlsplit(value)
            complete = bool(_ADDRESS.fullmatch(value) and parts.hostname) and parts.port != 0
        except ValueError:
            complete = False
        if not complete or parts.scheme not in {"http", "https"} or "@" in parts.netloc or parts.fragment:
            raise self.wrong("url", "is not an http or https address, or holds more")
        if plain_only_to_loopback and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
            raise self.wrong("url", "must be https unless it is loopback")
        return value


def read_json(path: Path) -> object:
    """What a file holds; raises SettingsError."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        raise SettingsError(f"{path.name} cannot be read as JSON") from None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by literal address or as localhost."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
