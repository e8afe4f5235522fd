"""spoke.toml: what a spoke can do and how it wants to be treated, as data."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from spokes.kit import capability
from spokes.kit.errors import BadManifest, UnknownCapability
from spokes.kit.toml import Table

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,31}").fullmatch
_ACCOUNT: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}").fullmatch
_CONTENT_TYPE: Final = re.compile(r"[a-z0-9.+-]{1,64}/[a-z0-9.+-]{1,63}").fullmatch
MANIFEST_NAME: Final = "spoke.toml"
PROTOCOLS: Final = ("http", "smtp")
METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
MOST_TYPES: Final = 16
MOST_WEBHOOK_BYTES: Final = 256 * 1024

READ_SHARE: Final = 0.2
LONGEST_CACHE: Final = 3600.0
_DAY: Final = 86_400.0


class Replay(StrEnum):
    """What a resend can do, as the provider's documentation says."""

    NATIVE_KEY = "native_key"
    QUERYABLE = "queryable"
    BLIND = "blind"
    READ = "read"


class Scheme(StrEnum):
    """How the provider signs its webhooks."""

    NONE = "none"
    STANDARD = "standard_webhooks"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class OperationSpec:
    """One operation. `window` is how long the provider remembers our key, `lag` how long after a
    request a look-up is worth asking, `cache` how long the answer to a read may be given again.
    """

    operation: capability.Operation
    replay: Replay
    window: timedelta
    saves_errors: bool
    lag: timedelta
    can_look_up: bool
    can_cancel: bool
    timeout: timedelta
    confirm_within: timedelta
    max_attempts: int
    initial_backoff: timedelta
    max_backoff: timedelta
    expire_after: timedelta
    cache: timedelta


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """The limits of one account. `read_share`: the part of them that reads have, and jobs have not."""

    name: str
    max_concurrency: int
    rate_per_second: float
    burst: int
    read_share: float


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """How many actors, and how many attempts one of them works on at once."""

    least: int
    most: int
    concurrency: int


@dataclass(frozen=True, slots=True)
class WebhookSpec:
    """How the provider calls, and how much of it is taken: the greatest body, and deliveries at once."""

    scheme: Scheme
    methods: tuple[str, ...]
    content_types: tuple[str, ...]
    max_bytes: int
    room: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The whole of spoke.toml. `operations` is keyed by the full name.

    `account_keys`: what an account of this provider may hold beside the usual, and how that is written.
    """

    name: str
    title: str
    version: str
    capabilities: tuple[str, ...]
    egress: frozenset[str]
    sensitive: frozenset[str]
    protocol: str
    webhook: WebhookSpec
    lists_events: bool
    pool: PoolSpec
    operations: Mapping[str, OperationSpec]
    accounts: Mapping[str, AccountSpec]
    account_keys: Mapping[str, re.Pattern[str]]


def load_manifest(path: Path) -> Manifest:
    """Reads and checks spoke.toml; raises BadManifest naming the key at fault."""
    try:
        values = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise BadManifest(f"cannot read {path.name} of {path.parent.name}: {error}") from error
    return parse_manifest(values, folder=path.parent.name)


def parse_manifest(values: Mapping[str, object], *, folder: str) -> Manifest:
    """Checks the values of spoke.toml; the name must be the folder's."""
    root = Table(dict(values))
    name = root.text("name")
    if not _NAME(name) or name != folder:
        raise BadManifest("name: not the folder's, or not lower case letters, digits and underscores")
    names = root.texts("capabilities")
    manifest = Manifest(
        name=name,
        title=root.text("title"),
        version=root.text("version"),
        capabilities=names,
        egress=frozenset(root.texts("egress")),
        sensitive=frozenset(root.texts("sensitive")),
        protocol=_protocol(root),
        webhook=_webhook(root.inner("webhook")),
        lists_events=root.flag("lists_events", False),
        pool=_pool(root.inner("pool")),
        operations=_operations(root, names),
        accounts=_accounts(root.inner("accounts")),
        account_keys=_account_keys(root.inner("account_keys")),
    )
    root.close()
    return manifest


def limited(manifest: Manifest, limits: Mapping[str, Mapping[str, object]]) -> Manifest:
    """The manifest with other limits for some accounts, by name: what a provider grants is the account's own.

    What is not given stays as it is; raises BadManifest naming the key at fault.
    """
    accounts = {
        name: _limits(Table(limits.get(name, {}), f"{name}.limits."), spec)
        for name, spec in manifest.accounts.items()
    }
    return replace(manifest, accounts=accounts)


def _protocol(root: Table) -> str:
    protocol = root.text("protocol", "http")
    if protocol not in PROTOCOLS:
        raise BadManifest(f"protocol: not one of {', '.join(PROTOCOLS)}")
    return protocol


def _account_keys(table: Table) -> dict[str, re.Pattern[str]]:
    found = {}
    for key in table.names():
        try:
            found[key] = re.compile(table.text(key))
        except re.error:
            raise BadManifest(f"account_keys.{key}: not a pattern") from None
    return found


def _webhook(table: Table) -> WebhookSpec:
    scheme = table.text("scheme", "none")
    if scheme not in set(Scheme):
        raise BadManifest(f"webhook.scheme: not one of {', '.join(Scheme)}")
    spec = WebhookSpec(
        scheme=Scheme(scheme),
        methods=tuple(dict.fromkeys(table.texts("methods"))) or ("POST",),
        content_types=table.texts("content_types") or ("application/json",),
        max_bytes=table.integer("max_bytes", MOST_WEBHOOK_BYTES, least=1, most=MOST_WEBHOOK_BYTES),
        room=table.integer("room", 64, least=1, most=1024),
    )
    table.close()
    if not METHODS.issuperset(spec.methods):
        raise BadManifest(f"webhook.methods: not of {', '.join(sorted(METHODS))}")
    if len(spec.content_types) > MOST_TYPES or not all(map(_CONTENT_TYPE, spec.content_types)):
        raise BadManifest("webhook.content_types: not content types in lower case without parameters")
    return spec


def _pool(table: Table) -> PoolSpec:
    spec = PoolSpec(
        least=table.integer("min", 1, least=1, most=64),
        most=table.integer("max", 2, least=1, most=64),
        concurrency=table.integer("concurrency", 64, least=1, most=1000),
    )
    table.close()
    if spec.most < spec.least:
        raise BadManifest("pool.max: less than pool.min")
    return spec


def _accounts(table: Table) -> dict[str, AccountSpec]:
    if not table.names():
        raise BadManifest("accounts: none; at least accounts.default")
    return {name: _account(name, table.inner(name)) for name in table.names()}


def _account(name: str, table: Table) -> AccountSpec:
    if not _ACCOUNT(name):
        raise BadManifest(f"accounts.{name}: not lower case letters, digits, - and _")
    return _limits(table, AccountSpec(name, 64, rate_per_second=0.0, burst=1, read_share=READ_SHARE))


def _limits(table: Table, usual: AccountSpec) -> AccountSpec:
    spec = AccountSpec(
        name=usual.name,
        max_concurrency=table.integer("max_concurrency", usual.max_concurrency, least=1, most=10_000),
        rate_per_second=table.number("rate_per_second", usual.rate_per_second, least=0.0, most=1e6),
        burst=table.integer("burst", usual.burst, least=1, most=1_000_000),
        read_share=table.number("read_share", usual.read_share, least=0.01, most=0.9),
    )
    table.close()
    return spec


def _operations(root: Table, names: tuple[str, ...]) -> dict[str, OperationSpec]:
    offered: dict[str, capability.Operation] = {}
    for name in names:
        try:
            offered.update(capability.operations(name))
        except UnknownCapability as error:
            raise BadManifest(f"capabilities: {error}") from error
    table, defaults = root.inner("operations"), root.inner("defaults")
    if not table.names():
        raise BadManifest("operations: none")
    specs = [_operation(offered.get(rpc), rpc, table.inner(rpc).over(defaults)) for rpc in table.names()]
    return {spec.operation.name: spec for spec in specs}


def _operation(operation: capability.Operation | None, rpc: str, table: Table) -> OperationSpec:
    where = f"operations.{rpc}"
    if operation is None:
        raise BadManifest(f"{where}: not an operation of the capabilities")
    replay = table.text("replay")
    if replay not in set(Replay):
        raise BadManifest(f"{where}.replay: not one of {', '.join(Replay)}")
    spec = OperationSpec(
        operation=operation,
        replay=Replay(replay),
        window=table.seconds("window", 0.0),
        saves_errors=table.flag("saves_errors", False),
        lag=table.seconds("look_up_lag", 1.0),
        can_look_up=table.flag("can_look_up", False),
        can_cancel=table.flag("can_cancel", False),
        timeout=table.seconds("timeout", 20.0, most=300.0),
        confirm_within=table.seconds("confirm_within", 60.0),
        max_attempts=table.integer("max_attempts", 8, least=1, most=100),
        initial_backoff=table.seconds("initial_backoff", 0.5, most=3600.0),
        max_backoff=table.seconds("max_backoff", 60.0, most=_DAY),
        expire_after=table.seconds("expire_after", _DAY),
        cache=table.seconds("cache", 0.0, most=LONGEST_CACHE),
    )
    table.close()
    _refuse_contradictions(where, spec)
    return spec


def _refuse_contradictions(where: str, spec: OperationSpec) -> None:
    if (spec.replay is Replay.READ) != spec.operation.is_read:
        raise BadManifest(f"{where}.replay: the contract and the manifest disagree about read")
    if spec.cache and spec.replay is not Replay.READ:
        raise BadManifest(f"{where}.cache_seconds: only an answer to a read can be given again")
    if spec.replay is Replay.NATIVE_KEY and not spec.window:
        raise BadManifest(f"{where}.window_seconds: missing, native_key needs it")
    if spec.replay is Replay.QUERYABLE and not spec.can_look_up:
        raise BadManifest(f"{where}.can_look_up: queryable means that it is true")
    if spec.can_cancel and not spec.operation.confirmed_later:
        raise BadManifest(f"{where}.can_cancel: by the contract it is never pending")
    if not spec.timeout or not spec.initial_backoff or spec.max_backoff < spec.initial_backoff:
        raise BadManifest(f"{where}: timeout and backoff are not zero, and max_backoff is the greater one")
