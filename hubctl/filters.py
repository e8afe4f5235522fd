"""The options that say which dead letters, jobs or events a command is about."""

from collections.abc import Mapping
from datetime import datetime
from functools import wraps
from typing import Any

import click

from hubctl.errors import Misused
from hubctl.moments import FORMS, Moment
from hubctl.options import Command
from hubctl.words import prefix_of
from integration.operations.v1 import dead_letter_pb2
from integration.operations.v1.plan_pb2 import PlanFilter

_CAUSE = dead_letter_pb2.DeadLetterCause
CAUSES = [name.removeprefix(prefix_of(_CAUSE)).lower() for name, number in _CAUSE.items() if number]
SHOWN_JOBS = 3

_TEXTS = {
    "provider": "--provider",
    "account": "--account",
    "tenant": "--tenant",
    "operation": "--operation",
    "cause": "--cause",
    "reason": "--error",
}

account_option = click.option("--account", default="", help="The account at the provider.")

_OPTIONS = (
    click.option("--provider", default="", help="The spoke."),
    account_option,
    click.option("--tenant", "only_tenant", default="", help="The tenant."),
    click.option("--operation", default="", help="The operation's full name."),
    click.option("--cause", type=click.Choice(CAUSES), help="Why the dead letters wait."),
    click.option("--error", default="", help="Reason of the last outcome, for example TIMEOUT."),
    click.option("--from", "since", type=Moment(), help=f"From, inclusive: {FORMS}."),
    click.option("--to", "until", type=Moment(), help="To, exclusive; the same forms."),
    click.option("--job", "jobs", multiple=True, help="Just this job; may be given again."),
)


def filter_options(command: Command) -> Command:
    """Gives a command its `wanted`, a filter that may be empty."""

    @wraps(command)
    def filtered(
        *,
        provider: str,
        account: str,
        only_tenant: str,
        operation: str,
        cause: str | None,
        error: str,
        since: datetime | None,
        until: datetime | None,
        jobs: tuple[str, ...],
        **given: object,
    ) -> None:
        texts = {
            "provider": provider,
            "account": account,
            "tenant": only_tenant,
            "operation": operation,
            "cause": cause or "",
            "reason": error,
            "job_ids": jobs,
        }
        command(wanted=make_filter(texts, since, until), **given)

    for option in reversed(_OPTIONS):
        filtered = option(filtered)
    return filtered


def make_filter(members: Mapping[str, Any], since: datetime | None, until: datetime | None) -> PlanFilter:
    """The filter; raises Misused where its time range holds nothing."""
    if since and until and since >= until:
        raise Misused("--from must be before --to")
    wanted = PlanFilter(**members)
    if since:
        wanted.start_time.FromDatetime(since)
    if until:
        wanted.end_time.FromDatetime(until)
    return wanted


def refuse_empty(wanted: PlanFilter) -> None:
    """Raises Misused if a filter would match everything there is."""
    if not wanted.ByteSize():
        raise Misused("the filter is empty: say which, for example --provider stripe --cause provider_down")


def filter_words(wanted: PlanFilter) -> list[str]:
    """The options that make the same filter."""
    words: list[str] = []
    for field, option in _TEXTS.items():
        if value := getattr(wanted, field):
            words += [option, value]
    for field, option in (("start_time", "--from"), ("end_time", "--to")):
        if wanted.HasField(field):
            words += [option, getattr(wanted, field).ToJsonString()]
    for job_id in wanted.job_ids:
        words += ["--job", job_id]
    return words


def described(wanted: PlanFilter) -> str:
    """The filter in one line, however many jobs it names."""
    count = len(wanted.job_ids)
    if count <= SHOWN_JOBS:
        return " ".join(filter_words(wanted))
    rest = PlanFilter()
    rest.CopyFrom(wanted)
    rest.ClearField("job_ids")
    return " ".join([*filter_words(rest), f"and {count} jobs by their ids"])
