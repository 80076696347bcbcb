"""How the rows of one segment are read for hashing: those of a live one whole, those of a sealed one without its view.

A sealed segment keeps what repeats together in `kind`. Its part of a payload is written once for each kind and put
into that of every event of the kind, as it is: half the time that writing all columns of every row takes. Both give
tuples that begin with `seq` and `received_at` and hold salt and commitment at `salt_at` and `salt_at + 1`.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from receiver.event import COLUMNS
from receiver.evidence.leaf import fragment, leaves_of_rows
from receiver.store.segment import KIND_COLUMNS, OWN_COLUMNS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from receiver.store.segment import Segment

Row = tuple[Any, ...]
TELLING_ACTIONS: Final = frozenset(
    {"log.redact", "log.prune", "log.rotate", "log.start", "log.stop", "config.change"}
)

_SELECT: Final = f"SELECT {', '.join(COLUMNS)} FROM events WHERE seq >= ? AND seq < ? ORDER BY seq"  # noqa: S608
_SELECT_OWN: Final = (
    f"SELECT {', '.join(OWN_COLUMNS)}, kind FROM event WHERE seq >= ? AND seq < ? ORDER BY seq"  # noqa: S608
)
_KINDS: Final = f"SELECT id, {', '.join(KIND_COLUMNS)} FROM kind"  # noqa: S608 - our own names only
_NO_KIND: Final = (None,) * len(KIND_COLUMNS)
_JOINED: Final = (*OWN_COLUMNS, "kind", *KIND_COLUMNS)
_in_order = itemgetter(*(_JOINED.index(name) for name in COLUMNS))

_PAYLOAD: Final = COLUMNS[1:-2]
_RUNS: Final = tuple((kept, tuple(names)) for kept, names in groupby(_PAYLOAD, KIND_COLUMNS.__contains__))
"""The payload's columns in their order: runs of those that `kind` keeps, and of the event's own."""
_kind_runs: Final = tuple(
    itemgetter(*(KIND_COLUMNS.index(name) for name in names)) if len(names) > 1
    else itemgetter(slice(KIND_COLUMNS.index(names[0]), KIND_COLUMNS.index(names[0]) + 1))
    for kept, names in _RUNS if kept
)  # fmt: skip


def _payload_places() -> list[int]:
    """Where in an own row, followed by its kind's fragments, each part of the payload stands."""
    places, fragment_at = [], len(OWN_COLUMNS) + 1
    for kept, names in _RUNS:
        if kept:
            places.append(fragment_at)
            fragment_at += 1
        else:
            places += [OWN_COLUMNS.index(name) for name in names]
    return places


_payload_of_own = itemgetter(*_payload_places())
_payload_of_live = itemgetter(slice(1, -2))


class Act(NamedTuple):
    """An event of the receiver's own that says what happened to the log."""

    seq: int
    action: str
    data: str | None


class SegmentRows(Protocol):
    """The rows of one segment."""

    salt_at: int

    def read(self, low: int, high: int) -> list[Row]:
        """Read rows from `low` up to, not including, `high`. Raises sqlite3.Error."""

    def leaves(self, rows: Sequence[Row]) -> list[bytes]:
        """Hash events that are not redacted. Raises TypeError, ValueError or struct.error for what is no event."""

    def whole(self, row: Row) -> Row:
        """Give all columns of a row, as `events` does."""

    def acts(self, rows: Sequence[Row]) -> list[Act]:
        """Give those of TELLING_ACTIONS."""


def rows_of(segment: Segment, connection: sqlite3.Connection) -> SegmentRows:
    """Open the rows of a segment. Raises sqlite3.Error."""
    return LiveRows(connection) if segment.last is None else SealedRows(connection)


class LiveRows:
    """Rows as `events` gives them."""

    salt_at = COLUMNS.index("salt")
    _FORMAT, _ACTION, _DATA = (COLUMNS.index(name) for name in ("format", "action", "data"))

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def read(self, low: int, high: int) -> list[Row]:
        """See SegmentRows."""
        return self._connection.execute(_SELECT, (low, high)).fetchall()

    def leaves(self, rows: Sequence[Row]) -> list[bytes]:
        """See SegmentRows."""
        return leaves_of_rows(rows, _payload_of_live, self.salt_at)

    def whole(self, row: Row) -> Row:
        """See SegmentRows."""
        return row

    def acts(self, rows: Sequence[Row]) -> list[Act]:
        """See SegmentRows."""
        return [
            Act(row[0], row[self._ACTION], row[self._DATA]) for row in rows
            if row[self._FORMAT] == "internal" and row[self._ACTION] in TELLING_ACTIONS
        ]  # fmt: skip


class SealedRows:
    """An event's own columns and the id of its kind."""

    salt_at = OWN_COLUMNS.index("salt")
    _KIND, _DATA = len(OWN_COLUMNS), OWN_COLUMNS.index("data")

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._kinds: dict[Any, Row] = {row[0]: row[1:] for row in connection.execute(_KINDS)}
        self._fragments: dict[Any, Row] = {}
        """What each kind adds to a payload, written when the first event of the kind is met."""
        action, format_ = KIND_COLUMNS.index("action"), KIND_COLUMNS.index("format")
        self._telling = {
            kind: values[action] for kind, values in self._kinds.items()
            if values[format_] == "internal" and values[action] in TELLING_ACTIONS
        }  # fmt: skip

    def read(self, low: int, high: int) -> list[Row]:
        """See SegmentRows."""
        return self._connection.execute(_SELECT_OWN, (low, high)).fetchall()

    def leaves(self, rows: Sequence[Row]) -> list[bytes]:
        """See SegmentRows."""
        fragments = self._fragments
        for kind in {row[-1] for row in rows} - fragments.keys():
            values = self._kinds.get(kind, _NO_KIND)
            fragments[kind] = tuple(fragment(run(values)) for run in _kind_runs)
        return leaves_of_rows([row + fragments[row[-1]] for row in rows], _payload_of_own, self.salt_at)

    def whole(self, row: Row) -> Row:
        """See SegmentRows."""
        return tuple(_in_order(row + self._kinds.get(row[-1], _NO_KIND)))

    def acts(self, rows: Sequence[Row]) -> list[Act]:
        """See SegmentRows."""
        telling = self._telling
        if not telling or telling.keys().isdisjoint([row[self._KIND] for row in rows]):
            return []
        return [Act(row[0], telling[row[-1]], row[self._DATA]) for row in rows if row[-1] in telling]
