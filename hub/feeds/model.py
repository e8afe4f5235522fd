"""What a feed passes on, and where it comes from."""

from dataclasses import dataclass
from typing import Protocol, TypeVar


class Entry(Protocol):
    """One event."""

    @property
    def cursor(self) -> int:
        """Its position among all that is fed."""
        ...

    @property
    def tenant(self) -> str:
        """Whom it concerns."""
        ...

    @property
    def job_id(self) -> str:
        """The job that it is about; empty: none."""
        ...


E = TypeVar("E", bound=Entry)


@dataclass(frozen=True, slots=True)
class Head:
    """The newest cursor of the events, and the name of the history that it belongs to.

    `is_behind`: there are events that have no cursor yet.
    """

    cursor: int
    history: str
    is_behind: bool


class Log(Protocol[E]):
    """The store of events."""

    async def number(self, limit: int) -> int:
        """Gives committed events their cursors; how many."""
        ...

    async def head(self) -> Head:
        """The newest cursor."""
        ...

    async def all_after(self, cursor: int, limit: int) -> list[E]:
        """Events of all tenants after a cursor, in order."""
        ...

    async def between(self, tenant: str, *, after: int, upto: int, limit: int, job_id: str = "") -> list[E]:
        """Events of a tenant, or of one of its jobs, after a cursor and up to another, in order."""
        ...
