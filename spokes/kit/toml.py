"""Reads typed values out of a TOML table; every refusal names the key by its path."""

from collections.abc import Mapping
from datetime import timedelta

from spokes.kit.errors import BadManifest


class Table:
    """One table and where it stands. Keys that nobody asked for are refused by `close`."""

    def __init__(self, values: object, where: str = "") -> None:
        if not isinstance(values, Mapping):
            raise BadManifest(f"{where.rstrip('.') or 'spoke.toml'}: not a table")
        self._values: Mapping[str, object] = values
        self._where = where
        self._asked: set[str] = set()

    def text(self, key: str, default: str | None = None) -> str:
        """A text, not empty unless that is the default."""
        value = self._get(key, default)
        if not isinstance(value, str) or (not value and default is None):
            raise BadManifest(f"{self._where}{key}: not a text")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty if not there."""
        value = self._get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise BadManifest(f"{self._where}{key}: not a list of texts")
        return tuple(value)

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self._get(key, default)
        if not isinstance(value, bool):
            raise BadManifest(f"{self._where}{key}: not true or false")
        return value

    def integer(self, key: str, default: int | None = None, *, least: int, most: int) -> int:
        """A whole number in a range."""
        value = self._get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise BadManifest(f"{self._where}{key}: not a whole number from {least} to {most}")
        return value

    def number(self, key: str, default: float, *, least: float, most: float) -> float:
        """A number in a range."""
        value = self._get(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
            raise BadManifest(f"{self._where}{key}: not a number from {least:g} to {most:g}")
        return float(value)

    def seconds(self, key: str, default: float | None = None, *, most: float = 31_536_000) -> timedelta:
        """A duration; `key` is written with the suffix `_seconds`."""
        key = f"{key}_seconds"
        if default is None and key not in self._values:
            raise BadManifest(f"{self._where}{key}: missing")
        return timedelta(seconds=self.number(key, default or 0.0, least=0.0, most=most))

    def inner(self, key: str) -> "Table":
        """A table inside; empty if not there."""
        return Table(self._get(key, {}), f"{self._where}{key}.")

    def over(self, below: "Table") -> "Table":
        """This table, with the values of another where it has none."""
        return Table({**below._values, **self._values}, self._where)

    def names(self) -> tuple[str, ...]:
        """All keys there are."""
        return tuple(self._values)

    def close(self) -> None:
        """Refuses keys that nobody asked for: a typing error must not pass as a default."""
        for key in self._values:
            if key not in self._asked:
                raise BadManifest(f"{self._where}{key}: no such key")

    def _get(self, key: str, default: object) -> object:
        self._asked.add(key)
        if key not in self._values and default is None:
            raise BadManifest(f"{self._where}{key}: missing")
        return self._values.get(key, default)
