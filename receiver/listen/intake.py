"""Where the rooms meet on the way in: frames → messages → events → inbox, one list at a time.

Knows wire, normalize and the inbox by their calls only. Counts per listener. Never raises for content, never waits.
"""

from __future__ import annotations

import traceback
from collections import Counter
from itertools import chain, repeat
from operator import attrgetter, itemgetter
from sys import getsizeof
from typing import TYPE_CHECKING

from receiver import limits
from receiver.counters import DropReason
from receiver.event import Event, Format, Origin, ParseStatus, TimeQuality
from receiver.listen.complaints import Complaints
from receiver.wire.detect import parse_frames
from receiver.wire.message import Cut, Defect, Message

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import tzinfo

    from receiver.counters import ListenerCounters
    from receiver.ingest import Clock, Inbox, Settled
    from receiver.normalize import Normalizer

    Parse = Callable[[Sequence[bytes], int, tzinfo | None], list[Message]]
    Name = Callable[[list[Message]], list[bytes | None]]

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
_BLAMED_EVENTS = 50
"""Of a list that is dropped so many are asked for who sent them."""
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
        self._complaints = Complaints()
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

    def settlement(self, count: int) -> asyncio.Future[Settled]:
        """Promise to say what becomes of the last `count` events taken; to be asked for at once."""
        return self._inbox.settlement(count)

    @property
    def trouble(self) -> str | None:
        """Why nothing can become durable at the moment; None: it can."""
        if self._inbox.closed is not None:
            return "the receiver is being stopped"
        return "the store takes nothing at the moment" if self._inbox.refused else None

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
        parse: Parse = parse_frames,
        name: Name | None = None,
    ) -> bool:
        """Parse, normalise and offer one list; False when the inbox had no room (dropped and counted).

        wire_bytes: what was read from the socket for it, framing included.
        origins: one for all frames, or one for each.
        received_at: when it was read, if that was earlier; kept within what the store takes for one clock.
        parse: makes one message of each frame. name: gives each message the id that tells a resend, or None.
        """
        counters.received_bytes += wire_bytes
        if not frames:
            return True
        now = self._clock.now_us()
        received_at = now if received_at is None else min(max(received_at, now - _BEHIND_US), now)
        sources: Iterable[Origin] = repeat(origins) if isinstance(origins, Origin) else origins
        is_read = True
        try:
            messages = parse(frames, received_at, zone)
        except Exception:  # noqa: BLE001 - one message must not cost its list, its connection or the listener
            messages = self._parse_each(frames, sources, received_at, zone, parse)
            is_read = False
        ids = None if name is None else name(messages)
        try:
            events = self.normalizer.normalize(messages, sources, received_at)
        except Exception:  # noqa: BLE001 - as above
            events = self._normalize_each(messages, sources, received_at)
            is_read = False
        if not is_read:
            events = list(map(_with_its_bytes, events, messages))
        _count(messages, received_at, counters)
        if self.host_last_seen:
            self._see_hosts(events, received_at)
        is_taken = self._inbox.offer(events, estimate_bytes(frames, events), ids)
        if not is_taken:
            for event in events[:_BLAMED_EVENTS]:
                counters.blame(self._inbox.closed or DropReason.INBOX_FULL, event.peer)
        return is_taken

    def _parse_each(
        self,
        frames: Sequence[bytes],
        sources: Iterable[Origin],
        received_at: int,
        zone: tzinfo | None,
        parse: Parse,
    ) -> list[Message]:
        """Parse one by one; what a parser of ours cannot read is kept as it came, and that is said."""
        messages = []
        for frame, origin in zip(frames, sources, strict=False):
            try:
                messages += parse([frame], received_at, zone)
            except Exception as error:  # noqa: BLE001 - as in `take`
                messages.append(self._unread(frame, origin, error))
        return messages

    def _normalize_each(self, messages: list[Message], sources: Iterable[Origin], received_at: int) -> list[Event]:
        """Make events one by one; what a rule of ours cannot read is kept as it came too."""
        events = []
        for index, origin in zip(range(len(messages)), sources, strict=False):
            try:
                event = self.normalizer.event(messages[index], origin, received_at)
            except Exception as error:  # noqa: BLE001 - as in `take`
                messages[index] = self._unread(messages[index].raw, origin, error)
                event = self.normalizer.event(messages[index], origin, received_at)
            events.append(event)
        return events

    def _unread(self, frame: bytes, origin: Origin, error: Exception) -> Message:
        self._complaints.warn("not_read", "a message of %s is kept unread: %s", origin.peer, _place(error))
        return _unread(frame)

    def refuse(self, count: int, wire_bytes: int, counters: ListenerCounters, reason: DropReason) -> None:
        """Count as dropped what was received and is not even looked at."""
        counters.received_bytes += wire_bytes
        counters.received[Format.RAW] += count
        self._inbox.refuse(count, reason)

    def _see_hosts(self, events: list[Event], received_at: int) -> None:
        names = {event.host for event in events}
        names.update([event.peer for event in events])
        for host in names & self.host_last_seen.keys():
            if host is not None:
                self.host_last_seen[host] = received_at / 1_000_000


def _unread(frame: bytes) -> Message:
    """Make a message of which nothing is known but its bytes: no text, so no rule looks at it again."""
    return Message(
        frame, Format.RAW.value, ParseStatus.FAILED.value, None, None, None, TimeQuality.MISSING.value,
        None, None, None, None, None, None, None, (Defect.NOT_READ,),
    )  # fmt: skip


def _with_its_bytes(event: Event, message: Message) -> Event:
    """Show what nobody could read as it came."""
    if message.defects != (Defect.NOT_READ,):
        return event
    return event._replace(message=message.raw.decode("utf-8", "replace"))


def _place(error: Exception) -> str:
    """Name a bug of ours and where it is, in one line: a traceback for each such message would fill the journal."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"a bug of ours: {type(error).__name__}: {error} ({place.filename.rpartition('/')[2]}:{place.lineno})"


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
