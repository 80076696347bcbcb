"""Certificates made for a test: an authority, and what it signs."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Files:
    certificate: Path
    key: Path


class Authority:
    def __init__(self, folder: Path, name: str = "test authority") -> None:
        self.folder = folder
        self.name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / f"{name.replace(' ', '-')}.pem"
        certificate = self._sign(name, (), self._key.public_key(), days=30, authority=True)
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str, *alternative: str, days: int = 30, file: str | None = None) -> Files:
        """Certificate for `name`; `days` below zero: expired."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(name, alternative, key.public_key(), days=days)
        files = Files(self.folder / f"{file or name}.pem", self.folder / f"{file or name}.key")
        files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return files

    def client_context(self, files: Files | None = None) -> ssl.SSLContext:
        """For a sender that trusts this authority."""
        context = ssl.create_default_context(cafile=self.file)
        context.check_hostname = False
        if files is not None:
            context.load_cert_chain(files.certificate, files.key)
        return context

    def _sign(self, name, alternative, public_key, *, days, authority=False) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_subject(name))
            .issuer_name(_subject(self.name))
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=60))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if alternative:
            builder = builder.add_extension(x509.SubjectAlternativeName([_general(n) for n in alternative]), False)
        return builder.sign(self._key, hashes.SHA256())


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    return x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name)
