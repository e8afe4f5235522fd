"""What a campaign does, run by run. Pure: everything follows from the seed."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

REPEATS = 5

IMPOSSIBLE: Mapping[tuple[str, str], str] = {
    ("hub.event_keeping", "smtp"): "SMTP sends no webhooks",
    ("hub.event_kept", "smtp"): "SMTP sends no webhooks",
    ("hub.event_applied", "smtp"): "SMTP sends no webhooks",
    ("worker.written", "smtp"): "the SMTP client writes a letter and reads the answer to it in one call",
}
"""Pairs of point and peer that no run can hit, and why."""

PASSED_OFTEN = ("hub.appending", "hub.appended", "audit.", "spoke.", "worker.")
"""Points that every run passes at least twice: for the intents and for the evidence, or for each job."""

VICTIMS: Mapping[str, float] = {"actor": 0.4, "hub": 0.35, "spoke": 0.08, "audit": 0.11, "postgres": 0.06}
HELD_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Strike:
    """An enumerated run: a process is killed at a point in the way of a peer's jobs, after some passes."""

    number: int
    point: str
    peer: str
    after: int = 0


@dataclass(frozen=True, slots=True)
class Shot:
    """A random run: who is killed, at which part (0 to 1) of a job's life, under how many jobs.

    `held`: the provider answers late, so that the life is mostly the wait for its answer.
    """

    number: int
    peer: str
    victim: str
    moment: float
    jobs: int
    held: bool


def strikes(seed: int, *, peers: Sequence[str], points: Sequence[str], repeats: int) -> list[Strike]:
    """Every possible pair, `repeats` times, in an order drawn anew each time.

    Confirmed payments come first: what they wait for passes while the others run.
    """
    pairs = [(point, peer) for point in points for peer in peers if (point, peer) not in IMPOSSIBLE]
    planned: list[Strike] = []
    for repeat in range(repeats):
        draw = random.Random(f"{seed}:{repeat}")
        order = draw.sample(pairs, len(pairs))
        order.sort(key=lambda pair: not (pair[0].startswith("hub.event") and pair[1] == "echo"))
        for point, peer in order:
            after = draw.randrange(2) if point.startswith(PASSED_OFTEN) else 0
            planned.append(Strike(len(planned), point, peer, after))
    return planned


def shots(seed: int, *, peers: Sequence[str], first: int, runs: int) -> Iterator[Shot]:
    """Random runs; each follows from the seed and its own number alone."""
    for number in range(first, first + runs):
        draw = random.Random(f"{seed}:{number}")
        peer = draw.choice(list(peers))
        victim = draw.choices(list(VICTIMS), weights=list(VICTIMS.values()))[0]
        named = f"{victim}-{peer}" if victim in ("actor", "spoke") else victim
        yield Shot(number, peer, named, draw.random(), draw.randint(3, 8), draw.random() < HELD_SHARE)
