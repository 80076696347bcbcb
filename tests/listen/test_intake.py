"""The intake between real rooms: what it counts, and that its estimate of memory is true from above."""

from __future__ import annotations

import gc
import json
import tracemalloc
import zlib
from typing import TYPE_CHECKING

import pytest

from receiver import limits
from receiver.counters import DropReason, ListenerCounters
from receiver.event import Origin
from receiver.ingest import Clock, Inbox
from receiver.listen.intake import Intake
from receiver.normalize import Normalizer, load_packs
from receiver.wire.message import Cut, Defect
from tests.bench.load import Pool

if TYPE_CHECKING:
    from collections.abc import Callable

LIST = 64
ORIGIN = Origin("192.0.2.1", 40_000, None, "tcp", "syslog")
SYSLOG = Pool(LIST * 9).messages
CYRILLIC = "".join(chr(0x0430 + number % 32) for number in range(2_048))
GROWN = zlib.compress(json.dumps({"version": "1.1", "host": "h", "short_message": "x" * 300_000}).encode())

KINDS: dict[str, Callable[[int], bytes]] = {
    "tiny": lambda n: b"x%d" % n,
    "syslog of 208 bytes": lambda n: SYSLOG[n],
    "4 KiB beyond Latin-1": lambda n: f"<13>1 - host app - - - {CYRILLIC}{n}".encode(),
    "one wide character": lambda n: f"<13>1 - host app - - - {'a' * 4_000}😀{n}".encode(),
    "JSON with escapes": lambda n: json.dumps({"user": CYRILLIC[:20], "message": CYRILLIC, "n": n}).encode(),
    "many small JSON fields": lambda n: json.dumps({f"k{field}": n for field in range(300)}).encode(),
    "JSON in syslog": lambda n: b"<13>1 - h a - - - " + json.dumps({f"k{i}": "v" * 50 for i in range(60)}).encode(),
    "control characters": lambda n: b'<13>1 - host app - - [a@1 a="' + b"\1" * 4_000 + b'"] %d' % n,
    "no UTF-8": lambda n: b"<13>1 - host app - - - " + b"\xff" * 4_000 + b"%d" % n,
    "long columns": lambda n: b"<13>1 - " + b" ".join([b"c" * 4_000] * 4) + b" - %d" % n,
    "a rule's columns": lambda n: (
        b"<38>Oct 11 22:14:15 h sshd[8]: Accepted password for %s from 192.0.2.1 port 9 ssh2" % (b"g" * 7_000)
    ),
    "compressed": lambda n: GROWN,
}


@pytest.fixture(scope="module")
def packs():
    return load_packs(())


@pytest.fixture
def rooms(packs):
    """An intake and its inbox; unbounded, as everything is measured."""

    def make(*, keep_raw: bool = False, hosts=(), max_bytes: int = 1 << 40) -> tuple[Intake, Inbox]:
        inbox = Inbox(max_bytes)
        return Intake(inbox, Normalizer(packs, keep_raw_always=keep_raw), Clock(), hosts), inbox

    return make


@pytest.mark.parametrize("keep_raw", [False, True], ids=["", "keep_raw"])
@pytest.mark.parametrize("kind", KINDS)
def test_events_hold_no_more_memory_than_estimated(rooms, kind: str, keep_raw: bool) -> None:
    # The inbox is bounded in estimated bytes: an estimate that is too low is memory without a bound.
    intake, inbox = rooms(keep_raw=keep_raw)
    make = KINDS[kind]
    counters = ListenerCounters()
    frames = [[make(LIST * at + number) for number in range(LIST)] for at in range(9)]
    intake.take(frames.pop(0), 0, ORIGIN, None, counters)  # what parsers and rules remember is bounded elsewhere
    estimated = -inbox.queued_bytes
    gc.collect()
    tracemalloc.start()
    try:
        while frames:
            # As from a socket: nobody else holds the frame that `raw` may be.
            intake.take([bytes(bytearray(frame)) for frame in frames.pop()], 0, ORIGIN, None, counters)
        gc.collect()
        held = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    estimated += inbox.queued_bytes
    assert inbox.queued_events == 9 * LIST
    assert held <= estimated
    assert estimated <= 2 * held + 8 * LIST * limits.EVENT_OVERHEAD_BYTES  # nor is the inbox full of guesses


def test_counts_by_format_and_by_status(rooms) -> None:
    # Each message once in each; the bytes are the wire's, framing included.
    intake, inbox = rooms()
    counters = ListenerCounters()
    frames = [b"<13>1 - h a - - - m", b"<13>Oct 11 22:14:15 h a: m", b'{"user": "u"}', b"rubbish"]
    frames.append(b'{"version": "1.1", "host": "h", "short_message": "m"}')
    assert intake.take(frames, 200, ORIGIN, None, counters)
    assert {name: n for name, n in counters.received.items() if n} == dict.fromkeys(
        ("rfc5424", "rfc3164", "json", "gelf", "raw"), 1
    )
    assert counters.parse_status == {"ok": 4, "partial": 0, "failed": 1}
    assert counters.received_bytes == 200
    assert inbox.counters.received == inbox.counters.in_flight == 5
    assert intake.take([], 7, ORIGIN, None, counters)
    assert counters.received_bytes == 207


def test_a_cut_message_counts_as_truncated_once(rooms) -> None:
    # What ended early is not what was too long.
    intake, _ = rooms()
    counters = ListenerCounters()
    too_long = Cut.of(b"<13>1 - h a - - - mess", Defect.TRUNCATED, 500)
    ended = Cut.of(b"<13>1 - h a - - - mess", Defect.INCOMPLETE)
    intake.take([too_long, b"<13>1 - h a - - - m", ended], 0, ORIGIN, None, counters)
    assert counters.truncated == 1
    assert counters.parse_status == {"ok": 1, "partial": 2, "failed": 0}


def test_expected_hosts_are_seen_by_name_or_address(rooms) -> None:
    # Silence of others is nobody's concern; a reload keeps what is known.
    intake, _ = rooms(hosts=("web-1", "192.0.2.1", "silent"))
    intake.take([b"<13>1 - web-1 a - - - m", b"<13>1 - web-2 a - - - m"], 0, ORIGIN, None, ListenerCounters())
    seen = dict(intake.host_last_seen)
    assert seen["web-1"] == seen["192.0.2.1"] > 0
    assert seen["silent"] == 0
    intake.expect(("web-1", "new"))
    assert intake.host_last_seen == {"web-1": seen["web-1"], "new": 0.0}


def test_what_finds_no_room_is_counted_and_what_is_refused_too(rooms) -> None:
    # received = stored + dropped + in flight, whatever the door.
    intake, inbox = rooms(max_bytes=1)
    counters = ListenerCounters()
    assert intake.take([b"one"], 0, ORIGIN, None, counters)
    assert intake.full
    assert not intake.take([b"two", b"three"], 0, ORIGIN, None, counters)
    intake.refuse(4, 100, counters, DropReason.STOPPING)
    assert inbox.counters.dropped[DropReason.INBOX_FULL] == 2
    assert inbox.counters.dropped[DropReason.STOPPING] == 4
    assert sum(counters.received.values()) == inbox.counters.received == 7


def test_what_waited_does_not_look_like_a_clock_that_was_set(rooms) -> None:
    # Datagrams are stamped when they are read and may wait behind a burst; the store takes 5 s back for a new clock.
    intake, inbox = rooms()
    now = intake.now_us()
    for stamp in (now, now - 60_000_000, now + 60_000_000):
        intake.take([b"m"], 0, ORIGIN, None, ListenerCounters(), stamp)
    times = [event.received_at for event in inbox.take_batch(10, 1 << 30).events]
    assert len(times) == 3
    assert max(times) - min(times) < limits.CLOCK_STEP_US
    assert max(times) <= intake.now_us()


class Clumsy(Normalizer):
    """Has a rule with a bug."""

    def event(self, message, origin, received_at):
        if message.message and "trip" in message.message:
            raise KeyError("no such group")
        return super().event(message, origin, received_at)

    def normalize(self, messages, origins, received_at):
        return [self.event(message, origin, received_at) for message, origin in zip(messages, origins, strict=False)]


def test_what_a_bug_of_ours_cannot_read_is_kept_as_it_came(rooms, caplog: pytest.LogCaptureFixture) -> None:
    # The others of its list are read as ever, the listener lives, and the log names the place once.
    intake, inbox = rooms()
    intake.normalizer = Clumsy([])
    counters = ListenerCounters()
    frames = [b"<13>1 - h a - - - before", b"<13>1 - h a - - - trip \xff", b"<13>1 - h a - - - after"] * 2
    assert intake.take(frames, 0, ORIGIN, None, counters)
    events = inbox.take_batch(10, 1 << 30).events
    assert [event.message for event in events[:3]] == ["before", "<13>1 - h a - - - trip \ufffd", "after"]
    assert [event.parse_status for event in events[:3]] == ["ok", "failed", "ok"]
    assert events[1].raw == frames[1]
    assert json.loads(events[1].data)["wire"]["defects"] == ["not_read"]
    assert counters.parse_status == {"ok": 4, "partial": 0, "failed": 2}
    (record,) = caplog.records
    assert "a bug of ours: KeyError: 'no such group' (test_intake.py:" in record.getMessage()
    assert intake.take(frames, 0, [ORIGIN] * 6, None, counters)
    assert sum(counters.received.values()) == inbox.counters.received == 12
