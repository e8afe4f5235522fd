"""`hubctl jobs resolve`: what a person has found out about a job in doubt."""

import click
from google.protobuf.message import Message

from hubctl.desk import Desk, desk_options, why_options
from hubctl.moments import shown
from hubctl.options import yes_option
from hubctl.output import as_dict
from hubctl.rpc import CALL_SECONDS
from hubctl.words import TO_FILL_IN, typed
from integration.operations.v1 import operations_service_pb2 as messages
from integration.operations.v1.operations_service_pb2 import Justification

OUTCOMES = {
    "done": (messages.RESOLUTION_DONE, "the provider did it: the job ends as SUCCEEDED"),
    "declined": (messages.RESOLUTION_DECLINED, "the provider said no: the job ends as DECLINED"),
    "not-done": (messages.RESOLUTION_NOT_DONE, "it was certainly not done: the job goes on, and may be sent"),
}


@click.command()
@click.argument("job_id", metavar="JOB")
@click.option("--outcome", required=True, type=click.Choice(list(OUTCOMES)), help="What happened.")
@click.option("--reference", default="", help="The provider's id of what was done.")
@why_options
@yes_option
@desk_options
def resolve(job_id: str, outcome: str, reference: str, why: Justification, yes: bool, desk: Desk) -> None:
    """Says what happened to a job that only a person can find out about. Signed into the log.

    That it was not done takes two people where it moves money: the second says the same within 10 minutes.
    """
    resolution, meaning = OUTCOMES[outcome]
    desk.agree(f"{job_id}: {meaning}. Go on?", yes=yes)
    request = messages.ResolveJobRequest(
        job_id=job_id, resolution=resolution, provider_reference=reference, why=why
    )
    answer = desk.ask(lambda stub: stub.ResolveJob(request, timeout=CALL_SECONDS))
    job: Message = answer.job
    desk.output.table(("field", "value"), as_dict(job).items())
    if not answer.HasField("proposal"):
        desk.output.result({"job": as_dict(job)})
        return
    steps = [_confirming(desk, job_id, outcome)]
    until = shown(answer.proposal.expire_time)
    desk.output.say(f"\nIt moves money: another person must say the same until {until}, or nothing happens.")
    desk.output.say(f"  {steps[0]}")
    desk.output.result({"job": as_dict(job), "proposal": as_dict(answer.proposal), "next": steps})


def _confirming(desk: Desk, job_id: str, outcome: str) -> str:
    """The command with which somebody else says the same."""
    others = [name for name in desk.operators if name not in (desk.operator, "cli")]
    other = others[0] if others else "<another person>"
    return typed("jobs", "resolve", job_id, "--outcome", outcome, "--as", other, *TO_FILL_IN)
