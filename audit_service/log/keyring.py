"""Which keys the log vouches for: the first by its own signature, each later one by a key before it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from audit_service.log.entry import entitlement_complaint
from mesh.errors import IdentityError
from mesh.evidence import dsse
from mesh.evidence.errors import EvidenceError
from mesh.evidence.keys import Producer, PublicKey
from mesh.evidence.statement import KeyAdd
from mesh.identity import SpiffeId


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys that stand in the log up to some entry, by key id; all are of one trust domain."""

    trust_domain: str = ""
    keys: Mapping[str, Producer] = field(default_factory=dict)

    def get(self, keyid: str) -> Producer | None:
        """Returns the key's producer if the log vouches for it."""
        return self.keys.get(keyid)

    def with_key(self, said: KeyAdd) -> "KeyRing":
        """Returns the ring once the key stands in the log; `complaint` must have had none."""
        added = Producer(said.holder, PublicKey.from_base64(said.public))
        domain = self.trust_domain or SpiffeId.parse(said.holder).trust_domain
        return KeyRing(domain, {**self.keys, added.keyid: added})

    def complaint(self, said: KeyAdd, envelope: bytes, index: int) -> str:
        """Says why the statement adds no key at that place of the log; empty if it does."""
        try:
            opened = dsse.open_envelope(envelope)
            added = Producer(said.holder, PublicKey.from_base64(said.public))
            holder = SpiffeId.parse(said.holder)
            if added.keyid != said.keyid or added.keyid in self.keys:
                return "key.id: not that of a new key"
            if self.trust_domain and holder.trust_domain != self.trust_domain:
                return "key.holder: of another trust domain than the log"
            # Nobody is there to vouch for the first; from then on nobody vouches for himself.
            voucher = added if index == 0 and added.keyid == opened.keyid else self.get(opened.keyid)
            if voucher is None:
                return "signature: by a key that was not in the log by then"
            if complaint := entitlement_complaint(said, voucher):
                return complaint
            dsse.verify(opened, voucher.public)
        except IdentityError as error:
            return f"key.holder: {error}"
        except EvidenceError as error:
            return f"signature: {error}"
        return ""
