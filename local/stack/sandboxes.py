"""The providers' stand-ins: real servers not written here where there are any, and the accounts for them."""

import asyncio
import base64
import hashlib
import json
import secrets
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hubctl.errors import PartFailed
from local.stack import probes
from local.stack.layout import Layout, write_json
from local.stack.ports import Ports
from local.stack.processes import Command

API_KEY = "sk_test_local"
_HERE = Path(__file__).parent
_REQUIREMENTS = _HERE / "sandboxes.txt"

Account = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A stand-in: the part that runs it, how to start it, and when it is ready."""

    part: str
    spoke: str
    command: Callable[[Layout, Ports], Command]
    account: Callable[[Layout, Ports], Account]
    is_ready: Callable[[Layout, Ports], Awaitable[bool]]
    own_environment: bool = True


def environment(layout: Layout) -> Path:
    """The stand-ins' Python environment, made by `build`."""
    return layout.cache / "sandboxes"


def build(layout: Layout) -> None:
    """Installs the stand-ins, as locked, unless that is done."""
    target, stamp = environment(layout), layout.cache / "sandboxes.stamp"
    wanted = hashlib.sha256(_REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted and _python(layout).exists():
        return
    stamp.unlink(missing_ok=True)
    layout.cache.mkdir(parents=True, exist_ok=True)
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        raise PartFailed("uv is needed to install the providers' stand-ins: make .venv")
    _run([uv, "venv", "--clear", "--python", sys.executable, str(target)])
    _run(
        [uv, "pip", "install", "--python", str(_python(layout)), "--require-hashes", "-r", str(_REQUIREMENTS)]
    )
    stamp.write_text(wanted)


def write_accounts(layout: Layout, ports: Ports, sandbox: Sandbox, *, limits: Mapping[str, float]) -> None:
    """Writes the accounts with which the spoke reaches its stand-in, and what they are limited to."""
    layout.accounts(sandbox.spoke).parent.mkdir(parents=True, exist_ok=True)
    account = {**sandbox.account(layout, ports), "limits": limits}
    write_json(layout.accounts(sandbox.spoke), {"default": account})


def webhook_secret(layout: Layout, spoke: str) -> str:
    """The secret of the account's webhooks, as its accounts file has it."""
    account = json.loads(layout.accounts(spoke).read_text())["default"]
    return str(account["webhook_secrets"][0])


def webhook_url(ports: Ports, spoke: str) -> str:
    """Where a stand-in sends its webhooks: to Envoy."""
    return f"http://{ports.address('webhooks')}/webhooks/{spoke}/default"


def _stripe_command(layout: Layout, ports: Ports) -> Command:
    # A provider has machines of its own: on this one its stand-in takes what the product leaves.
    arguments = [
        "nice",
        "-n",
        "19",
        str(_python(layout)),
        "-m",
        "gunicorn",
        "-k",
        "aiohttp.GunicornWebWorker",
        "-w",
        "1",
    ]
    arguments += ["-b", ports.address("stripe-sandbox"), "--no-control-socket"]
    arguments += ["-c", str(_HERE / "localstripe_settings.py"), "localstripe.server:app"]
    return Command(arguments)


def _stripe_account(_: Layout, ports: Ports) -> Account:
    return {
        "base_url": f"http://{ports.address('stripe-sandbox')}",
        "sandbox": True,
        "api_key": API_KEY,
        "webhook_secrets": [f"whsec_{secrets.token_hex(24)}"],
    }


async def _stripe_ready(layout: Layout, ports: Ports) -> bool:
    """Ready once it knows where to send its webhooks, which it forgets when it ends."""
    address = ports.address("stripe-sandbox")
    if not await probes.tcp_accepts(address):
        return False
    body = {"url": webhook_url(ports, "stripe"), "secret": webhook_secret(layout, "stripe")}
    return await asyncio.to_thread(probes.http_posts, f"http://{address}/_config/webhooks/integration", body)


def _smtp_command(layout: Layout, ports: Ports) -> Command:
    inbox = str(layout.data("inbox"))
    arguments = [str(_python(layout)), "-m", "aiosmtpd", "-n", "-l", ports.address("smtp-inbox")]
    return Command([*arguments, "-c", "aiosmtpd.handlers.Mailbox", inbox])


def _smtp_account(_: Layout, ports: Ports) -> Account:
    return {
        "base_url": f"smtp://{ports.address('smtp-inbox')}",
        "sandbox": True,
        "from_address": "shop@example.com",
    }


async def _smtp_ready(_: Layout, ports: Ports) -> bool:
    return await probes.tcp_accepts(ports.address("smtp-inbox"))


def _echo_command(layout: Layout, ports: Ports) -> Command:
    arguments = [sys.executable, "-m", "spokes.echo.sandbox", "--port", str(ports.of("echo-sandbox"))]
    arguments += ["--webhook-url", webhook_url(ports, "echo")]
    return Command([*arguments, "--webhook-secret", webhook_secret(layout, "echo")])


def _echo_account(_: Layout, ports: Ports) -> Account:
    return {
        "base_url": f"http://{ports.address('echo-sandbox')}",
        "sandbox": True,
        "api_key": secrets.token_hex(16),
        "webhook_secrets": [f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"],
    }


async def _echo_ready(_: Layout, ports: Ports) -> bool:
    return await asyncio.to_thread(probes.http_answers, f"http://{ports.address('echo-sandbox')}/effects")


SANDBOXES = (
    Sandbox("stripe-sandbox", "stripe", _stripe_command, _stripe_account, _stripe_ready),
    Sandbox("smtp-inbox", "smtp", _smtp_command, _smtp_account, _smtp_ready),
    Sandbox("echo-sandbox", "echo", _echo_command, _echo_account, _echo_ready, own_environment=False),
)


def _python(layout: Layout) -> Path:
    return environment(layout) / "bin" / "python"


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise PartFailed(f"the providers' stand-ins cannot be installed: {done.stderr.strip()[-500:]}")
