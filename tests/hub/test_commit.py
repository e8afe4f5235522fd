"""An answer says only what is committed."""

from collections.abc import Mapping

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from hub.jobs.store import PostgresJobStore
from tests.hub.jobs import new_job

_REFUSES = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no room'; END $$;
CREATE CONSTRAINT TRIGGER refuses AFTER INSERT ON job DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION refuse()
"""


async def as_owner(urls: Mapping[str, str], script: str) -> None:
    """Changes the schema."""
    engine = create_async_engine(urls["hub_owner"])
    async with engine.begin() as connection:
        for statement in script.split(";\n"):
            await connection.execute(text(statement))
    await engine.dispose()


async def test_a_job_whose_commit_fails_is_not_acknowledged_and_can_be_sent_again(
    hub_engine: AsyncEngine, hub_database: Mapping[str, str]
) -> None:
    store, job = PostgresJobStore(hub_engine), new_job(1)
    await as_owner(hub_database, _REFUSES)
    with pytest.raises(DBAPIError, match="no room"):
        await store.accept([job])
    assert await store.get(job.job_id) is None
    await as_owner(hub_database, "DROP TRIGGER refuses ON job")
    (accepted,) = await store.accept([job])
    assert (accepted.job_id, accepted.created_at is None) == (job.job_id, False)
    assert await store.get(job.job_id) is not None
