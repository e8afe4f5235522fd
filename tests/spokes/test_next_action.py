"""The step that a payer has to take goes to the hub with what is pending, and nowhere else."""

import json

import pytest
import stripe

from integration.common.v1.money_pb2 import Money
from integration.payments.v1 import payment_pb2 as pb
from integration.payments.v1 import payments_service_pb2 as requests
from mesh.evidence import dsse
from spokes.echo.sandbox import Sandbox
from spokes.kit.outcome import Succeeded, to_proto
from spokes.stripe import mapping
from tests.spokes.harness import Work, account, http_server, operation, serving

URL = "https://hooks.stripe.com/redirect/authenticate/src_1?client_secret=src_client_secret_1"
BACK = "https://shop.example/orders/4711?token=secret"
AMOUNT = Money(minor_units=1250, currency_code="EUR")
REDIRECT = pb.NextAction(kind=pb.NEXT_ACTION_KIND_REDIRECT, url=URL)
OTHER = pb.NextAction(kind=pb.NEXT_ACTION_KIND_OTHER)


def intent(status, action):
    return stripe.PaymentIntent.construct_from(
        {
            "id": "pi_1",
            "status": status,
            "amount": 1250,
            "currency": "eur",
            "created": 1_700_000_000,
            "latest_charge": None,
            "metadata": {"job_id": "job"},
            "next_action": action,
        },
        None,
    )


@pytest.mark.parametrize(
    ("status", "action", "wanted"),
    [
        ("requires_action", {"type": "redirect_to_url", "redirect_to_url": {"url": URL}}, REDIRECT),
        ("requires_action", {"type": "use_stripe_sdk", "use_stripe_sdk": {}}, OTHER),
        ("requires_action", {"type": "redirect_to_url", "redirect_to_url": {"url": "http://a"}}, OTHER),
        ("requires_action", {"redirect_to_url": {"url": "https://" + "a" * 2048}}, OTHER),
        ("requires_action", None, OTHER),
        ("processing", None, None),
        ("succeeded", {"type": "redirect_to_url", "redirect_to_url": {"url": URL}}, None),
    ],
)
def test_stripes_step_is_told_only_while_stripe_waits_for_it(status, action, wanted):
    payment = mapping.payment(intent(status, action))
    assert payment.HasField("next_action") == (wanted is not None)
    assert wanted is None or payment.next_action == wanted


@pytest.mark.parametrize("request_type", [requests.ChargeRequest, requests.AuthorizeRequest])
def test_stripe_is_told_where_the_payer_comes_back_to(request_type):
    request = request_type(amount=AMOUNT, payment_method="pm_1", return_url=BACK)
    form = mapping.new_intent(request, 1250, job_id="job", manual=False, types="card")
    assert form["return_url"] == BACK
    request.ClearField("return_url")
    assert "return_url" not in mapping.new_intent(request, 1250, job_id="job", manual=False, types="card")


def test_what_succeeded_is_kept_without_its_secrets():
    payment = pb.Payment(payment_id="pay_1", next_action=REDIRECT)
    told = pb.Payment()
    to_proto(Succeeded(payment)).succeeded.result.Unpack(told)
    assert (told.payment_id, told.next_action.url) == ("pay_1", "")


async def test_its_address_is_in_no_log_and_no_evidence(tmp_path, caplog, capfd):
    sandbox = Sandbox()
    async with http_server(sandbox.application()) as url, serving("echo", account(url), tmp_path) as echo:
        request = requests.ChargeRequest(amount=AMOUNT, payment_method="pm_action", return_url=BACK)
        (result,) = await echo.hub.execute(Work(operation("echo", "Charge"), request))
        reading = requests.GetPaymentRequest(payment_id=result.outcome.provider_reference)
        (read,) = await echo.hub.execute(Work(operation("echo", "GetPayment"), reading))
    payment = pb.Payment()
    assert result.outcome.pending.result.Unpack(payment)
    secret = payment.next_action.url
    assert secret.startswith("https://pay.echo.example/") and "shop.example" in secret
    assert secret.encode() not in read.outcome.SerializeToString()
    said = json.dumps([dsse.open_envelope(r.evidence).payload.decode() for r in (result, read)])
    for hidden in (secret, BACK):
        assert hidden not in said + caplog.text + "".join(capfd.readouterr())
