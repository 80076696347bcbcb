"""Rows without their content: what is left of a redacted event, and how a file is read as if it were redacted already.

Knows the schema and a connection. A redacted event keeps its position, `received_at` and the commitment its leaf was
made of; every other column and the salt are NULL. So its leaf, and every proof, stays what it was.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

from receiver.event import COLUMNS, Event
from receiver.evidence.leaf import commitment, payload
from receiver.store.segment import open_read_only, store_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from receiver.store.segment import Segment

KEPT_COLUMNS: Final = ("seq", "received_at", "commitment")
CONTENT_COLUMNS: Final = tuple(name for name in COLUMNS if name not in KEPT_COLUMNS)
_COMMITTED: Final = ", ".join(Event._fields)
_IS_WHOLE: Final = "commitment IS NULL AND salt IS NOT NULL"

Span = tuple[int, int]
"""First and last position."""


def spans(seqs: Iterable[int]) -> list[Span]:
    """Join positions, in order, into ranges."""
    found: list[list[int]] = []
    for seq in seqs:
        if found and found[-1][1] == seq - 1:
            found[-1][1] = seq
        else:
            found.append([seq, seq])
    return [(first, last) for first, last in found]


def overlap(ranges: Iterable[Span], first: int, last: int) -> list[Span]:
    """Cut ranges to what lies between two positions."""
    return [(max(low, first), min(high, last)) for low, high in ranges if low <= last and high >= first]


def holds_any(segment: Segment, ranges: Sequence[Span]) -> bool:
    """Tell whether any event of these ranges still has its content in a segment. Raises a StoreError."""
    sql = f"SELECT EXISTS (SELECT 1 FROM events WHERE seq BETWEEN ? AND ? AND {_IS_WHOLE})"  # noqa: S608 - our names
    try:
        with closing(open_read_only(segment.path)) as connection:
            return any(connection.execute(sql, span).fetchone()[0] for span in ranges)
    except sqlite3.Error as error:
        raise store_error(error, segment.path) from error


def commitments(connection: sqlite3.Connection, ranges: Iterable[Span], relation: str) -> Iterator[tuple[int, bytes]]:
    """Compute what stays of the events of these ranges that still have their content: (seq, commitment)."""
    sql = f"SELECT seq, salt, {_COMMITTED} FROM {relation} WHERE seq BETWEEN ? AND ? AND {_IS_WHOLE}"  # noqa: S608
    for span in ranges:
        for seq, salt, *row in connection.execute(sql, span):
            yield seq, commitment(salt, payload(row))


def mask(connection: sqlite3.Connection, ranges: Iterable[Span], relation: str) -> str:
    """Make the temporary view that shows `relation` with these ranges redacted; gives its name.

    Nothing of the content is written: the view decides row by row.
    """
    connection.execute("CREATE TEMP TABLE redacted (seq INTEGER PRIMARY KEY, commitment BLOB)")
    connection.executemany("INSERT INTO temp.redacted VALUES (?, ?)", commitments(connection, ranges, relation))
    columns = [
        f"CASE WHEN r.seq IS NULL THEN e.{name} END AS {name}" if name in CONTENT_COLUMNS else f"e.{name} AS {name}"
        for name in COLUMNS
        if name != "commitment"
    ]
    connection.execute(
        f"CREATE TEMP VIEW masked AS SELECT {', '.join(columns)}, coalesce(r.commitment, e.commitment) AS commitment"  # noqa: S608
        f" FROM {relation} e LEFT JOIN temp.redacted r ON r.seq = e.seq"
    )
    return "temp.masked"


def redact_rows(connection: sqlite3.Connection, ranges: Sequence[Span]) -> int:
    """Redact rows of a live segment; gives how many. The caller holds the transaction, with secure_delete on."""
    found = list(commitments(connection, ranges, "events"))
    nothing = ", ".join(f"{name} = NULL" for name in CONTENT_COLUMNS)
    sql = f"UPDATE events SET {nothing}, commitment = ? WHERE seq = ?"  # noqa: S608 - our own names only
    connection.executemany(sql, [(committed, seq) for seq, committed in found])
    connection.executemany("DELETE FROM odd WHERE seq = ?", [(seq,) for seq, _ in found])
    return len(found)
