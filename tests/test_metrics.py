"""The metrics: the contract's names, conservation in every scrape, and what Prometheus's linters ask of a name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from prometheus_client import openmetrics
from prometheus_client.openmetrics import parser as openmetrics_parser
from prometheus_client.parser import text_string_to_metric_families

from receiver.counters import (
    DropReason,
    EvidenceCounters,
    IngestCounters,
    ListenerCounters,
    RejectReason,
    StoreCounters,
)
from receiver.errors import FramingReason
from receiver.event import Format, ParseStatus
from receiver.metrics import BUILD_LABELS, METRICS, Exposition, metrics_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prometheus_client.metrics_core import Metric

ROOT = Path(__file__).resolve().parent.parent
P = "audit_receiver_"
TYPES = {"u": "udp", "t": "tcp", "s": "tls", "ud": "unix_dgram", "us": "unix_stream", "h": "http", "r": "relp"}
BUILD = {"version": "1.2.3", "python": "3.11.2", "sqlite": "3.40.1"}
EXEMPT = "process_"
"""prometheus-client's own, named by Prometheus's convention for every process."""


@dataclass
class FakeRooms:
    ingest: IngestCounters = field(default_factory=IngestCounters)
    store: StoreCounters = field(default_factory=StoreCounters)
    evidence: EvidenceCounters = field(
        default_factory=lambda: EvidenceCounters(
            published={"w": 3}, publish_failures={"w": 1}, publish_time={"w": 1.5}
        )
    )
    listeners: Mapping[str, ListenerCounters] = field(
        default_factory=lambda: {name: ListenerCounters() for name in TYPES}
    )
    listener_types: Mapping[str, str] = field(default_factory=TYPES.copy)
    inbox_limit_bytes: int = 64 << 20
    host_last_seen: Mapping[str, float] = field(default_factory=lambda: {"web-1": 0.0, "10.0.0.1": 1_764_000_000.5})
    host_silent: Mapping[str, float] = field(default_factory=lambda: {"web-1": 1.0, "10.0.0.1": 0.0})
    certificate_not_after: Mapping[str, float] = field(default_factory=lambda: {"s": 1_800_000_000.0})
    build: Mapping[str, str] = field(default_factory=BUILD.copy)
    start_time: float = 1_764_000_000.25
    ready: bool = True


@pytest.fixture
def rooms() -> FakeRooms:
    return FakeRooms()


def scrape(rooms: FakeRooms) -> dict[str, Metric]:
    page, _ = Exposition(rooms).render()
    return {family.name: family for family in text_string_to_metric_families(page.decode())}


def value(rooms: FakeRooms, name: str, **labels: str) -> float:
    """The one sample of that name and those labels."""
    found = [
        sample.value
        for family in scrape(rooms).values()
        for sample in family.samples
        if sample.name == P + name and sample.labels == labels
    ]
    assert len(found) == 1, (name, labels, found)
    return found[0]


def labels_of(rooms: FakeRooms, name: str) -> set[tuple[str, ...]]:
    """Label values of every sample of that name, in the order of the table."""
    row = next(row for row in METRICS if row.name == P + name)
    return {
        tuple(sample.labels[label] for label in row.labels)
        for family in scrape(rooms).values()
        for sample in family.samples
        if sample.name == row.name
    }


# --- what they say ---


def test_received_is_stored_dropped_and_in_flight_in_every_scrape(rooms: FakeRooms) -> None:
    # The promise of conservation, as an operator can check it from outside.
    rooms.listeners["u"].received[Format.RFC3164] = 7
    rooms.listeners["t"].received[Format.JSON] = 5
    rooms.ingest.stored, rooms.ingest.in_flight = 6, 4
    rooms.ingest.dropped[DropReason.INBOX_FULL] = 2
    names = ("received_messages_total", "events_stored_total", "events_dropped_total", "events_in_flight")
    totals = dict.fromkeys(names, 0.0)
    for family in scrape(rooms).values():
        for sample in family.samples:
            if sample.name.removeprefix(P) in totals:
                totals[sample.name.removeprefix(P)] += sample.value
    assert totals == dict(zip(names, (12, 6, 2, 4), strict=True))


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("received_bytes_total", {"listener": "t"}, 100),
        ("parse_results_total", {"listener": "t", "status": "failed"}, 3),
        ("truncated_messages_total", {"listener": "t"}, 4),
        ("event_time_skew_seconds", {"listener": "t"}, -1.5),
        ("udp_kernel_drops_total", {"listener": "u"}, 9),
        ("datagrams_refused_total", {"listener": "u"}, 10),
        ("udp_receive_buffer_bytes", {"listener": "u"}, 212_992),
        ("gelf_chunks_discarded_total", {"listener": "u"}, 11),
        ("gelf_waiting_bytes", {"listener": "u"}, 30),
        ("connections_opened_total", {"listener": "t"}, 12),
        ("connections_open", {"listener": "t"}, 2),
        ("connections_probed_total", {"listener": "t"}, 24),
        ("connections_idle_closed_total", {"listener": "t"}, 27),
        ("rate_pauses_total", {"listener": "t"}, 28),
        ("relp_unanswered", {"listener": "r"}, 25),
        ("relp_answers_unread_total", {"listener": "r"}, 26),
        ("connections_rejected_total", {"listener": "t", "reason": "too_many"}, 13),
        ("tls_handshake_failures_total", {"listener": "s"}, 14),
        ("tls_certificate_failures_total", {"listener": "s"}, 29),
        ("connections_rejected_total", {"listener": "s", "reason": "tls_handshake"}, 14),
        ("framing_errors_total", {"listener": "t", "reason": "tls_on_plain_port"}, 15),
        ("duplicate_events_total", {"listener": "h"}, 24),
        ("tls_certificate_not_after_timestamp_seconds", {"listener": "s"}, 1_800_000_000),
        ("inbox_bytes", {}, 16),
        ("inbox_limit_bytes", {}, 64 << 20),
        ("last_commit_timestamp_seconds", {}, 1_764_000_001.5),
        ("write_errors_total", {}, 17),
        ("store_bytes", {}, 18),
        ("disk_free_bytes", {}, 19),
        ("segments", {"state": "sealed"}, 20),
        ("segments", {"state": "unsealed"}, 1),
        ("oldest_event_timestamp_seconds", {}, 1_700_000_000),
        ("segment_seals_total", {}, 21),
        ("segment_seal_errors_total", {}, 22),
        ("segment_seal_seconds_total", {}, 23.5),
        ("host_last_seen_timestamp_seconds", {"host": "10.0.0.1"}, 1_764_000_000.5),
        ("host_silent", {"host": "web-1"}, 1),
        ("build_info", BUILD, 1),
        ("start_timestamp_seconds", {}, 1_764_000_000.25),
        ("ready", {}, 1),
    ],
)
def test_each_counter_is_read_where_it_is_kept(
    rooms: FakeRooms, name: str, labels: dict[str, str], expected: float
) -> None:
    # One number a place, none twice, so that a mixed-up row shows.
    tcp, udp = rooms.listeners["t"], rooms.listeners["u"]
    tcp.received_bytes, tcp.truncated, tcp.time_skew_seconds = 100, 4, -1.5
    tcp.parse_status[ParseStatus.FAILED] = 3
    tcp.connections_opened, tcp.connections_open, tcp.connections_probed = 12, 2, 24
    tcp.connections_rejected[RejectReason.TOO_MANY] = 13
    tcp.connections_idle, tcp.rate_pauses = 27, 28
    rooms.listeners["s"].certificate_failures = 29
    rooms.listeners["r"].relp_unanswered, rooms.listeners["r"].relp_unread = 25, 26
    tcp.framing_errors[FramingReason.TLS_ON_PLAIN_PORT] = 15
    udp.gelf_waiting_bytes = 30
    udp.kernel_drops, udp.datagrams_refused, udp.gelf_discarded = 9, 10, 11
    udp.receive_buffer_bytes = 212_992
    rooms.listeners["s"].connections_rejected[RejectReason.TLS_HANDSHAKE] = 14
    rooms.listeners["h"].duplicates = 24
    rooms.ingest.inbox_bytes, rooms.ingest.write_errors, rooms.ingest.last_commit_time = 16, 17, 1_764_000_001.5
    store = rooms.store
    store.store_bytes, store.disk_free_bytes, store.segments_sealed, store.segments_unsealed = 18, 19, 20, 1
    store.oldest_event_time, store.sealed, store.seal_errors, store.seal_seconds = 1_700_000_000, 21, 22, 23.5
    assert value(rooms, name, **labels) == expected


def test_a_histogram_counts_cumulatively(rooms: FakeRooms) -> None:
    # Bucket by bucket, with sum and count, as histogram_quantile() wants them.
    for events in (1, 8, 9, 100_000):
        rooms.ingest.batch_events.observe(events)
    rooms.ingest.commit_delay.observe(0.03)
    rooms.store.commit_seconds.observe(0.003)
    assert value(rooms, "batch_events_bucket", le="1.0") == 1
    assert value(rooms, "batch_events_bucket", le="8.0") == 2
    assert value(rooms, "batch_events_bucket", le="64.0") == 3
    assert value(rooms, "batch_events_bucket", le="+Inf") == value(rooms, "batch_events_count") == 4
    assert value(rooms, "batch_events_sum") == 100_018
    assert value(rooms, "commit_delay_seconds_sum") == 0.03
    assert value(rooms, "commit_seconds_bucket", le="0.005") == 1


def test_zeros_are_there_from_the_first_scrape(rooms: FakeRooms) -> None:
    # increase() over a series that begins with its first drop would not see that drop.
    assert labels_of(rooms, "events_dropped_total") == {(reason,) for reason in DropReason}
    assert labels_of(rooms, "received_messages_total") == {(name, form) for name in TYPES for form in Format}
    assert labels_of(rooms, "parse_results_total") == {(name, status) for name in TYPES for status in ParseStatus}
    assert labels_of(rooms, "connections_rejected_total") == {
        (name, reason) for name in ("t", "s", "us", "h", "r") for reason in RejectReason
    }
    assert labels_of(rooms, "host_last_seen_timestamp_seconds") == {("web-1",), ("10.0.0.1",)}


def test_a_listener_shows_only_what_it_can_have(rooms: FakeRooms) -> None:
    # A TCP listener without kernel drops would read as a promise.
    assert labels_of(rooms, "udp_kernel_drops_total") == labels_of(rooms, "datagrams_refused_total") == {("u",)}
    assert labels_of(rooms, "gelf_chunks_discarded_total") == {("u",), ("ud",)}
    assert labels_of(rooms, "connections_open") == {("t",), ("s",), ("us",), ("h",), ("r",)}
    assert labels_of(rooms, "relp_unanswered") == {("r",)}
    assert labels_of(rooms, "duplicate_events_total") == {("h",)}
    assert labels_of(rooms, "tls_handshake_failures_total") == {("s",)}


def test_every_name_is_there_even_without_listeners() -> None:
    # A metric that is missing looks like a receiver that is broken.
    names = {family.name for family in Exposition(FakeRooms(listeners={}, listener_types={}))._registry.collect()}
    assert {row.name.removesuffix("_total") for row in METRICS} <= names


# --- the formats ---


@pytest.mark.parametrize(
    "accept",
    [
        "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
        "application/openmetrics-text",
        "application/openmetrics-text; version=99; escaping=nonsense",
    ],
)
def test_openmetrics_when_it_is_asked_for(rooms: FakeRooms, accept: str) -> None:
    # Prometheus's own Accept header; a version that cannot be read is no error.
    page, content_type = Exposition(rooms).render(accept)
    assert content_type == openmetrics.exposition.CONTENT_TYPE_LATEST
    families = list(openmetrics_parser.text_string_to_metric_families(page.decode()))
    assert {row.name.removesuffix("_total") for row in METRICS} <= {family.name for family in families}
    assert page.endswith(b"# EOF\n")


@pytest.mark.parametrize("accept", ["", "*/*", "text/plain", "text/plain; version=x", "text/html"])
def test_plain_text_otherwise(rooms: FakeRooms, accept: str) -> None:
    # curl and browsers.
    page, content_type = Exposition(rooms).render(accept)
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert b"# EOF" not in page


def test_a_name_from_a_config_cannot_break_the_page() -> None:
    # Quotes, backslashes and line ends are escaped.
    hosts = {'a"b\\c\nd': 5.0}
    assert value(FakeRooms(host_last_seen=hosts), "host_last_seen_timestamp_seconds", host='a"b\\c\nd') == 5


def test_the_process_is_measured_too(rooms: FakeRooms) -> None:
    # Memory and file descriptors are what a receiver runs out of.
    assert {"process_resident_memory_bytes", "process_open_fds", "process_max_fds"} <= scrape(rooms).keys()


# --- the names ---


def test_the_contracted_names_are_there_with_their_labels() -> None:
    # Checks from outside rely on these.
    rows = {row.name: (row.kind, row.labels) for row in METRICS}
    assert rows[P + "received_messages_total"] == ("counter", ("listener", "format"))
    assert rows[P + "events_stored_total"] == ("counter", ())
    assert rows[P + "events_dropped_total"] == ("counter", ("reason",))
    assert rows[P + "events_in_flight"] == ("gauge", ())
    assert rows[P + "udp_kernel_drops_total"] == ("counter", ("listener",))


def test_no_other_total_can_be_taken_for_one_of_the_four() -> None:
    # Whoever sums `.*dropped.*_total` must get the drops and nothing else.
    totals = [row.name for row in METRICS if row.name.endswith("_total")]
    assert [name for name in totals if re.search("received.*message", name)] == [P + "received_messages_total"]
    assert [name for name in totals if "stored" in name] == [P + "events_stored_total"]
    assert [name for name in totals if "dropped" in name] == [P + "events_dropped_total"]


def test_names_follow_the_conventions(rooms: FakeRooms) -> None:
    # What `promtool check metrics` asks: prefix, base units, _total on counters alone, help, no reserved labels.
    names = [row.name for row in METRICS]
    assert len(names) == len(set(names))
    for row in METRICS:
        assert re.fullmatch(P + "[a-z0-9]+(_[a-z0-9]+)*", row.name)
        assert row.name.endswith("_total") == (row.kind == "counter")
        assert not re.search(r"_(count|sum|bucket|ms|us|milliseconds|megabytes|kb|minutes|age)\b", row.name)
        assert ("timestamp" not in row.name) or row.name.endswith("_timestamp_seconds")
        assert row.help[0].isupper() or row.help.startswith("1 ")
        assert row.help.endswith(".")
        assert "\n" not in row.help
        assert not {"le", "quantile", "instance", "job"} & set(row.labels)
    for name, family in scrape(rooms).items():
        assert name.startswith((P, EXEMPT))
        assert family.documentation
        assert family.type in {"counter", "gauge", "histogram"}
        assert {frozenset(sample.labels) - {"le"} for sample in family.samples} == {frozenset(_labels(name))}


def _labels(family: str) -> tuple[str, ...]:
    return next((row.labels for row in METRICS if row.name.removesuffix("_total") == family), ())


def test_build_info_says_what_runs() -> None:
    # The first question in every bug report.
    assert BUILD_LABELS == ("version", "python", "sqlite")


def test_the_readme_shows_every_metric() -> None:
    # The table is made from the rows: metrics_table().
    assert metrics_table() in (ROOT / "README.md").read_text()
