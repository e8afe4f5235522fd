"""Fixtures of the mesh's tests."""

import pytest

from tests.mesh.serving import Papers


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """The identities of one trust domain."""
    return Papers(tmp_path_factory.mktemp("papers"))
