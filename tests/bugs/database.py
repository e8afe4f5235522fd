"""One PostgreSQL for all runs: to start one for each would take longer than the tests."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hubctl.errors import PostgresMissing
from local.stack import postgres
from local.stack.postgres import Server
from tests.spokes.harness import free_port

START_SECONDS = 30.0


@contextmanager
def database_url() -> Iterator[str]:
    """The superuser's URL of the server that DATABASE_URL names, or of one of our own."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    directory = Path(tempfile.mkdtemp(prefix="bugs-postgres-"))
    directory.chmod(0o711)
    own, port, user = postgres.prepare(directory / "postgres", durable=False), free_port(), postgres.run_as()
    with (directory / "postgres.log").open("wb") as log:
        process = subprocess.Popen(
            own.command(port), user=user, extra_groups=[] if user else None, stdout=log, stderr=log
        )
    try:
        _wait(own.server(port), process)
        yield f"postgresql://postgres:{own.password}@127.0.0.1:{port}/postgres"
    finally:
        process.send_signal(signal.SIGQUIT)
        process.wait(10)
        shutil.rmtree(own.home, ignore_errors=True)
        shutil.rmtree(directory, ignore_errors=True)


def _wait(server: Server, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            server.run("SELECT 1")
            return
        except PostgresMissing:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
