"""The office on databases of its own."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from audit_service.store.migrate import migrate as migrate_audit
from hub.database.migrate import migrate as migrate_hub
from tests.operations.office import Office, opened


@pytest.fixture
async def office(
    hub_database: Mapping[str, str], audit_database: Mapping[str, str], tmp_path: Path
) -> AsyncIterator[Office]:
    """The whole product in this process, and the people on call."""
    await migrate_hub(hub_database["hub_owner"])
    await migrate_audit(audit_database["audit_owner"])
    async with opened(tmp_path, {**hub_database, **audit_database}) as office:
        yield office
