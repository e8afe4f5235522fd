"""The stack's identities and keys: a throw-away authority for mTLS, lasting keys for statements."""

from collections.abc import Sequence

from local.stack.layout import ORIGIN, TRUST_DOMAIN, Layout, write_json
from mesh.ca import LIFETIME, CertificateAuthority, public_key_text, write_file, write_signing_key
from mesh.evidence.checkpoint import Vkey
from mesh.evidence.keys import SigningKey
from mesh.identity import SpiffeId

RENEW_EVERY_SECONDS = LIFETIME.total_seconds() / 2
CORE, OPERATOR, AUDITOR = ("core", "demo"), ("operator", "cli"), ("auditor", "cli")
PEOPLE = (OPERATOR, ("operator", "ana"), ("operator", "luis"))
HUB, AUDIT, ENVOY = ("hub", "hub"), ("audit", "audit"), ("envoy", "edge")


def spiffe_id(role: str, name: str) -> SpiffeId:
    """An identity of the local trust domain."""
    return SpiffeId(TRUST_DOMAIN, role, name)


def issue(layout: Layout, spokes: Sequence[str], authority: CertificateAuthority) -> None:
    """Issues, or renews, the certificate of everybody in the stack."""
    everybody = [CORE, *PEOPLE, AUDITOR, HUB, AUDIT, ENVOY, *(("spoke", spoke) for spoke in spokes)]
    for role, name in everybody:
        authority.issue(spiffe_id(role, name), layout.identity(role, name))


def make_keys(layout: Layout, spokes: Sequence[str]) -> None:
    """Makes the signing keys that are not there yet, and says who holds which."""
    holders = [HUB, AUDIT, *(("spoke", spoke) for spoke in spokes)]
    for name in ("log", *(_key_name(*holder) for holder in holders)):
        if not layout.signing_key(name).exists():
            write_signing_key(layout.signing_key(name))
    write_json(
        layout.producers,
        [
            {
                "holder": str(spiffe_id(*holder)),
                "public_key": public_key_text(layout.signing_key(_key_name(*holder))),
            }
            for holder in holders
        ],
    )
    vkey = Vkey(ORIGIN, SigningKey.load(layout.signing_key("log")).public)
    write_file(layout.vkey, f"{vkey}\n".encode())


def _key_name(role: str, name: str) -> str:
    return name if role == name else f"{role}-{name}"
