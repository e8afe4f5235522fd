"""Fixtures of the audit service's tests."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from local.stack.postgres import Server
from tests.audit_service.rig import Callers, Rig


@pytest.fixture
async def rig(tmp_path: Path, audit_database: Mapping[str, str], postgres_server: Server) -> Rig:
    """Keys, certificates and a migrated database; nothing runs yet."""
    return Rig(tmp_path, audit_database, postgres_server)


@pytest.fixture
async def callers(rig: Rig) -> AsyncIterator[Callers]:
    """A running service and its callers."""
    async with rig.running() as callers:
        yield callers
