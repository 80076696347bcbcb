"""Where the rooms meet on the way in: frames → messages → events → inbox, one list at a time.

Knows wire, normalize and the inbox by their calls only. Counts per listener. Never raises for content, never waits.
"""

from __future__ import annotations

from collections import Counter
from itertools import repeat
from operator import attrgetter
from typing import TYPE_CHECKING

from receiver import limits
from receiver.event import Origin, TimeQuality
from receiver.wire.detect import parse_frames
from receiver.wire.message import Cut, Defect, Message

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import tzinfo

    from receiver.counters import ListenerCounters
    from receiver.event import Event
    from receiver.ingest import Clock, Inbox
    from receiver.normalize import Normalizer

_status = attrgetter("status")
_format = attrgetter("format")

_NARROW_FACTOR = 2
"""Memory for texts, per wire byte: the message and its share of `data` or `raw`."""
_WIDE_FACTOR = 9
"""The same where one character beyond Latin-1 makes Python keep four bytes for each: twice that, and `raw`."""


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
        """
        counters.received_bytes += wire_bytes
        if not frames:
            return True
        if received_at is None:
            received_at = self._clock.now_us()
        messages = parse_frames(frames, received_at, zone)
        sources: Iterable[Origin] = repeat(origins) if isinstance(origins, Origin) else origins
        events = self.normalizer.normalize(messages, sources, received_at)
        _count(messages, received_at, counters)
        if self.host_last_seen:
            self._see_hosts(events, received_at)
        return self._inbox.offer(events, estimate_bytes(frames))

    def _see_hosts(self, events: list[Event], received_at: int) -> None:
        names = {event.host for event in events}
        names.update([event.peer for event in events])
        for host in names & self.host_last_seen.keys():
            if host is not None:
                self.host_last_seen[host] = received_at / 1_000_000


def estimate_bytes(frames: Sequence[bytes]) -> int:
    """Memory that the events of these frames will hold, from above; a test holds it true."""
    wide = not all(map(bytes.isascii, frames)) or any(b"\\u" in frame for frame in frames)
    factor = _WIDE_FACTOR if wide else _NARROW_FACTOR
    return limits.EVENT_OVERHEAD_BYTES * len(frames) + factor * sum(map(len, frames))


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
