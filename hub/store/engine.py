"""The connection pool."""

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


def open_engine(url: str, *, connections: int = 8) -> AsyncEngine:
    """A pool of up to `connections` to Postgres; a statement gives up after 15 s."""
    return create_async_engine(
        url,
        pool_size=connections,
        max_overflow=0,
        pool_pre_ping=False,
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


def single(engine: AsyncEngine) -> AsyncEngine:
    """The same pool for single statements: each its own transaction, in one round trip instead of three."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")
