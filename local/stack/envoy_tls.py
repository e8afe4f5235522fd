"""Envoy's certificate: from files that it watches, so that renewal needs no restart."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from local.stack.layout import TRUST_DOMAIN
from mesh.ca import write_file
from mesh.identity import AUTHORITY, CERTIFICATE, KEY, MESH_NAME

Node = dict[str, Any]

_TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3"
_PARAMETERS = {"tls_minimum_protocol_version": "TLSv1_3", "tls_maximum_protocol_version": "TLSv1_3"}


@dataclass(frozen=True, slots=True)
class Certificate:
    """The directory of Envoy's identity, and that of the secrets which point to it."""

    identity: Path
    secrets: Path
    inline: bool

    def context(self, *, match: Node, alpn: list[str]) -> Node:
        """The common TLS context: our certificate, their authorities, and the peer's URI to insist on."""
        known: Node = {"match_typed_subject_alt_names": [{"san_type": "URI", "matcher": match}]}
        common: Node = {"tls_params": _PARAMETERS, "alpn_protocols": alpn}
        if self.inline:
            return common | {
                "tls_certificates": [self._chain()],
                "validation_context": known | self._authorities(),
            }
        return common | {
            "tls_certificate_sds_secret_configs": [self._secret("certificate")],
            "combined_validation_context": {
                "default_validation_context": known,
                "validation_context_sds_secret_config": self._secret("authorities"),
            },
        }

    def downstream(self) -> Node:
        """The transport socket of a listener: a client certificate of our trust domain, or nothing."""
        return {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": f"{_TLS}.DownstreamTlsContext",
                "require_client_certificate": True,
                "common_tls_context": self.context(
                    match={"prefix": f"spiffe://{TRUST_DOMAIN}/"}, alpn=["h2"]
                ),
            },
        }

    def upstream(self, peer: str, *, alpn: str) -> Node:
        """The transport socket towards one service, and no other."""
        return {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": f"{_TLS}.UpstreamTlsContext",
                "sni": MESH_NAME,
                "common_tls_context": self.context(match={"exact": peer}, alpn=[alpn]),
            },
        }

    def secret_files(self) -> dict[str, Node]:
        """The secrets, by the name of their file."""
        watched = {"watched_directory": {"path": str(self.identity)}}
        return {
            "certificate": {"tls_certificate": self._chain() | watched},
            "authorities": {"validation_context": self._authorities() | watched},
        }

    def _chain(self) -> Node:
        return {
            "certificate_chain": {"filename": str(self.identity / CERTIFICATE)},
            "private_key": {"filename": str(self.identity / KEY)},
        }

    def _authorities(self) -> Node:
        return {"trusted_ca": {"filename": str(self.identity / AUTHORITY)}}

    def _secret(self, name: str) -> Node:
        source = {"path": str(self.secrets / f"{name}.yaml")}
        return {"name": name, "sds_config": {"resource_api_version": "V3", "path_config_source": source}}


def write_secrets(certificate: Certificate, directory: Path) -> None:
    """Writes the files that Envoy reads its secrets from."""
    for name, secret in certificate.secret_files().items():
        resource = {"@type": f"{_TLS}.Secret", "name": name} | secret
        write_file(directory / f"{name}.yaml", yaml.safe_dump({"resources": [resource]}).encode())
