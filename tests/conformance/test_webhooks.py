"""Webhooks: only the raw bytes, signed by a live secret, now."""

import base64
import hmac
import json
from dataclasses import replace

import pytest

from integration.spoke.v1 import spoke_service_pb2 as pb
from spokes.kit import registry
from spokes.kit.accounts import Secret
from spokes.kit.envelope import Verdict
from spokes.kit.specimen import JOB_ID
from tests.conformance.bench import bench

NOW = 1_700_000_000
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
async def spoke(hearing, tmp_path):
    async with bench(hearing, NOWHERE, tmp_path) as spoke:
        yield spoke


def signed(spoke, *, secret=0, at=NOW):
    body = spoke.specimen.webhook
    return body, dict(spoke.specimen.sign(spoke.specimen.webhook_secrets[secret], at, body))


def by_empty_key(spoke):
    """A delivery as somebody signs it who guesses that the key is empty."""
    body, headers = signed(spoke)
    stamp = str(NOW).encode()
    if "webhook-id" in headers:
        content = b"%b.%b.%b" % (headers["webhook-id"].encode(), stamp, body)
        signature = base64.b64encode(hmac.digest(b"", content, "sha256")).decode()
        return body, {**headers, "webhook-signature": f"v1,{signature}"}
    signature = hmac.digest(b"", b"%b.%b" % (stamp, body), "sha256").hex()
    return body, dict.fromkeys(headers, f"t={NOW},v1={signature}")


async def refused(spoke, body, headers, received_at=NOW):
    verdict, _ = await spoke.hear(body, headers, received_at)
    return verdict is Verdict.REFUSED


@pytest.mark.parametrize("secret", [0, 1])
async def test_both_live_secrets_are_accepted(spoke, hearing, secret):
    verdict, body = await spoke.hear(*signed(spoke, secret=secret), NOW)
    assert verdict is Verdict.DONE
    (event,) = pb.ParseWebhookResponse.FromString(body).events
    assert event.event_id
    assert event.job_id == JOB_ID
    assert event.outcome.WhichOneof("kind") == "succeeded"


@pytest.mark.parametrize("bad", ["whsec_", "whsec_not base64!", "whsec_\u00e9", ""])
async def test_a_bad_secret_in_the_list_spoils_none_and_opens_nothing(spoke, hearing, bad):
    worker = spoke.worker
    good = spoke.specimen.webhook_secrets[0]
    account = replace(worker._accounts["default"], webhook_secrets=(Secret(bad), Secret(good), Secret(bad)))
    worker._accounts = {"default": account}
    verdict, _ = await spoke.hear(*signed(spoke), NOW)
    assert verdict is Verdict.DONE
    assert await refused(spoke, *by_empty_key(spoke))


async def test_an_event_that_settles_names_what_it_is_about(spoke, hearing):
    _, body = await spoke.hear(*signed(spoke), NOW)
    (event,) = pb.ParseWebhookResponse.FromString(body).events
    subject = event.outcome.subject
    assert subject.operations
    assert set(subject.operations) <= set(registry.manifest(hearing).operations)
    assert event.outcome.provider_reference == event.provider_reference
    for name in subject.operations:
        request = spoke.specimen.requests[name.rpartition("/")[2]]
        if "amount" in request.DESCRIPTOR.fields_by_name:
            assert subject.HasField("amount")


async def test_a_replayed_delivery_is_the_same_event(spoke, hearing):
    first, second = [await spoke.hear(*signed(spoke), NOW) for _ in range(2)]
    assert first == second


async def test_a_forged_signature_is_refused(spoke, hearing):
    body, headers = signed(spoke)
    forged = dict(spoke.specimen.sign("whsec_" + "QUJD" * 8, NOW, body))
    assert await refused(spoke, body, forged)
    assert not await refused(spoke, body, headers)


async def test_no_signature_is_refused(spoke, hearing):
    assert await refused(spoke, spoke.specimen.webhook, {})


@pytest.mark.parametrize("garbage", ["", "v1", "t=,v1=", "t=x,v1=00", "v1,!!!!", "v1,", "a b c", "\u00e9"])
async def test_a_garbled_signature_is_refused(spoke, hearing, garbage):
    body, headers = signed(spoke)
    for name in headers:
        assert await refused(spoke, body, {**headers, name: garbage})


async def test_a_re_serialised_body_is_refused(spoke, hearing):
    body, headers = signed(spoke)
    assert await refused(spoke, json.dumps(json.loads(body), indent=3).encode(), headers)
    assert await refused(spoke, body + b" ", headers)


@pytest.mark.parametrize("seconds", [-301, 301, -86_400, 86_400])
async def test_stale_and_future_deliveries_are_refused(spoke, hearing, seconds):
    body, headers = signed(spoke, at=NOW + seconds)
    assert await refused(spoke, body, headers)


async def test_the_time_is_part_of_what_is_signed(spoke, hearing):
    body, headers = signed(spoke, at=NOW - 1000)
    moved = {name: value.replace(str(NOW - 1000), str(NOW)) for name, value in headers.items()}
    assert moved != headers
    assert await refused(spoke, body, moved)


async def test_a_signed_body_that_is_no_event_is_refused_or_left(spoke, hearing):
    for body in (b"", b"[]", b"{}", b'"x"', b"\xff\xfe", b'{"a":' * 500):
        headers = dict(spoke.specimen.sign(spoke.specimen.webhook_secrets[0], NOW, body))
        verdict, _ = await spoke.hear(body, headers, NOW)
        assert verdict in (Verdict.REFUSED, Verdict.UNAVAILABLE)
