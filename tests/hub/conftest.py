import secrets

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from hub.store.engine import open_engine
from hub.store.migrate import migrate


@pytest.fixture
async def hub_engine():
    name = "hub_" + secrets.token_hex(4)
    su = create_async_engine(
        "postgresql+asyncpg://postgres@127.0.0.1:7999/postgres", isolation_level="AUTOCOMMIT"
    )
    async with su.connect() as c:
        await c.execute(text(f"create database {name} owner hub_owner"))
    await migrate(f"postgresql+asyncpg://hub_owner@127.0.0.1:7999/{name}")
    e = open_engine(f"postgresql+asyncpg://hub_rw@127.0.0.1:7999/{name}")
    yield e
    await e.dispose()
    await su.dispose()
