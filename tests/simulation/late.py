"""What a provider says after all: whether it was told once, and has changed no end."""

from collections.abc import Iterator

from hub.jobs.model import FINAL, JobState
from hub.jobs.outcome import Declined, Succeeded
from tests.simulation.events import EventRow
from tests.simulation.provider import OTHER, decode
from tests.simulation.store import JobRow
from tests.simulation.world import World

End = tuple[JobState, str, str, str, bytes]


def end_of(row: JobRow | None) -> End | None:
    """How a job has ended, in all that Core is told of it; None: it has not."""
    if row is None or row.state not in FINAL:
        return None
    return row.state, row.reason, row.provider_reference, row.result_type, row.result


def violations(world: World) -> Iterator[tuple[str, str, str]]:
    """What was swallowed, told though it agrees, or told more often than once."""
    for held in world.events.rows.values():
        job = world.store.get(held.event.job_id)
        if job is None or not held.handled:
            continue
        event_id, told = held.event.event_id, world.events.tellings[held.event.event_id]
        if _is_against(held, job) and held.handled != "mismatch":
            said = f"{held.event.outcome!r} against {job.state.name} is {held.handled}"
            yield "contradictions", event_id, said
        if told != (held.handled == "mismatch"):
            yield "contradictions", event_id, f"{held.handled}, and told {told} times"


def _is_against(held: EventRow, job: JobRow) -> bool:
    if held.event.outcome.startswith(OTHER):
        return True
    outcome = decode(held.event.outcome)
    if job.state is JobState.SUCCEEDED:
        return isinstance(outcome, Declined)
    return job.state in FINAL and isinstance(outcome, Succeeded)
