"""Calls signed together with their address: as the manifest names them, and only as they were made."""

import base64
from dataclasses import replace

import pytest

from integration.spoke.v1 import spoke_service_pb2 as pb
from spokes.kit import registry
from spokes.kit.envelope import Verdict
from spokes.kit.specimen import JOB_ID
from tests.conformance.bench import bench
from tests.conformance.test_webhooks import NOW, NOWHERE

URL = "https://hooks.example.com/webhooks/it/default"


class Hooked:
    """One way in which a provider calls, and its spoke."""

    def __init__(self, spoke, hook):
        self.spoke, self.hook = spoke, hook

    def made(self, *, secret=0, at=NOW, url=URL):
        key = secret if isinstance(secret, str) else self.spoke.specimen.webhook_secrets[secret]
        return self.hook.call(key, at, url)

    async def hear(self, call, *, url=URL, method=None):
        method = method or self.hook.method
        return await self.spoke.hear(call.body, call.headers, NOW, method=method, url=url, query=call.query)

    async def refuses(self, call, **options):
        return (await self.hear(call, **options))[0] is Verdict.REFUSED


@pytest.fixture
async def calling(hooked, tmp_path):
    name, hook = hooked
    async with bench(name, NOWHERE, tmp_path) as spoke:
        yield Hooked(spoke, hook)


@pytest.mark.parametrize("secret", [0, 1])
async def test_both_live_secrets_say_their_events_and_ask_their_answer(calling, hooked, secret):
    verdict, body = await calling.hear(calling.made(secret=secret))
    said = pb.ParseWebhookResponse.FromString(body)
    assert verdict is Verdict.DONE
    assert [(e.job_id, e.outcome.WhichOneof("kind")) for e in said.events] == (
        [(JOB_ID, "succeeded")] * calling.hook.events
    )
    assert len({e.event_id for e in said.events}) == calling.hook.events
    assert said.answer.body == calling.hook.answer


async def test_the_manifest_names_its_method_and_type(calling, hooked):
    spec = registry.manifest(calling.spoke.name).webhook
    assert calling.hook.method in spec.methods
    kind = calling.made().headers.get("content-type")
    assert kind is None or kind in spec.content_types


async def test_another_key_address_or_query_is_refused(calling, hooked):
    call = calling.made()
    assert await calling.refuses(calling.made(secret="whsec_" + "QUJD" * 8))
    for url in ("", URL + "/", URL.replace("https", "http"), URL.replace("default", "other")):
        assert await calling.refuses(call, url=url)
    assert await calling.refuses(replace(call, query=f"{call.query}&x=1"))
    assert not await calling.refuses(call)


async def test_a_garbled_or_missing_signature_is_refused(calling, hooked):
    call = calling.made()
    (name,) = set(call.headers) - {"content-type"}
    for value in ("", "é", "AAAA", base64.b64encode(b"\0" * 32).decode(), call.headers[name][:-4]):
        assert await calling.refuses(replace(call, headers={**call.headers, name: value}))
    assert await calling.refuses(replace(call, headers={}))


@pytest.mark.parametrize("seconds", [-301, 301, -86_400, 86_400])
async def test_stale_and_future_calls_are_refused(calling, hooked, seconds):
    assert await calling.refuses(calling.made(at=NOW + seconds))


async def test_a_changed_field_is_refused(calling, hooked):
    call = calling.made()
    for part in ("query", "body"):
        whole = getattr(call, part)
        old, new = str(NOW), str(NOW + 1)
        if isinstance(whole, bytes):
            old, new = old.encode(), new.encode()
        if old in whole:
            assert await calling.refuses(replace(call, **{part: whole.replace(old, new)}))
