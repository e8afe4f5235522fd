"""A dispute on its whole way: from the provider's signed bytes to the tenant whose payment it names."""

import json

import pytest

from hub.events.told import EventKind
from hub.jobs.agreeing import Sum
from tests.abuse.hearing import STRIPE, Listener
from tests.hub.told import told_to

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_w14_a_dispute_is_told_to_the_tenant_whose_payment_it_names(
    listener: Listener, number: int
) -> None:
    job = await listener.waiting_job(STRIPE, number, reference=f"pi_{number}")
    event_id, dispute = f"evt_{number}", {"id": "dp_1", "object": "dispute", "amount": 500, "currency": "eur"}
    dispute["payment_intent"] = f"pi_{number}"
    body = {"id": event_id, "type": "charge.dispute.created", "created": 1, "data": {"object": dispute}}
    assert await listener.deliver(STRIPE, json.dumps(body).encode(), event_id) == 204
    told = await told_to(listener.engine)
    about = [one for one in told if one.event_id == event_id]
    assert [(one.kind, one.job_id) for one in about] == [(EventKind.DISPUTE, job.job_id)]
    assert about[0].provider.amount == Sum(500, "EUR")
