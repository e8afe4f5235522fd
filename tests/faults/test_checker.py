"""The checker sees each kind of wrong: hand-made traces, right but for one thing."""

from dataclasses import replace

import pytest

from tests.faults.checker import (
    Asked,
    Delivery,
    Effect,
    Found,
    Letter,
    Proof,
    Said,
    Told,
    check,
    seconds,
)

T1, T2, T3 = (f"2026-01-01T00:00:0{n}.500000000Z" for n in (1, 2, 3))

GOOD = Found(
    asked=(
        Asked("r-1", ("a", "a"), "stripe", "SUCCEEDED", due=False),
        Asked("r-2", ("b",), "smtp", "IN_DOUBT", due=False),
        Asked("r-3", ("c",), "echo", "DECLINED", due=False),
        Asked("r-4", ("d",), "echo", "DEAD", due=False),
    ),
    effects=(Effect("a", "stripe", seconds(T2) // 1, exact=1.0), Effect("b", "smtp", seconds(T2))),
    said=(
        Said(10, "intent", "a", "a.1", T1, "execute", 4),
        Said(11, "evidence", "a", "a.1", T2, "execute", outcome="unknown"),
        Said(12, "intent", "a", "a.2", T3, "look_up", 5),
        Said(13, "evidence", "a", "a.2", T3, "look_up", outcome="succeeded"),
        Said(14, "intent", "b", "b.1", T1, "execute", 2),
        Said(15, "evidence", "b", "b.1", T3, "execute", outcome="unknown"),
        Said(16, "intent", "c", "c.1", T1, "execute", 2),
        Said(17, "evidence", "c", "c.1", T3, "execute", outcome="declined"),
        Said(18, "confirmation", "a", "", T3),
        Said(19, "intent", "d", "d.1", T1, "execute", 2),
        Said(20, "evidence", "d", "d.1", T3, "execute", outcome="not_sent"),
    ),
    proofs=(Proof("a"), Proof("b"), Proof("c"), Proof("d")),
    wired=("a.1", "b.1", "c.1"),
    deliveries=(Delivery("e-1", "a", "late"), Delivery("e-2", "x", "")),
    letters=(Letter("b", "doubt"), Letter("d", "misconfigured"), Letter("gone", "poison", waits=False)),
    alerts=(
        Told("doubt", T1, shown=True),
        Told("misconfigured", T2, shown=True),
        Told("poison", T1, fires=False, shown=False),
    ),
)


def test_a_right_trace_has_no_violation() -> None:
    assert check(GOOD) == []


def without(index: int) -> Found:
    """The good trace without one statement."""
    return replace(GOOD, said=tuple(s for s in GOOD.said if s.index != index))


def asked_as(number: int, **changes: object) -> Found:
    """The good trace with one request otherwise."""
    asked = list(GOOD.asked)
    asked[number] = replace(asked[number], **changes)
    return replace(GOOD, asked=asked)


def told_as(key: str, **changes: object) -> Found:
    """The good trace with one alert otherwise."""
    return replace(GOOD, alerts=[replace(a, **changes) if a.key == key else a for a in GOOD.alerts])


def without_alert(key: str) -> Found:
    """The good trace without one alert."""
    return replace(GOOD, alerts=[a for a in GOOD.alerts if a.key != key])


def said_as(place: int, **changes: object) -> Found:
    """The good trace with one statement otherwise."""
    return replace(GOOD, said=[replace(s, **changes) if s.index == place else s for s in GOOD.said])


@pytest.mark.parametrize(
    ("invariant", "subject", "found"),
    [
        ("I1", "x.1", replace(GOOD, wired=("a.1", "x.1"))),
        ("I1", "b", replace(said_as(14, purpose="look_up"), wired=())),
        ("I1", "b", replace(GOOD, effects=(GOOD.effects[0], Effect("b", "smtp", seconds(T1) - 0.1)))),
        ("I1", "a", replace(GOOD, effects=(Effect("a", "stripe", seconds(T1) - 1.1, 1.0),))),
        ("I2", "a.1", without(11)),
        ("I2", "a.1", replace(GOOD, said=(*GOOD.said, replace(GOOD.said[1], index=21)))),
        ("I2", "a.2", said_as(13, index=9)),
        ("I2", "c.1", replace(without(16), wired=())),
        ("I3", "a", replace(GOOD, effects=(*GOOD.effects, GOOD.effects[0]))),
        ("I3", "a", replace(GOOD, effects=GOOD.effects[1:])),
        ("I3", "c", replace(GOOD, effects=(*GOOD.effects, Effect("c", "echo", seconds(T2))))),
        ("I3", "d", replace(GOOD, effects=(*GOOD.effects, Effect("d", "echo", seconds(T2))))),
        ("I3", "x", replace(GOOD, effects=(*GOOD.effects, Effect("x", "echo", seconds(T2))))),
        ("I4", "r-1", asked_as(0, job_ids=("a", "b"))),
        ("I4", "b", asked_as(1, due=True)),
        ("I4", "b", replace(GOOD, letters=GOOD.letters[1:])),
        ("I4", "d", replace(GOOD, letters=GOOD.letters[:1])),
        ("I4", "d", replace(GOOD, letters=(GOOD.letters[0], replace(GOOD.letters[1], waits=False)))),
        ("I4", "c", asked_as(2, state="IN_DOUBT")),
        ("I4", "c", asked_as(2, state="WAITING_CONFIRMATION", due=True)),
        ("I4", "c", asked_as(2, state="RUNNING")),
        ("I5", "e-1", replace(GOOD, deliveries=(Delivery("e-1", "a", None),))),
        ("I5", "e-1", replace(GOOD, deliveries=(Delivery("e-1", "a", ""),))),
        ("I7", "b", replace(GOOD, proofs=(Proof("a"), Proof("b", "a hash"), Proof("c")))),
        ("I7", "b", replace(GOOD, proofs=(Proof("a"), Proof("b", gaps=("attempt 1",)), Proof("c")))),
        ("I7", "b", replace(GOOD, proofs=(Proof("a"), Proof("c")))),
        ("I8", "a", said_as(12, term=3)),
        ("I11", "b", without_alert("doubt")),
        ("I11", "gone", without_alert("poison")),
        ("I11", "d", told_as("misconfigured", fires=False, shown=False)),
        ("I11", "misconfigured", told_as("misconfigured", untold=("alertmanager",))),
        ("I11", "misconfigured", told_as("misconfigured", shown=False)),
        ("I11", "poison", told_as("poison", shown=True)),
        ("I11", "poison", told_as("poison", fires=True, shown=True)),
    ],
)
def test_a_wrong_trace_names_the_invariant_and_whom_it_fails(
    invariant: str, subject: str, found: Found
) -> None:
    assert (invariant, subject) in {(v.invariant, v.subject) for v in check(found)}


def test_without_an_alertmanager_nothing_is_said_of_what_it_shows() -> None:
    nobody = [replace(alert, shown=None) for alert in GOOD.alerts]
    assert check(replace(GOOD, alerts=nobody)) == []
