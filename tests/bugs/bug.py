"""A bug that can be planted: one change of one file of the product."""

from dataclasses import dataclass
from pathlib import Path


class NotPlanted(Exception):
    """The product has moved on: what the bug would change is not there, or more than once."""


@dataclass(frozen=True, slots=True)
class Bug:
    """What is changed, what that breaks, what must hold, and the tests that must fail."""

    name: str
    file: str
    old: str
    new: str
    breaks: str
    holds: str
    tests: tuple[str, ...]

    def plant(self, tree: Path) -> None:
        """Changes the file in a copy of the product; raises NotPlanted."""
        path = tree / self.file
        path.write_text(self.planted(path.read_text()))

    def planted(self, source: str) -> str:
        """The file's text with the bug; raises NotPlanted."""
        found = source.count(self.old)
        if found != 1:
            raise NotPlanted(f"{self.name}: what it changes is {found} times in {self.file}")
        return source.replace(self.old, self.new)
