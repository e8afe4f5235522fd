"""The office on databases of its own."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.operations.office import Office, opened


@pytest.fixture
async def office(
    hub_database: Mapping[str, str], audit_database: Mapping[str, str], tmp_path: Path
) -> AsyncIterator[Office]:
    """The whole product in this process, and the people on call."""
    async with opened(tmp_path, {**hub_database, **audit_database}) as office:
        yield office
