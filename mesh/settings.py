"""Settings from the environment, with errors that name the variable and never show its value."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from mesh.errors import SettingsError as SettingsError

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")


class Environment:
    """A set of variables. A variable that is missing or empty takes its default, or is an error."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    @classmethod
    def of_process(cls) -> "Environment":
        """The variables that this process was started with."""
        return cls(os.environ)

    def text(self, name: str, *, default: str | None = None) -> str:
        """Any text."""
        value = self._variables.get(name, "")
        if value:
            return value
        if default is None:
            raise SettingsError(f"{name} is not set")
        return default

    def path(self, name: str, *, default: Path | None = None) -> Path:
        """A path; relative ones count from the working directory. It need not exist."""
        return Path(self.text(name, default=None if default is None else str(default)))

    def integer(
        self, name: str, *, default: int | None = None, least: int | None = None, most: int | None = None
    ) -> int:
        """A whole number, within the bounds."""
        text = self.text(name, default=None if default is None else str(default))
        try:
            value = int(text)
        except ValueError:
            raise SettingsError(f"{name} is not a whole number") from None
        if least is not None and value < least:
            raise SettingsError(f"{name} is less than {least}")
        if most is not None and value > most:
            raise SettingsError(f"{name} is greater than {most}")
        return value

    def seconds(self, name: str, *, default: float | None = None) -> float:
        """A time in seconds, not negative; fractions allowed."""
        text = self.text(name, default=None if default is None else str(default))
        try:
            value = float(text)
        except ValueError:
            raise SettingsError(f"{name} is not a number of seconds") from None
        if not 0 <= value < float("inf"):
            raise SettingsError(f"{name} is not a time that can pass")
        return value

    def address(self, name: str, *, default: str | None = None) -> str:
        """A network address, "host:port"."""
        text = self.text(name, default=default)
        match = _ADDRESS.fullmatch(text)
        if match is None or int(match[2]) > 65535:
            raise SettingsError(f"{name} is not an address of the form host:port")
        return text
