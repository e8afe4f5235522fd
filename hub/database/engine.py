"""The connection pools, and what the database's troubles mean to the hub."""

import asyncio
from dataclasses import dataclass
from typing import Any

from sqlalchemy import AsyncAdaptedQueuePool, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from hub.errors import JobError, Overloaded, StoreConflict, StoreUnavailable

AWAY = ("08", "57P", "53")
"""SQLSTATEs of a server that cannot be reached, is starting or stopping, or has no room."""
TOO_SLOW = ("57014", "55P03")
"""SQLSTATEs of a statement that has run, or waited for a lock, for as long as it may."""
IN_EACH_OTHERS_WAY = ("40",)
"""SQLSTATEs of transactions that only one of could win: nothing of the other has been stored."""
FREE_WITHIN_SECONDS = 2.5
"""How long anybody waits for a connection that others use; after that they are told to come back."""
WORK_PATIENCE_SECONDS = 15.0
"""How long the work itself waits for one."""

REFUSED = ("22", "23")
"""SQLSTATEs of values that cannot be stored."""


class _Pool(AsyncAdaptedQueuePool):
    """A pool that is exhausted says so as the hub's other refusals do."""

    def _do_get(self) -> Any:
        try:
            return super()._do_get()
        except NoConnectionFree as error:
            raise Overloaded("all connections to the hub's database are in use: send it again") from error


def open_engine(
    url: str, *, connections: int = 9, use: str = "hub", patience: float = FREE_WITHIN_SECONDS
) -> AsyncEngine:
    """A pool of up to `connections` to Postgres, for one `use`. A statement gives up after 15 s, and
    whoever waits for a connection after `patience` seconds.

    Whatever is done with it raises StoreUnavailable while the database is away, StoreConflict where it has
    been undone for the sake of another, and Overloaded when a statement or a wait takes too long.
    """
    engine = create_async_engine(
        url,
        poolclass=_Pool,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=patience,
        pool_pre_ping=False,
        hide_parameters=True,
        connect_args={
            "timeout": 5,
            "server_settings": {
                "application_name": use,
                "statement_timeout": "15000",
                "idle_in_transaction_session_timeout": "15000",
                "jit": "off",
                # The statements are long and their plans do not depend on what they are given.
                "plan_cache_mode": "force_generic_plan",
            },
        },
    )
    event.listen(engine.sync_engine, "do_connect", _connect)
    event.listen(engine.sync_engine, "handle_error", _translate)
    return engine


@dataclass(frozen=True, slots=True)
class Pools:
    """A replica's connections, apart by what must not wait for what."""

    leases: AsyncEngine
    """Who owns which lane: late by seconds, and the lane is another's."""
    hints: AsyncEngine
    """One hears for as long as the replica lives, one tells, one reads events for all who follow them."""
    lanes: AsyncEngine
    """The work itself: what is accepted, claimed, settled, relayed, and what providers say."""
    edge: AsyncEngine
    """What callers and operators read, and all else."""

    @classmethod
    def open(cls, url: str) -> "Pools":
        """The pools of one replica."""
        return cls(
            leases=open_engine(url, connections=1, use="hub leases"),
            hints=open_engine(url, connections=3, use="hub hints"),
            # A lane that gives up drops what is under way, so it waits as long as a statement may take.
            lanes=open_engine(url, connections=5, use="hub lanes", patience=WORK_PATIENCE_SECONDS),
            edge=open_engine(url, connections=4, use="hub edge"),
        )

    async def dispose(self) -> None:
        """Closes all of them."""
        await asyncio.gather(*(e.dispose() for e in (self.leases, self.hints, self.lanes, self.edge)))


def single(engine: AsyncEngine) -> AsyncEngine:
    """The same pool for single statements: each its own transaction, in one round trip instead of three."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def cause(error: DBAPIError) -> str:
    """What is wrong, without the database's own text, which may hold data."""
    return type(getattr(error.orig, "__cause__", None) or error.orig or error).__name__


def is_about_data(error: DBAPIError) -> bool:
    """Whether the database refused the values that it was given: it will refuse them again."""
    return str(getattr(error.orig, "sqlstate", None) or "").startswith(REFUSED)


def _connect(dialect: Any, record: Any, args: Any, options: Any) -> Any:
    try:
        return dialect.connect(*args, **options)
    except OSError as error:  # a timeout is one too
        raise _away() from error


def _translate(context: ExceptionContext) -> JobError | None:
    if not isinstance(context.original_exception, Exception):
        return None  # a task that is cancelled ends, whatever becomes of its connection
    state = getattr(context.original_exception, "sqlstate", None) or ""
    if context.is_disconnect or state.startswith(AWAY):
        return _away()
    if state.startswith(TOO_SLOW):
        return Overloaded("the hub's database is too slow for now: send it again")
    if state.startswith(IN_EACH_OTHERS_WAY):
        return StoreConflict("another change was in its way: send it again")
    return None


def _away() -> StoreUnavailable:
    return StoreUnavailable("the hub's database is away: send it again")
