"""The connection pool."""

from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from hub.errors import StoreConflict, StoreUnavailable

AWAY = ("08", "57P", "53")
"""SQLSTATEs of a server that cannot be reached, is starting or stopping, or has no room."""
UNDONE = frozenset({"40P01", "40001"})
"""SQLSTATEs of a transaction that was undone for another's sake: a deadlock, a failed serialization."""


def open_engine(url: str, *, connections: int = 9) -> AsyncEngine:
    """A pool of up to `connections` to Postgres; a statement gives up after 15 s.

    Whatever is done with it raises StoreUnavailable while the database is away, and StoreConflict where
    the database has undone it for another's sake.
    """
    engine = create_async_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=False,
        hide_parameters=True,
        connect_args={
            "timeout": 5,
            "server_settings": {
                "application_name": "hub",
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


def single(engine: AsyncEngine) -> AsyncEngine:
    """The same pool for single statements: each its own transaction, in one round trip instead of three."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def _connect(dialect: Any, record: Any, args: Any, options: Any) -> Any:
    try:
        return dialect.connect(*args, **options)
    except OSError as error:  # a timeout is one too
        raise _away() from error


def _translate(context: ExceptionContext) -> StoreUnavailable | None:
    state = getattr(context.original_exception, "sqlstate", None) or ""
    if state in UNDONE:
        return StoreConflict("another change was in its way: send it again")
    return _away() if context.is_disconnect or state.startswith(AWAY) else None


def _away() -> StoreUnavailable:
    return StoreUnavailable("the hub's database is away: send it again")
