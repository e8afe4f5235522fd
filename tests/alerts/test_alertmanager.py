"""Alerts in a real Alertmanager."""

from datetime import datetime, timedelta

import pytest
from hypothesis import settings

from hub.alerts.alertmanager import Alertmanager as Sink
from hub.alerts.model import Alert
from tests.alerts import alertmanager as real
from tests.alerts.alertmanager import Alertmanager, Missing
from tests.alerts.rig import Desk, alert
from tests.bugs.tree import ROOT


def sink(server: Alertmanager) -> Sink:
    """The server as a sink."""
    return Sink("alertmanager", server.url)


def causes(server: Alertmanager) -> set[str]:
    """What fires there, by cause."""
    return {found["labels"]["cause"] for found in server.alerts()}


async def test_an_alert_is_visible_with_what_it_says_and_an_end_of_its_own(
    desk: Desk, alertmanager: Alertmanager
) -> None:
    alertmanager.start()
    await desk.store.raise_alert(alert())
    (state,) = await desk.store.firing()
    await desk.tell(sink(alertmanager))
    (found,) = alertmanager.alerts()
    assert found["labels"] == {
        "alertname": "DeadLetters",
        "severity": "SEV1",
        "provider": "stripe",
        "account": "default",
        "cause": "provider_down",
    }
    assert found["annotations"] == {"summary": "3 jobs are dead", "runbook": "docs/runbooks/provider-down.md"}
    assert abs(datetime.fromisoformat(found["startsAt"]) - state.started_at) < timedelta(milliseconds=2)
    lasts = datetime.fromisoformat(found["endsAt"]) - desk.clock.now()
    assert abs(lasts - timedelta(minutes=5)) < timedelta(seconds=1)


async def test_what_is_told_twice_is_there_once(desk: Desk, alertmanager: Alertmanager) -> None:
    alertmanager.start()
    await desk.store.raise_alert(alert())
    states = await desk.store.firing()
    assert await sink(alertmanager).send(states, desk.clock.now()) == [None]
    await desk.tell(sink(alertmanager))
    assert len(alertmanager.alerts()) == 1


async def test_an_alert_whose_cause_is_gone_fires_no_more(desk: Desk, alertmanager: Alertmanager) -> None:
    alertmanager.start()
    await desk.store.raise_alert(alert())
    await desk.tell(sink(alertmanager))
    await desk.store.raise_alert(alert("poison"))
    await desk.store.end_alert(alert().key)
    await desk.tell(sink(alertmanager))
    assert causes(alertmanager) == {"poison"}


async def test_what_was_raised_while_it_was_down_is_told_when_it_is_back(
    desk: Desk, alertmanager: Alertmanager
) -> None:
    await desk.store.raise_alert(alert())
    await desk.tell(sink(alertmanager))
    await desk.store.raise_alert(alert("poison"))
    await desk.tell(sink(alertmanager))
    alertmanager.start()
    desk.clock.move(60)
    await desk.tell(sink(alertmanager))
    assert causes(alertmanager) == {"provider_down", "poison"}


async def test_one_that_has_forgotten_everything_is_told_again_within_a_minute(
    desk: Desk, alertmanager: Alertmanager
) -> None:
    alertmanager.start()
    await desk.store.raise_alert(alert())
    await desk.tell(sink(alertmanager))
    alertmanager.stop()
    alertmanager.start()
    desk.clock.move(59)
    await desk.tell(sink(alertmanager))
    assert alertmanager.alerts() == []
    desk.clock.move(1)
    await desk.tell(sink(alertmanager))
    assert causes(alertmanager) == {"provider_down"}


async def test_an_end_is_told_again_so_that_a_lost_one_does_not_last(
    desk: Desk, alertmanager: Alertmanager
) -> None:
    alertmanager.start()
    await desk.store.raise_alert(alert())
    before = await desk.store.firing()
    await desk.tell(sink(alertmanager))
    await desk.store.end_alert(alert().key)
    await desk.tell(sink(alertmanager))
    # A late repetition from a replica that has just lost its lease.
    await sink(alertmanager).send(before, desk.clock.now())
    assert causes(alertmanager) == {"provider_down"}
    desk.clock.move(60)
    await desk.tell(sink(alertmanager))
    assert causes(alertmanager) == set()


async def test_more_than_fit_into_one_post_all_arrive(desk: Desk, alertmanager: Alertmanager) -> None:
    alertmanager.start()
    wanted = {f"cause_{n}" for n in range(sink(alertmanager).batch + 6)}
    for cause in wanted:
        await desk.store.raise_alert(alert(cause))
    await desk.tell(sink(alertmanager))
    assert causes(alertmanager) == wanted


async def test_one_that_it_cannot_read_holds_back_no_other(desk: Desk, alertmanager: Alertmanager) -> None:
    alertmanager.start()
    await desk.store.raise_alert(Alert(key="x", name="", severity="", labels={}, summary="no label at all"))
    await desk.store.raise_alert(alert())
    await desk.tell(sink(alertmanager))
    assert causes(alertmanager) == {"provider_down"}
    due = await desk.store.candidates("alertmanager", repeats=True, now=desk.clock.now() + timedelta(60))
    assert {c.state.alert.key: (c.told.change, c.told.failures) for c in due} == {
        "x": (0, 1),
        alert().key: (1, 0),
    }


async def test_labels_of_any_name_are_taken(desk: Desk, alertmanager: Alertmanager) -> None:
    alertmanager.start()
    labels = {"cause": "x", "provider-name": "stripe", "1st": "y", "": "z", "empty": "", "umlaut": "Grüße\n"}
    await desk.store.raise_alert(Alert(key="k", name="N", severity="SEV2", labels=labels, summary=""))
    await desk.tell(sink(alertmanager))
    (found,) = alertmanager.alerts()
    assert found["labels"] == {
        "alertname": "N",
        "severity": "SEV2",
        "cause": "x",
        "provider_name": "stripe",
        "_1st": "y",
        "_": "z",
        "umlaut": "Grüße\n",
    }


@pytest.mark.parametrize(("ci", "outcome"), [("1", Missing), ("", pytest.skip.Exception)])
def test_a_test_that_finds_none_is_skipped_but_fails_where_ci_is_set(
    ci: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    def missing() -> str:
        raise Missing("none can be had")

    monkeypatch.setattr(real, "program", missing)
    monkeypatch.setenv("CI", ci)
    with pytest.raises((Missing, pytest.skip.Exception)) as ended:
        request.getfixturevalue("alertmanager")
    assert ended.type is outcome


def test_ci_is_set_for_a_change_and_takes_no_example_from_hypothesis() -> None:
    assert "\n  export CI=1 " in (ROOT / ".ci" / "run").read_text()
    assert settings.get_current_profile_name() == "default"
