"""The writer's loop: closes batches, hands them to the sink, and outlives the sink's bad days.

Knows the inbox and a sink; knows no SQLite and no file. What the sink refuses is kept and tried again: a full or
busy store stops intake by leaving the inbox full, and nothing is dropped but at the end of a bounded stop.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Protocol

from receiver import limits
from receiver.counters import DropReason
from receiver.errors import StoreCorrupt, StoreError, StoreFull
from receiver.ingest.inbox import Batch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from receiver.event import Event
    from receiver.ingest.inbox import Inbox

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
TURN_SECONDS = 5.0
"""An idle loop turns this often, so that the watchdog can tell idling from hanging."""


class Sink(Protocol):
    """Where batches become durable."""

    async def append(self, events: Sequence[Event]) -> int:
        """Store all of them durably, or raise a StoreError with none of them stored."""

    async def append_once(self, events: Sequence[Event], ids: Sequence[bytes | None]) -> Sequence[int]:
        """Do the same, but for those whose id is known: gives their positions in the batch."""

    def check_space(self) -> bool:
        """Tell whether a write may be tried."""


class BatchWriter:
    """One per process. `run` returns after `stop`, or raises StoreCorrupt when the store is beyond use."""

    def __init__(
        self,
        inbox: Inbox,
        sink: Sink,
        *,
        max_events: int = limits.BATCH_EVENTS,
        max_bytes: int = limits.BATCH_BYTES,
        max_delay_seconds: float = limits.BATCH_DELAY_SECONDS,
    ) -> None:
        self._inbox = inbox
        self._sink = sink
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._max_delay = max_delay_seconds
        self._give_up_at: float | None = None
        self._own: list[Event] = []
        self.problem: str | None = None
        """Why nothing can be stored at the moment, in words; None while all is well."""
        self.last_turn = time.monotonic()
        """When the loop last turned."""
        self._resting = False
        self._handed_over: float | None = None
        """When the commit under way was handed to the store."""

    async def run(self) -> None:
        """Write until stopped and empty."""
        while True:
            self.last_turn = time.monotonic()
            if self._inbox.queued_events:
                await self._fill()
            elif self._give_up_at is not None and not self._own:
                return
            elif not self._own:
                await self._wait(TURN_SECONDS)
            batch = self._inbox.take_batch(self._max_events, self._max_bytes)
            if batch is not None or self._own:
                await self._commit(batch or Batch([], 0, time.monotonic()))

    def turns(self, within_seconds: float) -> bool:
        """Say if the loop turned of late, rests (idle, or until it tries again), or waits for a slow disk.

        What the watchdog is fed by.
        """
        if self._resting or time.monotonic() - self.last_turn < within_seconds:
            return True
        return 0 < self.commit_seconds() < limits.COMMIT_PATIENCE_SECONDS

    def commit_seconds(self) -> float:
        """How long the commit under way has taken so far; 0 while there is none."""
        return 0.0 if self._handed_over is None else time.monotonic() - self._handed_over

    def note(self, act: Event) -> None:
        """Store an act of the receiver itself with the next batch; it is in none of the counters."""
        if len(self._own) >= limits.OWN_ACTS_WAITING:
            log.error("an act of the receiver itself was not noted, too many wait: %s", act.action)
            return
        self._own.append(act)
        self._inbox.nudge()

    def stop(self, within_seconds: float) -> None:
        """Write what is queued, then return; give up on a store that refuses for longer than this."""
        self._give_up_at = time.monotonic() + within_seconds
        self._inbox.close(DropReason.STOPPING)

    async def _wait(self, seconds: float) -> None:
        self._resting = True
        try:
            async with asyncio.timeout(seconds):
                await self._inbox.arrival()
        except TimeoutError:
            pass
        finally:
            self._resting = False

    async def _fill(self) -> None:
        """Wait until the batch is worth closing: by count, bytes, age, or because somebody waits for it."""
        while not (
            self._inbox.queued_events >= self._max_events
            or self._inbox.queued_bytes >= self._max_bytes
            or self._inbox.awaited
            or self._inbox.closed
        ):
            oldest = self._inbox.oldest_arrival
            if oldest is None:
                return
            left = oldest + self._max_delay - time.monotonic()
            if left <= 0:
                return
            await self._wait(left)

    async def _commit(self, batch: Batch) -> None:
        counters = self._inbox.counters
        acts = self._own
        self._own = []
        while True:
            try:
                if not self._sink.check_space():
                    raise StoreFull("the disk is full, or emptier than store.min_free_bytes allows")
                self._handed_over = time.monotonic()
                duplicates = await self._append(acts, batch)
            except StoreCorrupt:
                counters.write_errors += 1
                self._inbox.dropped(batch, DropReason.STORE_FAILED)
                raise
            except StoreError as error:
                counters.write_errors += 1
                self._handed_over = None
                self._note(error)
                if self._give_up_at is not None and time.monotonic() > self._give_up_at:
                    self._inbox.dropped(batch, DropReason.STORE_FAILED)
                    log.error("%d events could not be stored before the stop: %s", len(batch.events), error)
                    return
                self._resting = True
                await asyncio.sleep(RETRY_SECONDS)
                self._resting = False
                self.last_turn = time.monotonic()
            else:
                break
        self._handed_over = None
        self._note(None)
        if not batch.events:
            return
        self._inbox.stored(batch, duplicates)
        counters.batch_events.observe(len(batch.events))
        counters.commit_delay.observe(time.monotonic() - batch.arrived)
        counters.last_commit_time = time.time()

    async def _append(self, acts: list[Event], batch: Batch) -> Sequence[int]:
        """Store acts and batch; gives the positions in the batch of what the log has already."""
        if batch.ids is None:
            await self._sink.append(acts + batch.events)
            return ()
        unnamed: list[bytes | None] = [None] * len(acts)
        known = await self._sink.append_once(acts + batch.events, unnamed + batch.ids)
        return [index - len(acts) for index in known]

    def _note(self, error: StoreError | None) -> None:
        """Log only a change of state: a full disk lasts, and the log may lie on it."""
        problem = str(error) if error else None
        if (problem is None) != (self.problem is None):
            if problem:
                log.warning("intake is held: streams wait, datagrams beyond the inbox are dropped: %s", problem)
            else:
                log.warning("storing again")
        self.problem = problem
        self._inbox.refused = problem is not None
