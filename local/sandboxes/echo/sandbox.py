"""The stand-in of the echo spoke, which is a part of its folder."""

import asyncio
import base64
import secrets
import sys

from hubctl import probes
from local.sandboxes.sandbox import Account, Sandbox, webhook_secret, webhook_url
from local.stack.layout import Layout
from local.stack.ports import Ports
from local.stack.processes import Command


def _command(layout: Layout, ports: Ports) -> Command:
    arguments = [sys.executable, "-m", "spokes.echo.sandbox", "--port", str(ports.of("echo-sandbox"))]
    arguments += ["--webhook-url", webhook_url(ports, "echo")]
    return Command([*arguments, "--webhook-secret", webhook_secret(layout, "echo")])


def _account(_: Layout, ports: Ports) -> Account:
    return {
        "base_url": f"http://{ports.address('echo-sandbox')}",
        "sandbox": True,
        "api_key": secrets.token_hex(16),
        "webhook_secrets": [f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"],
    }


async def _ready(_: Layout, ports: Ports) -> bool:
    return await asyncio.to_thread(probes.http_answers, f"http://{ports.address('echo-sandbox')}/effects")


ECHO = Sandbox("echo-sandbox", "echo", _command, _account, _ready, own_environment=False)
