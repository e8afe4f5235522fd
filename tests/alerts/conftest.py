"""A desk that tells alerts, and the receivers."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.database.engine import open_engine
from hub.database.migrate import migrate
from local.stack import postgres
from local.stack.postgres import Server
from tests.alerts.alertmanager import Alertmanager, Missing, is_required
from tests.alerts.receiver import Receiver
from tests.alerts.rig import Desk


@pytest.fixture(scope="session")
def alert_database(postgres_server: Server) -> Iterator[Mapping[str, str]]:
    """A database of the newest schema, for all of these tests; URLs by role."""
    name = f"alerts_{secrets.token_hex(4)}"
    urls = postgres.create_hub_database(postgres_server, name)
    asyncio.run(migrate(urls["hub_owner"]))
    yield urls
    postgres.drop_database(postgres_server, name)


@pytest.fixture
async def desk(alert_database: Mapping[str, str]) -> AsyncIterator[Desk]:
    """A desk, as the running hub's role, with no alerts yet."""
    owner = open_engine(alert_database["hub_owner"], connections=1)
    async with owner.begin() as connection:
        await connection.execute(text("TRUNCATE alert, alert_delivery"))
    await owner.dispose()
    engine = open_engine(alert_database["hub_rw"])
    yield Desk(engine)
    await engine.dispose()


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Alertmanager]:
    """An Alertmanager that has not been started; skips where none can be had, but fails where CI is set."""
    try:
        server = Alertmanager(tmp_path)
    except Missing as missing:
        if is_required():
            raise
        pytest.skip(str(missing))
    yield server
    server.stop()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver of webhooks that takes all."""
    receiver = Receiver()
    await receiver.start()
    yield receiver
    await receiver.stop()
