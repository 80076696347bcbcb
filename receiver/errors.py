"""The error tree: every failure this program knows by name, and whose fault it is.

Knows nothing but names and sentences. Any exception outside this tree is a bug of ours.

::

    ReceiverError
    ├ ConfigError        the operator's: one line, exit 2, no traceback
    ├ WireError          the sender's
    │ ├ FramingError     this connection is lost: close it, count it, name the peer
    │ └ ParseError       keep the bytes, store the message as failed
    ├ StoreError         the disk's, or the store's
    │ ├ StoreBusy        retry with a bound
    │ ├ StoreFull        stop intake until space returns
    │ ├ StoreCorrupt     exit, and say where
    │ └ StoreRefused     locked by another receiver, or written by a newer version
    └ EvidenceError      a proof does not match: where, what should be there, what is
"""

from __future__ import annotations

from enum import StrEnum


class FramingReason(StrEnum):
    """Why a stream was given up; also the metric label and the test id."""

    TLS_ON_PLAIN_PORT = "tls_on_plain_port"
    HTTP_ON_PLAIN_PORT = "http_on_plain_port"
    NOT_RELP = "not_relp"
    NO_PROXY_HEADER = "no_proxy_header"
    BAD_PROXY_HEADER = "bad_proxy_header"
    UNTRUSTED_PROXY_HEADER = "untrusted_proxy_header"


class ReceiverError(Exception):
    """Root of the tree."""


class ConfigError(ReceiverError):
    """The configuration cannot be used; the message is one line and names file and key."""


class WireError(ReceiverError):
    """Bytes from a peer break their protocol."""

    def __init__(self, reason: StrEnum, offset: int = 0) -> None:
        super().__init__(f"{reason} at byte {offset}")
        self.reason = reason
        self.offset = offset


class FramingError(WireError):
    """The stream cannot be cut into frames any further; frames cut before it are good."""


class ParseError(WireError):
    """One frame is not what it claims to be; the stream goes on."""


class StoreError(ReceiverError):
    """The store cannot do what was asked."""


class StoreBusy(StoreError):
    """Somebody holds the database; the same call may succeed soon."""


class StoreFull(StoreError):
    """No space left, or less than `store.min_free_bytes`."""


class StoreCorrupt(StoreError):
    """A file of the store is not what we wrote."""


class StoreRefused(StoreError):
    """The store is locked by another receiver, or a newer version wrote it."""


class EvidenceError(ReceiverError):
    """A proof, a hash or a signature does not match what it is about, or cannot be read.

    index: the leaf it is about; expected and found: the two hashes (or sizes) that differ. None where not known.
    """

    def __init__(
        self,
        message: str,
        *,
        index: int | None = None,
        expected: bytes | int | None = None,
        found: bytes | int | None = None,
    ) -> None:
        super().__init__(message)
        self.index = index
        self.expected = expected
        self.found = found
