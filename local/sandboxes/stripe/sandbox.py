"""Stripe's stand-in: localstripe, under gunicorn."""

import asyncio
import secrets
from pathlib import Path

from hubctl import probes
from local.sandboxes.environment import python
from local.sandboxes.sandbox import Account, Sandbox, webhook_secret, webhook_url
from local.sandboxes.stripe.client import API_KEY
from local.stack.layout import Layout
from local.stack.ports import Ports
from local.stack.processes import Command

_SETTINGS = Path(__file__).with_name("gunicorn_settings.py")


def _command(layout: Layout, ports: Ports) -> Command:
    # A provider has machines of its own: on this one its stand-in takes what the product leaves.
    arguments = [
        "nice",
        "-n",
        "19",
        str(python(layout)),
        "-m",
        "gunicorn",
        "-k",
        "aiohttp.GunicornWebWorker",
        "-w",
        "1",
    ]
    arguments += ["-b", ports.address("stripe-sandbox"), "--no-control-socket"]
    arguments += ["-c", str(_SETTINGS), "localstripe.server:app"]
    return Command(arguments)


def _account(_: Layout, ports: Ports) -> Account:
    return {
        "base_url": f"http://{ports.address('stripe-sandbox')}",
        "sandbox": True,
        "api_key": API_KEY,
        "webhook_secrets": [f"whsec_{secrets.token_hex(24)}"],
    }


async def _ready(layout: Layout, ports: Ports) -> bool:
    """Ready once it knows where to send its webhooks, which it forgets when it ends."""
    address = ports.address("stripe-sandbox")
    if not await probes.tcp_accepts(address):
        return False
    body = {"url": webhook_url(ports, "stripe"), "secret": webhook_secret(layout, "stripe")}
    return await asyncio.to_thread(probes.http_posts, f"http://{address}/_config/webhooks/integration", body)


STRIPE = Sandbox("stripe-sandbox", "stripe", _command, _account, _ready)
