"""Where the rooms meet on the way in: frames → messages → events → inbox, one list at a time.

Knows wire, normalize and the inbox by their calls only. Counts per listener. Never raises for content, never waits.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain, repeat
from operator import attrgetter, itemgetter
from sys import getsizeof
from typing import TYPE_CHECKING

from receiver import limits
from receiver.counters import DropReason
from receiver.event import Event, Format, Origin, TimeQuality
from receiver.wire.detect import parse_frames
from receiver.wire.message import Cut, Defect, Message

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import tzinfo

    from receiver.counters import ListenerCounters
    from receiver.ingest import Clock, Inbox
    from receiver.normalize import Normalizer

_status = attrgetter("status")
_format = attrgetter("format")

_TEXTS = (
    "host", "app", "pid", "msgid", "actor", "actor_as", "reason", "target", "source_ip", "session", "message", "data",
    "raw",
)  # fmt: skip
_texts_of = itemgetter(*map(Event._fields.index, _TEXTS))
_long_texts_of = itemgetter(*map(Event._fields.index, ("message", "data", "raw")))
_PACKED = frozenset({b"x", b"\x1e", b"\x1f"})
"""First bytes of zlib, of a GELF chunk and of gzip: what is in such a frame may be a thousand times as long."""
_BEHIND_US = limits.CLOCK_STEP_US // 2
"""How much older than the newest a list may be: further back the store would think that the clock was set."""
_PLAIN_BYTES = 1_024
"""Mean frame up to which the short columns are small change."""


class Intake:
    """One for the whole process; every listener hands its frames here."""

    def __init__(
        self,
        inbox: Inbox,
        normalizer: Normalizer,
        clock: Clock,
        expected_hosts: Collection[str] = (),
    ) -> None:
        self._inbox = inbox
        self._clock = clock
        self.normalizer = normalizer
        """Replaced as a whole when packs are reloaded."""
        self.host_last_seen: dict[str, float] = dict.fromkeys(expected_hosts, 0.0)
        """Unix time at which each expected host, or the address it delivers from, last sent something."""

    @property
    def full(self) -> bool:
        """True while streams must not be read."""
        return self._inbox.full

    def on_space(self, callback: Callable[[], None]) -> None:
        """Call back once when there is room again; first come, first served."""
        self._inbox.on_space(callback)

    def now_us(self) -> int:
        """Read the receive clock, for what is taken later than it came."""
        return self._clock.now_us()

    def expect(self, hosts: Collection[str]) -> None:
        """Watch for these hosts from now on; what is known of one that stays is kept."""
        self.host_last_seen = {host: self.host_last_seen.get(host, 0.0) for host in hosts}

    def take(
        self,
        frames: Sequence[bytes],
        wire_bytes: int,
        origins: Origin | Sequence[Origin],
        zone: tzinfo | None,
        counters: ListenerCounters,
        received_at: int | None = None,
    ) -> bool:
        """Parse, normalise and offer one list; False when the inbox had no room (dropped and counted).

        wire_bytes: what was read from the socket for it, framing included.
        origins: one for all frames, or one for each.
        received_at: when it was read, if that was earlier; kept within what the store takes for one clock.
        """
        counters.received_bytes += wire_bytes
        if not frames:
            return True
        now = self._clock.now_us()
        received_at = now if received_at is None else min(max(received_at, now - _BEHIND_US), now)
        messages = parse_frames(frames, received_at, zone)
        sources: Iterable[Origin] = repeat(origins) if isinstance(origins, Origin) else origins
        events = self.normalizer.normalize(messages, sources, received_at)
        _count(messages, received_at, counters)
        if self.host_last_seen:
            self._see_hosts(events, received_at)
        return self._inbox.offer(events, estimate_bytes(frames, events))

    def refuse(self, count: int, wire_bytes: int, counters: ListenerCounters) -> None:
        """Count as dropped what was received and is not even looked at, for a stop leaves no time for it."""
        counters.received_bytes += wire_bytes
        counters.received[Format.RAW] += count
        self._inbox.refuse(count, DropReason.STOPPING)

    def _see_hosts(self, events: list[Event], received_at: int) -> None:
        names = {event.host for event in events}
        names.update([event.peer for event in events])
        for host in names & self.host_last_seen.keys():
            if host is not None:
                self.host_last_seen[host] = received_at / 1_000_000


def estimate_bytes(frames: Sequence[bytes], events: Sequence[Event]) -> int:
    """Memory that the events of these frames hold, from above; a test holds it true.

    Measured, not guessed from the frames: escapes grow sixfold in `data`, one character beyond Latin-1 makes Python
    keep four bytes for each, and compression knows no factor. Of plain short frames only the long columns are
    measured (0.15 µs an event; all of them: 0.6); the others cannot hold more than the frame did.
    """
    text = b"".join(frames)
    plain = text.isascii() and len(text) <= _PLAIN_BYTES * len(frames)
    if plain and _PACKED.isdisjoint([frame[:1] for frame in frames]):
        columns, wire_bytes = map(_long_texts_of, events), len(text)
    else:
        columns, wire_bytes = map(_texts_of, events), 0
    measured = sum(map(getsizeof, chain.from_iterable(columns)))
    return limits.EVENT_OVERHEAD_BYTES * len(events) + wire_bytes + measured


def _count(messages: list[Message], received_at: int, counters: ListenerCounters) -> None:
    statuses = Counter(map(_status, messages))
    for status, number in statuses.items():
        counters.parse_status[status] += number
    if statuses["ok"] != len(messages):
        counters.truncated += sum(type(m.raw) is Cut and m.raw.defect is Defect.TRUNCATED for m in messages)
    for name, number in Counter(map(_format, messages)).items():
        counters.received[name] += number
    last = messages[-1]
    if last.time is not None and last.time_quality == TimeQuality.FULL:
        counters.time_skew_seconds = (received_at - last.time) / 1_000_000
