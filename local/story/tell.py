"""The chapters of the story, each checked against what really happened."""

import asyncio
import json
import secrets
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from hubctl.errors import Refused
from hubctl.evidence import VALID, export_bundle, search, verify_bundle
from hubctl.output import Output
from hubctl.requests import find, request, response_class
from hubctl.rpc import CALL_SECONDS, hub_channel
from hubctl.submit import call
from integration.jobs.v1 import job_pb2, jobs_service_pb2, jobs_service_pb2_grpc
from local.place import Place
from local.sandboxes.smtp.inbox import messages_about
from local.sandboxes.stripe.client import LocalStripe
from mesh.authorization import full_method
from mesh.clock import SystemClock

TENANT = "acme"
PATIENCE_SECONDS = 30.0
PROOF_SECONDS = 15.0


class Teller:
    """Tells the story, and notes whatever is not as told."""

    def __init__(self, place: Place, output: Output) -> None:
        self._place = place
        self._output = output
        self._stripe = LocalStripe(place.address("stripe-sandbox"))
        self._run = secrets.token_hex(3)
        self._clock = SystemClock()
        self._chapter = 0
        self.jobs: list[str] = []
        self.untrue: list[str] = []
        self.verified = 0
        self.invalid = 0

    async def tell(self) -> None:
        """All chapters, in order."""
        charge = await self._charge()
        await self._confirmed(charge)
        await self._authenticated()
        await self._refund(charge)
        await self._email()
        await self._duplicate(charge)
        await self._counted()
        await self._proven()

    async def _charge(self) -> Any:
        self._title("Core charges a card: 12.50 EUR, through the hub, at Stripe's stand-in.")
        response = await self._submit("payments.charge", "order", wait=20, **_money("pm_card_visa"))
        self._expect("the charge succeeded", response.job.state == job_pb2.JOB_STATE_SUCCEEDED)
        self._say(f"job {response.job.job_id} succeeded; the provider calls it {response.payment.payment_id}")
        return response

    async def _confirmed(self, charge: Any) -> None:
        self._title("The provider's signed webhook confirms it.")
        arrived = await self._until_logged(charge.job.job_id, "confirmation")
        self._expect("the webhook's confirmation is in the log", arrived)
        self._say("its signature was checked, and the spoke's signed confirmation stands in the audit log")

    async def _authenticated(self) -> None:
        self._title("Another card asks for its holder's approval. The job waits; nothing is guessed.")
        card = await self._stripe.card_with_authentication()
        response = await self._submit("payments.charge", "approval", wait=2, **_money(card))
        waiting = response.job.state == job_pb2.JOB_STATE_WAITING_CONFIRMATION
        self._expect("the charge waits for its confirmation", waiting)
        self._say(f"job {response.job.job_id} waits; now the holder approves in the bank's app …")
        await self._stripe.approve(response.job.provider_reference)
        job = await self._settled(response.job.job_id)
        self._expect("the approved charge succeeded", job.state == job_pb2.JOB_STATE_SUCCEEDED)
        self._say("… and the webhook settles it: succeeded")

    async def _refund(self, charge: Any) -> None:
        self._title("Core refunds the first charge.")
        fields = {"payment_id": charge.payment.payment_id}
        response = await self._submit("payments.refund", "refund", wait=20, **fields)
        self._expect("the refund succeeded", response.job.state == job_pb2.JOB_STATE_SUCCEEDED)
        self._say(f"job {response.job.job_id} succeeded: refund {response.refund.refund_id}")

    async def _email(self) -> None:
        self._title("Core writes to the customer.")
        mail = {
            "to_addresses": ["customer@example.org"],
            "subject": f"Your refund ({self._run})",
            "text_body": "The money is on its way.\n",
        }
        response = await self._submit("messaging.sendemail", "mail", wait=20, provider="smtp", **mail)
        self._expect("the e-mail was sent", response.job.state == job_pb2.JOB_STATE_SUCCEEDED)
        subjects = messages_about(self._place.inbox, response.receipt.message_id)
        self._expect("the e-mail is in the inbox, once", subjects == [mail["subject"]])
        self._say(f'job {response.job.job_id} succeeded; the inbox holds "{mail["subject"]}"')

    async def _duplicate(self, charge: Any) -> None:
        self._title("Core's network hiccups, and it sends the first charge again.")
        again = await self._submit("payments.charge", "order", wait=5, **_money("pm_card_visa"))
        self._expect("the same request finds the same job", again.job.job_id == charge.job.job_id)
        self._say("the same key and content: the same job, and no second payment")
        refused = ""
        try:
            await self._submit("payments.charge", "order", wait=5, **_money("pm_card_visa", cents=9999))
        except Refused as refusal:
            refused = str(refusal)
        named = "REQUEST_ID_REUSED" in refused and charge.job.job_id in refused
        self._expect("another amount under the same key is refused and names the first job", named)
        self._say("the same key with another amount: refused, naming the first job")

    async def _counted(self) -> None:
        self._title("What does the provider itself say?")
        payments = await self._stripe.payments()
        for job_id in self.jobs:
            if (await self._job(job_id)).operation.endswith("/Charge"):
                count = len(payments.get(job_id, []))
                self._expect(f"the provider has one payment for {job_id}, not {count}", count == 1)
        self._say("exactly one payment for each charge, under our reference")

    async def _proven(self) -> None:
        self._title("An auditor, who trusts neither us nor our database, checks each job offline.")
        with tempfile.TemporaryDirectory() as scratch:
            for job_id in self.jobs:
                await self._until_proven(job_id)
                bundle = Path(scratch) / f"{job_id}.zip"
                await export_bundle(self._place.profile, job_id, bundle)
                self._verify(job_id, bundle)
            self._say(f"{self.verified} bundles VALID, {self.invalid} INVALID")
            _, said = verify_bundle(_tampered(bundle), self._place.vkey_file, job_id)
            self._expect("a bundle with one changed byte is INVALID", said["verdict"] == "INVALID")
            self._say(f"with one byte changed: {said['report'][-1]}")

    def _verify(self, job_id: str, bundle: Path) -> None:
        code, said = verify_bundle(bundle, self._place.vkey_file, job_id)
        valid = code == VALID
        self.verified += valid
        self.invalid += not valid
        self._expect(f"the evidence of {job_id} is VALID ({said['report'][-1]})", valid)

    async def _submit(
        self, operation: str, key: str, *, wait: float, provider: str = "stripe", **fields: Any
    ) -> Any:
        method = find(operation)
        context = {
            "request_id": f"demo-{self._run}-{key}",
            "tenant": TENANT,
            "provider": provider,
            "principal": "user-4711",
            "wait": f"{wait}s",
        }
        message = request(method, json.dumps(fields), (), context)
        response: Any = await call(self._place.profile, full_method(method), message, response_class(method))
        if response.job.job_id not in self.jobs:
            self.jobs.append(response.job.job_id)
        return response

    async def _job(self, job_id: str) -> job_pb2.Job:
        async with hub_channel(self._place.profile) as channel:
            stub = jobs_service_pb2_grpc.JobsServiceStub(channel)
            wanted = jobs_service_pb2.GetJobRequest(tenant=TENANT, job_id=job_id)
            job: job_pb2.Job = (await stub.GetJob(wanted, timeout=CALL_SECONDS)).job
            return job

    async def _settled(self, job_id: str) -> job_pb2.Job:
        async with hub_channel(self._place.profile) as channel:
            stub = jobs_service_pb2_grpc.JobsServiceStub(channel)
            wanted = jobs_service_pb2.WaitJobRequest(tenant=TENANT, job_id=job_id)
            job: job_pb2.Job = (await stub.WaitJob(wanted, timeout=CALL_SECONDS)).job
            return job

    async def _until_logged(self, job_id: str, kind: str) -> bool:
        deadline = self._clock.monotonic() + PROOF_SECONDS
        while self._clock.monotonic() < deadline:
            if any(entry.kind == kind for entry in await search(self._place.profile, job_id)):
                return True
            await asyncio.sleep(0.2)
        return False

    async def _until_proven(self, job_id: str) -> None:
        deadline = self._clock.monotonic() + PROOF_SECONDS
        while not (await self._job(job_id)).proven and self._clock.monotonic() < deadline:
            await asyncio.sleep(0.1)

    def _title(self, text: str) -> None:
        self._chapter += 1
        self._output.say(f"\n{self._chapter}. {text}")

    def _say(self, text: str) -> None:
        self._output.say(f"   {text}")

    def _expect(self, claim: str, holds: bool) -> None:
        if not holds:
            self.untrue.append(claim)
            self._say(f"NOT SO: {claim}")


def _money(payment_method: str, *, cents: int = 1250) -> dict[str, Any]:
    return {
        "amount": {"minor_units": cents, "currency_code": "EUR"},
        "payment_method": payment_method,
    }


def _tampered(bundle: Path) -> Path:
    """A copy of the bundle in which one byte of the first entry is another."""
    copy = bundle.with_name("tampered.zip")
    with zipfile.ZipFile(bundle) as source, zipfile.ZipFile(copy, "w") as target:
        names = source.namelist()
        victim = next(n for n in names if n.startswith("entries/"))
        for name in names:
            data = bytearray(source.read(name))
            if name == victim:
                data[len(data) // 2] ^= 1
            target.writestr(name, bytes(data))
    return copy
