"""A throw-away certificate authority, for local stacks and tests. Its key never leaves the process."""

import base64
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mesh.clock import Clock, SystemClock
from mesh.identity import AUTHORITY, CERTIFICATE, KEY, MESH_NAME, SpiffeId, server_name

LIFETIME = timedelta(hours=24)
AUTHORITY_LIFETIME = timedelta(days=30)
SKEW = timedelta(minutes=5)
DNS_NAMES = (MESH_NAME, "localhost")


class CertificateAuthority:
    """Signs certificates of one trust domain."""

    def __init__(self, trust_domain: str, key: ec.EllipticCurvePrivateKey, clock: Clock) -> None:
        self.trust_domain = trust_domain
        self._key = key
        self._clock = clock
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{trust_domain} throw-away CA")])
        self.certificate = self._self_signed()

    @classmethod
    def create(cls, trust_domain: str, *, clock: Clock | None = None) -> "CertificateAuthority":
        """A new authority with a new key."""
        return cls(trust_domain, ec.generate_private_key(ec.SECP256R1()), clock or SystemClock())

    def issue(
        self,
        spiffe_id: SpiffeId,
        directory: Path,
        *,
        lifetime: timedelta = LIFETIME,
        dns: Sequence[str] = DNS_NAMES,
    ) -> None:
        """Writes `cert.pem`, `key.pem` and `ca.pem` for an identity, with a new key, each by renaming.

        The certificate carries the names of `dns` and that of the identity's role.
        """
        now = self._clock.now()
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.certify(
            key.public_key(),
            uris=[str(spiffe_id)],
            dns=[*dns, server_name(spiffe_id.role)],
            valid=(now - SKEW, now + lifetime),
        )
        directory.mkdir(parents=True, exist_ok=True)
        write_file(directory / KEY, _key_pem(key), mode=0o600)
        write_file(directory / CERTIFICATE, certificate.public_bytes(serialization.Encoding.PEM))
        write_file(directory / AUTHORITY, self.certificate.public_bytes(serialization.Encoding.PEM))

    def certify(
        self,
        key: ec.EllipticCurvePublicKey,
        *,
        uris: Sequence[str],
        dns: Sequence[str],
        valid: tuple[datetime, datetime],
    ) -> x509.Certificate:
        """Signs a certificate for servers and clients."""
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri) for uri in uris]
        names += [x509.DNSName(name) for name in dns]
        names.append(x509.IPAddress(IPv4Address("127.0.0.1")))
        return (
            self._builder(x509.Name([]), key, valid)
            .add_extension(x509.SubjectAlternativeName(names), critical=True)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .add_extension(_authority_key_id(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _self_signed(self) -> x509.Certificate:
        now = self._clock.now()
        own = self._key.public_key()
        return (
            self._builder(self._name, own, (now - SKEW, now + AUTHORITY_LIFETIME))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, valid: tuple[datetime, datetime]
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(valid[0])
            .not_valid_after(valid[1])
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )


def write_signing_key(path: Path) -> None:
    """Writes a new Ed25519 key, PKCS#8 PEM, readable by its owner only."""
    key = Ed25519PrivateKey.generate()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, _key_pem(key), mode=0o600)


def public_key_text(path: Path) -> str:
    """The public half of a signing key's file: 32 bytes in base64, as producers.json has it."""
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path} holds no Ed25519 key")
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def write_file(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Writes a file whole: under another name first, then renamed."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:  # noqa: PTH123
        file.write(data)
    draft.rename(path)


def _key_pem(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _authority_key_id(key: ec.EllipticCurvePublicKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
