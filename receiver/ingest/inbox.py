"""The bounded inbox between the listeners and the writer.

Knows lists of events and what they cost in memory; knows no socket and no database. Single-threaded: everything
here happens on the event loop, so a check and what follows it cannot be torn apart.

Invariant: `counters.received == stored + dropped + in_flight`, at every moment anybody can look.
Bound: `used_bytes` exceeds `max_bytes` by at most one list, for a list is taken whole or not at all.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from receiver import limits
from receiver.counters import DropReason, IngestCounters

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from receiver.event import Event


class Batch(NamedTuple):
    """What the writer commits at once."""

    events: list[Event]
    cost_bytes: int
    arrived: float
    """`time.monotonic()` at the arrival of the oldest event."""
    ids: list[bytes | None] | None = None
    """What the senders called them, one for each, where a name tells a resend from a new event; None: no names."""


class Settled(NamedTuple):
    """What became of some events that were taken."""

    durable: bool
    """False: some of them never will be."""
    duplicates: list[int]
    """Positions among them of those that the log had already."""


class Inbox:
    """Takes lists of events while there is room, gives them out as batches, in order."""

    def __init__(self, max_bytes: int = limits.INBOX_BYTES, counters: IngestCounters | None = None) -> None:
        self.max_bytes = max_bytes
        self.resume_bytes = max_bytes * 3 // 4
        """Held senders go on below this: resuming at the brim would wake them for one list each."""
        self.counters = counters or IngestCounters()
        self.accepted = 0
        """Events taken so far."""
        self.closed: DropReason | None = None
        self._queue: deque[Batch] = deque()
        self._taken: Batch | None = None
        self._queued_events = 0
        self._queued_bytes = 0
        self._used_bytes = 0
        self._waiting: deque[Callable[[], None]] = deque()
        self._durable = 0
        self._lost = 0
        """Up to here something will never be durable."""
        self._acks: deque[_Ack] = deque()
        self._duplicates: list[int] = []
        """Which of the events somebody still waits for are in the log twice over; counted as `accepted` is."""
        self.refused = False
        """The writer says that the store takes nothing at the moment."""
        self._arrival = asyncio.Event()

    @property
    def full(self) -> bool:
        """True while streams must not be read."""
        return self._used_bytes >= self.max_bytes

    @property
    def queued_events(self) -> int:
        """Events no batch has taken yet."""
        return self._queued_events

    @property
    def queued_bytes(self) -> int:
        """Estimated memory of the events no batch has taken yet."""
        return self._queued_bytes

    @property
    def oldest_arrival(self) -> float | None:
        """`time.monotonic()` of the oldest queued event."""
        return self._queue[0].arrived if self._queue else None

    @property
    def oldest_received_at(self) -> int | None:
        """`received_at` of the oldest event that is not settled, queued or taken; None when there is none.

        What is written into the log beside the queue stands before that event, and must not bear a later time.
        """
        waiting = [self._taken] if self._taken is not None else []
        return next((batch.events[0].received_at for batch in (*waiting, *self._queue) if batch.events), None)

    @property
    def awaited(self) -> bool:
        """True while somebody waits for an acknowledgement."""
        return bool(self._acks)

    # --- in ---

    def offer(self, events: list[Event], cost_bytes: int, ids: list[bytes | None] | None = None) -> bool:
        """Take the list if there is room, else count it as dropped; never waits. ids: one for each, or no names."""
        count = len(events)
        self.counters.received += count
        if self.closed is not None:
            self.counters.dropped[self.closed] += count
            return False
        if self._used_bytes >= self.max_bytes:
            self.counters.dropped[DropReason.INBOX_FULL] += count
            return False
        self._queue.append(Batch(events, cost_bytes, time.monotonic(), ids))
        self._queued_events += count
        self._queued_bytes += cost_bytes
        self._used_bytes += cost_bytes
        self.counters.inbox_bytes = self._used_bytes
        self.counters.in_flight += count
        self.accepted += count
        self._arrival.set()
        return True

    def refuse(self, count: int, reason: DropReason) -> None:
        """Count messages that were received and will not be offered."""
        self.counters.received += count
        self.counters.dropped[reason] += count

    async def put(self, events: list[Event], cost_bytes: int) -> bool:
        """Wait for room, then take the list; False only when the inbox is closed."""
        while self.full and self.closed is None:
            room = asyncio.Event()
            self.on_space(room.set)
            await room.wait()
        return self.offer(events, cost_bytes)

    def on_space(self, callback: Callable[[], None]) -> None:
        """Call back once when there is room again; first come, first served."""
        self._waiting.append(callback)

    def close(self, reason: DropReason) -> None:
        """Take nothing any more: what is still offered is dropped for `reason`. Waiters are let go."""
        self.closed = reason
        self._arrival.set()
        self._wake_waiting()

    # --- out ---

    async def arrival(self) -> None:
        """Wait until something was offered since the last call, or the inbox closed."""
        await self._arrival.wait()
        self._arrival.clear()

    def nudge(self) -> None:
        """Let `arrival` return: there is something to do beside the queue."""
        self._arrival.set()

    def take_batch(self, max_events: int, max_bytes: int) -> Batch | None:
        """Take the oldest lists, at most `max_events` in all; at least one list, whatever it costs.

        One batch is out at a time. A batch ends where the clock was set back: what follows belongs to another segment.
        """
        if not self._queue:
            return None
        first = self._queue.popleft()
        first, rest = _split(first, max_events)
        if rest is not None:
            self._queue.appendleft(rest)
        events, cost, ids = first.events, first.cost_bytes, first.ids
        while self._queue and rest is None:
            following = self._queue[0]
            if cost + following.cost_bytes > max_bytes or len(events) + len(following.events) > max_events:
                break
            if _is_set_back(events, following.events):
                break
            if ids is not None or following.ids is not None:
                ids = (ids or [None] * len(events)) + (following.ids or [None] * len(following.events))
            events.extend(self._queue.popleft().events)
            cost += following.cost_bytes
        self._queued_events -= len(events)
        self._queued_bytes -= cost
        self._taken = Batch(events, cost, first.arrived, ids)
        return self._taken

    def stored(self, batch: Batch, duplicates: Sequence[int] = ()) -> None:
        """Settle a batch that is durable. duplicates: positions in it of what was in the log before."""
        self.counters.stored += len(batch.events) - len(duplicates)
        if duplicates:
            self.counters.dropped[DropReason.DUPLICATE] += len(duplicates)
            self._duplicates.extend([self._durable + index for index in duplicates])
        self._settle(batch, durable=True)

    def dropped(self, batch: Batch, reason: DropReason) -> None:
        """Settle a batch that will never be durable."""
        self.counters.dropped[reason] += len(batch.events)
        self._settle(batch, durable=False)

    def _settle(self, batch: Batch, *, durable: bool) -> None:
        self._taken = None
        self.counters.in_flight -= len(batch.events)
        self._used_bytes -= batch.cost_bytes
        self.counters.inbox_bytes = self._used_bytes
        self._durable += len(batch.events)
        if not durable:
            self._lost = self._durable
        while self._acks and self._acks[0].end <= self._durable:
            self._answer(self._acks.popleft())
        if self._duplicates:
            first = min((ack.first for ack in self._acks), default=self._durable)
            self._duplicates = [position for position in self._duplicates if position >= first]
        if self._used_bytes <= self.resume_bytes:
            self._wake_waiting()

    def _wake_waiting(self) -> None:
        for _ in range(len(self._waiting)):
            if self.full and self.closed is None:
                return
            self._waiting.popleft()()

    # --- acknowledgement ---

    def settlement(self, count: int) -> asyncio.Future[Settled]:
        """Promise to say what becomes of the last `count` events; to be asked for right after their `offer`."""
        return self._ack(self.accepted - count, self.accepted)

    def _ack(self, first: int, end: int) -> asyncio.Future[Settled]:
        ack = _Ack(first, end, asyncio.get_running_loop().create_future())
        if end <= self._durable:
            self._answer(ack)
        else:
            self._acks.append(ack)
            self._arrival.set()
        return ack.settled

    def _answer(self, ack: _Ack) -> None:
        if not ack.settled.done():
            duplicates = [position - ack.first for position in self._duplicates if ack.first <= position < ack.end]
            ack.settled.set_result(Settled(ack.first >= self._lost, duplicates))


class _Ack(NamedTuple):
    """Somebody waits for the events from `first` up to, not including, `end`; counted as `accepted` is."""

    first: int
    end: int
    settled: asyncio.Future[Settled]


def _is_set_back(events: list[Event], following: list[Event]) -> bool:
    if not (events and following):
        return False
    return following[0].received_at < events[-1].received_at - limits.CLOCK_STEP_US


def _split(batch: Batch, max_events: int) -> tuple[Batch, Batch | None]:
    """Cut a list that is longer than a batch; the cost is shared by count."""
    count = len(batch.events)
    if count <= max_events:
        return batch, None
    head_cost = batch.cost_bytes * max_events // count
    head_ids, tail_ids = (batch.ids[:max_events], batch.ids[max_events:]) if batch.ids is not None else (None, None)
    head = Batch(batch.events[:max_events], head_cost, batch.arrived, head_ids)
    tail = Batch(batch.events[max_events:], batch.cost_bytes - head_cost, batch.arrived, tail_ids)
    return head, tail
