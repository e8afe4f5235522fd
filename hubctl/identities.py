"""Who we are at the hub and at its log: client certificates, and whether they can be used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from hubctl.errors import CertificateExpired, Misused, NotReady
from mesh.clock import Clock, SystemClock
from mesh.errors import IdentityError
from mesh.identity import CERTIFICATE, Identity

ROLES: Mapping[str, str] = {"operator": "cli", "auditor": "cli", "core": "demo"}
"""The roles that a person has here, each with the name that a local stack gives its certificate."""


@dataclass(frozen=True, slots=True)
class Identities:
    """A directory with a folder `<role>-<name>` for each identity, or a folder for a role."""

    directory: Path | None
    folders: Mapping[str, Path]

    def names(self, role: str) -> Sequence[str]:
        """Whose certificates of the role are here."""
        if role in self.folders:
            return [_load(self.folders[role]).spiffe_id.name]
        found = self.directory.glob(f"{role}-*") if self.directory else ()
        return sorted(path.name.removeprefix(f"{role}-") for path in found)

    def usual(self, role: str) -> str:
        """Who acts in a role unless somebody is named: the only one there is, else the local stack's."""
        names = self.names(role)
        return names[0] if len(names) == 1 else ROLES[role]

    def folder(self, role: str, name: str = "") -> Path:
        """The folder of an identity; raises Misused naming those that are here."""
        names, name = self.names(role), name or self.usual(role)
        if name not in names:
            known = ", ".join(names) or "none"
            raise Misused(f"there is no certificate of {_an(role)} {name}; there are: {known}")
        return self.folders.get(role) or (self.directory or Path()) / f"{role}-{name}"

    def load(self, role: str, name: str = "", *, trust_domain: str) -> Identity:
        """An identity that can be used now; raises an error that says in a line why there is none."""
        folder = self.folder(role, name)
        refuse_if_expired(folder, SystemClock())
        identity = _load(folder)
        said = identity.spiffe_id
        if (said.trust_domain, said.role) != (trust_domain, role):
            raise Misused(f"the certificate in {folder} is of {said}, not of {_an(role)} of {trust_domain}")
        return identity


def refuse_if_expired(folder: Path, clock: Clock) -> None:
    """Raises CertificateExpired if the certificate of an identity is not valid now, NotReady without one."""
    try:
        certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())
    except OSError as error:
        raise NotReady(f"the certificate in {folder} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise NotReady(f"the certificate in {folder} is not PEM") from error
    since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not since <= clock.now() < until:
        raise CertificateExpired(
            f"the certificate in {folder} is valid from {since:%Y-%m-%d %H:%M} until {until:%Y-%m-%d %H:%M}"
            " UTC, not now; get a new one (a local stack's: hubctl up)"
        )


def _load(folder: Path) -> Identity:
    try:
        return Identity.load(folder)
    except IdentityError as error:
        raise NotReady(f"the identity in {folder} cannot be used: {error}") from error


def _an(role: str) -> str:
    return f"{'an' if role[0] in 'ao' else 'a'} {role}"
