"""Every command: its help, wrong usage, and the words that mean a time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import click
import pytest
from click.testing import CliRunner

from hubctl.main import hubctl
from hubctl.moments import parse_moment
from integration.operations.v1 import operations_service_pb2 as messages
from tests.cli.desk import StandIn
from tests.cli.recorded import ANA, JOB, LANE, PLAN, WHY, lane
from tests.cli.terminal import Terminal

NOW = datetime(2026, 11, 24, 12, 30, 5, tzinfo=UTC)
CHANGING = {
    "lane pause": (LANE,),
    "lane resume": (LANE,),
    "lane drain": (LANE,),
    "breaker open": (LANE,),
    "breaker try": (LANE,),
    "jobs resolve": (JOB, "--outcome", "done"),
    "jobs cancel": (JOB,),
    "plan replay": ("--provider", "stripe"),
    "plan rollback": ("--provider", "stripe"),
    "plan discard": ("--provider", "stripe"),
    "plan backfill": ("--provider", "stripe", "--from", "-2h", "--to", "now"),
    "plan approve": (PLAN,),
    "plan stop": (PLAN,),
    "plan resume": (PLAN,),
    "plan abandon": (PLAN,),
    "plan go-on": (PLAN,),
}


def commands(group: click.Group = hubctl, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every command."""
    for name, command in group.commands.items():
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


@pytest.mark.parametrize("path", [*commands()], ids=" ".join)
def test_every_command_has_a_help_that_says_what_it_does(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(hubctl, [*path, "--help"])
    assert shown.exit_code == 0
    assert len(shown.output.splitlines()[2].strip()) > 10


@pytest.mark.parametrize(
    "path", [p for p in commands() if p[0] in ("lane", "breaker", "dlq", "plan", "alerts")]
)
def test_every_command_of_an_operator_speaks_json_and_says_who_acts(path: tuple[str, ...]) -> None:
    command: click.Command = hubctl
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    options = {option for parameter in command.params for option in parameter.opts}
    assert isinstance(command, click.Group) or {"--json", "--as", "--state"} <= options


@pytest.mark.parametrize("command", CHANGING)
@pytest.mark.parametrize("missing", ["--reason", "--ticket"])
def test_nothing_is_changed_without_a_reason_and_a_ticket(command: str, missing: str) -> None:
    other = {"--reason": ("--ticket", "OPS-241"), "--ticket": ("--reason", "because")}[missing]
    refused = CliRunner().invoke(hubctl, [*command.split(), *CHANGING[command], *other])
    assert refused.exit_code == 2
    assert missing in refused.output


@pytest.mark.parametrize("kind", ["replay", "rollback", "discard"])
async def test_an_empty_filter_is_refused_and_says_so(
    terminal: Terminal, stand_in: StandIn, kind: str
) -> None:
    done = await terminal.run("plan", kind, *WHY)
    assert done.code == 2
    assert "the filter is empty" in done.err
    done = await terminal.run("plan", kind, "--provider", "", *WHY)
    assert (done.code, stand_in.asked) == (2, [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plan", "backfill", "--provider", "stripe", "--from", "-2h", *WHY), "--to"),
        (("plan", "replay", "--from", "noon", *WHY), "noon is no moment"),
        (("plan", "replay", "--from", "2026-11-24T12:00:00", *WHY), "no time zone"),
        (("plan", "replay", "--from", "now", "--to", "-1h", *WHY), "--from must be before --to"),
        (("plan", "replay", "--provider", "stripe", "--stop-at", "101", *WHY), "--stop-at"),
        (("plan", "replay", "--cause", "sunspots", *WHY), "provider_down"),
        (("dlq", "list", "--from", "-999999d"), "calendar"),
        (("lane", "list", "--as", "eve"), "there are: ana, cli, luis"),
        (("lane", "list", "--as", "../hub-hub/x"), "there are: ana, cli, luis"),
    ],
)
async def test_wrong_usage_says_what_is_wrong(
    terminal: Terminal, stand_in: StandIn, words: tuple[str, ...], said: str
) -> None:
    done = await terminal.run(*words)
    assert done.code == 2, done.err
    assert said in done.err
    assert "Traceback" not in done.err


async def test_whoever_acts_may_be_named_by_the_environment(terminal: Terminal, stand_in: StandIn) -> None:
    stand_in.lay_out("ListLanes", messages.ListLanesResponse(lanes=[lane()]))
    done = await terminal.run("lane", "list", environment={"HUBCTL_AS": "ana"})
    assert (done.code, stand_in.callers("ListLanes")) == (0, [ANA])


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", NOW),
        ("today", datetime(2026, 11, 24, tzinfo=UTC)),
        ("-90s", NOW - timedelta(seconds=90)),
        ("-15m", NOW - timedelta(minutes=15)),
        ("-2h", NOW - timedelta(hours=2)),
        ("-3d", NOW - timedelta(days=3)),
        ("2026-11-24T09:00:00Z", datetime(2026, 11, 24, 9, tzinfo=UTC)),
        ("2026-11-24T09:00:00.5-03:00", datetime(2026, 11, 24, 12, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_a_time_is_meant_in_many_ways(text: str, moment: datetime) -> None:
    assert parse_moment(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "2h", "-2", "-h", "2026-13-01T00:00:00Z", "2026-11-24", "-2h "])
def test_what_means_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"moment|zone"):
        parse_moment(text, NOW)
