"""The one writer: appends batches to the live segment, each in one durable transaction, and begins new segments.

Knows aiosqlite (its connection, its thread), the lock, rotation and free space. Knows no inbox and no listener.
A batch is one hop to the connection's thread and back (50–100 µs each): begin, inserts and commit stay together,
so a cancelled caller leaves either all of it or nothing. Invariants: `seq` has no gap, `received_at` never goes
back within a segment, and across segments only by more than limits.CLOCK_STEP_US: a clock that was set right.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import aiosqlite

from receiver import limits
from receiver.counters import StoreCounters
from receiver.errors import StoreError, StoreFull, StoreRefused
from receiver.store.insert import Inserter, hold_clock
from receiver.store.lock import StoreLock
from receiver.store.open_segment import OpenSegment
from receiver.store.recovery import recover
from receiver.store.sealing import Sealer
from receiver.store.segment import FOLDER_MODE, catalog, close_live, live_path, open_live, store_error, sync_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from pathlib import Path
    from typing import Any

    from receiver.event import Event
    from receiver.store.segment import Segment

_T = TypeVar("_T")


@dataclass(frozen=True)
class StorePolicy:
    """When a new segment begins, and how much disk must stay free."""

    max_events: int = limits.SEGMENT_EVENTS
    max_age_seconds: float = limits.SEGMENT_AGE_SECONDS
    min_free_bytes: int = limits.MIN_FREE_BYTES


class _Connection(aiosqlite.Connection):
    """aiosqlite's connection, with a way to do several things in one hop."""

    async def work(self, function: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run a function of the connection in its thread."""
        result: _T = await self._execute(function, self._conn)  # type: ignore[no-untyped-call]
        return result


class LiveSegment:
    """The segment that takes appends."""

    def __init__(self, path: Path, first: int, connection: _Connection, inserter: Inserter) -> None:
        self.path = path
        self.first = first
        self.next_seq = first
        self.first_received_at: int | None = None
        self.last_received_at = 0
        self._connection = connection
        self._inserter = inserter

    @classmethod
    async def open(cls, folder: Path, first: int) -> LiveSegment:
        """Open or create it. Raises a StoreError."""
        path = live_path(folder, first)
        try:
            connection = _Connection(lambda: open_live(path), iter_chunk_size=1)
            await connection
            try:
                return await connection.work(lambda opened: cls._read(path, first, connection, opened))
            except BaseException:
                await connection.close()
                raise
        except sqlite3.Error as error:
            raise store_error(error, path) from error
        except OSError as error:
            raise StoreFull(f"{path}: {error.strerror}") from error

    @classmethod
    def _read(cls, path: Path, first: int, connection: _Connection, opened: sqlite3.Connection) -> LiveSegment:
        segment = cls(path, first, connection, Inserter(opened))
        edges = "seq = (SELECT min(seq) FROM events) OR seq = (SELECT max(seq) FROM events)"
        rows = opened.execute(f"SELECT seq, received_at FROM events WHERE {edges} ORDER BY seq").fetchall()  # noqa: S608
        if rows:
            segment.first_received_at = rows[0][1]
            segment.next_seq, segment.last_received_at = rows[-1][0] + 1, rows[-1][1]
        return segment

    async def append(self, events: Sequence[Event]) -> None:
        """Store a batch durably. Raises a StoreError with nothing of it stored."""
        await self._connection.work(lambda connection: self._append(connection, events))

    def _append(self, connection: sqlite3.Connection, events: Sequence[Event]) -> None:
        events = hold_clock(events, self.last_received_at)
        try:
            facts = self._inserter.learn(events)
            connection.execute("BEGIN IMMEDIATE")
            self._inserter.insert(events, facts, self.next_seq)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise store_error(error, self.path) from error
        finally:
            if connection.in_transaction:
                with suppress(sqlite3.Error):  # SQLite rolled back by itself
                    connection.execute("ROLLBACK")
        self.next_seq += len(events)
        self.last_received_at = events[-1].received_at
        if self.first_received_at is None:
            self.first_received_at = events[0].received_at

    async def close(self) -> None:
        """Write the log back and let the file go."""
        await self._connection.work(close_live)
        await self._connection.close()


class Store:
    """A store open for writing: `await Store.open(...)`, then `append`, then `close`."""

    def __init__(self, folder: Path, policy: StorePolicy, lock: StoreLock, live: LiveSegment) -> None:
        self.counters = StoreCounters()
        self._folder = folder
        self._policy = policy
        self._lock = lock
        self._live = live
        self._sealer = Sealer(self.counters, policy.min_free_bytes)
        self._turn = asyncio.Lock()
        self._rotate_soon = False
        self._closed = False
        self._oldest: tuple[int, float] = (-1, 0.0)
        self._measured_at = -limits.STORE_MEASURE_SECONDS

    @classmethod
    async def open(cls, folder: Path, policy: StorePolicy) -> Store:
        """Take the lock, put right what a crash left, go on where the log ends.

        Raises StoreRefused (locked, newer format, no access), StoreCorrupt or StoreFull.
        """
        try:
            lock = await asyncio.to_thread(_take, folder)
        except OSError as error:
            raise StoreRefused(f"{folder}: {error.strerror}") from error
        try:
            recovered = await asyncio.to_thread(recover, folder)
            live = await LiveSegment.open(folder, recovered.first)
        except BaseException:
            lock.release()
            raise
        live.last_received_at = max(live.last_received_at, recovered.last_received_at)
        store = cls(folder, policy, lock, live)
        store.check_space()
        store._sealer.start(recovered.backlog)
        return store

    @property
    def next_seq(self) -> int:
        """The position the next event gets: how many the log has had."""
        return self._live.next_seq

    async def append(self, events: Sequence[Event]) -> int:
        """Store a batch in one durable transaction and give the next position.

        Raises StoreBusy, StoreFull or StoreCorrupt with nothing of it stored. A cancelled call has stored all or
        nothing when it ends; `next_seq` tells which.
        """
        if events:
            await _to_the_end(self._append(events))
        return self.next_seq

    async def _append(self, events: Sequence[Event]) -> None:
        async with self._turn:
            if self._closed:
                raise StoreRefused(f"{self._folder}: the store is closed")
            if self._free_bytes() < self._policy.min_free_bytes:
                raise StoreFull(f"{self._folder}: less than {self._policy.min_free_bytes} bytes free")
            if self._is_due(events[0].received_at):
                await self._rotate(events[0].received_at)
            started = time.perf_counter()
            await self._live.append(events)
            self.counters.commit_seconds.observe(time.perf_counter() - started)

    def rotate_soon(self) -> None:
        """Begin a new segment with the next batch; its clock may start lower (the system clock was set)."""
        self._rotate_soon = True

    def _is_due(self, now: int) -> bool:
        live = self._live
        if self._rotate_soon or now < live.last_received_at - limits.CLOCK_STEP_US:
            return True
        if live.first_received_at is None:
            return False
        old = now - live.first_received_at >= self._policy.max_age_seconds * 1_000_000
        return old or live.next_seq - live.first >= self._policy.max_events

    async def _rotate(self, now: int) -> None:
        """Begin a new segment; `received_at` may start lower there when the clock was set back."""
        full = self._live
        floor = full.last_received_at if now >= full.last_received_at - limits.CLOCK_STEP_US else 0
        if full.next_seq > full.first:
            self._live = await LiveSegment.open(self._folder, full.next_seq)
            await full.close()
            self._sealer.offer(full.path, full.first, full.next_seq - 1)
            self._measured_at = -limits.STORE_MEASURE_SECONDS
        self._live.last_received_at = floor
        self._rotate_soon = False

    def check_space(self) -> bool:
        """Refresh the counters of size and number; tell whether intake may go on."""
        now = time.monotonic()
        if now - self._measured_at > limits.STORE_MEASURE_SECONDS:
            self._measured_at = now
            self._measure()
        return self._free_bytes() >= self._policy.min_free_bytes

    def _measure(self) -> None:
        segments = catalog(self._folder)
        counters = self.counters
        counters.segments_sealed = sum(segment.last is not None for segment in segments)
        counters.segments_unsealed = len(segments) - counters.segments_sealed
        size = 0
        for entry in os.scandir(self._folder):
            with suppress(FileNotFoundError):  # sealing removes files meanwhile
                size += entry.stat().st_size
        counters.store_bytes = size
        counters.oldest_event_time = self._oldest_event_time(segments[0])

    def _oldest_event_time(self, segment: Segment) -> float:
        """Give the Unix time of the first event kept; read from its file only when another segment is the first."""
        if segment.first == self._live.first:
            return (self._live.first_received_at or 0) / 1_000_000
        if segment.first != self._oldest[0]:
            try:
                with closing(OpenSegment(segment)) as opened:
                    self._oldest = segment.first, (opened.received_at(segment.first) or 0) / 1_000_000
            except (sqlite3.Error, StoreError):
                return 0.0  # being sealed just now, or unreadable: no reason to stop taking events in
        return self._oldest[1]

    def _free_bytes(self) -> int:
        disk = os.statvfs(self._folder)
        self.counters.disk_free_bytes = disk.f_bavail * disk.f_frsize
        return self.counters.disk_free_bytes

    async def close(self) -> None:
        """Abandon a running sealing safely, close the log, give the lock back."""
        await _to_the_end(self._close())

    async def _close(self) -> None:
        async with self._turn:
            if self._closed:
                return
            self._closed = True
            try:
                await asyncio.to_thread(self._sealer.close)
                await self._live.close()
            finally:
                self._lock.release()


def _take(folder: Path) -> StoreLock:
    """Make the folder if it is not there, and lock it."""
    if not folder.exists():
        folder.mkdir(FOLDER_MODE, parents=True)
        sync_folder(folder.parent)
    return StoreLock(folder)


async def _to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Let work that was begun come to its end, also when the caller is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # the caller is gone: nobody else would look at it
        raise
