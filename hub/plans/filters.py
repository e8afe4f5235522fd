"""A plan's filter as parameters of the statements that read by it."""

from typing import Any

from hub.plans.model import Filter


def filter_columns(wanted: Filter) -> dict[str, Any]:
    """The parameters; what is empty does not filter."""
    return {
        "provider": wanted.provider,
        "account": wanted.account,
        "tenant": wanted.tenant,
        "operation": wanted.operation,
        "cause": int(wanted.cause or 0),
        "reason": wanted.reason,
        "start": wanted.start,
        "end": wanted.end,
        "job_ids": list(wanted.job_ids) or None,
    }
