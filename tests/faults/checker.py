"""The trace checker: what a client was told, what providers did and what the log says, compared. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

ENDED = frozenset({"SUCCEEDED", "DECLINED", "DEAD", "CANCELLED", "EXPIRED"})
NO_EFFECT = frozenset({"DECLINED", "DEAD", "CANCELLED", "EXPIRED"})


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of the client: every job id it was answered, where the job stands, whether it is due."""

    request_id: str
    job_ids: tuple[str, ...]
    provider: str
    state: str
    due: bool


@dataclass(frozen=True, slots=True)
class Effect:
    """Something a provider did: seconds since 1970 by its own record, true to `exact` seconds."""

    job_id: str
    provider: str
    at: float
    exact: float = 0.0


@dataclass(frozen=True, slots=True)
class Said:
    """A statement of the log at its index."""

    index: int
    kind: str
    job_id: str
    attempt: str
    t: str
    purpose: str = ""
    term: int = 0
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the offline verifier said of a job's bundle: "" or what is wrong, and its gaps."""

    job_id: str
    wrong: str = ""
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook that was answered 2xx: what the hub did with it; None: it has no such event."""

    event_id: str
    job_id: str
    handled: str | None


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter, and the alert that is to tell of it. `waits`: nobody has dealt with it yet."""

    job_id: str
    alert_key: str
    waits: bool = True


@dataclass(frozen=True, slots=True)
class Told:
    """An alert as the hub keeps it, and as it was told.

    `untold`: receivers that have not taken it since it began. `shown`: whether Alertmanager says that it
    fires; None: there is no Alertmanager to ask.
    """

    key: str
    began: str
    fires: bool = True
    untold: tuple[str, ...] = ()
    shown: bool | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """All that is known after a block of runs. `wired`: attempts that were about to write a request."""

    asked: Sequence[Asked] = ()
    effects: Sequence[Effect] = ()
    said: Sequence[Said] = ()
    proofs: Sequence[Proof] = ()
    wired: Sequence[str] = ()
    deliveries: Sequence[Delivery] = ()
    letters: Sequence[Letter] = ()
    alerts: Sequence[Told] = ()
    blind: frozenset[str] = field(default=frozenset({"smtp"}))


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant that does not hold, and for which job, attempt, request or event."""

    invariant: str
    subject: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant} {self.subject}: {self.what}"


def check(found: Found) -> list[Violation]:
    """Every violation of every invariant."""
    checks = (_intent_first, _one_evidence, _one_effect, _ends, _webhooks, _proven, _terms, _lettered)
    found_so = [violation for each in checks for violation in each(found)]
    return found_so + check_alerts(found.letters, found.alerts)


def check_alerts(letters: Sequence[Letter], alerts: Iterable[Told]) -> list[Violation]:
    """I11: each dead letter has its alert, and what fires, and nothing else, is with those on call."""
    by_key = {alert.key: alert for alert in alerts}
    return [*_alarmed(letters, by_key), *_over(letters, by_key.values()), *_told(by_key.values())]


def _intent_first(found: Found) -> Iterator[Violation]:
    """I1: no request and no effect without an intent that was committed before it."""
    intents = [s for s in found.said if s.kind == "intent"]
    logged = {s.attempt for s in intents}
    for attempt in found.wired:
        if attempt not in logged:
            yield Violation("I1", attempt, "wrote a request without an intent in the log")
    first: dict[str, float] = {}
    for said in intents:
        if said.purpose == "execute":
            first[said.job_id] = min(first.get(said.job_id, float("inf")), seconds(said.t))
    for effect in found.effects:
        stated = first.get(effect.job_id)
        if stated is None:
            yield Violation("I1", effect.job_id, f"{effect.provider} acted without an intent in the log")
        elif effect.at + effect.exact < stated:
            yield Violation("I1", effect.job_id, f"{effect.provider} acted before the first intent")


def _one_evidence(found: Found) -> Iterator[Violation]:
    """I2: exactly one evidence per attempt, after its intent."""
    intents = {s.attempt: s for s in found.said if s.kind == "intent"}
    evidence = [s for s in found.said if s.kind == "evidence"]
    counts = Counter(s.attempt for s in evidence)
    for attempt in intents:
        if counts[attempt] != 1:
            yield Violation("I2", attempt, f"{counts[attempt]} statements of evidence")
    for said in evidence:
        intent = intents.get(said.attempt)
        if intent is None or intent.index >= said.index:
            yield Violation("I2", said.attempt, "evidence without an intent before it")


def _one_effect(found: Found) -> Iterator[Violation]:
    """I3: at most one effect per job, exactly one where it succeeded, none where it was declined or died."""
    counts = Counter(e.job_id for e in found.effects)
    known = {job_id: asked for asked in found.asked for job_id in asked.job_ids}
    for job_id, count in counts.items():
        if count > 1:
            yield Violation("I3", job_id, f"{count} effects at the provider")
        if job_id not in known:
            yield Violation("I3", job_id, "an effect of a job that nobody asked for")
    for job_id, asked in known.items():
        if asked.state == "SUCCEEDED" and not counts[job_id]:
            yield Violation("I3", job_id, "succeeded without an effect at the provider")
        if asked.state in NO_EFFECT and counts[job_id]:
            yield Violation("I3", job_id, f"{asked.state}, yet the provider acted")


def _ends(found: Found) -> Iterator[Violation]:
    """I4: each request is one job, and each job ends, or is parked where its provider cannot be asked."""
    for asked in found.asked:
        if len(set(asked.job_ids)) != 1:
            yield Violation("I4", asked.request_id, f"answered with {len(set(asked.job_ids))} jobs")
        parked = asked.state == "IN_DOUBT" and not asked.due and asked.provider in found.blind
        if asked.state not in ENDED and not parked:
            due = "due" if asked.due else "never due again"
            yield Violation("I4", "/".join(asked.job_ids), f"stands in {asked.state}, {due}")


def _webhooks(found: Found) -> Iterator[Violation]:
    """I5: a webhook that was answered 2xx is kept, and handled once its job has ended."""
    states = {job_id: asked.state for asked in found.asked for job_id in asked.job_ids}
    for delivery in found.deliveries:
        if delivery.handled is None:
            yield Violation("I5", delivery.event_id, "answered 2xx, and not kept")
        elif not delivery.handled and states.get(delivery.job_id) in ENDED:
            yield Violation("I5", delivery.event_id, f"still held, though job {delivery.job_id} has ended")


def _proven(found: Found) -> Iterator[Violation]:
    """I7: every job's bundle verifies, without a gap."""
    for proof in found.proofs:
        if proof.wrong:
            yield Violation("I7", proof.job_id, f"the bundle is invalid: {proof.wrong}")
        for gap in proof.gaps:
            yield Violation("I7", proof.job_id, f"the bundle has a gap: {gap}")
    unproven = {j for asked in found.asked for j in asked.job_ids} - {p.job_id for p in found.proofs}
    for job_id in sorted(unproven):
        yield Violation("I7", job_id, "no bundle")


def _terms(found: Found) -> Iterator[Violation]:
    """I8: along the log, the terms of one job's intents never go back."""
    for job_id, intents in _by_job(s for s in found.said if s.kind == "intent").items():
        terms = [s.term for s in sorted(intents, key=lambda s: s.index)]
        if terms != sorted(terms):
            yield Violation("I8", job_id, f"terms go back: {terms}")


def _lettered(found: Found) -> Iterator[Violation]:
    """I4: who waits for a person, dead or parked in doubt, is a dead letter."""
    waiting = {letter.job_id for letter in found.letters if letter.waits}
    for asked in found.asked:
        if asked.state == "DEAD" or (asked.state == "IN_DOUBT" and not asked.due):
            for job_id in set(asked.job_ids) - waiting:
                yield Violation("I4", job_id, f"stands in {asked.state}, and is no dead letter")


def _alarmed(letters: Iterable[Letter], alerts: Mapping[str, Told]) -> Iterator[Violation]:
    for letter in letters:
        alert = alerts.get(letter.alert_key)
        if alert is None:
            yield Violation("I11", letter.job_id, f"a dead letter without its alert {letter.alert_key}")
        elif letter.waits and not alert.fires:
            yield Violation("I11", letter.job_id, f"waits, yet its alert {alert.key} has ended")


def _over(letters: Iterable[Letter], alerts: Iterable[Told]) -> Iterator[Violation]:
    waits: dict[str, bool] = defaultdict(bool)
    for letter in letters:
        waits[letter.alert_key] |= letter.waits
    for alert in alerts:
        if alert.fires and waits.get(alert.key) is False:
            yield Violation("I11", alert.key, "fires, and none of its dead letters waits")


def _told(alerts: Iterable[Told]) -> Iterator[Violation]:
    for alert in alerts:
        if alert.fires:
            for sink in alert.untold:
                yield Violation("I11", alert.key, f"{sink} has not taken it since it began")
            if alert.shown is False:
                yield Violation("I11", alert.key, "fires, and Alertmanager does not show it")
        elif alert.shown:
            yield Violation("I11", alert.key, "has ended, and Alertmanager shows it still")


def _by_job(said: Iterable[Said]) -> Mapping[str, list[Said]]:
    found: dict[str, list[Said]] = defaultdict(list)
    for statement in said:
        found[statement.job_id].append(statement)
    return found


def seconds(t: str) -> float:
    """A statement's time in seconds since 1970; nanoseconds are cut to microseconds."""
    return datetime.fromisoformat(f"{t[:26]}+00:00").timestamp()
