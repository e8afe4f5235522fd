"""A state directory as `hubctl up` leaves it, with our stand-in where the hub would be."""

from collections.abc import AsyncIterator

import pytest

from local.stack import profile
from local.stack.certificates import HUB, PEOPLE, spiffe_id
from local.stack.layout import TRUST_DOMAIN, Layout
from local.stack.ports import Ports
from mesh.ca import CertificateAuthority
from mesh.identity import Identity
from mesh.server import MeshServer
from tests.cli.desk import STATUSES, StandIn
from tests.cli.terminal import Terminal


@pytest.fixture(scope="session")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """The identities of the hub and of three operators."""
    layout = Layout.at(tmp_path_factory.mktemp("desk"))
    authority = CertificateAuthority.create(TRUST_DOMAIN)
    for role, name in (HUB, *PEOPLE):
        authority.issue(spiffe_id(role, name), layout.identity(role, name))
    return layout


@pytest.fixture
async def server(layout: Layout) -> AsyncIterator[MeshServer]:
    """A server of the mesh, with the hub's identity, not yet listening."""
    identity = Identity.load(layout.identity(*HUB))
    server = MeshServer(identity, domain="desk.test", statuses=STATUSES)
    yield server
    await server.drain(0)


@pytest.fixture
async def stand_in(server: MeshServer, layout: Layout) -> StandIn:
    """The stand-in, listening where the profile says that the hub and its log are."""
    stand_in = StandIn()
    stand_in.serve_on(server)
    port = await server.serve("127.0.0.1:0")
    await server.set_ready(True)
    here = f"127.0.0.1:{port}"
    profile.write(layout, Ports().seen_by({"core": here, "audit": here}), [])
    return stand_in


@pytest.fixture
def terminal(layout: Layout) -> Terminal:
    """Where commands are typed."""
    return Terminal(layout.state)
