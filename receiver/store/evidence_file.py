"""`evidence.db`: what must outlive the segments, so that later proofs stay possible.

Knows one small SQLite file beside the segments. Knows no tree and no signature: hashes and notes are bytes and texts.

  checkpoint  every signed head, with the subtree hashes its root was made of
  level1      hashes of 256 leaves each, of pruned ranges (those of the rest stand in the segments)
  node        hashes below level 1 of pruned ranges that proofs go on needing: leaves (level 0) that share such 256
              with an event that is still there, and what completes the last 256 of an old checkpoint
  sealed      the SHA-256 of every sealed file; `pending` while a new one is being put in its place
  absent      ranges that retention removed
  redaction   redacted ranges, from before the act until their segment is pruned
  hold        what retention must not touch
  verifier    every verifier key the log was ever signed with

Every change is synced before the call returns (journal_mode=DELETE, synchronous=EXTRA): a segment goes only after it.
Used by several threads, one at a time.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from receiver import limits
from receiver.errors import StoreFull
from receiver.event import COLUMNS
from receiver.store.segment import LIVE_MODE, check_format, create_schema, side_files, store_error, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

FILE_NAME: Final = "evidence.db"

_SCHEMA: Final = (
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID",
    """CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, root BLOB NOT NULL, hashes BLOB NOT NULL,
       note TEXT NOT NULL, time INTEGER NOT NULL)""",
    "CREATE TABLE level1 (n INTEGER PRIMARY KEY, hash BLOB NOT NULL)",
    "CREATE TABLE node (level INTEGER, number INTEGER, hash BLOB NOT NULL, PRIMARY KEY (level, number)) WITHOUT ROWID",
    """CREATE TABLE sealed (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, sha256 BLOB, pending BLOB,
       announced INTEGER)""",
    """CREATE TABLE absent (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, reason TEXT NOT NULL,
       announced INTEGER NOT NULL DEFAULT 0)""",
    """CREATE TABLE redaction (id INTEGER PRIMARY KEY AUTOINCREMENT, first INTEGER NOT NULL, last INTEGER NOT NULL,
       reason TEXT NOT NULL, user TEXT NOT NULL, named INTEGER, released INTEGER NOT NULL DEFAULT 0,
       done INTEGER NOT NULL DEFAULT 0)""",
    "CREATE INDEX undone ON redaction (id) WHERE done = 0",
    """CREATE TABLE hold (id INTEGER PRIMARY KEY AUTOINCREMENT, filter TEXT NOT NULL, reason TEXT NOT NULL,
       user TEXT NOT NULL, time INTEGER NOT NULL)""",
    "CREATE TABLE verifier (vkey TEXT PRIMARY KEY, time INTEGER NOT NULL) WITHOUT ROWID",
    # Nothing, by the segments' own name: who asks every *.db of the folder with the sqlite3 tool gets no error here.
    f"CREATE VIEW events AS SELECT {', '.join(f'NULL AS {name}' for name in COLUMNS)} WHERE 0",
)

_TYPES: Final = {
    "meta": {},
    "checkpoint": {"root": "blob", "hashes": "blob", "note": "text", "time": "integer"},
    "level1": {"hash": "blob"},
    "node": {"level": "integer", "number": "integer", "hash": "blob"},
    "sealed": {"last": "integer", "sha256": "blob null", "pending": "blob null", "announced": "integer null"},
    "absent": {"last": "integer", "reason": "text", "announced": "integer"},
    "redaction": {
        "first": "integer", "last": "integer", "reason": "text", "user": "text", "named": "integer null",
        "released": "integer", "done": "integer",
    },
    "hold": {"filter": "text", "reason": "text", "user": "text", "time": "integer"},
    "verifier": {"vkey": "text", "time": "integer"},
}  # fmt: skip
"""What stands in each table, where SQLite itself does not see to it."""


class StoredCheckpoint(NamedTuple):
    """A signed head. hashes: of the complete subtrees, largest first, 32 bytes each. time: µs."""

    size: int
    root: bytes
    hashes: bytes
    note: str
    time: int


class SealedDigest(NamedTuple):
    """What a sealed file must hash to; `pending`: or this, while a new one is being put in its place.

    announced: position of the event that names `sha256`; None when the log has none yet, or none any more.
    """

    first: int
    last: int
    sha256: bytes | None
    pending: bytes | None
    announced: int | None


class Absent(NamedTuple):
    """A range that retention removed, or is about to: `announced` when the log has an event that says so."""

    first: int
    last: int
    reason: str
    announced: bool


class Redaction(NamedTuple):
    """A redacted range, from the intention to the end.

    named: the position of the event that says so. released: that event is signed, so rows may be erased.
    done: nothing of it is left in any file.
    """

    id: int
    first: int
    last: int
    reason: str
    user: str
    named: int | None
    released: bool
    done: bool


class Hold(NamedTuple):
    """What must be kept: `filter` is JSON, as the asker gave it. time: µs."""

    id: int
    filter: str
    reason: str
    user: str
    time: int


class EvidenceFile:
    """The file, open for writing (the receiver) or for reading (commands)."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        """Open or create it. Raises a StoreError; so it does when it is to be read and is not there."""
        self.path = folder / FILE_NAME
        self._turn = threading.Lock()
        try:
            self._connection = self._open(read_only=read_only)
        except sqlite3.Error as error:
            raise store_error(error, self.path) from error
        except OSError as error:
            raise StoreFull(f"{self.path}: {error.strerror}") from error

    def _open(self, *, read_only: bool) -> sqlite3.Connection:
        if not read_only and not self.path.exists():
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, LIVE_MODE))
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}",
            uri=True,
            timeout=limits.BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            if read_only:
                check_format(connection, self.path)
            else:
                self._prepare(connection)
        except sqlite3.OperationalError as error:
            connection.close()
            if error.sqlite_errorcode != sqlite3.SQLITE_READONLY_ROLLBACK:
                raise
            return self._rolled_back_copy()
        except BaseException:
            connection.close()
            raise
        return connection

    def _rolled_back_copy(self) -> sqlite3.Connection:
        """Read what a killed receiver left, without the change it was in: no reader may roll back the file itself."""
        with tempfile.TemporaryDirectory(prefix="audit-receiver-") as folder:
            copy = Path(folder) / self.path.name
            for path in (self.path, *side_files(self.path)):
                with contextlib.suppress(FileNotFoundError):
                    shutil.copyfile(path, copy.with_name(path.name))
            connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
            with contextlib.closing(sqlite3.connect(copy)) as opened:
                opened.backup(connection)
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA synchronous = EXTRA")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("BEGIN IMMEDIATE")
        if not check_format(connection, self.path):
            create_schema(connection, _SCHEMA)
        connection.execute("COMMIT")
        sync_folder(self.path.parent)

    def damage(self) -> str | None:
        """Say what in it is none of ours: tables, triggers, views, or values of another type; None: all is."""
        with contextlib.closing(sqlite3.connect(":memory:")) as ours:
            for statement in _SCHEMA:
                ours.execute(statement)
            things = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE tbl_name NOT GLOB 'sqlite_stat[0-9]'"
            if set(self._rows(things)) != set(ours.execute(things)):
                return "its tables, indexes, views and triggers are not those we make"
        for (line,) in self._rows("PRAGMA integrity_check(1)"):
            if line != "ok":
                return str(line)
        for table, columns in _TYPES.items():
            tests = [f"instr('{types}', typeof({name})) = 0" for name, types in columns.items()]
            tests += ["length(hash) <> 32"] if "hash" in columns else []
            sql = f"SELECT EXISTS (SELECT 1 FROM {table} WHERE {' OR '.join(tests or ['false'])})"  # noqa: S608
            if self._rows(sql)[0][0]:
                return f"its table {table} holds what we never write"
        return None

    def close(self) -> None:
        """Let the file go."""
        with self._turn:
            self._connection.close()

    @contextlib.contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """One transaction, durable when it ends."""
        with self._turn:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                raise store_error(error, self.path) from error
            finally:
                if self._connection.in_transaction:
                    with contextlib.suppress(sqlite3.Error):
                        self._connection.execute("ROLLBACK")

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._turn:
            try:
                return self._connection.execute(sql, parameters).fetchall()
            except sqlite3.Error as error:
                raise store_error(error, self.path) from error

    # --- checkpoints and keys ---

    def add_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        """Keep a signed head. One of the same size is replaced: signed again by a new key, or cosigned."""
        with self._change() as connection:
            connection.execute("INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?, ?, ?)", checkpoint)

    def last_checkpoint(self) -> StoredCheckpoint | None:
        """Give the largest signed head."""
        rows = self._rows("SELECT * FROM checkpoint ORDER BY size DESC LIMIT 1")
        return StoredCheckpoint(*rows[0]) if rows else None

    def checkpoint_from(self, size: int) -> StoredCheckpoint | None:
        """Give the smallest signed head of at least this size."""
        rows = self._rows("SELECT * FROM checkpoint WHERE size >= ? ORDER BY size LIMIT 1", (size,))
        return StoredCheckpoint(*rows[0]) if rows else None

    def checkpoints(self) -> list[StoredCheckpoint]:
        """Give every signed head, smallest first."""
        return [StoredCheckpoint(*row) for row in self._rows("SELECT * FROM checkpoint ORDER BY size")]

    def sizes(self, low: int, high: int) -> list[int]:
        """Give the sizes of the signed heads above `low`, up to and including `high`."""
        sql = "SELECT size FROM checkpoint WHERE size > ? AND size <= ? ORDER BY size"
        return [row[0] for row in self._rows(sql, (low, high))]

    def add_verifiers(self, vkeys: Iterable[str], time: int) -> None:
        """Remember verifier keys; those known already keep their time."""
        with self._change() as connection:
            connection.executemany("INSERT OR IGNORE INTO verifier VALUES (?, ?)", [(vkey, time) for vkey in vkeys])

    def verifiers(self) -> list[str]:
        """Give every verifier key, oldest first."""
        return [row[0] for row in self._rows("SELECT vkey FROM verifier ORDER BY time, vkey")]

    def fact(self, key: str) -> Any:
        """Give a fact of the store, None when it is not known."""
        rows = self._rows("SELECT value FROM meta WHERE key = ?", (key,))
        return rows[0][0] if rows else None

    def note_fact(self, key: str, value: str | int) -> None:
        """Keep a fact of the store."""
        with self._change() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def forget_fact(self, key: str) -> None:
        """Forget a fact of the store."""
        with self._change() as connection:
            connection.execute("DELETE FROM meta WHERE key = ?", (key,))

    # --- sealed files ---

    def note_pending(self, first: int, last: int, sha256: bytes) -> None:
        """Note the digest of a sealed file before it is put in its place."""
        with self._change() as connection:
            connection.execute("INSERT OR IGNORE INTO sealed (first, last) VALUES (?, ?)", (first, last))
            connection.execute("UPDATE sealed SET pending = ? WHERE first = ?", (sha256, first))

    def settle_sealed(self, first: int, sha256: bytes | None) -> None:
        """Note that the file with this digest is in its place now, and not announced; None: the pending one is not."""
        with self._change() as connection:
            if sha256 is not None:
                connection.execute("UPDATE sealed SET sha256 = ?, announced = NULL WHERE first = ?", (sha256, first))
            connection.execute("UPDATE sealed SET pending = NULL WHERE first = ?", (first,))
            connection.execute("DELETE FROM sealed WHERE sha256 IS NULL AND pending IS NULL")

    def announced(self, first: int, sha256: bytes, seq: int) -> None:
        """Note which event of the log names this digest."""
        with self._change() as connection:
            connection.execute("UPDATE sealed SET announced = ? WHERE first = ? AND sha256 = ?", (seq, first, sha256))

    def sealed(self) -> dict[int, SealedDigest]:
        """Give what is known of sealed files, by their first position."""
        sql = "SELECT first, last, sha256, pending, announced FROM sealed ORDER BY first"
        return {row[0]: SealedDigest._make(row) for row in self._rows(sql)}

    # --- retention ---

    def note_absent(
        self,
        first: int,
        last: int,
        reason: str,
        level1: Iterable[tuple[int, bytes]],
        nodes: Iterable[tuple[int, int, bytes]],
    ) -> None:
        """Note a range that will be removed, and the hashes of it that proofs go on needing."""
        with self._change() as connection:
            connection.executemany("INSERT OR IGNORE INTO level1 VALUES (?, ?)", level1)
            connection.executemany("INSERT OR IGNORE INTO node VALUES (?, ?, ?)", nodes)
            connection.execute(
                "INSERT OR IGNORE INTO absent (first, last, reason) VALUES (?, ?, ?)", (first, last, reason)
            )

    def absence_announced(self) -> None:
        """Note that the log names every range there is; digests that were named in one of them are to be named anew."""
        with self._change() as connection:
            connection.execute("UPDATE absent SET announced = 1")
            connection.execute(
                "UPDATE sealed SET announced = NULL"
                " WHERE EXISTS (SELECT 1 FROM absent a WHERE sealed.announced BETWEEN a.first AND a.last)"
            )

    def forget_range(self, first: int, last: int) -> None:
        """Forget the digest and the redactions of a range whose file is gone."""
        with self._change() as connection:
            connection.execute("DELETE FROM sealed WHERE first = ?", (first,))
            connection.execute("DELETE FROM redaction WHERE first >= ? AND last <= ?", (first, last))

    def absent(self) -> list[Absent]:
        """Give the removed ranges, in order, as they were removed."""
        sql = "SELECT first, last, reason, announced FROM absent ORDER BY first"
        return [Absent._make((*row[:3], bool(row[3]))) for row in self._rows(sql)]

    def level1(self, low: int, high: int) -> dict[int, bytes]:
        """Give hashes of 256 leaves by their number, from `low` up to, not including, `high`."""
        return dict(self._rows("SELECT n, hash FROM level1 WHERE n >= ? AND n < ?", (low, high)))

    def node(self, level: int, number: int) -> bytes | None:
        """Give one hash below level 1, None when it was not kept."""
        rows = self._rows("SELECT hash FROM node WHERE level = ? AND number = ?", (level, number))
        return rows[0][0] if rows else None

    def leaves(self, low: int, high: int) -> dict[int, bytes]:
        """Give the leaves that were kept by their position, from `low` up to, not including, `high`."""
        sql = "SELECT number, hash FROM node WHERE level = 0 AND number >= ? AND number < ?"
        return dict(self._rows(sql, (low, high)))

    def nodes(self) -> dict[tuple[int, int], bytes]:
        """Give the hashes below level 1 that were kept, by (level, number)."""
        return {(row[0], row[1]): row[2] for row in self._rows("SELECT level, number, hash FROM node")}

    # --- redaction and holds ---

    def intend_redaction(self, ranges: Iterable[tuple[int, int]], reason: str, user: str) -> None:
        """Note what will be redacted (first and last of each range), before the log says so and before it is done."""
        with self._change() as connection:
            connection.executemany(
                "INSERT INTO redaction (first, last, reason, user) VALUES (?, ?, ?, ?)",
                [(first, last, reason, user) for first, last in ranges],
            )

    def redaction_named(self, ids: Iterable[int], seq: int) -> None:
        """Note which event of the log names these."""
        with self._change() as connection:
            connection.executemany("UPDATE redaction SET named = ? WHERE id = ?", [(seq, number) for number in ids])

    def redaction_released(self, ids: Iterable[int]) -> None:
        """Note that the events which name these are signed."""
        with self._change() as connection:
            connection.executemany("UPDATE redaction SET released = 1 WHERE id = ?", [(number,) for number in ids])

    def redaction_done(self, ids: Iterable[int]) -> None:
        """Note that nothing is left of these."""
        with self._change() as connection:
            connection.executemany("UPDATE redaction SET done = 1 WHERE id = ?", [(number,) for number in ids])

    def redactions(self, *, undone: bool = False) -> list[Redaction]:
        """Give the redacted ranges, all or those that are not done yet."""
        which = "WHERE done = 0" if undone else ""
        sql = f"SELECT id, first, last, reason, user, named, released, done FROM redaction {which} ORDER BY id"  # noqa: S608
        return [Redaction._make((*row[:6], bool(row[6]), bool(row[7]))) for row in self._rows(sql)]

    def add_hold(self, hold_filter: str, reason: str, user: str, time: int) -> int:
        """Keep a hold; gives its number."""
        with self._change() as connection:
            cursor = connection.execute(
                "INSERT INTO hold (filter, reason, user, time) VALUES (?, ?, ?, ?)", (hold_filter, reason, user, time)
            )
            return int(cursor.lastrowid or 0)

    def remove_hold(self, number: int) -> bool:
        """Take a hold away; tells if there was one."""
        with self._change() as connection:
            return connection.execute("DELETE FROM hold WHERE id = ?", (number,)).rowcount > 0

    def holds(self) -> list[Hold]:
        """Give the holds in force."""
        return [Hold(*row) for row in self._rows("SELECT id, filter, reason, user, time FROM hold ORDER BY id")]
