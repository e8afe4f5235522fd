"""What the hub signs."""

import json
from datetime import timedelta

from hub.peers.notary import Notary
from mesh.evidence import dsse
from mesh.evidence import statement as said
from mesh.evidence.keys import SigningKey
from tests.fakes import HandClock
from tests.hub.jobs import NOW, claimed


def test_an_intent_has_the_time_of_its_claim_whatever_this_machines_clock_says() -> None:
    attempt = claimed()
    notary = Notary(
        SigningKey.generate(), holder="hub", boot="boot", clock=HandClock(NOW + timedelta(hours=1))
    )
    (intent,) = notary.intents([attempt])
    stated = json.loads(dsse.open_envelope(intent).payload)["t"]
    assert said.moment(stated) == attempt.claimed_at
