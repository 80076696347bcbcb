"""The kinds of places a checkpoint is sent to. Each `send` blocks, in a thread of its publisher's, for a bounded time.

  file     appended, with a blank line between checkpoints, and synced: what `verify --checkpoint` reads
  syslog   RFC 5424 over UDP, TCP (octet counting, RFC 6587 §3.4.1) or TLS (RFC 5425); the note in base64 as
           structured data, so that `verify --checkpoint` finds it in that server's own log file
  http     POST, text/plain; any 2xx is success
  witness  C2SP tlog-witness `add-checkpoint`: its cosignature is checked and kept with the checkpoint

What goes wrong is a PublishError with one sentence.
"""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

from receiver.errors import EvidenceError, ReceiverError
from receiver.evidence.checkpoint import add_cosignatures
from receiver.evidence.note import NOTE_BYTES
from receiver.evidence.proof import ConsistencyProof
from receiver.evidence.witness import REQUEST_PATH, Answer, conflict_size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from receiver.evidence.keys import VerifierKey

SEND_SECONDS: Final = 15.0
_FACILITY_AUDIT_NOTICE: Final = 13 * 8 + 5
_WITNESS_TRIES: Final = 3


class PublishError(ReceiverError):
    """A target did not take a checkpoint."""


class Head(NamedTuple):
    """What is published."""

    size: int
    root: bytes
    note: bytes
    seconds: int


Prove = "Callable[[int, int], list[bytes]]"


class Target(Protocol):
    """A place to send checkpoints to. `name` is its label in metrics."""

    name: str

    def send(self, head: Head, prove: Callable[[int, int], list[bytes]]) -> bytes | None:
        """Send one; gives the note with cosignatures, if the target made any. Raises PublishError.

        prove: gives the consistency proof between two sizes; may raise EvidenceError.
        """


@dataclass
class FileTarget:
    """A file that grows by a checkpoint at a time; on another machine's disk, as a rule."""

    name: str
    path: Path

    def send(self, head: Head, prove: Callable[[int, int], list[bytes]]) -> None:  # noqa: ARG002
        """Append and sync."""
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
            try:
                os.write(handle, head.note + b"\n")
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise PublishError(f"{self.path}: {error.strerror}") from None


@dataclass
class SyslogTarget:
    """A syslog server. transport: udp, tcp or tls."""

    name: str
    host: str
    port: int
    transport: str = "udp"
    ca: Path | None = None

    def send(self, head: Head, prove: Callable[[int, int], list[bytes]]) -> None:  # noqa: ARG002
        """Send one message. Over UDP nobody says whether it came."""
        message = self._message(head)
        try:
            if self.transport == "udp":
                self._send_datagram(message)
            else:
                plain = socket.create_connection((self.host, self.port), SEND_SECONDS)
                with plain, self._secured(plain) as sock:
                    sock.sendall(b"%d %s" % (len(message), message))
        except OSError as error:
            raise PublishError(f"{self.host}:{self.port}: {error.strerror or error}") from None

    def _send_datagram(self, message: bytes) -> None:
        family, kind, number, _, address = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, number) as sock:
            sock.sendto(message, address)

    def _secured(self, plain: socket.socket) -> socket.socket:
        if self.transport != "tls":
            return plain
        return _trusting(self.ca).wrap_socket(plain, server_hostname=self.host)

    @staticmethod
    def _message(head: Head) -> bytes:
        time = datetime.fromtimestamp(head.seconds, UTC).isoformat().replace("+00:00", "Z")
        note = b64encode(head.note).decode()
        return (
            f"<{_FACILITY_AUDIT_NOTICE}>1 {time} {socket.gethostname() or '-'} audit-receiver {os.getpid()} checkpoint "
            f'[checkpoint@32473 note="{note}"] checkpoint over {head.size} events, root {head.root.hex()}'
        ).encode()


@dataclass
class HttpTarget:
    """An HTTP(S) address that takes a POST."""

    name: str
    url: str
    token: str | None = None
    ca: Path | None = None

    def send(self, head: Head, prove: Callable[[int, int], list[bytes]]) -> None:  # noqa: ARG002
        """Post one."""
        answer = post(self.url, head.note, self.token, self.ca)
        if not 200 <= answer.status < 300:
            raise PublishError(f"{self.url}: answered {answer.status}{_said(answer)}")


@dataclass
class WitnessTarget:
    """A C2SP witness, known by its key; it keeps our latest size, which it tells when we do not know it."""

    name: str
    url: str
    keys: Sequence[VerifierKey]
    ca: Path | None = None
    known_size: int | None = None

    def send(self, head: Head, prove: Callable[[int, int], list[bytes]]) -> bytes:
        """Ask for a cosignature, from the size the witness has."""
        address = f"{self.url.rstrip('/')}/{REQUEST_PATH}"
        for _ in range(_WITNESS_TRIES):
            old = self.known_size or 0
            answer = post(address, self._request(head, old, prove), None, self.ca)
            try:
                if answer.status == 200:
                    self.known_size = head.size
                    return add_cosignatures(head.note, answer.body, self.keys)
                if answer.status != 409:
                    raise PublishError(f"{self.url}: refused with {answer.status}{_said(answer)}")
                size = conflict_size(answer)
            except EvidenceError as error:
                raise PublishError(f"{self.url}: {error}") from None
            if size > head.size:
                raise PublishError(f"{self.url}: has cosigned {size} events, and this log has {head.size}: a rollback?")
            if size == old:
                raise PublishError(f"{self.url}: has cosigned another log of {size} events: this is a fork")
            self.known_size = size
        raise PublishError(f"{self.url}: its size keeps changing: somebody else speaks for this log")

    @staticmethod
    def _request(head: Head, old: int, prove: Callable[[int, int], list[bytes]]) -> bytes:
        path = prove(old, head.size) if 0 < old < head.size else []
        return ConsistencyProof(old, tuple(path), head.note).format()


def post(url: str, body: bytes, token: str | None = None, ca: Path | None = None) -> Answer:
    """Post a text and give the answer, cut to what a note may have. Raises PublishError."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, parts.port, timeout=SEND_SECONDS, context=_trusting(ca))
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=SEND_SECONDS)  # type: ignore[assignment]
    headers = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": "audit-receiver"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(NOTE_BYTES))
    except (OSError, http.client.HTTPException) as error:
        raise PublishError(f"{url}: {error}") from None
    finally:
        connection.close()


def _trusting(ca: Path | None) -> ssl.SSLContext:
    """Trust these authorities, None: those of the system. The file may have gone since the start: PublishError."""
    try:
        return ssl.create_default_context(cafile=None if ca is None else os.fspath(ca))
    except ssl.SSLError:
        raise PublishError(f"{ca}: no certificate in it (PEM)") from None
    except OSError as error:
        raise PublishError(f"{ca}: {error.strerror}") from None


def _said(answer: Answer) -> str:
    text = answer.body[:200].decode("utf-8", "replace").strip()
    return f": {text}" if text else ""
