"""What the rooms count, as plain integers: added to on the hot path, read at scrape, never the other way.

Knows nothing else. The label sets are closed here, so that every series exists from the first scrape.
Conservation, always: received = stored + dropped + in flight.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from receiver.errors import FramingReason
from receiver.event import Format, ParseStatus


class DropReason(StrEnum):
    """Why a received message is not in the store."""

    INBOX_FULL = "inbox_full"
    STOPPING = "stopping"
    RATE_LIMITED = "rate_limited"
    STORE_FAILED = "store_failed"
    DUPLICATE = "duplicate"
    """It is in the store: this was the same event, sent again."""


class RejectReason(StrEnum):
    """Why a connection was closed before or instead of being read."""

    NOT_ALLOWED = "not_allowed"
    TOO_MANY = "too_many"
    TOO_MANY_PER_PEER = "too_many_per_peer"
    TLS_HANDSHAKE = "tls_handshake"
    PROXY_HEADER = "proxy_header"
    STOPPING = "stopping"


class HttpRefusal(StrEnum):
    """Why a request was not taken, or not all of it."""

    UNAUTHORIZED = "unauthorized"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    NOT_OFFERED = "not_offered"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"


def _zeros(names: type[StrEnum]) -> dict[str, int]:
    return {str(name): 0 for name in names}


class Histogram:
    """Counts in fixed buckets; `bounds` are upper bounds, the last bucket is +Inf."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, *bounds: float) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


BLAMED_PEERS: Final = 5
"""So many are named of each reason."""
NOT_ALLOWED: Final = "not_allowed_datagrams"
UNREAD: Final = "relp_answers_unread"


@dataclass(slots=True)
class ListenerCounters:
    """One listener's numbers."""

    received_bytes: int = 0
    received: dict[str, int] = field(default_factory=lambda: _zeros(Format))
    parse_status: dict[str, int] = field(default_factory=lambda: _zeros(ParseStatus))
    truncated: int = 0
    kernel_drops: int = 0
    receive_buffer_bytes: int = 0
    """The kernel's buffer of the smallest of its sockets, as it was asked for."""
    datagrams_refused: int = 0
    gelf_discarded: int = 0
    gelf_waiting_bytes: int = 0
    duplicates: int = 0
    http_requests: int = 0
    http_refused: dict[str, int] = field(default_factory=lambda: _zeros(HttpRefusal))
    connections_opened: int = 0
    connections_open: int = 0
    connections_probed: int = 0
    connections_idle: int = 0
    rate_pauses: int = 0
    certificate_failures: int = 0
    relp_unanswered: int = 0
    relp_unread: int = 0
    connections_rejected: dict[str, int] = field(default_factory=lambda: _zeros(RejectReason))
    framing_errors: dict[str, int] = field(default_factory=lambda: _zeros(FramingReason))
    blamed: dict[str, dict[str, None]] = field(default_factory=dict)
    """By reason the first few peers since somebody looked; in no metric."""
    time_skew_seconds: float = 0.0
    """received_at − time of the newest message that carried a full time."""

    def blame(self, reason: str, peer: str | None) -> None:
        """Note whose loss or refusal it is, of a few: a flood of them must not be a flood of names."""
        named = self.blamed.setdefault(reason, {})
        if peer is not None and len(named) < BLAMED_PEERS:
            named[peer] = None


@dataclass(slots=True)
class IngestCounters:
    """The inbox and the batches."""

    received: int = 0
    stored: int = 0
    dropped: dict[str, int] = field(default_factory=lambda: _zeros(DropReason))
    in_flight: int = 0
    inbox_bytes: int = 0
    write_errors: int = 0
    clock_steps: int = 0
    """Times the wall clock was set by more than limits.CLOCK_STEP_US."""
    batch_events: Histogram = field(default_factory=lambda: Histogram(1, 8, 64, 512, 2048, 4096, 8192, 16384))
    commit_delay: Histogram = field(
        default_factory=lambda: Histogram(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
    )
    """Seconds from the arrival of a batch's oldest event to its commit."""
    last_commit_time: float = 0.0
    """Unix time of the last commit; 0 before the first."""


@dataclass(slots=True)
class EvidenceCounters:
    """The signed head and what was taken out of the log; size and root change together, when a head is signed."""

    tree_size: int = 0
    root: tuple[int, int] = (0, 0)
    """Bits 0–51 and 52–103 of the root: each exact in a float64."""
    signed_time: float = 0.0
    """Unix time of the last checkpoint; 0 before the first."""
    signed: int = 0
    failed: int = 0
    alarm: bool = False
    """The log does not go on from its last checkpoint: nothing is signed."""
    segments_removed: int = 0
    events_redacted: int = 0
    redactions_pending: int = 0
    published: dict[str, int] = field(default_factory=dict)
    """Checkpoints that reached each `publish` target."""
    publish_failures: dict[str, int] = field(default_factory=dict)
    publish_time: dict[str, float] = field(default_factory=dict)
    """Unix time at which each target last had one; 0 before the first."""


@dataclass(slots=True)
class StoreCounters:
    """The store's own numbers; the sizes are refreshed by the store, not by the scrape."""

    commit_seconds: Histogram = field(
        default_factory=lambda: Histogram(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
    )
    store_bytes: int = 0
    wal_bytes: int = 0
    """Of it in write-ahead logs: grows while a reader keeps its view of the live segment."""
    disk_free_bytes: int = 0
    segments_sealed: int = 0
    segments_unsealed: int = 0
    oldest_event_time: float = 0.0
    sealed: int = 0
    seal_errors: int = 0
    seal_seconds: float = 0.0
