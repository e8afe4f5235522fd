"""Who a process is: its SPIFFE id and its certificate, re-read when the files are renamed anew."""

import logging
import re
import ssl
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from mesh.clock import Clock, SystemClock
from mesh.errors import IdentityError as IdentityError

MESH_NAME = "mesh.internal"
CERTIFICATE, KEY, AUTHORITY = "cert.pem", "key.pem", "ca.pem"
LOOK_EVERY_SECONDS = 1.0

_SPIFFE = re.compile(
    r"spiffe://([a-z0-9][a-z0-9._-]{0,254})/([a-z][a-z0-9-]{0,62})/([A-Za-z0-9][A-Za-z0-9._-]{0,254})"
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SpiffeId:
    """An identity, `spiffe://<trust domain>/<role>/<name>`."""

    trust_domain: str
    role: str
    name: str

    @classmethod
    def parse(cls, uri: str) -> "SpiffeId":
        """Reads the URI; raises IdentityError if it is not one of ours."""
        match = _SPIFFE.fullmatch(uri)
        if match is None:
            raise IdentityError("not an id of the form spiffe://<trust domain>/<role>/<name>")
        return cls(match[1], match[2], match[3])

    def __str__(self) -> str:
        return f"spiffe://{self.trust_domain}/{self.role}/{self.name}"


def server_name(role: str | None) -> str:
    """The DNS name that every certificate of the role carries; None: of any role."""
    return f"{role}.{MESH_NAME}" if role else MESH_NAME


def peer_id(connection: ssl.SSLObject) -> SpiffeId:
    """The identity in the certificate of a TLS peer: exactly one URI, or IdentityError."""
    certificate: Any = connection.getpeercert() or {}
    names = certificate.get("subjectAltName", ())
    uris = [str(value) for kind, value in names if kind == "URI"]
    if len(uris) != 1:
        raise IdentityError("the peer's certificate has not exactly one URI")
    return SpiffeId.parse(uris[0])


class Material(NamedTuple):
    """A key, its certificate and the authorities to trust, as PEM; `version` counts the rotations."""

    version: int
    certificate: bytes
    key: bytes
    authorities: bytes


class Identity:
    """The files `cert.pem`, `key.pem` and `ca.pem` of a directory. Rotate them by renaming new ones in.

    A set that does not fit together, as between two renames, is left until it does. The SPIFFE id
    cannot change.
    """

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._directory = directory
        self._clock = clock
        self._lock = threading.Lock()
        self._stamp = self._read_stamp()
        self._material, self.spiffe_id = self._read(0)
        self._looked = clock.monotonic()

    @classmethod
    def load(cls, directory: Path, *, clock: Clock | None = None) -> "Identity":
        """Reads the files; raises IdentityError if they are missing or do not fit together."""
        return cls(directory, clock or SystemClock())

    def material(self) -> Material:
        """The newest set of files that fits together. Looks at the disk once a second at most."""
        now = self._clock.monotonic()
        if now - self._looked < LOOK_EVERY_SECONDS:
            return self._material
        with self._lock:
            self._looked = now
            self._renew()
        return self._material

    def server_credentials(self) -> grpc.ServerCredentials:
        """mTLS for a server: client certificate required, each handshake with the newest files."""
        served = self._material

        def fetch() -> Any:
            nonlocal served
            newest = self.material()
            if newest.version == served.version:
                return None
            served = newest
            return _configuration(newest)

        return grpc.dynamic_ssl_server_credentials(
            _configuration(served), fetch, require_client_authentication=True
        )

    def channel_credentials(self) -> grpc.ChannelCredentials:
        """mTLS for one channel, with the files as they are now: mesh.channel renews them."""
        material = self.material()
        return grpc.ssl_channel_credentials(material.authorities, material.key, material.certificate)

    def ssl_context(self) -> ssl.SSLContext:
        """mTLS for an HTTP server: client certificate required, each handshake with the newest files."""
        context = self._context()
        current = (self._material.version, context)

        def renew(connection: ssl.SSLObject, name: str | None, first: ssl.SSLContext) -> None:
            nonlocal current
            if self.material().version != current[0]:
                current = (self._material.version, self._context())
            connection.context = current[1]

        context.sni_callback = renew
        return context

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_cert_chain(self._directory / CERTIFICATE, self._directory / KEY)
        context.load_verify_locations(self._directory / AUTHORITY)
        return context

    def _renew(self) -> None:
        try:
            stamp = self._read_stamp()
            if stamp == self._stamp:
                return
            material, spiffe_id = self._read(self._material.version + 1)
            if spiffe_id != self.spiffe_id:
                raise IdentityError("the new certificate is of another identity")
        except IdentityError as error:
            _log.warning("certificate not renewed: %s", error)
            return
        self._stamp, self._material = stamp, material
        _log.info("certificate renewed", extra={"version": material.version})

    def _read_stamp(self) -> tuple[tuple[int, int], ...]:
        try:
            stats = [(self._directory / name).stat() for name in (CERTIFICATE, KEY, AUTHORITY)]
        except OSError as error:
            raise IdentityError(f"cannot read {error.filename}") from error
        return tuple((stat.st_ino, stat.st_mtime_ns) for stat in stats)

    def _read(self, version: int) -> tuple[Material, SpiffeId]:
        try:
            parts = [(self._directory / name).read_bytes() for name in (CERTIFICATE, KEY, AUTHORITY)]
            certificate = x509.load_pem_x509_certificate(parts[0])
            key = serialization.load_pem_private_key(parts[1], password=None)
            x509.load_pem_x509_certificates(parts[2])
        except OSError as error:
            raise IdentityError(f"cannot read {error.filename}") from error
        except (ValueError, TypeError) as error:
            raise IdentityError(f"a file of {self._directory} is not PEM of the right kind") from error
        if key.public_key() != certificate.public_key():
            raise IdentityError("the key is not the certificate's")
        return Material(version, parts[0], parts[1], parts[2]), _spiffe_id(certificate)


def _configuration(material: Material) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(material.key, material.certificate)], material.authorities
    )


def _spiffe_id(certificate: x509.Certificate) -> SpiffeId:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound as error:
        raise IdentityError("the certificate carries no SPIFFE id") from error
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    if len(uris) != 1:
        raise IdentityError("the certificate has not exactly one URI")
    return SpiffeId.parse(uris[0])
