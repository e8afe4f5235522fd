"""`hubctl dlq`: the jobs that wait for a person."""

import click

from hubctl.advice import advice, for_group, for_letter
from hubctl.desk import Desk, Stub, desk_options
from hubctl.filters import filter_options
from hubctl.moments import shown
from hubctl.output import as_dict
from hubctl.rpc import CALL_SECONDS
from hubctl.words import name_of, typed
from integration.operations.v1 import dead_letter_pb2 as letters
from integration.operations.v1 import operations_service_pb2 as messages
from integration.operations.v1.plan_pb2 import PlanFilter

PAGE = 500


@click.group(help="Lists, groups and shows dead letters: jobs that wait for a person.")
def dlq() -> None:
    """Groups the commands."""


@dlq.command(name="list")
@filter_options
@click.option("--all", "everything", is_flag=True, help="Also those that have left.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="Greatest number.")
@desk_options
def list_letters(wanted: PlanFilter, everything: bool, limit: int, desk: Desk) -> None:
    """Lists dead letters, newest first."""
    found, more = desk.ask(lambda stub: pages(stub, wanted, limit, everything=everything))
    desk.output.table(
        ("job", "lane", "operation", "cause", "reason", "since", "what to do"), [_row(d) for d in found]
    )
    if more:
        desk.output.say(
            f"… and more than these {len(found)}: --limit shows more, `hubctl dlq triage` counts all"
        )
    if not found:
        desk.output.say("no dead letters")
    desk.output.result({"dead_letters": [as_dict(d) for d in found], "more": more})


@dlq.command()
@filter_options
@desk_options
def triage(wanted: PlanFilter, desk: Desk) -> None:
    """Counts the open dead letters by lane, cause and reason, and says what to type next."""
    request = messages.CountDeadLettersRequest(filter=wanted if wanted.ByteSize() else None)
    answer = desk.ask(lambda stub: stub.CountDeadLetters(request, timeout=CALL_SECONDS))
    total = sum(group.count for group in answer.groups)
    desk.output.say(f"{total} open dead letters in {len(answer.groups)} groups")
    for group in answer.groups:
        cause = name_of(letters.DeadLetterCause, group.cause)
        desk.output.say(f"\n{group.count}  {group.lane}  {cause}  {group.reason}: {advice(group.proposal)}")
        desk.output.say(f"  {for_group(group, wanted)}")
    groups = [{**as_dict(group), "next": for_group(group, wanted)} for group in answer.groups]
    desk.output.result({"total": total, "groups": groups})


@dlq.command()
@click.argument("job_id", metavar="JOB")
@desk_options
def show(job_id: str, desk: Desk) -> None:
    """Shows one dead letter: why it waits, each try, what proof is missing, what to do."""
    request = messages.GetDeadLetterRequest(job_id=job_id)
    answer = desk.ask(lambda stub: stub.GetDeadLetter(request, timeout=CALL_SECONDS))
    letter, step = answer.dead_letter, for_letter(answer.dead_letter)
    desk.output.table(("field", "value"), [(name, value) for name, value in _fields(letter) if value])
    desk.output.say("")
    desk.output.table(
        ("attempt", "kind", "outcome", "reason", "claimed", "settled"), [_attempt(a) for a in letter.attempts]
    )
    if step:
        desk.output.say(f"\nNext: {advice(letter.proposal)}\n  {step}")
        desk.output.say(f"The signed evidence: {typed('evidence', 'show', job_id)}")
    desk.output.result({"dead_letter": as_dict(letter), "next": step})


async def pages(
    stub: Stub, wanted: PlanFilter, limit: int, *, everything: bool
) -> tuple[list[letters.DeadLetter], bool]:
    """The newest dead letters, and whether there are more."""
    found: list[letters.DeadLetter] = []
    token = ""
    while len(found) < limit:
        request = messages.ListDeadLettersRequest(
            filter=wanted if wanted.ByteSize() else None,
            all=everything,
            page_size=min(limit - len(found), PAGE),
            page_token=token,
        )
        answer = await stub.ListDeadLetters(request, timeout=CALL_SECONDS)
        found += answer.dead_letters
        token = answer.next_page_token
        if not token:
            return found, False
    return found, True


def _row(letter: letters.DeadLetter) -> tuple[object, ...]:
    job = letter.job
    return (
        job.job_id,
        f"{job.provider}/{job.account}",
        job.operation.rsplit(".", 1)[-1],
        name_of(letters.DeadLetterCause, letter.cause),
        job.reason,
        shown(letter.enter_time),
        letter.left_by or name_of(letters.Proposal, letter.proposal),
    )


def _fields(letter: letters.DeadLetter) -> list[tuple[str, object]]:
    job = letter.job
    return [
        ("job", job.job_id),
        ("operation", job.operation),
        ("lane", f"{job.provider}/{job.account}"),
        ("tenant", job.tenant),
        ("request id", job.request_id),
        ("cause", name_of(letters.DeadLetterCause, letter.cause)),
        ("reason", " ".join(filter(None, (job.reason, job.message)))),
        ("missing proof", name_of(letters.MissingProof, letter.missing_proof)),
        ("proposal", name_of(letters.Proposal, letter.proposal)),
        ("came", shown(letter.enter_time)),
        ("left", " ".join(filter(None, (shown(letter.leave_time), letter.left_by)))),
        ("alert", letter.alert_key),
        *([("said not to be done", _said(letter.not_done))] if letter.HasField("not_done") else []),
    ]


def _said(proposal: letters.ResolutionProposal) -> str:
    until = shown(proposal.expire_time)
    return (
        f"{proposal.actor}, {proposal.ticket}: {proposal.reason}; another person can confirm it until {until}"
    )


def _attempt(attempt: letters.AttemptRecord) -> tuple[object, ...]:
    return (
        attempt.attempt_id.rpartition(".")[2],
        "look-up" if attempt.look_up else "cancel" if attempt.cancel else "execute",
        attempt.outcome or "under way",
        attempt.reason,
        shown(attempt.claim_time),
        shown(attempt.settle_time),
    )
