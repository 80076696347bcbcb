"""Sealing: a full live segment becomes its final form, in a thread of its own, at low priority where it may.

Knows both schemas and the order of file operations that a crash at any point cannot hurt:
  build     everything into `<name>.tmp`, which recovery removes
  publish   fsync, read-only, rename, fsync the folder: from here on `<first>-<last>.db` counts
  retire    remove the live file, then what SQLite kept beside it; recovery goes on from here
Large SQL statements do the work, so the GIL is free meanwhile. Measured per event: 1 µs to find the kinds, 2.6 to
copy, 0.2–0.9 an index, 3.3 for full text (18 bytes); `received_at` needs no index, since it rises with `seq`.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import sqlite3
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Final, NamedTuple

from receiver import limits
from receiver.errors import StoreCorrupt, StoreError, StoreFull, StoreRefused
from receiver.store.redacted import mask, overlap
from receiver.store.segment import (
    INDEXED_COLUMNS,
    KIND_COLUMNS,
    ODD_MESSAGE,
    OWN_COLUMNS,
    SEALED_MODE,
    SEALED_SCHEMA,
    check_format,
    create_schema,
    read_only_mode,
    sealed_path,
    side_files,
    store_error,
    sync_folder,
)
from receiver.store.tree_tables import read_tree

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from receiver.counters import StoreCounters
    from receiver.store.evidence_file import EvidenceFile

log = logging.getLogger(__name__)

_KINDS: Final = ", ".join(KIND_COLUMNS)
_OWN: Final = ", ".join(OWN_COLUMNS)
_SAME_KIND: Final = " AND ".join(f"k.{name} IS e.{name}" for name in KIND_COLUMNS)
_TELLING: Final = ("host", "app", "action", "severity", "outcome")
_KIND_KEY: Final = ", ".join((*_TELLING, *(name for name in KIND_COLUMNS if name not in _TELLING)))
"""The most telling columns first: a lookup then compares few of them."""

_COUNT_KINDS: Final = """
    WITH part AS (SELECT kind, count(*) AS events, min(seq) AS first, max(seq) AS last FROM event GROUP BY kind)
    UPDATE kind SET events = part.events, first_seq = part.first, last_seq = part.last
    FROM part WHERE part.kind = kind.id
"""

_WORD_OPTIONS: Final = "message, content='event', content_rowid='seq', detail=none, columnsize=0"
SEALED_WORDS: Final = f"CREATE VIRTUAL TABLE word USING fts5({_WORD_OPTIONS})"

SEALED_INDEXES: Final = (
    "CREATE INDEX event_kind ON event (kind)",
    *(f"CREATE INDEX event_{name} ON event ({name}) WHERE {name} IS NOT NULL" for name in INDEXED_COLUMNS),
    f"CREATE INDEX event_odd ON event (seq) WHERE {ODD_MESSAGE}",
)


def _build(events: str) -> tuple[str, ...]:
    """Write the statements that fill a sealed file from a relation with the columns of `events`."""
    same_kind = f"SELECT k.id FROM kind k WHERE {_SAME_KIND}"  # noqa: S608 - our own names only, here and below
    return (
        "INSERT OR IGNORE INTO main.meta SELECT * FROM old.meta",
        "INSERT INTO main.tree SELECT * FROM old.tree",
        "INSERT INTO main.level1 SELECT * FROM old.level1",
        f"INSERT INTO kind ({_KINDS}) SELECT DISTINCT {_KINDS} FROM {events}",  # noqa: S608
        f"CREATE UNIQUE INDEX kind_key ON kind ({_KIND_KEY})",
        f"INSERT INTO event ({_OWN}, kind) SELECT {_OWN}, ({same_kind}) FROM {events} e ORDER BY e.seq",  # noqa: S608
        "DROP INDEX kind_key",
        *SEALED_INDEXES,
        _COUNT_KINDS,
        # No positions and no sizes: full text only narrows, the row decides.
        SEALED_WORDS,
        f"INSERT INTO word (word, rank) VALUES ('hashsize', {limits.SEAL_WORD_BYTES})",  # noqa: S608
        "INSERT INTO word (word) VALUES ('rebuild')",
        "PRAGMA analysis_limit = 1000",
        "ANALYZE main",  # for people with the sqlite3 tool: we name our indexes ourselves
    )


class SealingStopped(Exception):
    """Sealing was asked to stop; nothing but a `.tmp` was begun, and that is gone."""


class Sealing:
    """Writes one segment in its sealed form: a live one that takes no more events, or a sealed one once more.

    What is to be redacted (`EvidenceFile.redactions`) is left out on the way, which is how a sealed file forgets.
    """

    def __init__(self, source: Path, first: int, last: int, evidence: EvidenceFile) -> None:
        self.source = source
        self.first = first
        self.last = last
        self.final = sealed_path(source.parent, first, last)
        self._evidence = evidence
        self.temporary = self.final.with_name(f"{self.final.name}.tmp")
        self._connection: sqlite3.Connection | None = None
        self._stopped = False

    def stop(self) -> None:
        """Break off a running build; may be called by any thread, again and again until it has ended."""
        self._stopped = True
        connection = self._connection
        if connection is not None:
            with contextlib.suppress(sqlite3.ProgrammingError):  # just closed
                connection.interrupt()

    def run(self) -> None:
        """Do all of it. Raises a StoreError, or SealingStopped, with the source untouched."""
        try:
            self.build()
            self.publish()
        except BaseException:
            remove(self.temporary, *side_files(self.temporary))
            raise
        self.retire()

    def build(self) -> None:
        """Write the sealed form beside the source."""
        remove(self.temporary, *side_files(self.temporary))
        os.close(os.open(self.temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        connection = sqlite3.connect(
            self.temporary.absolute().as_uri(), uri=True, isolation_level=None, check_same_thread=False
        )
        self._connection = connection
        try:
            with contextlib.closing(connection):
                self._fill(connection)
        except sqlite3.Error as error:
            if self._stopped:
                raise SealingStopped from error
            raise store_error(error, self.source) from error
        finally:
            self._connection = None

    def _fill(self, connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA page_size = {limits.STORE_PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode = OFF")  # a crash leaves a .tmp, which nobody reads
        connection.execute("PRAGMA synchronous = OFF")  # publish() syncs
        connection.execute(f"PRAGMA cache_size = {-limits.SEAL_CACHE_BYTES // 1024}")
        connection.execute("ATTACH ? AS old", (f"{self.source.absolute().as_uri()}?{read_only_mode(self.source)}",))
        connection.execute("BEGIN")
        create_schema(connection, SEALED_SCHEMA)
        for statement in _build(self._relation(connection)):
            if self._stopped:
                raise SealingStopped
            connection.execute(statement)
        facts = {"sealed": time.time_ns() // 1000, "events": self._counted(connection)}
        connection.executemany("INSERT OR REPLACE INTO main.meta VALUES (?, ?)", facts.items())
        connection.execute("COMMIT")

    def _relation(self, connection: sqlite3.Connection) -> str:
        """Name what is read: the source's events, with those left out whose redaction is named and signed."""
        redactions = [(found.first, found.last) for found in self._evidence.redactions() if found.released]
        ranges = overlap(redactions, self.first, self.last)
        return mask(connection, ranges, "old.events") if ranges else "old.events"

    def _counted(self, connection: sqlite3.Connection) -> int:
        """Count what was copied; raises StoreCorrupt unless it is every position once."""
        found = connection.execute("SELECT count(*), min(seq), max(seq), count(kind) FROM event").fetchone()
        count = self.last - self.first + 1
        if found != (count, self.first, self.last, count):
            raise StoreCorrupt(f"{self.source}: holds {found[0]} events where {count} should be")
        if read_tree(connection, self.source).size != self.last + 1:
            raise StoreCorrupt(f"{self.source}: its tree does not end with its last event")
        return count

    def publish(self) -> None:
        """Make the sealed form durable, read-only, known by its digest, and visible, in this order."""
        self.temporary.chmod(SEALED_MODE)
        handle = os.open(self.temporary, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        digest = file_digest(self.temporary)
        self._evidence.note_pending(self.first, self.last, digest)
        self.temporary.rename(self.final)
        sync_folder(self.final.parent)
        self._evidence.settle_sealed(self.first, digest)

    def retire(self) -> None:
        """Remove the live form: the database first, so that nobody opens it without its write-ahead log."""
        if self.source != self.final:
            remove(self.source, *side_files(self.source))
            sync_folder(self.source.parent)


def file_digest(path: Path) -> bytes:
    """Give a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def remove(*paths: Path) -> None:
    """Remove files, those that are there."""
    for path in paths:
        path.unlink(missing_ok=True)


def is_complete(path: Path, first: int, last: int) -> bool:
    """Tell whether a sealed file holds every event its name promises."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{read_only_mode(path)}", uri=True)
    try:
        with contextlib.closing(connection):
            found = connection.execute("SELECT count(*), min(seq), max(seq) FROM event").fetchone()
            sealed = connection.execute("SELECT value FROM meta WHERE key = 'events'").fetchone()
            whole = found == (last - first + 1, first, last)
            return check_format(connection, path) and whole and sealed == (last - first + 1,)
    except (sqlite3.DatabaseError, StoreCorrupt):
        return False


class _Job(NamedTuple):
    """A segment to be written in its sealed form. done: who waits for it; a failure is then theirs to try again."""

    source: Path
    first: int
    last: int
    done: Future[None] | None = None


class Sealer:
    """Seals what is offered, one after the other, oldest first; tries again later what failed.

    A segment that is not what we wrote is left as it is, once said: it must not keep the others from being sealed.
    """

    def __init__(self, counters: StoreCounters, min_free_bytes: int, evidence: EvidenceFile) -> None:
        self._counters = counters
        self._min_free = min_free_bytes
        self._evidence = evidence
        self._waiting: list[_Job] = []
        self._changed = threading.Condition()
        self._stopping = False
        self._current: Sealing | None = None
        self._thread = threading.Thread(target=self._run, name="sealer", daemon=True)

    def start(self, backlog: Iterable[tuple[Path, int, int]]) -> None:
        """Begin with the segments an earlier run left."""
        self._waiting.extend(_Job(*segment) for segment in backlog)
        self._thread.start()

    def offer(self, live: Path, first: int, last: int) -> None:
        """Take one more segment that is full and closed."""
        with self._changed:
            self._waiting.append(_Job(live, first, last))
            self._changed.notify_all()

    def rewrite(self, sealed: Path, first: int, last: int) -> Future[None]:
        """Write a sealed segment once more, before all that waits. The future may raise a StoreError."""
        done: Future[None] = Future()
        with self._changed:
            if self._stopping:
                done.set_exception(StoreRefused("the receiver is being stopped"))
                return done
            self._waiting.insert(0, _Job(sealed, first, last, done))
            self._changed.notify_all()
        return done

    def close(self) -> None:
        """Break off what runs and wait for the thread; blocks for some hundredths of a second."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        while self._thread.is_alive():
            current = self._current
            if current is not None:
                current.stop()
            self._thread.join(0.02)
        for job in self._waiting:
            if job.done is not None:
                job.done.set_exception(StoreRefused("the receiver is being stopped"))

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), limits.SEAL_NICE)
        failed = False
        while (job := self._next(limits.SEAL_RETRY_SECONDS if failed else 0.0)) is not None:
            failed = not self._do(job)

    def _next(self, rest_seconds: float) -> _Job | None:
        """Wait for work, after a failure for time to pass or a rewriting; None: it is over."""
        with self._changed:
            if rest_seconds:
                self._changed.wait_for(lambda: self._stopping or self._is_asked(), rest_seconds)
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            return None if self._stopping else self._waiting[0]

    def _is_asked(self) -> bool:
        return bool(self._waiting) and self._waiting[0].done is not None

    def _do(self, job: _Job) -> bool:
        """Do one job and take it off the list, unless it is to be tried again: False."""
        started = time.monotonic()
        error = None
        try:
            self._write(job)
        except (OSError, StoreError, SealingStopped) as failure:
            error = failure
        finally:
            self._current = None
        if job.done is not None:
            self._remove(job)
            _settle(job.done, error)
            return True
        if error is None:
            self._counters.sealed += 1
            self._counters.seal_seconds += time.monotonic() - started
        elif not isinstance(error, SealingStopped | _NoRoom):
            self._counters.seal_errors += 1
            log.warning("%s stays unsealed for now: %s", job.source.name, error)
        if error is None or isinstance(error, StoreCorrupt):
            self._remove(job)
            return True
        return False

    def _write(self, job: _Job) -> None:
        disk = os.statvfs(job.source.parent)
        if disk.f_bavail * disk.f_frsize - job.source.stat().st_size < self._min_free:
            # Intake may use the rest; the segment is readable as it is.
            raise _NoRoom(f"{job.source}: no room to write it anew beside itself")
        self._current = Sealing(job.source, job.first, job.last, self._evidence)
        self._current.run()

    def _remove(self, job: _Job) -> None:
        with self._changed:
            self._waiting.remove(job)


class _NoRoom(StoreFull):
    """A second copy of the segment would leave less free disk than intake is promised."""


def _settle(done: Future[None], error: Exception | None) -> None:
    if error is None:
        done.set_result(None)
    elif isinstance(error, StoreError):
        done.set_exception(error)
    elif isinstance(error, SealingStopped):
        done.set_exception(StoreRefused("the receiver is being stopped"))
    else:
        done.set_exception(StoreFull(str(error)))
