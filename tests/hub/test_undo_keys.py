"""What rollbacks have done under an older schema still counts."""

from collections.abc import Mapping
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from hub.database import migrate

DONE, CORES = ("01890000-0000-7000-8000-000000000001", "01890000-0000-7000-8000-000000000002")
STORED = f"""
INSERT INTO request_key
VALUES ('acme', 'rollback:{DONE}', '{DONE}', ''), ('acme', 'rollback:{CORES}', '{CORES}', '');
INSERT INTO job_body
SELECT job_id, '', '', '', '', 1, '1 s', '1 s',
       'spiffe://integration.local/' || CASE WHEN job_id = '{DONE}' THEN 'operator/ana' ELSE 'core/demo' END,
       '', '{{}}', '{{}}'
FROM request_key;
INSERT INTO job_done
SELECT job_id, now(), now(), now(), 1, 6, 'echo/default', 'acme', 'o', request_id, '', '', '', '', ''
FROM request_key
"""


def _older(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "0006")


async def test_the_jobs_that_rollbacks_have_made_are_first_attempts(
    empty_hub_database: Mapping[str, str],
) -> None:
    owner = empty_hub_database["hub_owner"]
    engine = create_async_engine(owner)
    async with engine.begin() as connection:
        await connection.run_sync(_older)
        for statement in STORED.split(";"):
            await connection.exec_driver_sql(statement)
    await migrate.migrate(owner)
    async with engine.connect() as connection:
        for table in ("request_key", "job_done"):
            found = set((await connection.execute(text(f"SELECT request_id FROM {table}"))).scalars())
            assert {key.lstrip("~") for key in found} == {f"rollback:{DONE}:1", f"rollback:{CORES}"}
    await engine.dispose()
