"""A provider with a memory: it acts once per key, can be asked, is late, and sends webhooks."""

import math
from dataclasses import dataclass

from hub.events.model import ArrivedEvent
from hub.jobs.agreeing import Asked, Compared, Named, Sum, Task, mismatch
from hub.jobs.looking import CALLED_OFF
from hub.jobs.model import Claimed
from hub.jobs.outcome import Declined, NotSent, NotSentCause, Outcome, Pending, Succeeded
from hub.jobs.spec import Replay
from tests.simulation.cases import LANE, SPECS
from tests.simulation.world import World

ABSENT = NotSent(NotSentCause.ABSENT, "ABSENT", "")
DONE, FAILED, OTHER = b"done ", b"failed ", b"other "
"""How an event begins: that it was done, that it came to nothing, that another amount was moved."""
PRICE, OTHER_PRICE = Sum(100, "EUR"), Sum(99, "EUR")


@dataclass(slots=True)
class Deed:
    """What the provider did for a job, when, and until when it was pending."""

    at: float
    answer: Outcome
    final_at: float = 0.0


class Provider:
    """One account at one provider. It keeps a key for the whole run."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._keys: dict[str, Deed] = {}
        self._deeds: dict[str, Deed] = {}
        self._events = 0
        self.down_until = 0.0

    @property
    def is_down(self) -> bool:
        """Whether it takes no requests now."""
        return self._world.loop.time() < self.down_until

    def perform(self, claimed: Claimed) -> Outcome:
        """A request arrives."""
        replay = SPECS[claimed.work.operation].replay
        key = claimed.work.provider_key
        self._world.note("arrived", claimed.attempt_id, key)
        if replay is Replay.NATIVE_KEY and key in self._keys:
            return self._now(self._keys[key])
        self._keys[key] = deed = self._act(claimed)
        self._deeds.setdefault(claimed.job_id, deed)
        return self._now(deed)

    def look_up(self, job_id: str, lag: float) -> Outcome:
        """What it knows of a job; what is younger than the lag it does not see yet."""
        deed = self._deeds.get(job_id)
        if deed is None or deed.at + lag > self._world.loop.time():
            return ABSENT
        return self._now(deed)

    def cancel(self, job_id: str) -> Outcome:
        """It is asked to call off what is pending; what it says of the work."""
        deed = self._deeds.get(job_id)
        if deed is None:
            return ABSENT
        answer = self._now(deed)
        if isinstance(answer, Pending):
            deed.answer, deed.final_at = Declined(CALLED_OFF, "", answer.provider_reference), 0.0
            self._world.watch.called_off(job_id)
        return self._now(deed)

    def _act(self, claimed: Claimed) -> Deed:
        world, now = self._world, self._world.loop.time()
        fate = world.fates[claimed.job_id]
        reference = f"ref-{claimed.job_id[-4:]}"
        if fate == "declined":
            if world.faults.strikes("late_success"):
                self._say_after_all(claimed.job_id, DONE, reference)
            return Deed(now, Declined("DECLINED", "", reference))
        world.watch.acted(claimed)
        done = Succeeded("T", b"done", reference)
        if fate == "abandoned":
            return Deed(now, done, math.inf)
        if fate == "pending":
            deed = Deed(now, done, now + world.net.uniform(1.0, 8.0))
            world.loop.later(deed.final_at - now, self._come_true, claimed.job_id, deed, reference)
            return deed
        self._end(claimed.job_id, reference)
        return Deed(now, done)

    def _now(self, deed: Deed) -> Outcome:
        if self._world.loop.time() < deed.final_at:
            return Pending("T", b"pending", getattr(deed.answer, "provider_reference", ""))
        return deed.answer

    def _come_true(self, job_id: str, deed: Deed, reference: str) -> None:
        if isinstance(deed.answer, Succeeded):
            self._end(job_id, reference)

    def _end(self, job_id: str, reference: str) -> None:
        world = self._world
        if not world.faults.strikes("webhook_lost"):
            self._tell(job_id, DONE, reference, world.net.uniform(0.05, 0.6))
        if world.faults.strikes("other_amount"):
            self._tell(job_id, OTHER, reference, world.net.uniform(0.05, 6.0))
        if world.faults.strikes("late_failure"):
            self._say_after_all(job_id, FAILED, reference)

    def _say_after_all(self, job_id: str, word: bytes, reference: str) -> None:
        self._world.watch.taken_back.add(job_id)
        self._tell(job_id, word, reference, self._world.net.uniform(0.5, 15.0))

    def _tell(self, job_id: str, word: bytes, reference: str, delay: float) -> None:
        world = self._world
        self._events += 1
        event = ArrivedEvent(
            LANE,
            f"event-{self._events}",
            "done",
            job_id,
            word + reference.encode(),
            b"confirmation " + str(self._events).encode(),
        )
        if world.faults.strikes("webhook_early"):
            delay = 0.0
        elif world.faults.strikes("webhook_late"):
            delay = world.net.uniform(5.0, 30.0)
        world.send(event, delay)
        if world.faults.strikes("webhook_twice"):
            world.send(event, delay + world.net.choice((0.0, 0.5, 5.0)))


def decode(outcome: bytes) -> Outcome | None:
    """The outcome that an event's bytes speak of."""
    word, _, reference = outcome.decode().partition(" ")
    return Declined("FAILED", "", reference) if word == "failed" else Succeeded("T", b"done", reference)


def compare(task: Task, outcome: bytes) -> Compared:
    """An event of this provider names the reference that its work has had all along, and an amount."""
    asked = Asked(task.operation, PRICE, task.provider_reference)
    named = OTHER_PRICE if outcome.startswith(OTHER) else PRICE
    reference = outcome.decode().partition(" ")[2]
    return Compared(mismatch(asked, Named(frozenset({task.operation}), named, reference)))
