"""A log whose database has too much to do."""

import asyncio
from collections.abc import Mapping

import pytest

from audit_service.edge.statuses import DOMAIN, STATUSES
from audit_service.errors import Overloaded
from audit_service.store.log_reader import PostgresLogReader
from mesh.errors import to_status


async def test_who_finds_all_connections_in_use_is_told_so_within_seconds(
    audit_database: Mapping[str, str],
) -> None:
    reader = PostgresLogReader(audit_database["audit_reader"], connections=1)
    async with asyncio.timeout(10), reader._engine.connect():
        with pytest.raises(Overloaded) as refused:
            await reader.state()
    assert to_status(refused.value, STATUSES, DOMAIN).code == 8  # RESOURCE_EXHAUSTED
    await reader.close()
