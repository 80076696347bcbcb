"""Sealing: a full live segment becomes its final form, in a thread of its own, at low priority.

Knows both schemas and the order of file operations that a crash at any point cannot hurt:
  build     everything into `<name>.tmp`, which recovery removes
  publish   fsync, read-only, rename, fsync the folder: from here on `<first>-<last>.db` counts
  retire    remove the live file, then what SQLite kept beside it; recovery goes on from here
Large SQL statements do the work, so the GIL is free meanwhile. Measured per event: 1 µs to find the kinds, 2.6 to
copy, 0.2–0.9 an index, 3.3 for full text (18 bytes); `received_at` needs no index, since it rises with `seq`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Final

from receiver import limits
from receiver.errors import StoreCorrupt, StoreError
from receiver.store.segment import (
    INDEXED_COLUMNS,
    KIND_COLUMNS,
    ODD_MESSAGE,
    OWN_COLUMNS,
    SEALED_MODE,
    SEALED_SCHEMA,
    check_format,
    create_schema,
    sealed_path,
    side_files,
    store_error,
    sync_folder,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from receiver.counters import StoreCounters

log = logging.getLogger(__name__)

_KINDS: Final = ", ".join(KIND_COLUMNS)
_OWN: Final = ", ".join(OWN_COLUMNS)
_SAME_KIND: Final = " AND ".join(f"k.{name} IS e.{name}" for name in KIND_COLUMNS)
_TELLING: Final = ("host", "app", "action", "severity", "outcome")
_KIND_KEY: Final = ", ".join((*_TELLING, *(name for name in KIND_COLUMNS if name not in _TELLING)))
"""The most telling columns first: a lookup then compares few of them."""

_COPY: Final = f"""
    INSERT INTO event ({_OWN}, kind)
    SELECT {_OWN}, (SELECT k.id FROM kind k WHERE {_SAME_KIND}) FROM live.events e ORDER BY e.seq
"""  # noqa: S608 - our own names only
_COUNT_KINDS: Final = """
    WITH part AS (SELECT kind, count(*) AS events, min(seq) AS first, max(seq) AS last FROM event GROUP BY kind)
    UPDATE kind SET events = part.events, first_seq = part.first, last_seq = part.last
    FROM part WHERE part.kind = kind.id
"""

_BUILD: Final = (
    "INSERT OR IGNORE INTO main.meta SELECT * FROM live.meta",
    f"INSERT INTO kind ({_KINDS}) SELECT DISTINCT {_KINDS} FROM live.events",  # noqa: S608 - our own names only
    f"CREATE UNIQUE INDEX kind_key ON kind ({_KIND_KEY})",
    _COPY,
    "DROP INDEX kind_key",
    "CREATE INDEX event_kind ON event (kind)",
    *(f"CREATE INDEX event_{name} ON event ({name}) WHERE {name} IS NOT NULL" for name in INDEXED_COLUMNS),
    f"CREATE INDEX event_odd ON event (seq) WHERE {ODD_MESSAGE}",
    _COUNT_KINDS,
    # No positions and no sizes: full text only narrows, the row decides.
    "CREATE VIRTUAL TABLE word USING fts5(message, content='event', content_rowid='seq', detail=none, columnsize=0)",
    f"INSERT INTO word (word, rank) VALUES ('hashsize', {limits.SEAL_WORD_BYTES})",  # noqa: S608 - a number of ours
    "INSERT INTO word (word) VALUES ('rebuild')",
    "PRAGMA analysis_limit = 1000",
    "ANALYZE main",  # for people with the sqlite3 tool: we name our indexes ourselves
)


class SealingStopped(Exception):
    """Sealing was asked to stop; nothing but a `.tmp` was begun, and that is gone."""


class Sealing:
    """The sealing of one live segment that takes no more events."""

    def __init__(self, live: Path, first: int, last: int) -> None:
        self.live = live
        self.first = first
        self.last = last
        self.final = sealed_path(live.parent, first, last)
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
        """Do all of it. Raises a StoreError, or SealingStopped, with the live segment untouched."""
        try:
            self.build()
            self.publish()
        except BaseException:
            remove(self.temporary, *side_files(self.temporary))
            raise
        self.retire()

    def build(self) -> None:
        """Write the sealed form beside the live one."""
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
            raise store_error(error, self.live) from error
        finally:
            self._connection = None

    def _fill(self, connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA page_size = {limits.STORE_PAGE_BYTES}")
        connection.execute("PRAGMA journal_mode = OFF")  # a crash leaves a .tmp, which nobody reads
        connection.execute("PRAGMA synchronous = OFF")  # publish() syncs
        connection.execute(f"PRAGMA cache_size = {-limits.SEAL_CACHE_BYTES // 1024}")
        connection.execute("ATTACH ? AS live", (f"{self.live.absolute().as_uri()}?mode=ro",))
        connection.execute("BEGIN")
        create_schema(connection, SEALED_SCHEMA)
        for statement in _BUILD:
            if self._stopped:
                raise SealingStopped
            connection.execute(statement)
        facts = {"sealed": time.time_ns() // 1000, "events": self._counted(connection)}
        connection.executemany("INSERT INTO main.meta VALUES (?, ?)", facts.items())
        connection.execute("COMMIT")
        connection.execute("DETACH live")

    def _counted(self, connection: sqlite3.Connection) -> int:
        """Count what was copied; raises StoreCorrupt unless it is every position once."""
        found = connection.execute("SELECT count(*), min(seq), max(seq), count(kind) FROM event").fetchone()
        count = self.last - self.first + 1
        if found != (count, self.first, self.last, count):
            raise StoreCorrupt(f"{self.live}: holds {found[0]} events where {count} should be")
        return count

    def publish(self) -> None:
        """Make the sealed form durable, read-only and visible, in this order."""
        self.temporary.chmod(SEALED_MODE)
        handle = os.open(self.temporary, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        self.temporary.rename(self.final)
        sync_folder(self.final.parent)

    def retire(self) -> None:
        """Remove the live form: the database first, so that nobody opens it without its write-ahead log."""
        remove(self.live, *side_files(self.live))
        sync_folder(self.live.parent)


def remove(*paths: Path) -> None:
    """Remove files, those that are there."""
    for path in paths:
        path.unlink(missing_ok=True)


def is_complete(path: Path, first: int, last: int) -> bool:
    """Tell whether a sealed file holds every event its name promises."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        with contextlib.closing(connection):
            found = connection.execute("SELECT count(*), min(seq), max(seq) FROM event").fetchone()
            sealed = connection.execute("SELECT value FROM meta WHERE key = 'events'").fetchone()
            whole = found == (last - first + 1, first, last)
            return check_format(connection, path) and whole and sealed == (last - first + 1,)
    except (sqlite3.DatabaseError, StoreCorrupt):
        return False


class Sealer:
    """Seals what is offered, one after the other, oldest first; tries again later what failed."""

    def __init__(self, counters: StoreCounters, min_free_bytes: int) -> None:
        self._counters = counters
        self._min_free = min_free_bytes
        self._waiting: list[tuple[Path, int, int]] = []
        self._changed = threading.Condition()
        self._stopping = False
        self._current: Sealing | None = None
        self._thread = threading.Thread(target=self._run, name="sealer", daemon=True)

    def start(self, backlog: Iterable[tuple[Path, int, int]]) -> None:
        """Begin with the segments an earlier run left."""
        self._waiting.extend(backlog)
        self._thread.start()

    def offer(self, live: Path, first: int, last: int) -> None:
        """Take one more segment that is full and closed."""
        with self._changed:
            self._waiting.append((live, first, last))
            self._changed.notify()

    def close(self) -> None:
        """Break off what runs and wait for the thread; blocks for some hundredths of a second."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        while self._thread.is_alive():
            current = self._current
            if current is not None:
                current.stop()
            self._thread.join(0.02)

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), limits.SEAL_NICE)
        failed = False
        while self._wait(limits.SEAL_RETRY_SECONDS if failed else 0.0):
            failed = not self._seal(*self._waiting[0])
            if not failed:
                with self._changed:
                    self._waiting.pop(0)

    def _wait(self, rest_seconds: float) -> bool:
        """Wait for work, after a failure for time to pass; False: it is over."""
        with self._changed:
            if rest_seconds:
                self._changed.wait_for(lambda: self._stopping, rest_seconds)
            self._changed.wait_for(lambda: self._waiting or self._stopping)
            return not self._stopping

    def _seal(self, live: Path, first: int, last: int) -> bool:
        started = time.monotonic()
        try:
            disk = os.statvfs(live.parent)
            if disk.f_bavail * disk.f_frsize - live.stat().st_size < self._min_free:
                return False  # intake may use the rest; the segment is readable as it is
            self._current = Sealing(live, first, last)
            self._current.run()
        except SealingStopped:
            return False
        except (OSError, StoreError) as error:
            self._counters.seal_errors += 1
            log.warning("%s stays unsealed for now: %s", live.name, error)
            return False
        finally:
            self._current = None
        self._counters.sealed += 1
        self._counters.seal_seconds += time.monotonic() - started
        return True
