"""Events into the table `events`, as few µs an event as CPython's sqlite3 allows. Knows no transaction and no file.

What it is shaped by, measured: binding an int costs 46 ns, a str 125, a bytearray 145, but None 330–445 and bytes
450–660; `executemany` with 32 columns costs 10–12 µs a row, plain multi-row VALUES 6–8, this 4.5. So
- columns that repeat together (`REPEATED`) are kept once in a temporary table and bound as one int;
- a column without a value in the whole chunk is left out, one with a single value is bound once;
- a missing value among others is bound as a value the column cannot hold and turned into NULL by `nullif`;
- VALUES stands in FROM, where SQLite unrolls only the bare cells, and `seq` and `salt` are computed from one
  parameter each. One chunk is one `sqlite3_step`, which runs without the GIL.
"""

from __future__ import annotations

from itertools import accumulate, chain
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, cast

from receiver import limits
from receiver.event import INTEGER_COLUMNS, Event
from receiver.evidence.leaf import SALT_BYTES

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence

REPEATED: Final = (
    "time_quality", "app", "facility", "severity", "action", "outcome", "reason", "transport", "listener", "format",
    "parse_status", "rule",
)  # fmt: skip
_repeated_of = itemgetter(*(Event._fields.index(name) for name in REPEATED))
_SINGLE: Final = tuple((index, name) for index, name in enumerate(Event._fields) if name not in REPEATED)
_RAW: Final = Event._fields.index("raw")
_SIZES: Final = (limits.INSERT_ROWS, 64, 8, 1)
"""Rows of a statement come in few sizes, so that few statements are prepared."""

_ABSENT, _SHARED, _CELL, _NULLABLE_TEXT, _NULLABLE_INTEGER = range(5)
_CELL_SQL: Final = {
    _CELL: "column{}",
    _NULLABLE_TEXT: "nullif(column{}, 0)",  # an int is no text, and cheaper to bind than ''
    _NULLABLE_INTEGER: "nullif(column{}, '')",  # 0 is a facility, a severity and a port
}


def hold_clock(events: Sequence[Event], floor: int) -> Sequence[Event]:
    """Give events whose `received_at` never goes back, neither among them nor below `floor`."""
    times = [event[0] for event in events]
    if times[0] >= floor and times == sorted(times):
        return events
    held = list(accumulate(times, max, initial=floor))[1:]
    return [Event(time, *event[1:]) for time, event in zip(held, events, strict=True)]


def chunks(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    """Cut a batch into pieces of the few sizes statements come in, smaller where messages are long."""
    at, size = 0, 0
    total = len(events)
    while at < total:
        while _SIZES[size] > total - at:
            size += 1
        piece = events[at : at + _SIZES[size]]
        text = sum([len(event.message or "") for event in piece])
        if text > limits.INSERT_TEXT_CHARS and size < len(_SIZES) - 1:
            size += 1
            continue
        at += len(piece)
        yield piece


class Inserter:
    """Binds events to one connection; remembers the statements and the repeated facts of that connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._facts: dict[tuple[Any, ...], int] = {}
        self._statements: dict[tuple[int, ...], str] = {}
        connection.execute(f"CREATE TEMP TABLE IF NOT EXISTS fact (id INTEGER PRIMARY KEY, {', '.join(REPEATED)})")

    def learn(self, events: Sequence[Event]) -> list[int]:
        """Give the number of each event's repeated facts, after learning those that are new.

        Outside the transaction that stores the events, so that no rollback forgets what is remembered here.
        """
        facts = list(map(_repeated_of, events))
        numbers = list(map(self._facts.get, facts))
        if None in numbers:
            new = [fact for fact in dict.fromkeys(facts) if fact not in self._facts]
            if len(self._facts) + len(new) > limits.REPEATED_FACTS:
                self._facts.clear()
                new = list(dict.fromkeys(facts))
            self._remember(new, afresh=not self._facts)
        return [self._facts[fact] for fact in facts] if None in numbers else cast("list[int]", numbers)

    def _remember(self, new: list[tuple[Any, ...]], *, afresh: bool) -> None:
        start = len(self._facts)
        marks = ", ?" * len(REPEATED)
        rows = [(start + index, *fact) for index, fact in enumerate(new)]
        self._connection.execute("BEGIN")
        try:
            if afresh:
                self._connection.execute("DELETE FROM temp.fact")
            self._connection.executemany(f"INSERT INTO temp.fact VALUES (?{marks})", rows)  # noqa: S608 - our names
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._facts.update({fact: start + index for index, fact in enumerate(new)})

    def insert(self, events: Sequence[Event], facts: Sequence[int], salts: bytearray, seq: int) -> None:
        """Insert a batch, with what `learn` gave for it, from `seq` on; the caller holds the transaction.

        salts: SALT_BYTES for each.
        """
        at = 0
        for piece in chunks(events):
            salt = salts[SALT_BYTES * at : SALT_BYTES * (at + len(piece))]
            self._insert_chunk(piece, facts[at : at + len(piece)], salt, seq + at)
            self._note_odd(piece, seq + at)
            at += len(piece)

    def _note_odd(self, events: Sequence[Event], seq: int) -> None:
        """Note which messages are not plain ASCII without NUL (`segment.ODD_MESSAGE`); 0.02 µs an event."""
        text = "".join([event.message or "" for event in events])
        if not text.isascii() or "\0" in text:
            odd = [
                (seq + index,)
                for index, event in enumerate(events)
                if event.message is not None and (not event.message.isascii() or "\0" in event.message)
            ]
            self._connection.executemany("INSERT INTO odd VALUES (?)", odd)

    def _insert_chunk(self, events: Sequence[Event], facts: Sequence[int], salts: bytearray, seq: int) -> None:
        count = len(events)
        shared: list[Any] = [seq, salts]
        columns: list[Sequence[Any]] = list(zip(*events, strict=True))
        cells: list[Sequence[Any]] = [facts]
        shape = [count]
        for index, name in _SINGLE:
            column = columns[index]
            if index == _RAW:
                column = [value if value is None else bytearray(value) for value in column]
            value = column[0]
            if value == column[-1] and column.count(value) == count:
                shape.append(_ABSENT if value is None else _SHARED)
                if value is not None:
                    shared.append(value)
            elif None not in column:
                shape.append(_CELL)
                cells.append(column)
            elif name in INTEGER_COLUMNS:
                shape.append(_NULLABLE_INTEGER)
                cells.append(["" if value is None else value for value in column])
            else:
                shape.append(_NULLABLE_TEXT)
                cells.append([0 if value is None else value for value in column])
        shared.extend(chain.from_iterable(zip(*cells, strict=True)))
        self._connection.execute(self._statement(tuple(shape)), shared)

    def _statement(self, shape: tuple[int, ...]) -> str:
        statement = self._statements.get(shape)
        if statement is None:
            if len(self._statements) >= limits.INSERT_STATEMENTS:
                self._statements.clear()
            statement = self._statements[shape] = _insert_statement(shape)
        return statement


def _insert_statement(shape: tuple[int, ...]) -> str:
    """Write the INSERT for a shape: the number of rows, then how each single column is bound.

    Shared parameters are numbered and stand first, so that the unnumbered ones of VALUES follow them.
    """
    count, *kinds = shape
    names = ["seq", "salt", *REPEATED]
    values = ["?1 + column1", f"substr(?2, {SALT_BYTES} * column1 + 1, {SALT_BYTES})"]
    values += [f"fact.{name}" for name in REPEATED]
    shared, cell = 2, 2
    for (_, name), kind in zip(_SINGLE, kinds, strict=True):
        if kind == _ABSENT:
            continue
        names.append(name)
        if kind == _SHARED:
            shared += 1
            values.append(f"?{shared}")
        else:
            cell += 1
            values.append(_CELL_SQL[kind].format(cell))
    marks = ", ?" * (cell - 1)
    rows = ", ".join(f"({row}{marks})" for row in range(count))
    return (
        f"INSERT INTO events ({', '.join(names)}) SELECT {', '.join(values)} "  # noqa: S608 - our own names only
        f"FROM (VALUES {rows}) AS cells CROSS JOIN temp.fact ON fact.id = column2"
    )
