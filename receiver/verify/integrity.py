"""What a row's hash does not cover: SQLite's own structure, indexes and full text, compared with the rows.

Of sealed files whose SHA-256 the log names, every byte is known; this is for the others. Runs SQLite's integrity check
and FTS5's, the latter against the content (rank 1, which needs a private copy: the command writes).
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from receiver.store.delivered import DELIVERED_SCHEMA
from receiver.store.sealing import SEALED_INDEXES, SEALED_WORDS
from receiver.store.segment import LIVE_SCHEMA, SEALED_SCHEMA, open_read_only
from receiver.verify.report import Change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from receiver.store.segment import Segment
    from receiver.verify.report import Report

_COUNTS = """
    SELECT count(*) FROM (
        SELECT id, events, first_seq, last_seq FROM kind
        EXCEPT SELECT kind, count(*), min(seq), max(seq) FROM event GROUP BY kind)
"""


_SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE tbl_name NOT GLOB 'sqlite_stat[0-9]'"
_STRAY = "SELECT count(*) FROM odd o LEFT JOIN events e ON e.seq = o.seq WHERE e.seq IS NULL"


def check_integrity(segment: Segment, report: Report) -> None:
    """Look for drift of indexes, full text and statistics from the rows, and for damage."""
    try:
        with closing(open_read_only(segment.path)) as connection:
            for (line,) in connection.execute("PRAGMA integrity_check(20)"):
                if line != "ok":
                    report.add(Change.INDEX, segment.path.name, line, segment.first)
            _check_schema(segment, connection, report)
            question, what = (_STRAY, "table odd") if segment.last is None else (_COUNTS, "table kind")
            if connection.execute(question).fetchone()[0]:
                text = f"{what} does not count what the rows are"
                report.add(Change.INDEX, segment.path.name, text, segment.first)
        if segment.last is not None:
            _check_words(segment)
    except sqlite3.Error as error:
        report.add(Change.INDEX, segment.path.name, str(error), segment.first)
    except OSError as error:  # it went while it was looked at
        report.add(Change.UNREADABLE, segment.path.name, error.strerror or str(error), segment.first)


def _check_schema(segment: Segment, connection: sqlite3.Connection, report: Report) -> None:
    """Look for anything in the schema that is not ours: `events` must yield the same to everybody who asks."""
    statements = LIVE_SCHEMA if segment.last is None else (*SEALED_SCHEMA, *SEALED_INDEXES, SEALED_WORDS)
    wanted = _schema_of(statements)
    found = _things(connection)
    if segment.last is None:
        found -= _schema_of(DELIVERED_SCHEMA)  # made in a transaction of its own
    if found and found != wanted:  # none: created just now
        text = "its tables, indexes, views and triggers are not those we make"
        report.add(Change.INDEX, segment.path.name, text, segment.first)


def _schema_of(statements: Sequence[str]) -> set[tuple[Any, ...]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in statements:
            connection.execute(statement)
        return _things(connection)


def _things(connection: sqlite3.Connection) -> set[tuple[Any, ...]]:
    """Read a schema, less the words of full text's own tables: those are SQLite's, and its versions differ."""
    return {
        (kind, name, table, None if str(name).startswith("word_") else sql)
        for kind, name, table, sql in connection.execute(_SCHEMA)
    }


def _check_words(segment: Segment) -> None:
    with tempfile.TemporaryDirectory(prefix="audit-receiver-verify-") as folder:
        copy = Path(folder) / segment.path.name
        shutil.copyfile(segment.path, copy)
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute("INSERT INTO word (word, rank) VALUES ('integrity-check', 1)")
