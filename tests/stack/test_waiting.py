"""A service whose database is away at its start waits for it."""

import asyncio
import os
import subprocess
import sys

import pytest

from local.stack.stack import Stack
from tests.docs.readme import ROOT
from tests.spokes.harness import free_port

PATIENCE_SECONDS = 60.0


@pytest.mark.parametrize("name", ["hub", "audit"])
async def test_a_service_whose_database_is_away_says_so_in_a_line_and_waits(
    small_stack: Stack, name: str
) -> None:
    log = small_stack.layout.log(name)
    for part in ("postgres", name):
        small_stack.kill(part)
    log.unlink()
    starting = asyncio.create_task(small_stack.start_part(name))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (log.exists() and "waiting: " in log.read_text()) and not starting.done():
                await asyncio.sleep(0.05)
        assert name not in [process.name for process in small_stack.fallen()], log.read_text()
        assert "Traceback" not in log.read_text()
    finally:
        await small_stack.start_part("postgres")
        await asyncio.gather(starting, return_exceptions=True)
    await starting
    assert small_stack.fallen() == []


@pytest.mark.parametrize("module", ["hub", "audit_service"])
def test_a_migration_that_cannot_connect_ends_with_a_line(module: str) -> None:
    url = f"postgresql+asyncpg://owner:x@127.0.0.1:{free_port()}/database"
    done = subprocess.run(
        [sys.executable, "-m", module, "migrate"],
        cwd=ROOT,
        env={**os.environ, "HUB_OWNER_DATABASE_URL": url, "AUDIT_OWNER_DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
