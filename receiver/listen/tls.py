"""TLS for stream listeners: contexts from files, who the peer is, and the record layer between bytes and bytes.

RFC 5425 §4.2 (server certificate, mutual authentication), §5 (who is permitted: §5.2 names, §4.2.2 fingerprints);
TLS 1.2 or newer. `TlsSession` is sans-IO over `ssl.MemoryBIO` instead of the loop's own TLS transport, which loses
what it holds decrypted when the peer closes while reading is paused: measured on asyncio 3.11 and uvloop 0.23, of
200 000 bytes sent under backpressure 4 096 arrived. Here reading is paused below TLS, so nothing waits above it.
"""

from __future__ import annotations

import hashlib
import logging
import ssl
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from receiver import limits
from receiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from receiver.counters import ListenerCounters
    from receiver.listen.complaints import Complaints
    from receiver.listen.settings import TlsSettings

_log = logging.getLogger(__name__)

Stamp = tuple[tuple[int, int, int] | None, ...]
"""Inode, time and size of certificate, key and authorities; None for one that is not there."""

CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20:@SECLEVEL=2"
"""Of TLS 1.2, those with forward secrecy and authenticated encryption (RFC 9325 §4.2, RFC 9662); all of TLS 1.3 are so.
RFC 5425's TLS_RSA_WITH_AES_128_CBC_SHA is not among them: whoever gets the key could read what was recorded before."""
_RECORD_BYTES = 16_384  # RFC 8446 §5.1: the most plaintext of one record


class TlsKeeper:
    """The context for new handshakes; open connections keep the one they began with."""

    def __init__(self, name: str, settings: TlsSettings) -> None:
        """Load the files. Raises ConfigError naming the listener and the file."""
        self.name = name
        self.settings = settings
        self.stamp = stamp_of(settings)  # before they are read: a change meanwhile will be noticed
        """What the files looked like."""
        self.context = _load_context(name, settings)
        self.not_after = _not_after(name, settings)
        """Unix time at which the certificate ends."""
        self._permitted = Permitted(settings.permitted)

    def permits(self, certificate: Certificate | None) -> bool:
        """Say if a peer with this certificate may send; its signature was checked in the handshake."""
        if not self.settings.permitted:
            return True
        return certificate is not None and self._permitted.includes(certificate)


class CertificateWatch:
    """Notices files that were replaced: what renews certificates often knows no signal to send."""

    def __init__(self, complaints: Complaints, look_seconds: float) -> None:
        self._complaints = complaints
        self._look_seconds = look_seconds
        self._next_look = 0.0
        self._changed: Stamp | None = None
        """As they looked at the last look, if that was new: certificate and key are not written at one instant."""
        self._refused: Stamp | None = None

    def look(self, keeper: TlsKeeper, now: float, counters: ListenerCounters) -> TlsKeeper:
        """Return a keeper of the new files once they are good and no longer change; else the old one.

        now: a clock's seconds; it looks at most once every `look_seconds`.
        """
        if now < self._next_look:
            return keeper
        self._next_look = now + self._look_seconds
        stamp = stamp_of(keeper.settings)
        if stamp in {keeper.stamp, self._refused}:
            return keeper
        if stamp != self._changed:
            self._changed = stamp
            return keeper
        try:
            renewed = TlsKeeper(keeper.name, keeper.settings)
        except ConfigError as error:
            self.refused(stamp, counters)
            self._complaints.warn("certificate", "the new certificate is refused, the old one stays: %s", error)
            return keeper
        _log.info("listener %s: new handshakes get the new certificate", keeper.name)
        return renewed


    def refused(self, stamp: Stamp, counters: ListenerCounters) -> None:
        """Count files that cannot be used, however that was found out, and look no more until they are others."""
        self._refused = stamp
        counters.certificate_failures += 1


class Permitted:
    """Who may send (RFC 5425 §5): fingerprints, names and addresses of a certificate, or its subject's common name."""

    def __init__(self, entries: Iterable[str]) -> None:
        """entries: `sha-256:AB:CD…`, `web.example.org`, `*.example.org`, `192.0.2.7`, `CN=backup agent`."""
        self._prints: set[str] = set()
        self._addresses: set[str] = set()
        self._names: list[str] = []
        self._common_names: list[str] = []
        for entry in entries:
            if entry.lower().startswith(("sha-256:", "sha256:")):
                self._prints.add(entry.partition(":")[2].replace(":", "").lower())
            elif entry.startswith(("CN=", "cn=")):
                self._common_names.append(entry[3:].lower())
            elif (address := _address_text(entry)) is not None:
                self._addresses.add(address)
            else:
                self._names.append(_ace(entry))

    def includes(self, certificate: Certificate) -> bool:
        """Say if one of the entries means this certificate."""
        common_name = (certificate.common_name or "").lower()
        return (
            certificate.fingerprint in self._prints
            or not self._addresses.isdisjoint(certificate.addresses)
            or any(_name_matches(ours, theirs) for ours in self._names for theirs in certificate.names)
            or any(_name_matches(ours, common_name) for ours in self._common_names)
        )


class Certificate:
    """A peer's certificate, read once a connection."""

    def __init__(self, der: bytes) -> None:
        self.fingerprint = hashlib.sha256(der).hexdigest()
        certificate = x509.load_der_x509_certificate(der)
        subject = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        self.common_name = str(subject[0].value) if subject else None
        names, self.addresses = _alternative_names(certificate)
        # RFC 6125 §6.4.4: the common name counts as a host's only where there is no alternative name.
        common = () if self.common_name is None else (self.common_name,)
        self.names = tuple(name.lower() for name in (names or (() if self.addresses else common)))
        self._shown_names = (*names, *self.addresses)

    @property
    def identity(self) -> str:
        """As shown in `peer_identity`: `CN=web, SAN=web.example.org, sha-256:…`."""
        parts = [] if self.common_name is None else [f"CN={self.common_name}"]
        parts += [f"SAN={name}" for name in self._shown_names]
        names = ", ".join(parts)
        if len(names) > limits.IDENTITY_CHARS:
            names = f"{names[:limits.IDENTITY_CHARS]}…"
        return f"{names}, sha-256:{self.fingerprint}" if names else f"sha-256:{self.fingerprint}"


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

    def write(self, data: bytes) -> None:
        """Encrypt what is to be said; nothing before the handshake is done, or after the end."""
        if self.established and self.error is None:
            try:
                self._ssl.write(data)
            except ssl.SSLError as error:
                self.error = error

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
    context.set_ciphers(CIPHERS)
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
        # OpenSSL's "PEM lib" alone does not say which of the two files it could not read.
        unread = "no PEM certificate in the one, or no PEM key without a passphrase in the other"
        return error.reason.replace("_", " ").lower() if error.reason else unread
    return getattr(error, "strerror", None) or str(error)


def _not_after(name: str, settings: TlsSettings) -> float:
    """Unix time at which the first certificate of the file, the server's own, ends."""
    try:
        certificate = x509.load_pem_x509_certificate(settings.certificate.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"listener {name}: cannot read {settings.certificate}: {error}") from error
    return certificate.not_valid_after_utc.timestamp()


def _alternative_names(certificate: x509.Certificate) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read dNSNames and iPAddresses."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        # ValueError: an extension that OpenSSL let pass and cryptography cannot read; then it names nobody.
        return (), ()
    addresses = found.get_values_for_type(x509.IPAddress)
    return tuple(found.get_values_for_type(x509.DNSName)), tuple(map(str, addresses))


def stamp_of(settings: TlsSettings) -> Stamp:
    """See what tells a file from the one that was there before."""
    found: list[tuple[int, int, int] | None] = []
    for path in (settings.certificate, settings.key, settings.client_ca):
        try:
            status = path.stat() if path is not None else None
        except OSError:
            status = None
        found.append(None if status is None else (status.st_ino, status.st_mtime_ns, status.st_size))
    return tuple(found)


def _address_text(text: str) -> str | None:
    """Write an address as a certificate's is written; None when it is none."""
    try:
        return str(ip_address(text))
    except ValueError:
        return None


def _ace(name: str) -> str:
    """Write an internationalised name as certificates do (RFC 5425 §5.2, RFC 5280 §7)."""
    try:
        return name.encode("idna").decode().lower()
    except UnicodeError:
        return name.lower()


def _name_matches(ours: str, theirs: str) -> bool:
    """RFC 5425 §5.2: on either side `*` may stand for the whole left-most label."""
    return ours == theirs or _covers(ours, theirs) or _covers(theirs, ours)


def _covers(pattern: str, name: str) -> bool:
    label, dot, rest = name.partition(".")
    return bool(pattern.startswith("*.") and label and dot) and rest == pattern[2:]
