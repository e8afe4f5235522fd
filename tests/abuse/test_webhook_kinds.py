"""Deliveries of every kind that a manifest names, challenges, and room for each provider apart."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlencode

import orjson
import pytest
import pytest_asyncio

from hub.events.model import Answer, ArrivedEvent, Delivery, Heard, WebhookRefused, WebhookRules
from hub.jobs.model import JobState
from hub.peers.spokes import SpokeDirectory
from mesh.clock import SystemClock
from spokes.echo import hooks
from spokes.kit.webhooks import NOT_UNDERSTOOD
from tests.abuse.hearing import AS_USUAL, ECHO, JSON, STRIPE, Listener, Peer, listening
from tests.abuse.test_webhooks import _raw

pytestmark = pytest.mark.asyncio(loop_scope="module")

PUBLIC = "https://hooks.example.com/in"
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def public(
    hub_urls: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory, spokes: SpokeDirectory
) -> AsyncIterator[Listener]:
    """A listener that was told its public address."""
    home = tmp_path_factory.mktemp("public")
    async with listening(hub_urls, home, spokes, public_url=PUBLIC) as listener:
        yield listener


def now() -> str:
    return str(int(SystemClock().now().timestamp()))


def form(*events: str, url: str = PUBLIC + ECHO.path) -> tuple[bytes, dict[str, str]]:
    """A form of events, as Echo sends it."""
    fields = [*(("event", event) for event in events), ("signed_at", now())]
    return urlencode(fields).encode(), {**FORM, **hooks.sign(ECHO.secrets[0], url, fields)}


def challenge(text: str, *, base: str = PUBLIC, secret: str = "") -> tuple[str, dict[str, str]]:
    """Path and headers of a challenge, as Echo sends it."""
    target = f"{ECHO.path}?signed_at={now()}&challenge={text}"
    return target, hooks.sign(secret or ECHO.secrets[1], base + target, [])


async def test_w07_a_signed_form_of_many_events_settles_their_jobs(public: Listener, number: int) -> None:
    jobs = [await public.waiting_job(ECHO, 2 * number + 7000 + n) for n in (0, 1)]
    ids = [f"evt_form_{number}_{n}" for n in (0, 1)]
    body, headers = form(*(ECHO.event(j.job_id, i).decode() for j, i in zip(jobs, ids, strict=True)))
    for _ in range(2):
        assert (await public.call("POST", ECHO.path, headers, data=body)).status == 204
    assert [await public.state(job) for job in jobs] == [JobState.SUCCEEDED] * 2
    assert [await public.handled(event_id) for event_id in ids] == ["applied"] * 2


async def test_w07_one_unreadable_event_of_many_is_kept_as_that_and_spoils_no_other(
    public: Listener, number: int
) -> None:
    job, before = await public.waiting_job(ECHO, number + 8000), await public.kept()
    good = ECHO.event(job.job_id, f"evt_among_{number}").decode()
    nameless = orjson.dumps({"id": f"a b {number}", "type": "x"}).decode()
    body, headers = form(nameless, "{", good)
    assert (await public.call("POST", ECHO.path, headers, data=body)).status == 204
    assert await public.state(job) is JobState.SUCCEEDED
    assert await public.kept() == before + 3
    count = "SELECT count(*) FROM webhook_event WHERE type = :type AND job_id IS NULL"
    assert await public.value(count, type=NOT_UNDERSTOOD) == 2


async def test_w07_a_call_below_the_accounts_address_is_signed_with_all_of_its_path(public: Listener) -> None:
    below = f"{ECHO.path}/payments/eu%2B1"
    body, headers = form(url=PUBLIC + below)
    assert (await public.call("POST", below, headers, data=body)).status == 204
    assert (await public.call("POST", ECHO.path, headers, data=body)).status == 401


async def test_w14_a_challenge_is_answered_as_it_was_asked_and_not_for_a_browser(public: Listener) -> None:
    target, headers = challenge("%3Cscript%3E+a%26b")
    answer = await public.call("GET", target, headers)
    assert (answer.status, answer.body) == (200, b"<script> a&b")
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_w14_a_challenge_that_is_not_the_providers_is_answered_with_nothing(public: Listener) -> None:
    forged = "whsec_" + "QUJD" * 8
    for base, secret in ((PUBLIC, forged), ("https://elsewhere.example", ""), ("", "")):
        target, headers = challenge("secret", base=base, secret=secret)
        answer = await public.call("GET", target, headers)
        assert (answer.status, answer.body) == (401, b"")
    target, headers = challenge("x" * 4097)
    assert (await public.call("GET", target, headers)).status == 401


async def test_w14_the_public_address_is_a_setting_and_no_header_changes_it(
    public: Listener, listener: Listener
) -> None:
    elsewhere = "https://elsewhere.example"
    told = {
        "Host": "elsewhere.example",
        "X-Forwarded-Host": "elsewhere.example",
        "X-Forwarded-Proto": "https",
        "Forwarded": "host=elsewhere.example;proto=https",
    }
    target, headers = challenge("c", base=elsewhere)
    assert (await public.call("GET", target, {**headers, **told})).status == 401
    target, headers = challenge("c")
    assert (await public.call("GET", target, {**headers, **told})).status == 200
    # Where it is not set, nothing that is signed with it can be verified.
    assert (await listener.call("GET", target, headers)).status == 401


@pytest.mark.parametrize(("peer", "allowed"), [(ECHO, "GET,POST"), (STRIPE, "POST")], ids=["echo", "stripe"])
async def test_w07_a_method_that_the_manifest_does_not_name_is_refused(
    public: Listener, peer: Peer, allowed: str
) -> None:
    for method in {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"} - set(allowed.split(",")):
        answer = await public.call(method, peer.path, {**JSON})
        assert (answer.status, answer.body, answer.headers["Allow"]) == (405, b"", allowed)


async def test_w07_a_form_is_nothing_to_a_provider_that_sends_none(public: Listener) -> None:
    assert (await public.call("POST", STRIPE.path, FORM, data=b"a=1")).status == 415
    assert (await public.call("POST", ECHO.path, FORM, data=b"a=1")).status == 401


async def test_w06_headers_that_no_spoke_could_be_told_cost_only_their_own_delivery(public: Listener) -> None:
    many = {f"x-{n}": "1" for n in range(101)}
    body, headers = form()
    assert (await public.call("POST", ECHO.path, {**headers, **many}, data=body)).status == 431
    odd = {**headers, "x-odd": "a\tb", "x-name": "josé"}
    assert (await public.call("POST", ECHO.path, odd, data=body)).status == 204


@dataclass
class Scripted:
    """Spokes that hear what the script says, for each provider."""

    rules: WebhookRules = AS_USUAL
    says: Heard | Exception = field(default_factory=Heard)
    slow: str = ""
    free: asyncio.Event = field(default_factory=asyncio.Event)

    def webhook_rules(self, lane: str) -> WebhookRules:
        """The same for every lane."""
        return self.rules

    async def parse_webhooks(self, deliveries: Sequence[Delivery]) -> list[Heard | Exception]:
        """What the script says; the slow provider's spoke waits."""
        if self.slow and deliveries[0].lane.startswith(self.slow):
            await self.free.wait()
        return [self.says for _ in deliveries]


async def test_w13_a_slow_provider_fills_only_its_own_room(
    hub_urls: Mapping[str, str], tmp_path: Path
) -> None:
    spokes = Scripted(slow="echo")
    async with listening(hub_urls, tmp_path, spokes) as listener:
        calls = [asyncio.create_task(listener.post(ECHO.path, b"{}", {})) for _ in range(90)]
        async with asyncio.timeout(10):
            while len(refused := [call.result() for call in calls if call.done()]) < 26:
                await asyncio.wait([c for c in calls if not c.done()], return_when=asyncio.FIRST_COMPLETED)
        assert {(r.status, r.headers["Retry-After"]) for r in refused} == {(503, "5")}
        assert (await listener.post(STRIPE.path, b"{}", {})).status == 204
        spokes.free.set()
        assert [(await call).status for call in calls].count(204) == 64
        assert (await listener.post(ECHO.path, b"{}", {})).status == 204


async def test_w13_a_delivery_that_takes_too_long_gives_its_room_back(
    hub_urls: Mapping[str, str], tmp_path: Path
) -> None:
    spokes = Scripted(replace(AS_USUAL, room=1), slow="echo")
    async with listening(hub_urls, tmp_path, spokes, take_seconds=0.2) as listener:
        for _ in range(2):
            answer = await listener.post(ECHO.path, b"{}", {})
            assert (answer.status, answer.body, answer.headers["Retry-After"]) == (503, b"", "5")
        spokes.free.set()
        assert (await listener.post(ECHO.path, b"{}", {})).status == 204


async def test_w06_each_provider_has_its_own_greatest_body(
    hub_urls: Mapping[str, str], tmp_path: Path
) -> None:
    async with listening(hub_urls, tmp_path, Scripted(replace(AS_USUAL, max_bytes=100))) as listener:
        assert (await listener.post(ECHO.path, b" " * 100, {})).status == 204
        assert (await listener.post(ECHO.path, b" " * 101, {})).status == 413
        head = f"POST {ECHO.path} HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n"
        piece = b"65\r\n" + b" " * 0x65 + b"\r\n"
        answer = await _raw(listener, head + "Transfer-Encoding: chunked\r\n\r\n", piece)
    assert answer.startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    ("says", "status", "body"),
    [
        (Heard(answer=Answer(200, "application/json", b'{"challenge":1}')), 200, b'{"challenge":1}'),
        (Heard(answer=Answer(202, "", b"")), 202, b""),
        (Heard(answer=Answer(200, "text/html", b"<script>")), 204, b""),
        (Heard(answer=Answer(302, "text/plain", b"x")), 204, b""),
        (Heard(answer=Answer(200, "text/plain", b"x" * 4097)), 204, b""),
        (Heard(answer=Answer(200, "text/plain\r\nSet-Cookie: a=b", b"x")), 204, b""),
        (WebhookRefused("forged"), 401, b""),
    ],
    ids=["json", "empty", "html", "redirect", "too long", "split", "refused"],
)
async def test_w14_only_a_fit_answer_to_a_verified_delivery_is_passed_on(
    hub_urls: Mapping[str, str], tmp_path: Path, says: Heard | Exception, status: int, body: bytes
) -> None:
    async with listening(hub_urls, tmp_path, Scripted(says=says)) as listener:
        answer = await listener.post(ECHO.path, b"{}", {})
    assert (answer.status, answer.body) == (status, body)
    assert "Location" not in answer.headers
    assert "Set-Cookie" not in answer.headers


async def test_w06_an_event_without_a_name_is_left_out_and_the_others_are_kept(
    hub_urls: Mapping[str, str], tmp_path: Path, number: int, caplog: pytest.LogCaptureFixture
) -> None:
    good = ArrivedEvent("echo/default", f"evt_named_{number}", "x", "", b"", b"")
    bad = [replace(good, event_id=""), replace(good, event_id="a\0b"), replace(good, type="x" * 256)]
    async with listening(hub_urls, tmp_path, Scripted(says=Heard([*bad, good]))) as listener:
        before = await listener.kept()
        assert (await listener.post(ECHO.path, b"{}", {})).status == 204
        assert await listener.kept() == before + 1
    assert len([r for r in caplog.records if r.levelno >= logging.ERROR]) == len(bad)
