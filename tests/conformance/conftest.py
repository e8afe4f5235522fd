"""Which spokes the suite runs on: all, or the one that `--spoke` names."""

import pytest

from spokes.kit import registry
from spokes.kit.specimen import Specimen


def pytest_addoption(parser):
    """Adds --spoke."""
    parser.addoption("--spoke", default=None, help="run the suite on this spoke only")


def _names(config):
    chosen = config.getoption("spoke", default=None)
    return [chosen] if chosen else registry.names()


def pytest_generate_tests(metafunc):
    """Runs a test once per spoke, or once per HTTP operation of each spoke."""
    specimens = {name: registry.specimen(name) for name in _names(metafunc.config)}
    if "effect" in metafunc.fixturenames:
        metafunc.parametrize("effect", _operations(specimens, reads=False))
    if "read" in metafunc.fixturenames:
        metafunc.parametrize("read", _operations(specimens, reads=True))
    if "hearing" in metafunc.fixturenames:
        metafunc.parametrize("hearing", [n for n, s in specimens.items() if s.sign])
    if "hooked" in metafunc.fixturenames:
        hooks = [(name, hook) for name, specimen in specimens.items() for hook in specimen.hooks]
        ids = [f"{name}-{hook.name}" for name, hook in hooks]
        metafunc.parametrize("hooked", hooks, ids=ids)
    if "spoke_name" in metafunc.fixturenames:
        metafunc.parametrize("spoke_name", list(specimens))


def _operations(specimens: dict[str, Specimen], *, reads: bool):
    manifests = {name: registry.manifest(name) for name in specimens}
    return [
        pytest.param((name, spec.operation.rpc), id=f"{name}-{spec.operation.rpc}")
        for name, specimen in specimens.items()
        for spec in manifests[name].operations.values()
        if spec.operation.rpc in specimen.requests and spec.operation.is_read is reads
    ]
