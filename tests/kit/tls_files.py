"""Certificates for a test: an authority, a server for loopback and a client, made by the openssl people have."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.kit.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

SERVER_NAMES = "DNS:localhost,IP:127.0.0.1,IP:::1"
CLIENT_NAMES = "DNS:client.example.net"


@dataclass(frozen=True)
class TlsFiles:
    """Paths of PEM files."""

    authority: Path
    certificate: Path
    key: Path
    client_certificate: Path
    client_key: Path

    @classmethod
    def make(cls, folder: Path) -> TlsFiles:
        folder.mkdir(parents=True, exist_ok=True)
        authority, authority_key = _issue(folder, "authority", "basicConstraints=critical,CA:TRUE")
        issuer = ("-CA", str(authority), "-CAkey", str(authority_key))
        server = _issue(folder, "localhost", f"subjectAltName={SERVER_NAMES}", *issuer)
        client = _issue(folder, "client.example.net", f"subjectAltName={CLIENT_NAMES}", *issuer)
        return cls(authority, *server, *client)


def _issue(folder: Path, name: str, extension: str, *issuer: str) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-days", "3", "-subj", f"/CN={name}", "-addext", extension, *issuer,
            "-keyout", str(key), "-out", str(certificate),
        ],
        check=True, capture_output=True, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    return certificate, key
