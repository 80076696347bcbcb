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
from receiver.errors import StoreBusy, StoreCorrupt, StoreError, StoreFull, StoreRefused
from receiver.evidence.leaf import SALT_BYTES, leaf_hashes
from receiver.store.delivered import Delivered, inherit, without
from receiver.store.evidence_file import FILE_NAME, EvidenceFile
from receiver.store.insert import Inserter, hold_clock
from receiver.store.lock import StoreLock
from receiver.store.open_segment import OpenSegment
from receiver.store.recovery import recover
from receiver.store.redacted import holds_any, overlap, redact_rows
from receiver.store.retention import note_removal, remove_absent
from receiver.store.sealing import Sealer
from receiver.store.segment import FOLDER_MODE, catalog, close_live, live_path, open_live, store_error, sync_folder
from receiver.store.tree_tables import read_tree, write_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from pathlib import Path
    from typing import Any

    from receiver.event import Event
    from receiver.evidence.tree import Tree
    from receiver.store.delivered import Id
    from receiver.store.redacted import Span
    from receiver.store.segment import Segment

_T = TypeVar("_T")


@dataclass(frozen=True)
class StorePolicy:
    """When a new segment begins, and how much disk must stay free."""

    max_events: int = limits.SEGMENT_EVENTS
    max_age_seconds: float = limits.SEGMENT_AGE_SECONDS
    min_free_bytes: int = limits.MIN_FREE_BYTES


class _Connection(aiosqlite.Connection):
    """aiosqlite's connection, with a way to do several things in one hop, and with no thread left behind."""

    _ended: asyncio.Future[Any] | None = None

    def stop(self) -> asyncio.Future[Any] | None:
        """End the thread; what tells of its end is kept."""
        self._ended = super().stop()
        return self._ended

    async def open(self) -> None:
        """Connect. One that fails has ended its thread when this raises.

        aiosqlite leaves it to report to a loop that a failed start has closed by then: a traceback on stderr, beside
        the one line that says what is wrong.
        """
        try:
            await self
        except BaseException:
            if self._ended is not None:
                await asyncio.shield(self._ended)
            raise

    async def work(self, function: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run a function of the connection in its thread."""
        result: _T = await self._execute(function, self._conn)  # type: ignore[no-untyped-call]
        return result


class LiveSegment:
    """The segment that takes appends."""

    def __init__(
        self, path: Path, first: int, tree: Tree, connection: _Connection, inserter: Inserter, delivered: Delivered
    ) -> None:
        self.path = path
        self.first = first
        self.tree = tree
        """The tree over all that is durable."""
        self.first_received_at: int | None = None
        self.last_received_at = 0
        self._connection = connection
        self._inserter = inserter
        self._delivered = delivered

    @property
    def next_seq(self) -> int:
        """The position the next event gets: every event is a leaf of the tree."""
        return self.tree.size

    @classmethod
    async def open(cls, folder: Path, first: int, tree: Tree) -> LiveSegment:
        """Open it, or create it to go on from this tree. Raises a StoreError."""
        path = live_path(folder, first)
        try:
            connection = _Connection(lambda: open_live(path, tree), iter_chunk_size=1)
            await connection.open()
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
        inherit(opened, path.parent, first)
        segment = cls(path, first, read_tree(opened, path), connection, Inserter(opened), Delivered(opened))
        edges = "seq = (SELECT min(seq) FROM events) OR seq = (SELECT max(seq) FROM events)"
        rows = opened.execute(f"SELECT seq, received_at FROM events WHERE {edges} ORDER BY seq").fetchall()  # noqa: S608
        if rows:
            segment.first_received_at, segment.last_received_at = rows[0][1], rows[-1][1]
        end = rows[-1][0] + 1 if rows else first
        if end != segment.next_seq:
            raise StoreCorrupt(f"{path}: its rows end at {end}, its tree at {segment.next_seq}")
        return segment

    async def append(self, events: Sequence[Event]) -> None:
        """Store a batch durably. Raises a StoreError with nothing of it stored."""
        await self._connection.work(lambda connection: self._append(connection, events))

    async def append_once(self, events: Sequence[Event], ids: Sequence[Id]) -> list[int]:
        """Store a batch durably, less the events whose id is known: gives their positions in it."""
        return await self._connection.work(lambda connection: self._append_once(connection, events, ids))

    def _append_once(self, connection: sqlite3.Connection, events: Sequence[Event], ids: Sequence[Id]) -> list[int]:
        try:
            known = self._delivered.find_known(ids)  # nobody else writes: it holds until the commit
        except sqlite3.Error as error:
            raise store_error(error, self.path) from error
        if known:
            events, ids = without(events, known), without(ids, known)
        if events:
            self._append(connection, events, ids)
        return known

    def _append(self, connection: sqlite3.Connection, events: Sequence[Event], ids: Sequence[Id] = ()) -> None:
        events = hold_clock(events, self.last_received_at)
        salts = bytearray(os.urandom(SALT_BYTES * len(events)))
        tree, level1 = self.tree.append(leaf_hashes(self.next_seq, events, salts))
        try:
            facts = self._inserter.learn(events)
            connection.execute("BEGIN IMMEDIATE")
            self._inserter.insert(events, facts, salts, self.next_seq)
            write_tree(connection, tree, level1)
            delivered = self._delivered.note(ids, self.next_seq) if ids else None
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise store_error(error, self.path) from error
        finally:
            if connection.in_transaction:
                with suppress(sqlite3.Error):  # SQLite rolled back by itself
                    connection.execute("ROLLBACK")
        self.tree = tree
        if delivered is not None:
            self._delivered.noted(delivered)
        self.last_received_at = events[-1].received_at
        if self.first_received_at is None:
            self.first_received_at = events[0].received_at

    async def redact(self, ranges: Sequence[Span]) -> int:
        """Redact rows and names, also names of events before this segment, and empty the write-ahead log of them.

        Gives how many rows. Raises StoreBusy when a reader's snapshot keeps the log: all is redacted, the old pages
        are still there.
        """
        return await self._connection.work(lambda connection: self._redact(connection, ranges))

    def _redact(self, connection: sqlite3.Connection, ranges: Sequence[Span]) -> int:
        here = overlap(ranges, self.first, self.next_seq - 1)
        try:
            if not here and not self._delivered.holds_any(ranges):
                return 0
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("BEGIN IMMEDIATE")
            count = redact_rows(connection, here)
            delivered = self._delivered.forget(ranges)
            connection.execute("COMMIT")
            self._delivered.noted(delivered)
            (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.Error as error:
            raise store_error(error, self.path) from error
        finally:
            if connection.in_transaction:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
        if busy:
            raise StoreBusy(f"{self.path}: somebody is reading what is to be erased")
        return count

    async def close(self) -> None:
        """Write the log back and let the file go."""
        await self._connection.work(close_live)
        await self._connection.close()


class Store:
    """A store open for writing: `await Store.open(...)`, then `append`, then `close`."""

    def __init__(
        self, folder: Path, policy: StorePolicy, lock: StoreLock, evidence: EvidenceFile, live: LiveSegment
    ) -> None:
        self.counters = StoreCounters()
        self.folder = folder
        self.evidence = evidence
        """What outlives segments; used by several threads."""
        self.evidence_was_missing = False
        """`evidence.db` was not there at the start, though segments were: checkpoints and holds are lost."""
        self._policy = policy
        self._lock = lock
        self._live = live
        self._sealer = Sealer(self.counters, policy.min_free_bytes, evidence)
        self._turn = asyncio.Lock()
        self._care = asyncio.Lock()
        """Held while sealed files are rewritten or removed: one must not bring back what the other takes away."""
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
        evidence = None
        try:
            missing = await asyncio.to_thread(_lacks_evidence, folder)
            evidence = await asyncio.to_thread(EvidenceFile, folder)
            recovered = await asyncio.to_thread(recover, folder, evidence)
            live = await LiveSegment.open(folder, recovered.first, recovered.tree)
        except BaseException:
            if evidence is not None:
                evidence.close()
            lock.release()
            raise
        live.last_received_at = max(live.last_received_at, recovered.last_received_at)
        store = cls(folder, policy, lock, evidence, live)
        store.evidence_was_missing = missing
        store.check_space()
        store._sealer.start(recovered.backlog)
        return store

    @property
    def next_seq(self) -> int:
        """The position the next event gets: how many the log has had."""
        return self._live.next_seq

    @property
    def last_received_at(self) -> int:
        """When the newest event came, in µs; 0 while there is none."""
        return self._live.last_received_at

    @property
    def head(self) -> Tree:
        """The tree over all that is durable."""
        return self._live.tree

    async def append(self, events: Sequence[Event]) -> int:
        """Store a batch in one durable transaction and give the position after it.

        Raises StoreBusy, StoreFull or StoreCorrupt with nothing of it stored. A cancelled call has stored all or
        nothing when it ends; `next_seq` tells which.
        """
        if not events:
            return self.next_seq
        return (await _to_the_end(self._append(events)))[1]

    async def append_acts(self, acts: Sequence[Event]) -> int:
        """Store acts of the receiver itself as `append` does; they may use what `min_free_bytes` keeps free.

        They are few and small, and without them nothing gets better: what retention removes is named first, and a
        receiver that starts says so.
        """
        if not acts:
            return self.next_seq
        return (await _to_the_end(self._append(acts, floor_bytes=0)))[1]

    async def append_once(self, events: Sequence[Event], ids: Sequence[Id]) -> list[int]:
        """Store a batch as `append` does, less what the log has already: gives the positions of those in the batch.

        ids: 16 bytes for each event, for who sent it and what they called it; None: it has no name.
        """
        return (await _to_the_end(self._append(events, ids)))[0] if events else []

    async def _append(
        self, events: Sequence[Event], ids: Sequence[Id] | None = None, floor_bytes: int | None = None
    ) -> tuple[list[int], int]:
        """Give what `append_once` and `append` give."""
        floor_bytes = self._policy.min_free_bytes if floor_bytes is None else floor_bytes
        known: list[int] = []
        async with self._turn:
            if self._closed:
                raise StoreRefused(f"{self.folder}: the store is closed")
            try:
                free_bytes = self._free_bytes()
            except OSError as error:
                raise StoreFull(f"{self.folder}: {error.strerror}") from error
            if free_bytes < floor_bytes:
                raise StoreFull(f"{self.folder}: less than {floor_bytes} bytes free")
            if self._is_due(events[0].received_at):
                await self._rotate(events[0].received_at)
            started = time.perf_counter()
            if ids is None:
                await self._live.append(events)
            else:
                known = await self._live.append_once(events, ids)
            self.counters.commit_seconds.observe(time.perf_counter() - started)
            end = self.next_seq  # read here: as soon as the turn is over, the next batch may be stored
        return known, end

    # --- erasing and removing; the log says so by events of its own, which are the caller's to append ---

    async def erase(self) -> bool:
        """Carry out the redactions that `evidence` has released; True when nothing is left of any it intends.

        False: one is not released, a segment waits to be sealed, or a reader is in the way; call again. Raises a
        StoreError.
        """
        async with self._care:
            return await self._erase()

    async def _erase(self) -> bool:
        intended = self.evidence.redactions(undone=True)
        redactions = [found for found in intended if found.released]
        if not redactions:
            return not intended
        ranges = [(found.first, found.last) for found in redactions]
        async with self._turn:
            live = self._live
            try:
                await live.redact(ranges)
            except StoreBusy:
                return False
        if not await self._erase_closed(ranges, live.first):
            return False
        await asyncio.to_thread(self.evidence.redaction_done, [found.id for found in redactions])
        return len(redactions) == len(intended)

    async def _erase_closed(self, ranges: Sequence[Span], end: int) -> bool:
        """Erase in the segments before the live one; False when one of them is not sealed yet."""
        done = True
        for segment in catalog(self.folder):
            here = overlap(ranges, segment.first, end - 1 if segment.last is None else segment.last)
            if segment.first >= end or not here:
                continue
            if segment.last is None:
                done = False  # its sealing leaves them out
            elif await asyncio.to_thread(holds_any, segment, here):
                await asyncio.wrap_future(self._sealer.rewrite(segment.path, segment.first, segment.last))
        return done

    async def prepare_removal(self, segment: Segment, reason: str) -> None:
        """Keep what proofs need of a sealed segment that is to go, and note that it goes. Raises a StoreError."""
        await asyncio.to_thread(note_removal, self.folder, self.evidence, segment, reason)

    async def finish_removals(self) -> int:
        """Remove the files of every range that is noted and announced as absent; gives how many there were."""
        async with self._care:
            removed = await asyncio.to_thread(remove_absent, self.folder, self.evidence)
            if removed:
                gone = [(found.first, found.last) for found in self.evidence.absent()]
                async with self._turn:
                    with suppress(StoreBusy):  # they are forgotten; their old pages go with the next checkpoint
                        await self._live.redact(gone)
            return removed

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
            self._live = await LiveSegment.open(self.folder, full.next_seq, full.tree)
            await full.close()
            self._sealer.offer(full.path, full.first, full.next_seq - 1)
            self._measured_at = -limits.STORE_MEASURE_SECONDS
        self._live.last_received_at = floor
        self._rotate_soon = False

    def check_space(self) -> bool:
        """Refresh the counters of size and number; tell whether intake may go on.

        What cannot be looked at (out of descriptors, the folder gone) keeps its last number: `append` says why.
        """
        now = time.monotonic()
        try:
            if now - self._measured_at > limits.STORE_MEASURE_SECONDS:
                self._measured_at = now
                self._measure()
            return self._free_bytes() >= self._policy.min_free_bytes
        except OSError:
            return True

    def _measure(self) -> None:
        segments = catalog(self.folder)
        counters = self.counters
        counters.segments_sealed = sum(segment.last is not None for segment in segments)
        counters.segments_unsealed = len(segments) - counters.segments_sealed
        size = waiting = 0
        with os.scandir(self.folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # sealing removes files meanwhile
                    size_bytes = entry.stat().st_size
                    size += size_bytes
                    waiting += size_bytes if entry.name.endswith("-wal") else 0
        counters.store_bytes = size
        counters.wal_bytes = waiting
        if segments:
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
        disk = os.statvfs(self.folder)
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
                self.evidence.close()
                self._lock.release()


def _lacks_evidence(folder: Path) -> bool:
    """Tell whether there are segments and no `evidence.db`, which is made before the first of them."""
    return not (folder / FILE_NAME).exists() and bool(catalog(folder))


def _take(folder: Path) -> StoreLock:
    """Make the folder if it is not there, and lock it."""
    if not folder.exists():
        folder.mkdir(FOLDER_MODE, parents=True)
        sync_folder(folder.parent)
    return StoreLock(folder)


async def _to_the_end(work: Coroutine[Any, Any, _T]) -> _T:
    """Let work that was begun come to its end, also when the caller is cancelled meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # the caller is gone: nobody else would look at it
        raise
