"""The running stack, with its processes and files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hubctl import profile
from hubctl.errors import NotReady
from hubctl.profile import Profile
from local.stack import record
from local.stack.layout import Layout
from local.stack.record import StackRecord


@dataclass(frozen=True, slots=True)
class Place:
    """Addresses, identities and processes of one stack."""

    record: StackRecord
    layout: Layout

    def address(self, part: str) -> str:
        """The address of a part; raises NotReady if the stack has none."""
        if part not in self.record.addresses:
            raise NotReady(f"the stack has no part {part}")
        return self.record.addresses[part]

    def identity(self, role: str, name: str) -> Path:
        """The directory with a client's certificate."""
        return self.layout.identity(role, name)

    @property
    def profile(self) -> Profile:
        """What the command line knows of it."""
        return profile.read(self.layout.profile)

    @property
    def vkey_file(self) -> Path:
        """The log's verifier key, as the stack's maker pinned it."""
        return self.layout.vkey

    @property
    def inbox(self) -> Path:
        """The mail stand-in's Maildir."""
        return self.layout.data("inbox")

    @property
    def pids(self) -> Mapping[str, int]:
        """The processes by part."""
        return {part.name: part.pid for part in self.record.parts}


def load(state: Path) -> Place:
    """Reads where the stack is; raises NotReady if none was started here."""
    layout = Layout.at(state)
    return Place(record.read(layout), layout)
