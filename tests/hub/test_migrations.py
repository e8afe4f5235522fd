"""What was stored under an older schema, after it has been brought to the newest."""

from collections.abc import Mapping
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from hub.database import migrate
from hub.plans.model import UNDO_KEY

JOBS = """
CREATE TEMPORARY TABLE old AS
SELECT ('01890000-0000-7000-8000-00000000000' || n)::uuid AS job_id, request_id, actor, ended
FROM (VALUES (1, 'rollback:done', 'operator/ana', true), (2, 'rollback:queued', 'hub/hub', false),
             (3, 'rollback:mine', 'core/demo', false), (4, 'order-1', 'core/demo', true)
     ) AS v(n, request_id, actor, ended);
INSERT INTO request_key SELECT 'acme', request_id, job_id, '' FROM old;
INSERT INTO job_body
SELECT job_id, '', '', '', '', 1, '1 s', '1 s', 'spiffe://integration.local/' || actor, '', '{}', '{}'
FROM old;
INSERT INTO job (job_id, created_at, updated_at, expire_at, state, priority, lane_id, tenant, operation,
                 request_id)
SELECT job_id, now(), now(), now(), 1, 0, 'echo/default', 'acme', 'o', request_id FROM old WHERE NOT ended;
INSERT INTO job_done
SELECT job_id, now(), now(), now(), 1, 6, 'echo/default', 'acme', 'o', request_id, '', '', '', '', ''
FROM old WHERE ended;
INSERT INTO job_event
SELECT row_number() OVER (), job_id, 'acme', 6, now(), 'echo/default', 'o', request_id, 1, now(), now(), '',
       '', ''
FROM old WHERE ended
"""
TABLES = ("request_key", "job", "job_done", "numbered_event")


def bring_to(connection: Connection, revision: str) -> None:
    """An older schema."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def test_only_the_products_own_request_ids_leave_the_space_of_cores(
    empty_hub_database: Mapping[str, str],
) -> None:
    owner = empty_hub_database["hub_owner"]
    engine = create_async_engine(owner)
    async with engine.begin() as connection:
        await connection.run_sync(bring_to, "0005")
        for statement in JOBS.split(";"):
            await connection.exec_driver_sql(statement)
    await migrate.migrate(owner)
    async with engine.connect() as connection:
        found = {
            t: set((await connection.execute(text(f"SELECT request_id FROM {t}"))).scalars()) for t in TABLES
        }
    await engine.dispose()
    assert found == {
        "request_key": {"order-1", "rollback:mine", f"{UNDO_KEY}done", f"{UNDO_KEY}queued"},
        "job": {"rollback:mine", f"{UNDO_KEY}queued"},
        "job_done": {"order-1", f"{UNDO_KEY}done"},
        "numbered_event": {"order-1", f"{UNDO_KEY}done"},
    }
