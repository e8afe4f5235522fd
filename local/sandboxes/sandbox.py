"""A provider's stand-in as a part of the stack, and the account with which its spoke reaches it."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from local.stack.layout import Layout, write_json
from local.stack.ports import Ports
from local.stack.processes import Command

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
