"""What providers say, as tests read it and write it down."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hub.events.told import Told
from hub.events.told_store import PostgresToldLog

_TELL = text("""
INSERT INTO provider_event (tenant, kind, lane_id, event_id, type, operation, provider_reference, differs,
                            proposal, job_state, job_reference, job_currency, said, said_currency, job_id)
SELECT :tenant, 2, 'echo/default', :first || '-' || n, 'dispute.created', 'o', '', '', 0, 0, '', '', '', '',
       CAST(:job_id AS uuid)
FROM generate_series(1, :count) AS n
""")


async def told_to(
    engine: AsyncEngine, tenant: str = "acme", *, after: int = 0, job_id: str = ""
) -> list[Told]:
    """Numbers what is committed, and reads a tenant's."""
    log = PostgresToldLog(engine)
    while await log.number(10):
        pass
    upto = (await log.head()).cursor
    return await log.between(tenant, after=after, upto=upto, limit=1000, job_id=job_id)


async def tell(
    connection: AsyncConnection, name: str, *, tenant: str = "acme", count: int = 1, job_id: str | None = None
) -> None:
    """Writes disputes down as the end of a commit does: `name-1` and so on."""
    values = {"tenant": tenant, "first": name, "count": count, "job_id": job_id}
    await connection.execute(_TELL, values)
