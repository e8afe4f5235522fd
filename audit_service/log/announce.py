"""Adds to the log the keys that are not in it yet: first the audit service's own, then the producers'."""

from collections.abc import Collection, Iterable

from audit_service.errors import LogInconsistent
from audit_service.log.entry import Entry, Refusal
from audit_service.log.sequencer import Sequencer
from mesh.clock import Clock
from mesh.evidence.dsse import seal
from mesh.evidence.keys import Producer, SigningKey
from mesh.evidence.merkle import leaf_hash
from mesh.evidence.statement import KeyAdd, Maker, timestamp


class KeyRegister:
    """Says which keys there are, signed by the audit service.

    The log's first key vouches for itself. Each later one of the service, too, stands among the producers
    first, so that the key before it has vouched for it by the time it signs.
    """

    def __init__(self, *, holder: str, key: SigningKey, boot: str, clock: Clock) -> None:
        self._own = Producer(holder, key.public)
        self._key = key
        self._boot = boot
        self._clock = clock
        self._said = 0

    async def announce(
        self, producers: Iterable[Producer], *, known: Collection[str], sequencer: Sequencer
    ) -> int:
        """Appends what is missing from the known key ids and returns how many that were."""
        others = [producer for producer in producers if producer.keyid != self._own.keyid]
        missing = [producer for producer in (self._own, *others) if producer.keyid not in known]
        if not missing:
            return 0
        appended = await sequencer.append([self._entry(producer) for producer in missing])
        refused = [answer.message for answer in appended.answers if isinstance(answer, Refusal)]
        if refused:
            raise LogInconsistent(f"the log refuses a key: {refused[0]}")
        return len(missing)

    def _entry(self, producer: Producer) -> Entry:
        self._said += 1
        statement = KeyAdd(
            t=timestamp(self._clock.now()),
            maker=Maker(self._own.holder, self._boot, self._said),
            keyid=producer.keyid,
            holder=producer.holder,
            public=producer.public.to_base64(),
        )
        envelope = seal(statement.payload(), self._key)
        return Entry(envelope, leaf_hash(envelope), statement)
