"""Dead letters: found, counted, shown, resolved."""

import json
import shlex

import pytest

from hubctl.main import hubctl
from integration.operations.v1 import dead_letter_pb2 as letters
from integration.operations.v1 import operations_service_pb2 as messages
from tests.cli.desk import Refusal, StandIn
from tests.cli.parsing import parse
from tests.cli.recorded import (
    ANA,
    CHARGE,
    JOB,
    LANE,
    LUIS,
    NOON,
    OTHER_JOB,
    WHY,
    at,
    attempt,
    group,
    job,
    letter,
)
from tests.cli.terminal import Terminal

FILTERS = (
    *("--provider", "stripe", "--account", "default", "--tenant", "acme", "--operation", CHARGE),
    *("--cause", "provider_down", "--error", "CONNECTION_REFUSED"),
    *("--from", "2026-11-24T13:00:00+01:00", "--to", "2026-11-24T14:00:00Z"),
    *("--job", JOB, "--job", OTHER_JOB),
)


async def test_every_filter_reaches_the_hub(terminal: Terminal, stand_in: StandIn) -> None:
    stand_in.lay_out("ListDeadLetters", messages.ListDeadLettersResponse(dead_letters=[letter()]))
    done = await terminal.run("dlq", "list", *FILTERS, "--all")
    assert done.code == 0, done.err
    assert JOB in done.out
    (request,) = stand_in.requests("ListDeadLetters")
    wanted = request.filter
    assert request.all
    assert (wanted.provider, wanted.account, wanted.tenant) == ("stripe", "default", "acme")
    assert (wanted.operation, wanted.cause, wanted.reason) == (CHARGE, "provider_down", "CONNECTION_REFUSED")
    assert (wanted.start_time, wanted.end_time.seconds) == (at(NOON), at(NOON).seconds + 7200)
    assert list(wanted.job_ids) == [JOB, OTHER_JOB]


async def test_without_a_filter_all_are_listed(terminal: Terminal, stand_in: StandIn) -> None:
    stand_in.lay_out("ListDeadLetters", messages.ListDeadLettersResponse())
    assert "no dead letters" in (await terminal.run("dlq", "list")).out
    assert not stand_in.requests("ListDeadLetters")[0].HasField("filter")


async def test_pages_are_followed_up_to_the_limit(terminal: Terminal, stand_in: StandIn) -> None:
    first = messages.ListDeadLettersResponse(dead_letters=[letter()] * 500, next_page_token="more")
    second = messages.ListDeadLettersResponse(dead_letters=[letter()] * 200, next_page_token="yet more")
    stand_in.lay_out("ListDeadLetters", first, second)
    answer = await terminal.json("dlq", "list", "--limit", "700")
    assert (len(answer["dead_letters"]), answer["more"]) == (700, True)
    asked = [(r.page_size, r.page_token) for r in stand_in.requests("ListDeadLetters")]
    assert asked == [(500, ""), (200, "more")]


async def test_triage_counts_groups_and_gives_the_exact_next_command(
    terminal: Terminal, stand_in: StandIn
) -> None:
    groups = [
        group(998, letters.DEAD_LETTER_CAUSE_PROVIDER_DOWN, "CONNECTION_REFUSED", letters.PROPOSAL_REPLAY),
        group(2, letters.DEAD_LETTER_CAUSE_UNRESOLVED_DOUBT, "PROVIDER_FORGOT", letters.PROPOSAL_RESOLVE),
    ]
    stand_in.lay_out("CountDeadLetters", messages.CountDeadLettersResponse(groups=groups))
    done = await terminal.run("dlq", "triage", "--provider", "stripe", "--tenant", "acme")
    assert done.out.startswith("1000 open dead letters in 2 groups")
    assert (
        "998  stripe/default  PROVIDER_DOWN  CONNECTION_REFUSED: replay once the provider is back" in done.out
    )
    replay, listing = (line.strip() for line in done.out.splitlines() if line.startswith("  hubctl"))
    assert shlex.split(replay)[1:] == [
        *("plan", "replay", "--provider", "stripe", "--account", "default", "--tenant", "acme"),
        *("--cause", "provider_down", "--error", "CONNECTION_REFUSED"),
        *("--reason", "<why>", "--ticket", "<ticket>"),
    ]
    assert "dlq list" in listing and "--cause unresolved_doubt" in listing
    for command in (replay, listing):
        parse(hubctl, command)


async def test_a_command_to_type_names_the_state_directory_that_was_named(
    terminal: Terminal, stand_in: StandIn
) -> None:
    only = group(1, letters.DEAD_LETTER_CAUSE_BUG, "SCHEMA", letters.PROPOSAL_INVESTIGATE)
    stand_in.lay_out("CountDeadLetters", messages.CountDeadLettersResponse(groups=[only]))
    answer = await terminal.json("dlq", "triage", "--state", str(terminal.state))
    assert shlex.split(answer["groups"][0]["next"])[-2:] == ["--state", str(terminal.state)]
    file = str(terminal.state / "profile.toml")
    answer = await terminal.json("dlq", "triage", "--profile", file)
    assert shlex.split(answer["groups"][0]["next"])[-2:] == ["--profile", file]
    usual = (await terminal.json("dlq", "triage"))["groups"][0]["next"]
    assert not {"--state", "--profile"} & set(usual.split())


async def test_one_letter_shows_its_tries_its_missing_proof_and_what_to_do(
    terminal: Terminal, stand_in: StandIn
) -> None:
    doubtful = letter(
        cause=letters.DEAD_LETTER_CAUSE_UNRESOLVED_DOUBT,
        missing_proof=letters.MISSING_PROOF_OUTCOME,
        proposal=letters.PROPOSAL_RESOLVE,
        attempts=[attempt(1, "unknown", "REPLY_LOST"), attempt(2, "not_sent", "ABSENT", look_up=True)],
    )
    stand_in.lay_out("GetDeadLetter", messages.GetDeadLetterResponse(dead_letter=doubtful))
    done = await terminal.run("dlq", "show", JOB)
    assert done.code == 0, done.err
    lines = [line.split() for line in done.out.splitlines()]
    assert ["missing", "proof", "OUTCOME"] in lines
    assert ["1", "execute", "unknown", "REPLY_LOST", "2026-11-24T12:00:00Z", "2026-11-24T12:00:01Z"] in lines
    assert ["2", "look-up", "not_sent", "ABSENT", "2026-11-24T12:00:00Z", "2026-11-24T12:00:02Z"] in lines
    assert f"hubctl jobs resolve {JOB} --outcome" in done.out
    assert f"hubctl evidence show {JOB}" in done.out


async def test_a_letter_that_has_left_needs_nothing(terminal: Terminal, stand_in: StandIn) -> None:
    left = letter(left_by="replayed", leave_time=at(NOON))
    stand_in.lay_out("GetDeadLetter", messages.GetDeadLetterResponse(dead_letter=left))
    assert (await terminal.json("dlq", "show", JOB))["next"] == ""


@pytest.mark.parametrize(
    ("outcome", "resolution"),
    [
        ("done", messages.RESOLUTION_DONE),
        ("declined", messages.RESOLUTION_DECLINED),
        ("not-done", messages.RESOLUTION_NOT_DONE),
    ],
)
async def test_a_job_is_resolved_as_a_person_found(
    terminal: Terminal, stand_in: StandIn, outcome: str, resolution: int
) -> None:
    stand_in.lay_out("ResolveJob", messages.ResolveJobResponse(job=job()))
    words = ("jobs", "resolve", JOB, "--outcome", outcome, "--reference", "pi_1", *WHY, "--as", "luis")
    assert (await terminal.json(*words))["job"]["job_id"] == JOB
    (request,) = stand_in.requests("ResolveJob")
    assert (request.job_id, request.resolution, request.provider_reference) == (JOB, resolution, "pi_1")
    assert (request.why.reason, stand_in.callers("ResolveJob")) == ("the provider is back", [LUIS])


async def test_a_job_that_cannot_be_resolved_is_refused(terminal: Terminal, stand_in: StandIn) -> None:
    stand_in.lay_out("ResolveJob", Refusal("NOT_RESOLVABLE", "the job is SUCCEEDED"))
    done = await terminal.run("jobs", "resolve", JOB, "--outcome", "done", *WHY, "--json")
    assert (done.code, done.out) == (4, "")
    assert done.err == "hubctl: NOT_RESOLVABLE: the job is SUCCEEDED\n"


async def test_the_json_of_a_list_is_one_object(terminal: Terminal, stand_in: StandIn) -> None:
    stand_in.lay_out("ListDeadLetters", messages.ListDeadLettersResponse(dead_letters=[letter()]))
    done = await terminal.run("dlq", "list", "--json")
    (line,) = done.out.splitlines()
    (found,) = json.loads(line)["dead_letters"]
    assert (found["job"]["provider"], found["cause"]) == ("stripe", "DEAD_LETTER_CAUSE_PROVIDER_DOWN")
    assert LANE in (await terminal.run("dlq", "list")).out


async def test_who_said_it_first_is_told_what_another_must_type_and_the_letter_shows_it(
    terminal: Terminal, stand_in: StandIn
) -> None:
    said = letters.ResolutionProposal(
        actor=ANA, reason="support says so", ticket="OPS-241", expire_time=at(NOON)
    )
    answer = messages.ResolveJobResponse(job=job(), proposal=said)
    stand_in.lay_out("ResolveJob", answer)
    done = await terminal.run("jobs", "resolve", JOB, "--outcome", "not-done", *WHY, "--as", "ana")
    assert done.code == 0, done.err
    assert "2026-11-24T12:00:00Z" in done.out
    assert f"hubctl jobs resolve {JOB} --outcome not-done --as luis" in done.out
    shown = letter(cause=letters.DEAD_LETTER_CAUSE_UNRESOLVED_DOUBT, not_done=said)
    stand_in.lay_out("GetDeadLetter", messages.GetDeadLetterResponse(dead_letter=shown))
    assert f"{ANA}, OPS-241: support says so" in (await terminal.run("dlq", "show", JOB)).out
