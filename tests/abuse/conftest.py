"""One database per module: abuse is many small calls, and none of them may leave anything behind."""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping

import pytest
import pytest_asyncio

from hub.database.migrate import migrate
from hub.peers.spokes import SpokeDirectory
from local.stack import postgres
from local.stack.postgres import Server
from tests.abuse.edge import Edge, serving
from tests.abuse.hearing import Listener, listening, speaking

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def hub_urls(postgres_server: Server) -> Iterator[Mapping[str, str]]:
    """A hub's database of the newest schema, for all tests of a module; URLs by role."""
    name = f"hub_{secrets.token_hex(4)}"
    urls = postgres.create_hub_database(postgres_server, name)
    asyncio.run(migrate(urls["hub_owner"]))
    yield urls
    postgres.drop_database(postgres_server, name)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def spokes(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SpokeDirectory]:
    """Both spokes, as the hub reaches them."""
    async with speaking(tmp_path_factory.mktemp("spokes")) as spokes:
        yield spokes


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def listener(
    hub_urls: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory, spokes: SpokeDirectory
) -> AsyncIterator[Listener]:
    """The listener for all tests of this module."""
    async with listening(hub_urls, tmp_path_factory.mktemp("listener"), spokes) as listener:
        yield listener


@pytest.fixture
def number() -> int:
    """A number that no other test has: of the job and of the event."""
    return next(_NUMBERS)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def edge(hub_urls: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    """One edge for all: what one test does to it the next would see."""
    async with serving(hub_urls, tmp_path_factory.mktemp("edge")) as edge:
        yield edge
