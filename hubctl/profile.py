"""The profile: a small TOML file that says where a hub is, who we are there, and whose log we trust."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hubctl.errors import Misused, NotReady
from hubctl.identities import ROLES, Identities
from hubctl.probes import KINDS
from mesh.errors import SettingsError
from mesh.evidence.checkpoint import Vkey
from mesh.evidence.errors import EvidenceError
from mesh.settings import Environment

DEFAULT_STATE = Path(".local/stack")
PROFILE = "profile.toml"
LAST_CHECKPOINT = "last-checkpoint"


@dataclass(frozen=True, slots=True)
class Part:
    """Something that `status` asks: how, and where; or only why it is known not to run, its `fault`."""

    name: str
    probe: str = ""
    address: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """One hub, its log, and our identities at both."""

    file: Path
    trust_domain: str
    tenant: str
    hub: str
    audit: str
    identities: Identities
    log_key: Path
    last_checkpoint: Path
    parts: Sequence[Part]

    def pinned_key(self) -> Vkey:
        """The log's verifier key, as whoever wrote the profile got it."""
        try:
            return Vkey.parse(self.log_key.read_text())
        except OSError as error:
            raise Misused(f"{self.file}: log_key: {self.log_key}: {error.strerror}") from error
        except (EvidenceError, ValueError) as error:
            raise Misused(f"{self.file}: log_key: {self.log_key} is no verifier key") from error


@dataclass(frozen=True, slots=True)
class Source:
    """Where the profile is: a file that was named, else the one in a local stack's state directory."""

    file: Path | None
    state: Path

    def log_key(self) -> Path | None:
        """The file of the log's pinned key; None where there is no profile, for what can do without."""
        return self.profile().log_key if self.file or (self.state / PROFILE).exists() else None

    def profile(self) -> Profile:
        """Reads it; raises NotReady where there is none, Misused naming the file and the key at fault."""
        file = self.file or self.state / PROFILE
        if self.file is None and not file.exists():
            raise NotReady(
                f"no profile: there is no {file}; start a stack (hubctl up), or name one"
                " (--profile or HUBCTL_PROFILE, docs/hubctl.md)"
            )
        return read(file)


def read(file: Path) -> Profile:
    """Reads a profile; raises Misused naming the file and the key at fault."""
    try:
        values = tomllib.loads(file.read_text())
    except OSError as error:
        raise Misused(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise Misused(f"{file}: not TOML: {error}") from error
    root = _Table(file, values)
    addresses, identities = root.inner("addresses"), root.inner("identities")
    profile = Profile(
        file=file,
        trust_domain=root.text("trust_domain"),
        tenant=root.text("tenant"),
        hub=addresses.address("hub"),
        audit=addresses.address("audit"),
        identities=_identities(identities),
        log_key=root.path("log_key"),
        last_checkpoint=root.path("last_checkpoint", LAST_CHECKPOINT),
        parts=[_part(table) for table in root.tables("parts")],
    )
    for table in (addresses, identities, root):
        table.close()
    return profile


def _identities(table: "_Table") -> Identities:
    directory = table.path("directory") if table.has("directory") else None
    folders = {role: table.path(role) for role in ROLES if table.has(role)}
    if directory is None and not folders:
        raise table.fault("directory", f"missing, and none of {', '.join(ROLES)} is there")
    return Identities(directory, folders)


def _part(table: "_Table") -> Part:
    name, fault = table.text("name"), table.text("fault", "")
    part = Part(name, fault=fault) if fault else Part(name, table.text("probe"), table.address("address"))
    if not fault and part.probe not in KINDS:
        raise table.fault("probe", f"not one of {', '.join(KINDS)}")
    table.close()
    return part


class _Table:
    """A table of the file, read key by key; what is left over at the end is a fault."""

    def __init__(self, file: Path, values: Mapping[str, object], within: str = "") -> None:
        self._file = file
        self._left = dict(values)
        self._within = within

    def fault(self, key: str, what: str) -> Misused:
        """The error that names the file and the key."""
        return Misused(f"{self._file}: {self._within}{key}: {what}")

    def has(self, key: str) -> bool:
        """Whether the key is there, and not read yet."""
        return key in self._left

    def text(self, key: str, default: str | None = None) -> str:
        """A text on one line, not empty unless that is its default."""
        value = self._left.pop(key, default)
        if value is None:
            raise self.fault(key, "missing")
        if not isinstance(value, str) or (not value and value != default) or not value.isprintable():
            raise self.fault(key, "not a text on one line")
        return value

    def path(self, key: str, default: str | None = None) -> Path:
        """A path; a relative one counts from the profile's folder."""
        return self._file.parent / Path(self.text(key, default)).expanduser()

    def address(self, key: str) -> str:
        """host:port, and for a web server a path."""
        text = self.text(key)
        try:
            Environment({key: text.partition("/")[0]}).address(key)
        except SettingsError as error:
            raise self.fault(key, "not of the form host:port") from error
        return text

    def inner(self, key: str) -> "_Table":
        """A table within."""
        value = self._left.pop(key, None)
        if not isinstance(value, dict):
            raise self.fault(key, "missing" if value is None else "not a table")
        return _Table(self._file, value, f"{self._within}{key}.")

    def tables(self, key: str) -> "list[_Table]":
        """A list of tables, which may be missing."""
        value = self._left.pop(key, [])
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise self.fault(key, "not a list of tables")
        return [_Table(self._file, each, f"{key}[{number}].") for number, each in enumerate(value)]

    def close(self) -> None:
        """Refuses what nobody has read."""
        for key in self._left:
            raise self.fault(key, "unknown")
