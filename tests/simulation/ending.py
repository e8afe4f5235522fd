"""What must hold once the faults have healed and the world is at rest."""

from collections import Counter
from collections.abc import Iterator

from hub.jobs.letters import Cause
from hub.jobs.model import SETTLED, JobState
from tests.simulation import late, sharing
from tests.simulation.store import JobRow
from tests.simulation.watch import Violation
from tests.simulation.world import World

NO_EFFECT = frozenset({JobState.DEAD, JobState.DECLINED, JobState.CANCELLED, JobState.EXPIRED})


def at_rest(world: World) -> bool:
    """Whether every job has ended or waits for a person, and every statement has reached the log."""
    live = world.store.live.values()
    # A request that is still on its way must arrive before the effects are counted.
    flowing = world.ghosts or world.store.outbox or world.deliveries or world.events.held_jobs()
    quiet = not flowing and world.watch.is_quiet() and not any(sharing.violations(world))
    return quiet and all(row.due_at is None and not row.claimed_term for row in live)


def violations(world: World) -> Iterator[Violation]:
    """Every violation that only the end of a run shows."""
    now = world.loop.time()
    for invariant, subject, what in _found(world):
        yield Violation(invariant, subject, what, now)


def _found(world: World) -> Iterator[tuple[str, str, str]]:
    store = world.store
    for row in [*store.live.values(), *store.done.values()]:
        yield from _job(world, row)
    yield from _evidence(world)
    yield from late.violations(world)
    yield from sharing.violations(world)
    for event in world.events.rows.values():
        job = store.get(event.event.job_id)
        if not event.handled and job is not None:
            yield "webhooks", event.event.job_id, f"{event.event.event_id} is kept and was never handled"
    for statement, reason in store.refused.items():
        yield "evidence", statement, f"the log refused it: {reason}"


def _job(world: World, row: JobRow) -> Iterator[tuple[str, str, str]]:
    job_id, effects = row.new.job_id, world.watch.effects[row.new.job_id]
    letters = [x for (of, _), x in world.store.letters.items() if of == job_id and x.left_by is None]
    parked = row.state is JobState.IN_DOUBT and row.due_at is None and not row.claimed_term
    if row.state not in SETTLED and not parked:
        claimed = f"claimed by term {row.claimed_term}" if row.claimed_term else "not claimed"
        yield "ends", job_id, f"still {row.state.name}, {claimed}, due {row.due_at}"
    waits = parked or row.state is JobState.DEAD
    if waits is not (len(letters) == 1):
        yield "letters", job_id, f"{row.state.name} with {len(letters)} open letters"
    if parked and letters and letters[0].cause is not Cause.UNRESOLVED_DOUBT:
        yield "letters", job_id, f"parked in doubt with the cause {letters[0].cause.name}"
    over = row.state is JobState.DEAD and letters and letters[0].cause is Cause.EXPIRED
    if over and job_id not in world.watch.begun_jobs and not _was_unknown(world, job_id):
        yield "expiry", job_id, f"DEAD {row.reason}, though it was never begun"
    if job_id in world.watch.taken_back:
        return
    if row.state in NO_EFFECT and effects and job_id not in world.watch.outlived:
        yield "no lost effect", job_id, f"{row.state.name} {row.reason}, yet the provider acted"
    if row.state is JobState.SUCCEEDED and not effects:
        yield "no lost effect", job_id, "SUCCEEDED, yet the provider never acted"


def _was_unknown(world: World, job_id: str) -> bool:
    """Whether the hub could not find out of one of its attempts whether it was begun."""
    return any(a.outcome == "unknown" for (of, _), a in world.store.attempts.items() if of == job_id)


def _evidence(world: World) -> Iterator[tuple[str, str, str]]:
    said = Counter(e.split()[1].decode() for e in world.log.entries if e.startswith(b"evidence "))
    for (job_id, seq), attempt in world.store.attempts.items():
        attempt_id = f"{job_id}.{seq}"
        if attempt_id not in world.log.intents:
            yield "evidence", attempt_id, "no intent in the log"
        if said[attempt_id] != 1:
            yield "evidence", attempt_id, f"{said[attempt_id]} statements of evidence"
        if not attempt.outcome:
            yield "evidence", attempt_id, "never settled"
