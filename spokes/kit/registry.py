"""Finds spokes by name; the kit never imports one itself."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import cast

import spokes
from spokes.kit.accounts import Account
from spokes.kit.accounts_file import load_accounts
from spokes.kit.errors import BadManifest, BadSpoke, UnknownSpoke
from spokes.kit.manifest import MANIFEST_NAME, Manifest, load_manifest
from spokes.kit.specimen import Specimen
from spokes.kit.spoke import Cancels, ChecksAccounts, LooksUp, Spoke


def root() -> Path:
    """The folder that holds the spokes' folders."""
    return Path(next(iter(spokes.__path__)))


def names() -> list[str]:
    """The spokes there are."""
    return sorted(path.parent.name for path in root().glob(f"*/{MANIFEST_NAME}"))


def manifest(name: str) -> Manifest:
    """A spoke's manifest; raises UnknownSpoke."""
    if name not in names():
        raise UnknownSpoke(f"no spoke {name}; there are {', '.join(names())}")
    return load_manifest(root() / name / MANIFEST_NAME)


def manifests() -> tuple[list[Manifest], dict[str, BadManifest]]:
    """Every manifest that keeps its rules, and by the spoke's name what is wrong with the others."""
    good, faults = [], {}
    for name in names():
        try:
            good.append(manifest(name))
        except BadManifest as error:
            faults[name] = error
    return good, faults


def build(name: str) -> Spoke:
    """Imports a spoke's code and builds it; raises BadSpoke where it does not keep its manifest."""
    declared = manifest(name)
    module = importlib.import_module(f"spokes.{name}.spoke")
    spoke = cast(Callable[[], Spoke], module.build)()
    promised = {spec.operation.rpc for spec in declared.operations.values()}
    kept = set(spoke.handlers())
    if promised != kept:
        raise BadSpoke(f"{name}: manifest and handlers differ in {', '.join(sorted(promised ^ kept))}")
    if any(s.can_look_up for s in declared.operations.values()) and not isinstance(spoke, LooksUp):
        raise BadSpoke(f"{name}: the manifest says can_look_up, the code has no look_up")
    if any(s.can_cancel for s in declared.operations.values()) is not isinstance(spoke, Cancels):
        raise BadSpoke(f"{name}: manifest and code differ in whether it can cancel")
    return spoke


def accounts(name: str, spoke: Spoke, path: Path) -> dict[str, Account]:
    """A spoke's accounts, held to the kit's rules and to its own; raises BadAccounts."""
    declared = manifest(name)
    found = load_accounts(path, declared)
    if isinstance(spoke, ChecksAccounts):
        for account in found.values():
            spoke.check_account(account)
    return found


def specimen(name: str) -> Specimen:
    """A spoke's specimen for the conformance suite."""
    module = importlib.import_module(f"spokes.{name}.specimen")
    return cast(Callable[[], Specimen], module.specimen)()
