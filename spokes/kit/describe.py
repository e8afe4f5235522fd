"""The manifest as the contract has it."""

from datetime import datetime
from typing import Final

from integration.spoke.v1 import spoke_service_pb2 as pb
from spokes.kit.manifest import AccountSpec, Manifest, OperationSpec, Replay, WebhookSpec

_REPLAY: Final = {
    Replay.NATIVE_KEY: pb.REPLAY_KIND_NATIVE_KEY,
    Replay.QUERYABLE: pb.REPLAY_KIND_QUERYABLE,
    Replay.BLIND: pb.REPLAY_KIND_BLIND,
    Replay.READ: pb.REPLAY_KIND_READ,
}


def describe(manifest: Manifest, *, instance_id: str, started_at: datetime) -> pb.DescribeResponse:
    """What the spoke says of itself."""
    response = pb.DescribeResponse(
        provider=manifest.name,
        title=manifest.title,
        version=manifest.version,
        instance_id=instance_id,
        operations=[_operation(spec) for spec in manifest.operations.values()],
        accounts=[_account(spec) for spec in manifest.accounts.values()],
        webhooks=_webhooks(manifest.webhook),
    )
    response.start_time.FromDatetime(started_at)
    return response


def _operation(spec: OperationSpec) -> pb.OperationSpec:
    message = pb.OperationSpec(
        operation=spec.operation.name,
        replay=_REPLAY[spec.replay],
        saves_errors=spec.saves_errors,
        can_look_up=spec.can_look_up,
        can_cancel=spec.can_cancel,
        max_attempts=spec.max_attempts,
    )
    message.replay_window.FromTimedelta(spec.window)
    message.look_up_lag.FromTimedelta(spec.lag)
    message.timeout.FromTimedelta(spec.timeout)
    message.confirm_within.FromTimedelta(spec.confirm_within)
    message.initial_backoff.FromTimedelta(spec.initial_backoff)
    message.max_backoff.FromTimedelta(spec.max_backoff)
    message.expire_after.FromTimedelta(spec.expire_after)
    if spec.cache:
        message.cache_time.FromTimedelta(spec.cache)
    return message


def _webhooks(spec: WebhookSpec) -> pb.WebhookSpec:
    return pb.WebhookSpec(
        methods=spec.methods,
        content_types=spec.content_types,
        max_bytes=spec.max_bytes,
        room=spec.room,
    )


def _account(spec: AccountSpec) -> pb.AccountSpec:
    return pb.AccountSpec(
        name=spec.name,
        max_concurrency=spec.max_concurrency,
        rate_per_second=spec.rate_per_second,
        burst=spec.burst,
        read_share=spec.read_share,
    )
