"""The accounts that the stack writes for its spokes are ones that the spokes take."""

from pathlib import Path

import pytest

from local.sandboxes.all import SANDBOXES
from local.sandboxes.sandbox import Sandbox, write_accounts
from local.stack.layout import Layout
from local.stack.ports import Ports
from spokes.kit import registry
from spokes.kit.accounts_file import load_accounts


@pytest.mark.parametrize("sandbox", SANDBOXES, ids=lambda s: s.spoke)
def test_a_spoke_takes_the_account_that_the_stack_writes(tmp_path: Path, sandbox: Sandbox) -> None:
    layout, ports = Layout.at(tmp_path, tmp_path), Ports(7400, tuple(s.spoke for s in SANDBOXES), hubs=1)
    write_accounts(layout, ports, sandbox, limits={})
    (account,) = load_accounts(layout.accounts(sandbox.spoke), registry.manifest(sandbox.spoke)).values()
    assert account.sandbox
