"""One segment: its file names, its two schemas, how it is opened, and what SQLite's errors mean for us.

Knows SQLite and the folder's layout. Knows no event loop, no listener, no filter.
A store is a folder of segments. `<first>-.db` is live: WAL, a plain table `events`, no secondary index.
`<first>-<last>.db` is sealed: read-only, compact, a view `events` with the same columns, values and order.
Invariant: a live file is never renamed and never opened but by SQLite (closing a plain handle drops its locks).
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from receiver import limits
from receiver.errors import StoreBusy, StoreCorrupt, StoreError, StoreFull, StoreRefused
from receiver.event import BLOB_COLUMNS, COLUMNS, INTEGER_COLUMNS
from receiver.store.tree_tables import TREE_SCHEMA, begin_tree

if TYPE_CHECKING:
    from pathlib import Path

    from receiver.evidence.tree import Tree

APPLICATION_ID: Final = 0x41554452  # "AUDR", for file(1)
FORMAT_VERSION: Final = 3
"""2: the tree stands in the segments. 3: what is redacted waits until the event that names it is signed."""
FOLDER_MODE: Final = 0o750
LIVE_MODE: Final = 0o640
SEALED_MODE: Final = 0o440

_NAME = re.compile(r"([0-9]{12})-([0-9]{12})?\.db")
SIDE_SUFFIXES: Final = ("-wal", "-shm", "-journal")

KIND_COLUMNS: Final = (
    "time_quality", "host", "app", "facility", "severity", "action", "outcome", "peer", "peer_identity",
    "transport", "listener", "format", "parse_status", "rule",
)  # fmt: skip
"""Columns that repeat together: a sealed segment keeps each combination once, in `kind`.

One id instead of fourteen, one lookup instead of fourteen at sealing (1.2 against 5 µs an event).
"""
OWN_COLUMNS: Final = tuple(name for name in COLUMNS if name not in KIND_COLUMNS)
"""Columns a sealed segment keeps with the event. Ids for actor, target and source_ip would save a seventh of
the file and cost a third more sealing time: not worth it."""
INDEXED_COLUMNS: Final = ("actor", "actor_as", "source_ip", "target")
ODD_MESSAGE: Final = "length(CAST(message AS BLOB)) <> length(message)"
"""SQL: the message is not pure ASCII without NUL. FTS5's idea of letters is Unicode 6.1 and ours is Python's,
so such rows are found by their own index and decided row by row."""

_KIND_FACTS = ("events", "first_seq", "last_seq")
"""How many events are of the kind, and the first and last of them."""


def column_type(name: str) -> str:
    """Give the declared SQL type of a column."""
    if name == "seq":
        return "INTEGER PRIMARY KEY"
    if name in INTEGER_COLUMNS or name in _KIND_FACTS:
        return "INTEGER"
    return "BLOB" if name in BLOB_COLUMNS else "TEXT"


def _columns(names: tuple[str, ...]) -> str:
    return ", ".join(f"{name} {column_type(name)}" for name in names)


_META: Final = "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID"
LIVE_SCHEMA: Final = (
    f"CREATE TABLE events ({_columns(COLUMNS)})",
    # Events whose message is ODD_MESSAGE: a scan for a word then need not test that of every row, half its cost.
    "CREATE TABLE odd (seq INTEGER PRIMARY KEY)",
    _META,
    *TREE_SCHEMA,
)
SEALED_SCHEMA: Final = (
    _META,
    *TREE_SCHEMA,
    f"CREATE TABLE kind (id INTEGER PRIMARY KEY, {_columns((*KIND_COLUMNS, *_KIND_FACTS))})",
    f"CREATE TABLE event ({_columns(OWN_COLUMNS)}, kind INTEGER)",
    "CREATE VIEW events AS SELECT "  # noqa: S608 - our own names only
    + ", ".join(f"{'k' if name in KIND_COLUMNS else 'e'}.{name} AS {name}" for name in COLUMNS)
    + " FROM event e LEFT JOIN kind k ON k.id = e.kind",
)


class Segment(NamedTuple):
    """A segment as its file name tells it; `last` is None while it is not sealed."""

    first: int
    last: int | None
    path: Path


def live_path(folder: Path, first: int) -> Path:
    """Name the file of a segment that is not sealed."""
    return folder / f"{first:012d}-.db"


def sealed_path(folder: Path, first: int, last: int) -> Path:
    """Name the file of a sealed segment."""
    return folder / f"{first:012d}-{last:012d}.db"


def side_files(path: Path) -> list[Path]:
    """Name the files SQLite may keep beside a database."""
    return [path.with_name(path.name + suffix) for suffix in SIDE_SUFFIXES]


def catalog(folder: Path) -> list[Segment]:
    """List the segments in order; where both forms of one exist, the sealed one counts, and of those the longest."""
    found: dict[int, Segment] = {}
    for segment in segment_files(folder):
        other = found.setdefault(segment.first, segment)
        if segment.last is not None and (other.last is None or segment.last > other.last):
            found[segment.first] = segment
    return [found[first] for first in sorted(found)]


def segment_files(folder: Path) -> list[Segment]:
    """List every file that has a segment's name, in no order."""
    matches = [match for entry in os.scandir(folder) if (match := _NAME.fullmatch(entry.name)) is not None]
    return [Segment(int(match[1]), int(match[2]) if match[2] else None, folder / match[0]) for match in matches]


def sync_folder(folder: Path) -> None:
    """Make the folder's names durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def store_error(error: sqlite3.Error, path: Path) -> StoreError:
    """Say in our words what SQLite's error means for the caller."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    text = f"{path}: {error}"
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PROTOCOL}:
        return StoreBusy(text)
    if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}:
        # A quota (EDQUOT), a failing or read-only disk: as with a full one, keep what is queued and try again.
        return StoreFull(text + _disk_facts(error, path))
    return StoreCorrupt(text)


def _disk_facts(error: sqlite3.Error, path: Path) -> str:
    """Say what "disk I/O error" does not: which call it was, and whether the disk may be written at all."""
    name = getattr(error, "sqlite_errorname", "")
    facts = [name] if name.startswith("SQLITE_IOERR_") else []
    try:
        if os.statvfs(path.parent).f_flag & os.ST_RDONLY:
            facts.append("the filesystem is read-only")
    except OSError as unreachable:
        facts.append(unreachable.strerror or "the folder cannot be looked at")
    return f" ({'; '.join(facts)})" if facts else ""


def check_format(connection: sqlite3.Connection, path: Path) -> bool:
    """Tell whether the file holds a segment (False: still blank).

    Raises StoreRefused if another version wrote it, StoreCorrupt if it is not ours.
    """
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # first: it may be born just now
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if tables == 0:
        return False
    if application != APPLICATION_ID:
        raise StoreCorrupt(f"{path}: not a segment of an audit-receiver store")
    if version != FORMAT_VERSION:
        age = "a newer" if version > FORMAT_VERSION else "an older"
        raise StoreRefused(
            f"{path}: written by {age} audit-receiver (store format {version}, this one reads {FORMAT_VERSION})"
        )
    return True


def create_schema(connection: sqlite3.Connection, statements: tuple[str, ...]) -> None:
    """Write schema, format and birth date; the caller holds the transaction."""
    for statement in statements:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
    facts = {"format": FORMAT_VERSION, "created": time.time_ns() // 1000}
    connection.executemany("INSERT INTO meta VALUES (?, ?)", facts.items())


def open_live(path: Path, tree: Tree) -> sqlite3.Connection:
    """Open the live segment for writing, in WAL with every commit synced; a new one begins with this tree."""
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, LIVE_MODE))
    connection = sqlite3.connect(
        path,
        timeout=limits.BUSY_SECONDS,
        isolation_level=None,
        cached_statements=limits.INSERT_STATEMENTS,
        check_same_thread=False,  # opened, used and closed in aiosqlite's thread; only a failed start closes elsewhere
    )
    try:
        connection.execute(f"PRAGMA page_size = {limits.STORE_PAGE_BYTES}")
        check_format(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA wal_autocheckpoint = {limits.WAL_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {2 * limits.WAL_PAGES * limits.STORE_PAGE_BYTES}")
        connection.execute(f"PRAGMA cache_size = {-limits.STORE_CACHE_BYTES // 1024}")
        connection.execute("BEGIN IMMEDIATE")
        if not check_format(connection, path):
            create_schema(connection, LIVE_SCHEMA)
            begin_tree(connection, tree)
        connection.execute("COMMIT")
        sync_folder(path.parent)
    except BaseException:
        connection.close()
        raise
    return connection


def close_live(connection: sqlite3.Connection) -> None:
    """Close the live segment so that anybody who may read the file can open it.

    A closed WAL file cannot be opened read-only by a user who may not write beside it.
    """
    with contextlib.suppress(sqlite3.Error):  # a reader is looking: the file stays in WAL, and is as good
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()


def open_read_only(path: Path) -> sqlite3.Connection:
    """Open a segment of either form for reading; raises sqlite3.OperationalError when it is gone."""
    connection = _connect_read_only(path, read_only_mode(path))
    try:
        connection.execute("PRAGMA schema_version")
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode != sqlite3.SQLITE_READONLY_ROLLBACK:
            raise
        # Killed while the file changed between WAL and not: the one change of ours that has a rollback journal. It is
        # of the header alone, so what the file holds can be read as it is; the next start rolls it back.
        return _connect_read_only(path, "mode=ro&immutable=1")
    except BaseException:
        connection.close()
        raise
    return connection


def read_only_mode(path: Path) -> str:
    """Say how a file is opened for reading, as a query of its URI.

    A sealed one never changes in its place, so only its own bytes count: SQLite would else follow a write-ahead log
    that somebody put beside it, and show what the file does not hold.
    """
    match = _NAME.fullmatch(path.name)
    return "mode=ro&immutable=1" if match is not None and match[2] else "mode=ro"


def _connect_read_only(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}",
        uri=True,
        timeout=limits.BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,  # a generator may be finished by another thread than the one that began it
    )
    try:
        connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection
