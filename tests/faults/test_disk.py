"""The database and its disk fail: no call without a receipt, nothing lost, and all goes on by itself."""

import asyncio
import pwd
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from hub.lanes.watched_log import AUDIT_UNAVAILABLE
from local.stack import postgres
from local.stack.processes import until
from tests.faults.links import STEP_SECONDS, Linked, linked

pytestmark = [pytest.mark.campaign, pytest.mark.asyncio(loop_scope="module")]

UNAVAILABLE = "audit log unavailable"
SIZE = "64m"
FILLER = "filler"
_MOVE = """
CREATE TABLESPACE small LOCATION :'path';
ALTER DATABASE audit SET TABLESPACE small;
"""
_MOVE_BACK = """
ALTER DATABASE audit SET TABLESPACE pg_default;
DROP TABLESPACE small;
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def links() -> AsyncIterator[Linked]:
    """One stack for this file."""
    async with linked(hubs=1) as links:
        yield links


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """An empty filesystem that Postgres may write to, and that is soon full."""
    directory = Path(tempfile.mkdtemp(prefix="small-"))
    owner = postgres.run_as()
    owned = f",uid={pwd.getpwnam(owner).pw_uid}" if owner else ""
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700{owned}", "tmpfs", str(directory)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        directory.rmdir()
        pytest.skip(f"a small filesystem cannot be mounted here: {mounted.stderr.strip()}")
    directory.parent.chmod(directory.parent.stat().st_mode | 0o001)
    yield directory
    subprocess.run(["umount", str(directory)], check=True)
    directory.rmdir()


@pytest_asyncio.fixture(loop_scope="module")
async def log_on_small_disk(links: Linked, small_disk: Path) -> AsyncIterator[Path]:
    """The disk that the log's tables are on, for one test."""
    server = links.stack.postgres_server()
    await links.stack.stop_part("audit")
    server.run(_MOVE, path=str(small_disk))
    await links.stack.start_part("audit")
    yield small_disk
    await links.stack.stop_part("audit")
    server.run(_MOVE_BACK)
    await links.stack.start_part("audit")


def fill(disk: Path) -> None:
    """Leaves no byte free."""
    with (disk / FILLER).open("wb", buffering=0) as filler:
        for size in (1 << 20, 1 << 12):
            try:
                while filler.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue


async def charge_until_the_log_is_full(links: Linked) -> list[str]:
    """What the log's last pages still take, and a batch more; the jobs."""
    warned, jobs = links.logged("hub", UNAVAILABLE), []
    while links.logged("hub", UNAVAILABLE) == warned:
        batch = await links.charge(50)
        jobs += batch

        async def has_ended_or_cannot(batch: list[str] = batch) -> bool:
            if links.logged("hub", UNAVAILABLE) > warned:
                return True
            return all([(await links.core.job(job_id)).proven for job_id in batch])

        assert await until(has_ended_or_cannot, STEP_SECONDS)
    return jobs


async def test_no_call_leaves_while_the_log_has_no_room_and_all_goes_on_when_it_has(
    links: Linked, log_on_small_disk: Path
) -> None:
    await links.until_resolved(AUDIT_UNAVAILABLE.name)
    fill(log_on_small_disk)
    jobs = await charge_until_the_log_is_full(links)
    jobs += await links.charge(20)

    async def is_still() -> bool:
        asked, warned = links.provider.pieces, links.logged("hub", UNAVAILABLE)
        await links.until_logged("hub", UNAVAILABLE, more_than=warned + 4)
        return links.provider.pieces == asked

    assert await until(is_still, STEP_SECONDS)
    await links.until_shown(AUDIT_UNAVAILABLE.name)
    assert links.stack.fallen() == []
    (log_on_small_disk / FILLER).unlink()
    await links.end_well(jobs)
    await links.until_resolved(AUDIT_UNAVAILABLE.name)


async def test_a_database_killed_under_load_loses_and_doubles_nothing(links: Linked) -> None:
    async def charge_some() -> list[str]:
        return [job for _ in range(10) for job in await links.charge(1)]

    clients = [asyncio.create_task(charge_some()) for _ in range(16)]
    made = await links.effects()

    async def is_under_way() -> bool:
        return await links.effects() >= made + 30

    assert await until(is_under_way, STEP_SECONDS)
    links.stack.kill("postgres")
    await links.stack.start_part("postgres")
    jobs = [job for client in clients for job in await client]
    await links.end_well(jobs)
    assert links.stack.fallen() == []
