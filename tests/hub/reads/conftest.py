"""The whole product in this process, and a payment that can be read."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tests.hub.reads.desk import ReadingDesk
from tests.operations.office import opened


@pytest.fixture
async def desk(
    hub_database: Mapping[str, str], audit_database: Mapping[str, str], tmp_path: Path
) -> AsyncIterator[ReadingDesk]:
    """The whole product, with one payment made."""
    urls = {**hub_database, **audit_database}
    async with opened(tmp_path, urls) as office, ReadingDesk.of(office, urls["hub_owner"]) as desk:
        yield desk
