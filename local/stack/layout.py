"""Where the stack keeps its files: everything below one state directory."""

import json
from dataclasses import dataclass
from pathlib import Path

from hubctl.profile import PROFILE

ROOT = Path(__file__).resolve().parents[2]
TRUST_DOMAIN = "integration.local"
ORIGIN = f"{TRUST_DOMAIN}/audit"
TENANT = "acme"


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one stack. `cache` holds what is slow to make and the same for every stack."""

    state: Path
    cache: Path

    @classmethod
    def at(cls, state: Path | None = None, cache: Path | None = None) -> "Layout":
        """The layout of a state directory; by default `.local/stack` of the project."""
        local = ROOT / ".local"
        return cls((state or local / "stack").absolute(), (cache or local / "cache").absolute())

    def identity(self, role: str, name: str) -> Path:
        """The directory of an identity's certificate."""
        return self.identities / f"{role}-{name}"

    @property
    def identities(self) -> Path:
        """Where everybody's certificates are."""
        return self.state / "identities"

    def signing_key(self, name: str) -> Path:
        """The key that a producer signs statements with."""
        return self.state / "keys" / f"{name}.pem"

    @property
    def vkey(self) -> Path:
        """The log's verifier key."""
        return self.state / "keys" / "vkey"

    @property
    def producers(self) -> Path:
        """Who may sign statements."""
        return self.state / "keys" / "producers.json"

    def config(self, name: str) -> Path:
        """A file that a service is configured by."""
        return self.state / "config" / name

    def accounts(self, spoke: str) -> Path:
        """The accounts of a spoke. One that is there already is left as it is."""
        return self.state / "config" / "accounts" / f"{spoke}.json"

    def log(self, part: str) -> Path:
        """What a part writes to its standard output and error."""
        return self.state / "logs" / f"{part}.log"

    def data(self, part: str) -> Path:
        """The directory of a part's own files."""
        return self.state / part

    @property
    def stack_file(self) -> Path:
        """What runs: written by `hubctl up`, read by those commands that start, stop and measure it."""
        return self.state / "stack.json"

    @property
    def profile(self) -> Path:
        """Where the stack is: written by `hubctl up`, read by every other command."""
        return self.state / PROFILE

    def make(self) -> None:
        """Makes the directories that are not there."""
        for name in ("identities", "keys", "config/accounts", "logs"):
            (self.state / name).mkdir(parents=True, exist_ok=True)
        self.state.chmod(0o711)


def write_json(path: Path, value: object) -> None:
    """Writes a value to a file."""
    write_whole(path, json.dumps(value, indent=2) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Writes a file whole: a reader sees the old one or the new one."""
    draft = path.with_name(f".{path.name}.draft")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.rename(path)
