"""What runs: the file that `hubctl up` writes and every other command reads."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass

from hubctl.errors import NotReady
from local.stack.layout import Layout, write_json
from local.stack.processes import still_runs


@dataclass(frozen=True, slots=True)
class PartRecord:
    """One process of the stack, and how to ask whether it is ready."""

    name: str
    pid: int
    created: float
    probe: str
    address: str

    @property
    def is_running(self) -> bool:
        """Whether the process that was started is still there."""
        return still_runs(self.pid, self.created)


@dataclass(frozen=True, slots=True)
class StackRecord:
    """One stack: its parts, its addresses by name, and the base of its ports."""

    base_port: int
    addresses: Mapping[str, str]
    parts: tuple[PartRecord, ...] = ()
    spokes: tuple[str, ...] = ()
    own_postgres: bool = True

    def write(self, layout: Layout) -> None:
        """Writes the file of the state directory."""
        write_json(layout.stack_file, asdict(self))

    @property
    def ports(self) -> dict[str, int]:
        """The ports by name."""
        return {name: int(address.rpartition(":")[2]) for name, address in self.addresses.items()}

    @property
    def is_running(self) -> bool:
        """Whether anything of it runs."""
        return any(part.is_running for part in self.parts)


def read(layout: Layout) -> StackRecord:
    """Reads the file; raises NotReady if no stack was started here."""
    record = find(layout)
    if record is None:
        raise NotReady(f"no stack is known in {layout.state}; start one: hubctl up")
    return record


def find(layout: Layout) -> StackRecord | None:
    """Reads the file, if there is one."""
    with suppress(FileNotFoundError):
        raw = json.loads(layout.stack_file.read_text())
        raw["parts"] = tuple(PartRecord(**part) for part in raw["parts"])
        raw["spokes"] = tuple(raw["spokes"])
        return StackRecord(**raw)
    return None


def forget(layout: Layout) -> None:
    """Removes the file: nothing runs any more."""
    layout.stack_file.unlink(missing_ok=True)
