"""TLS for stream listeners: contexts from files, who the peer is, and the record layer between bytes and bytes.

RFC 5425 §4.2 (server certificate, mutual authentication), §5 (who is permitted: §5.2 names, §4.2.2 fingerprints);
TLS 1.2 or newer. `TlsSession` is sans-IO over `ssl.MemoryBIO` instead of the loop's own TLS transport, which loses
what it holds decrypted when the peer closes while reading is paused: measured on asyncio 3.11 and uvloop 0.23, of
200 000 bytes sent under backpressure 4 096 arrived. Here reading is paused below TLS, so nothing waits above it.
"""

from __future__ import annotations

import hashlib
import ssl
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.x509.oid import NameOID

from receiver.errors import ConfigError

if TYPE_CHECKING:
    from receiver.listen.settings import TlsSettings

_RECORD_BYTES = 16_384  # RFC 8446 §5.1: the most plaintext of one record


class TlsKeeper:
    """The context for new handshakes; open connections keep the one they began with."""

    def __init__(self, name: str, settings: TlsSettings) -> None:
        """Load the files. Raises ConfigError naming the listener and the file."""
        self._name = name
        self.settings = settings
        self.context = _load_context(name, settings)
        self.not_after = _not_after(name, settings)
        """Unix time at which the certificate ends."""
        self._permitted_prints = {_plain_print(text) for text in settings.permitted if _is_print(text)}
        self._permitted_names = tuple(text.lower() for text in settings.permitted if not _is_print(text))

    def permits(self, certificate: Certificate | None) -> bool:
        """Say if a peer with this certificate may send; its signature was checked in the handshake."""
        if not self.settings.permitted:
            return True
        if certificate is None:
            return False
        return certificate.fingerprint in self._permitted_prints or any(
            _name_matches(pattern, name) for pattern in self._permitted_names for name in certificate.names
        )


class Certificate:
    """A peer's certificate, read once a connection."""

    def __init__(self, der: bytes) -> None:
        self.fingerprint = hashlib.sha256(der).hexdigest()
        certificate = x509.load_der_x509_certificate(der)
        subject = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        self.common_name = str(subject[0].value) if subject else None
        self.alternative_names = _alternative_names(certificate)
        # RFC 6125 §6.4.4: the common name counts only where there is no alternative name.
        common = () if self.common_name is None else (self.common_name,)
        self.names = tuple(name.lower() for name in self.alternative_names or common)

    @property
    def identity(self) -> str:
        """As shown in `peer_identity`: `CN=web, DNS=web.example.org, sha-256:…`."""
        parts = [] if self.common_name is None else [f"CN={self.common_name}"]
        parts += [f"SAN={name}" for name in self.alternative_names]
        return ", ".join([*parts, f"sha-256:{self.fingerprint}"])


class TlsSession:
    """One connection's TLS: feed it what the socket gave, take plain text and what the socket must be given.

    Never raises for what a peer sends: it sets `error`, and what was decrypted before is returned.
    """

    __slots__ = ("_incoming", "_outgoing", "_ssl", "closed", "error", "established")

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._ssl = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self.established = False
        self.closed = False
        """The peer said that it will send no more (close_notify)."""
        self.error: ssl.SSLError | None = None

    def feed(self, data: bytes) -> bytes:
        """Take bytes from the socket and return the plain text they complete."""
        self._incoming.write(data)
        plain: list[bytes] = []
        try:
            if not self.established:
                self._ssl.do_handshake()
                self.established = True
            while chunk := self._ssl.read(_RECORD_BYTES):
                plain.append(chunk)
            self.closed = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.closed = True
        except ssl.SSLError as error:
            self.error = error
        return b"".join(plain)

    def data_to_send(self) -> bytes:
        """Take what TLS itself has to say: handshake, alerts."""
        return self._outgoing.read()

    def close(self) -> None:
        """Say close_notify, if there is somebody to say it to."""
        if self.established and self.error is None:
            try:
                self._ssl.unwrap()
            except ssl.SSLError:
                self.closed = True  # our notify is written; the peer's is not waited for

    def peer_certificate(self) -> Certificate | None:
        """Read the client's certificate; None when it was asked for none."""
        der = self._ssl.getpeercert(binary_form=True)
        return None if der is None else Certificate(der)


def _load_context(name: str, settings: TlsSettings) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Senders keep their connections for days: a ticket would only cost a write that a closing peer answers with RST.
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    if settings.permitted and settings.client_ca is None:
        raise ConfigError(f"listener {name}: tls.permitted needs tls.client_ca, else no client shows a certificate")
    file = settings.certificate
    try:
        # A key with a passphrase must not make OpenSSL ask for it on the terminal.
        context.load_cert_chain(settings.certificate, settings.key, password=lambda: b"")
        if settings.client_ca is not None:
            file = settings.client_ca
            context.load_verify_locations(settings.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ValueError) as error:
        beside = f" with {settings.key}" if file == settings.certificate else ""
        raise ConfigError(f"listener {name}: cannot use {file}{beside}: {_reason(error)}") from error
    return context


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).replace("_", " ").lower()
    return getattr(error, "strerror", None) or str(error)


def _not_after(name: str, settings: TlsSettings) -> float:
    """Unix time at which the first certificate of the file, the server's own, ends."""
    try:
        certificate = x509.load_pem_x509_certificate(settings.certificate.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"listener {name}: cannot read {settings.certificate}: {error}") from error
    return certificate.not_valid_after_utc.timestamp()


def _alternative_names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        # ValueError: an extension that OpenSSL let pass and cryptography cannot read; then it names nobody.
        return ()
    names = found.get_values_for_type(x509.DNSName)
    return (*names, *(str(address) for address in found.get_values_for_type(x509.IPAddress)))


def _is_print(text: str) -> bool:
    return text.lower().startswith(("sha-256:", "sha256:"))


def _plain_print(text: str) -> str:
    """`SHA-256:AB:CD…` → `abcd…` (RFC 5425 §4.2.2 writes it with colons)."""
    return text.partition(":")[2].replace(":", "").lower()


def _name_matches(pattern: str, name: str) -> bool:
    """RFC 5425 §5.2: `*` may stand for the whole left-most label."""
    if pattern.startswith("*."):
        label, dot, rest = name.partition(".")
        return bool(label and dot) and rest == pattern[2:]
    return pattern == name
