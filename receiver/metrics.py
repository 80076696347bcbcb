"""Every metric the receiver exports, as one table, read at scrape from the plain counters the rooms keep.

Knows `receiver.counters` and the Prometheus exposition formats (text 0.0.4 and OpenMetrics 1.0, by prometheus-client).
Does not know the rooms: it reads them through `Rooms`. Nothing is counted here, so a scrape costs the hot path nothing,
and as it runs on the event loop between two hand-overs, received = stored + dropped + in flight holds in every scrape.
Label sets are closed and zeros exported from the first scrape, so that `increase()` sees the first drop.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from receiver.counters import RejectReason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from receiver.counters import EvidenceCounters, Histogram, IngestCounters, ListenerCounters, StoreCounters


class Rooms(Protocol):
    """What the composition root must offer. A listener taken away by a reload stays here: counters never go back."""

    @property
    def ingest(self) -> IngestCounters:
        """The inbox and the batches."""

    @property
    def store(self) -> StoreCounters:
        """Sizes, segments, commits."""

    @property
    def evidence(self) -> EvidenceCounters:
        """The signed head, and what was taken out of the log."""

    @property
    def listeners(self) -> Mapping[str, ListenerCounters]:
        """Counters by the listener's name."""

    @property
    def listener_types(self) -> Mapping[str, str]:
        """`udp`, `tcp`, … by the listener's name; decides which metrics make sense for it."""

    @property
    def inbox_limit_bytes(self) -> int:
        """The bound of the inbox, `ingest.max_bytes`."""

    @property
    def host_last_seen(self) -> Mapping[str, float]:
        """Unix time of the last message of each of `expected_hosts`; 0 before the first."""

    @property
    def host_silent(self) -> Mapping[str, float]:
        """1 for each of `expected_hosts` that is silent for longer than it may, else 0."""

    @property
    def certificate_not_after(self) -> Mapping[str, float]:
        """Unix time at which the certificate in use ends, by TLS listener."""

    @property
    def build(self) -> Mapping[str, str]:
        """The keys of BUILD_LABELS."""

    @property
    def start_time(self) -> float:
        """Unix time."""

    @property
    def ready(self) -> bool:
        """As `/readyz` says."""


Sample = tuple[tuple[str, ...], Any]
"""Label values, and a number or (of a histogram) a `counters.Histogram`."""
Kind = Literal["counter", "gauge", "histogram"]

BUILD_LABELS: Final = ("version", "python", "sqlite")
CONTENT_TYPE_OPENMETRICS: Final = "application/openmetrics-text"

_DATAGRAM: Final = frozenset({"udp", "unix_dgram"})


@dataclass(frozen=True, slots=True)
class Row:
    """One metric: what it is called, what it means, where it is read."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...]
    read: Callable[[Rooms], Iterable[Sample]]

    def family(self, rooms: Rooms) -> Metric:
        """Read it now. A counter keeps its `_total` in `name`; the library puts it back by itself."""
        if self.kind == "histogram":
            histogram = HistogramMetricFamily(self.name, self.help, labels=self.labels)
            for labels, value in self.read(rooms):
                histogram.add_metric(labels, list(_buckets(value)), value.total)
            return histogram
        kind = CounterMetricFamily if self.kind == "counter" else GaugeMetricFamily
        family = kind(self.name, self.help, labels=self.labels)
        for labels, value in self.read(rooms):
            family.add_metric(labels, value)
        return family


def _buckets(histogram: Histogram) -> Iterator[tuple[str, float]]:
    """Cumulative counts by upper bound, as the format wants them."""
    bounds = [*(str(float(bound)) for bound in histogram.bounds), "+Inf"]
    return zip(bounds, accumulate(histogram.counts), strict=True)


# --- where a row is read ---


def _one(read: Callable[[Rooms], float | Histogram]) -> Callable[[Rooms], Iterable[Sample]]:
    return lambda rooms: [((), read(rooms))]


def _map(read: Callable[[Rooms], Mapping[str, float]]) -> Callable[[Rooms], Iterable[Sample]]:
    return lambda rooms: [((label,), value) for label, value in read(rooms).items()]


def _each(
    read: Callable[[ListenerCounters], float],
    types: Callable[[str], bool] = lambda _: True,
) -> Callable[[Rooms], Iterable[Sample]]:
    """One sample a listener of these types."""
    return lambda rooms: [
        ((name,), read(counters)) for name, counters in rooms.listeners.items() if types(rooms.listener_types[name])
    ]


def _each_by(
    read: Callable[[ListenerCounters], Mapping[str, int]],
    types: Callable[[str], bool] = lambda _: True,
) -> Callable[[Rooms], Iterable[Sample]]:
    """One sample for each listener of these types and each member of a closed set."""
    return lambda rooms: [
        ((name, member), value)
        for name, counters in rooms.listeners.items()
        if types(rooms.listener_types[name])
        for member, value in read(counters).items()
    ]


def _udp(kind: str) -> bool:
    return kind == "udp"


def _datagram(kind: str) -> bool:
    return kind in _DATAGRAM


def _stream(kind: str) -> bool:
    return kind not in _DATAGRAM


def _http(kind: str) -> bool:
    return kind == "http"


def _relp(kind: str) -> bool:
    return kind == "relp"


def _with_certificate(read: Callable[[ListenerCounters], float]) -> Callable[[Rooms], Iterable[Sample]]:
    """One sample a listener that has one."""
    return lambda rooms: [
        ((name,), read(counters))
        for name, counters in rooms.listeners.items()
        if name in rooms.certificate_not_after
    ]


METRICS: Final = (
    # conservation: received = stored + dropped + in flight
    Row(
        "audit_receiver_received_messages_total", "counter",
        "Messages taken from a listener, by how they were written.",
        ("listener", "format"), _each_by(lambda c: c.received),
    ),
    Row(
        "audit_receiver_events_stored_total", "counter",
        "Received events that a commit has made durable.",
        (), _one(lambda r: r.ingest.stored),
    ),
    Row(
        "audit_receiver_events_dropped_total", "counter",
        "Received events that are not and will not be in the store; `duplicate`: sent again, and in it already.",
        ("reason",), _map(lambda r: r.ingest.dropped),
    ),
    Row(
        "audit_receiver_events_in_flight", "gauge",
        "Received events on their way: in the inbox or in the batch being committed.",
        (), _one(lambda r: r.ingest.in_flight),
    ),
    # listeners
    Row(
        "audit_receiver_received_bytes_total", "counter",
        "Bytes read from the listener's sockets, framing included.",
        ("listener",), _each(lambda c: c.received_bytes),
    ),
    Row(
        "audit_receiver_parse_results_total", "counter",
        "Messages by what the parser made of them; partial and failed ones are stored with their raw bytes.",
        ("listener", "status"), _each_by(lambda c: c.parse_status),
    ),
    Row(
        "audit_receiver_truncated_messages_total", "counter",
        "Messages longer than limits.message_bytes: cut, flagged and kept.",
        ("listener",), _each(lambda c: c.truncated),
    ),
    Row(
        "audit_receiver_event_time_skew_seconds", "gauge",
        "Our clock less the sender's, for the newest message that carried a full time.",
        ("listener",), _each(lambda c: c.time_skew_seconds),
    ),
    Row(
        "audit_receiver_udp_kernel_drops_total", "counter",
        "Datagrams the kernel threw away because the socket's buffer was full: never received, so in no other count.",
        ("listener",), _each(lambda c: c.kernel_drops, _udp),
    ),
    Row(
        "audit_receiver_udp_receive_buffer_bytes", "gauge",
        "The kernel's buffer of the socket; less than limits.udp_receive_buffer where net.core.rmem_max bounds it.",
        ("listener",), _each(lambda c: c.receive_buffer_bytes, _udp),
    ),
    Row(
        "audit_receiver_datagrams_refused_total", "counter",
        "Datagrams from outside the listener's allow networks.",
        ("listener",), _each(lambda c: c.datagrams_refused, _udp),
    ),
    Row(
        "audit_receiver_gelf_chunks_discarded_total", "counter",
        "GELF chunks of messages that never became whole.",
        ("listener",), _each(lambda c: c.gelf_discarded, _datagram),
    ),
    Row(
        "audit_receiver_gelf_waiting_bytes", "gauge",
        "Memory of GELF chunks that wait for the rest of their message; limits.gelf_assembly_bytes bounds it.",
        ("listener",), _each(lambda c: c.gelf_waiting_bytes, _datagram),
    ),
    Row(
        "audit_receiver_connections_opened_total", "counter",
        "Connections accepted and read.",
        ("listener",), _each(lambda c: c.connections_opened, _stream),
    ),
    Row(
        "audit_receiver_connections_open", "gauge",
        "Connections open now.",
        ("listener",), _each(lambda c: c.connections_open, _stream),
    ),
    Row(
        "audit_receiver_connections_probed_total", "counter",
        "Connections that ended without a byte of their own, and health checks of a proxy: nothing to worry about.",
        ("listener",), _each(lambda c: c.connections_probed, _stream),
    ),
    Row(
        "audit_receiver_connections_idle_closed_total", "counter",
        "Connections closed because nothing came on them for limits.idle.",
        ("listener",), _each(lambda c: c.connections_idle, _stream),
    ),
    Row(
        "audit_receiver_rate_pauses_total", "counter",
        "Times a connection was not read for a while because its peer sends more than limits.rate_per_peer.",
        ("listener",), _each(lambda c: c.rate_pauses, _stream),
    ),
    Row(
        "audit_receiver_connections_rejected_total", "counter",
        "Connections closed before or instead of being read.",
        ("listener", "reason"), _each_by(lambda c: c.connections_rejected, _stream),
    ),
    Row(
        "audit_receiver_tls_handshake_failures_total", "counter",
        "TLS handshakes that failed or took too long; also among the rejected connections.",
        ("listener",), _with_certificate(lambda c: c.connections_rejected[RejectReason.TLS_HANDSHAKE]),
    ),
    Row(
        "audit_receiver_tls_certificate_not_after_timestamp_seconds", "gauge",
        "Unix time at which the certificate in use ends.",
        ("listener",), _map(lambda r: r.certificate_not_after),
    ),
    Row(
        "audit_receiver_tls_certificate_failures_total", "counter",
        "Certificate files that were replaced by ones that cannot be used; the old certificate stays in use.",
        ("listener",), _with_certificate(lambda c: c.certificate_failures),
    ),
    Row(
        "audit_receiver_framing_errors_total", "counter",
        "Connections given up because their bytes cannot be cut into messages.",
        ("listener", "reason"), _each_by(lambda c: c.framing_errors, _stream),
    ),
    Row(
        "audit_receiver_duplicate_events_total", "counter",
        "Events that were sent again under the id of one in the log, and so were not stored twice.",
        ("listener",), _each(lambda c: c.duplicates, _http),
    ),
    Row(
        "audit_receiver_relp_unanswered", "gauge",
        "Messages of RELP connections that wait for their commit, and so for their answer.",
        ("listener",), _each(lambda c: c.relp_unanswered, _relp),
    ),
    Row(
        "audit_receiver_relp_answers_unread_total", "counter",
        "RELP connections closed because their sender read none of our answers in limits.relp_answer.",
        ("listener",), _each(lambda c: c.relp_unread, _relp),
    ),
    Row(
        "audit_receiver_http_requests_total", "counter",
        "Requests answered by a listener of type http.",
        ("listener",), _each(lambda c: c.http_requests, _http),
    ),
    Row(
        "audit_receiver_http_requests_refused_total", "counter",
        "Requests that were not taken, or not all of it; their senders were told.",
        ("listener", "reason"), _each_by(lambda c: c.http_refused, _http),
    ),
    # ingest
    Row(
        "audit_receiver_inbox_bytes", "gauge",
        "Estimated memory of the events in flight.",
        (), _one(lambda r: r.ingest.inbox_bytes),
    ),
    Row(
        "audit_receiver_inbox_limit_bytes", "gauge",
        "Where streams are held and datagrams dropped: ingest.max_bytes.",
        (), _one(lambda r: r.inbox_limit_bytes),
    ),
    Row(
        "audit_receiver_batch_events", "histogram",
        "Events in one commit.",
        (), _one(lambda r: r.ingest.batch_events),
    ),
    Row(
        "audit_receiver_commit_seconds", "histogram",
        "Duration of one commit, in the writer's thread.",
        (), _one(lambda r: r.store.commit_seconds),
    ),
    Row(
        "audit_receiver_commit_delay_seconds", "histogram",
        "From the arrival of a batch's oldest event to its commit.",
        (), _one(lambda r: r.ingest.commit_delay),
    ),
    Row(
        "audit_receiver_last_commit_timestamp_seconds", "gauge",
        "Unix time of the last commit; 0 before the first.",
        (), _one(lambda r: r.ingest.last_commit_time),
    ),
    Row(
        "audit_receiver_write_errors_total", "counter",
        "Commits that failed; a batch is tried again before any event of it counts as lost.",
        (), _one(lambda r: r.ingest.write_errors),
    ),
    Row(
        "audit_receiver_clock_steps_total", "counter",
        "Times the system clock was set by 5 s or more; each begins a segment and is an event of the log.",
        (), _one(lambda r: r.ingest.clock_steps),
    ),
    # store
    Row(
        "audit_receiver_store_bytes", "gauge",
        "Size of all files of the store.",
        (), _one(lambda r: r.store.store_bytes),
    ),
    Row(
        "audit_receiver_store_wal_bytes", "gauge",
        "Of it the write-ahead logs; they grow while a reader keeps its view of the unsealed segment.",
        (), _one(lambda r: r.store.wal_bytes),
    ),
    Row(
        "audit_receiver_disk_free_bytes", "gauge",
        "Free space of the filesystem the store is on; intake stops below store.min_free_bytes.",
        (), _one(lambda r: r.store.disk_free_bytes),
    ),
    Row(
        "audit_receiver_segments", "gauge",
        "Segments of the store; unsealed ones are the active one and those that wait for sealing.",
        ("state",), _map(lambda r: {"sealed": r.store.segments_sealed, "unsealed": r.store.segments_unsealed}),
    ),
    Row(
        "audit_receiver_segment_seals_total", "counter",
        "Segments sealed since the start.",
        (), _one(lambda r: r.store.sealed),
    ),
    Row(
        "audit_receiver_segment_seal_errors_total", "counter",
        "Sealings that failed; the segment stays readable and is tried again.",
        (), _one(lambda r: r.store.seal_errors),
    ),
    Row(
        "audit_receiver_segment_seal_seconds_total", "counter",
        "Time spent sealing, in its own thread.",
        (), _one(lambda r: r.store.seal_seconds),
    ),
    Row(
        "audit_receiver_oldest_event_timestamp_seconds", "gauge",
        "Unix time at which the oldest event kept was received; 0 while there is none.",
        (), _one(lambda r: r.store.oldest_event_time),
    ),
    # evidence
    Row(
        "audit_receiver_tree_size", "gauge",
        "Events under the last signed checkpoint; with the root a dated copy of the log's head in your Prometheus.",
        (), _one(lambda r: r.evidence.tree_size),
    ),
    Row(
        "audit_receiver_tree_root", "gauge",
        "First 104 bits of that checkpoint's root hash, in two exact integers; `verify --prometheus` reads them back.",
        ("bits",), _map(lambda r: dict(zip(("0-51", "52-103"), r.evidence.root, strict=True))),
    ),
    Row(
        "audit_receiver_checkpoint_timestamp_seconds", "gauge",
        "Unix time at which the last checkpoint was signed; 0 before the first.",
        (), _one(lambda r: r.evidence.signed_time),
    ),
    Row(
        "audit_receiver_checkpoints_signed_total", "counter",
        "Checkpoints signed since the start.",
        (), _one(lambda r: r.evidence.signed),
    ),
    Row(
        "audit_receiver_checkpoint_failures_total", "counter",
        "Checkpoints that could not be kept, and so were given to nobody.",
        (), _one(lambda r: r.evidence.failed),
    ),
    Row(
        "audit_receiver_evidence_alarm", "gauge",
        "1 while the log does not go on from its last checkpoint, or a sealed file is not what was sealed: altered or"
        " rolled back, and no longer signed.",
        (), _one(lambda r: float(r.evidence.alarm)),
    ),
    Row(
        "audit_receiver_checkpoint_published_total", "counter",
        "Checkpoints that reached a publish target.",
        ("target",), _map(lambda r: r.evidence.published),
    ),
    Row(
        "audit_receiver_checkpoint_publish_failures_total", "counter",
        "Tries to publish a checkpoint that failed; the newest is tried again.",
        ("target",), _map(lambda r: r.evidence.publish_failures),
    ),
    Row(
        "audit_receiver_checkpoint_publish_timestamp_seconds", "gauge",
        "Unix time at which a publish target last had a checkpoint; 0 before the first.",
        ("target",), _map(lambda r: r.evidence.publish_time),
    ),
    Row(
        "audit_receiver_segments_removed_total", "counter",
        "Segments removed by retention.",
        (), _one(lambda r: r.evidence.segments_removed),
    ),
    Row(
        "audit_receiver_events_redacted_total", "counter",
        "Events whose content was erased.",
        (), _one(lambda r: r.evidence.events_redacted),
    ),
    Row(
        "audit_receiver_redactions_pending", "gauge",
        "Redactions of which some file still holds bytes: a reader or an unsealed segment is in the way.",
        (), _one(lambda r: r.evidence.redactions_pending),
    ),
    # hosts and the process
    Row(
        "audit_receiver_host_last_seen_timestamp_seconds", "gauge",
        "Unix time of the last message of each of expected_hosts; 0 before the first since the start.",
        ("host",), _map(lambda r: r.host_last_seen),
    ),
    Row(
        "audit_receiver_host_silent", "gauge",
        "1 while a host of expected_hosts is silent for longer than its silent_after.",
        ("host",), _map(lambda r: r.host_silent),
    ),
    Row(
        "audit_receiver_ready", "gauge",
        "1 while /readyz says yes.",
        (), _one(lambda r: float(r.ready)),
    ),
    Row(
        "audit_receiver_start_timestamp_seconds", "gauge",
        "Unix time of the start.",
        (), _one(lambda r: r.start_time),
    ),
    Row(
        "audit_receiver_build_info", "gauge",
        "Always 1; the labels say what runs.",
        BUILD_LABELS, lambda r: [(tuple(r.build[label] for label in BUILD_LABELS), 1.0)],
    ),
)  # fmt: skip


class RoomsCollector(Collector):
    """Reads the whole table at each scrape."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def collect(self) -> Iterator[Metric]:
        """Give every family, those without samples included: a name that is missing reads as a fault."""
        for row in METRICS:
            yield row.family(self._rooms)


class Exposition:
    """The registry behind `/metrics`: the table, and the usual `process_*` (memory, file descriptors, CPU)."""

    def __init__(self, rooms: Rooms) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(RoomsCollector(rooms))
        ProcessCollector(registry=self._registry)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Give the page and its content type; OpenMetrics if the Accept header names it."""
        # The library would echo any version the header asks for, and raise on one it cannot read.
        openmetrics = CONTENT_TYPE_OPENMETRICS in accept
        encode, content_type = choose_encoder(CONTENT_TYPE_OPENMETRICS if openmetrics else "")
        return encode(self._registry), content_type


def metrics_table() -> str:
    """Write the README's table, in Markdown."""
    lines = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
    for row in METRICS:
        labels = ", ".join(f"`{label}`" for label in row.labels) or "–"
        lines.append(f"| `{row.name}` | {row.kind} | {labels} | {row.help} |")
    return "\n".join(lines) + "\n"
