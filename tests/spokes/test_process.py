"""`python -m spokes` as it is started in earnest."""

import asyncio
import json
import signal
import subprocess
import sys

import pytest

from mesh.channel import open_channel
from mesh.identity import Identity
from spokes.echo.sandbox import Sandbox
from spokes.kit import registry
from tests.spokes.harness import (
    HubSide,
    Work,
    account,
    environment,
    equip,
    free_port,
    http_server,
    operation,
    until_open,
)

CHARGE = Work(operation("echo", "Charge"), registry.specimen("echo").requests["Charge"])


async def test_sigterm_lets_what_has_begun_end(tmp_path):
    sandbox, port = Sandbox(latency=0.5), free_port()
    async with http_server(sandbox.application()) as url:
        log, key = equip("echo", account(url), tmp_path)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "spokes", "run", "echo", env=environment(tmp_path, port)
        )
        await until_open(port)
        channel = open_channel(f"127.0.0.1:{port}", Identity.load(tmp_path / "hub"), server_role="spoke")
        hub = HubSide("echo", key=key, log=log, channel=channel)
        executing = asyncio.ensure_future(hub.execute(CHARGE))
        while not sandbox.begun:
            await asyncio.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        (result,) = await executing
        assert result.outcome.HasField("succeeded")
        assert await asyncio.wait_for(process.wait(), 15) == 0
        await channel.close()


@pytest.mark.parametrize("missing", ["SPOKE_LISTEN", "SPOKE_ACCOUNTS_FILE", "SPOKE_AUDIT_VKEY_FILE"])
def test_a_missing_setting_is_named(tmp_path, missing):
    equip("echo", account("http://127.0.0.1:9"), tmp_path)
    variables = environment(tmp_path, free_port())
    del variables[missing]
    ended = subprocess.run(
        [sys.executable, "-m", "spokes", "run", "echo"],
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert missing in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_list_says_what_generated_files_need():
    listed = subprocess.run(
        [sys.executable, "-m", "spokes", "list", "--json"], capture_output=True, text=True, check=True
    )
    facts = {spoke["name"]: spoke for spoke in json.loads(listed.stdout)}
    assert {"echo", "stripe", "smtp"} <= set(facts)
    assert facts["stripe"]["egress"] == ["api.stripe.com"]
    assert facts["smtp"]["operations"][0]["replay"] == "blind"
