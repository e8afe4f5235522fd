"""The mail system's stand-in: aiosmtpd, into a Maildir."""

from hubctl import probes
from local.sandboxes.environment import python
from local.sandboxes.sandbox import Account, Sandbox
from local.stack.layout import Layout
from local.stack.ports import Ports
from local.stack.processes import Command


def _command(layout: Layout, ports: Ports) -> Command:
    inbox = str(layout.data("inbox"))
    arguments = [str(python(layout)), "-m", "aiosmtpd", "-n", "-l", ports.address("smtp-inbox")]
    return Command([*arguments, "-c", "aiosmtpd.handlers.Mailbox", inbox])


def _account(_: Layout, ports: Ports) -> Account:
    return {
        "base_url": f"smtp://{ports.address('smtp-inbox')}",
        "sandbox": True,
        "from_address": "shop@example.com",
    }


async def _ready(_: Layout, ports: Ports) -> bool:
    return await probes.tcp_accepts(ports.address("smtp-inbox"))


SMTP = Sandbox("smtp-inbox", "smtp", _command, _account, _ready)
