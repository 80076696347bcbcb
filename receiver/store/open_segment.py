"""One segment, open for reading: its extent, its rows in order, its counts. The same questions for both forms.

Knows SQLite, both schemas and the plans; knows no folder and no other segment.
"""

from __future__ import annotations

import contextlib
import heapq
import os
import sqlite3
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from receiver import limits
from receiver.evidence.tree import Tree
from receiver.store.filter import NETWORK_FUNCTION, Filter, Network, Phrase
from receiver.store.plan import (
    PHRASE_FUNCTION,
    LivePlan,
    Range,
    SealedPlan,
    Source,
    kind_source,
    kind_tests,
    only_kinds,
    only_times,
    value_source,
)
from receiver.store.scan import LiveScan
from receiver.store.segment import KIND_COLUMNS, Segment, check_format, open_read_only
from receiver.store.tree_tables import read_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

_seq_of = itemgetter(0)


class Group(NamedTuple):
    """Events that share a value or several, and a span of time when asked; a group may come in several parts."""

    values: tuple[Any, ...]
    bucket: int | None
    events: int
    first_seq: int
    last_seq: int


def _readable(text: bytes) -> str:
    """Show what a foreign hand made of a text: one that is no UTF-8 must not hide all others. `verify` names it."""
    return text.decode(errors="replace")


class OpenSegment:
    """Opened by the constructor; `span` is what it holds now."""

    def __init__(self, segment: Segment) -> None:
        """Open it; raises sqlite3.Error when the file cannot be read, StoreRefused when a newer version wrote it."""
        self.segment = segment
        self._sealed = segment.last is not None
        self._table = "event" if self._sealed else "events"
        self._connection = open_read_only(segment.path)
        self._connection.text_factory = _readable  # 0.2 µs a text
        try:
            self.span = Range(segment.first, self._end())
        except BaseException:
            self._connection.close()
            raise

    def _end(self) -> int:
        if not check_format(self._connection, self.segment.path):
            return self.segment.first  # just created
        (last,) = self._connection.execute(f"SELECT max(seq) FROM {self._table}").fetchone()  # noqa: S608 - our name
        return self.segment.first if last is None else int(last) + 1

    def ask(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """Ask the relation `events` something of one's own; a segment that was just created has nothing to say."""
        if check_format(self._connection, self.segment.path):
            yield from self._connection.execute(sql)

    def tree(self) -> Tree:
        """Read the tree after its last event; of a segment that was just created the empty one."""
        if not check_format(self._connection, self.segment.path):
            return Tree()
        return read_tree(self._connection, self.segment.path)

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def within(self, where: Filter, span: Range) -> Range:
        """Narrow a range by what is here and by the filter's times: `received_at` rises with `seq`."""
        low, high = max(span.low, self.span.low), min(span.high, self.span.high)
        if where.since is not None and low < high:
            low = self._first_at(where.since, low, high)
        if where.until is not None and low < high:
            high = self._first_at(where.until, low, high)
        return Range(low, high)

    def received_at(self, seq: int) -> int | None:
        """Tell when an event came; None if it is not here."""
        sql = f"SELECT received_at FROM {self._table} WHERE seq = ?"  # noqa: S608 - our own name
        row = self._connection.execute(sql, (seq,)).fetchone()
        return None if row is None else int(row[0])

    def _first_at(self, time: int, low: int, high: int) -> int:
        """Find the first position received at or after a time; `high` if there is none."""
        while low < high:
            middle = (low + high) // 2
            at = self.received_at(middle)
            if at is not None and at >= time:
                high = middle
            else:
                low = middle + 1
        return low

    def _sources(self, where: Filter, span: Range) -> list[Source]:
        if span.low >= span.high:
            return []
        phrase = self._functions(where, self._connection)
        if self._sealed:
            return SealedPlan(self._connection, span).sources(where, phrase)
        return [LivePlan(self._connection, span, where, phrase).source()]

    @staticmethod
    def _functions(where: Filter, *connections: sqlite3.Connection) -> Phrase | None:
        """Give SQLite what the filter's tests call."""
        if where.network is not None:
            for connection in connections:
                connection.create_function(NETWORK_FUNCTION, 1, Network(where.network).holds, deterministic=True)
        if where.contains is None:
            return None
        phrase = Phrase(where.contains)
        for connection in connections:
            connection.create_function(PHRASE_FUNCTION, 1, phrase.matches, deterministic=True)
        return phrase

    def rows(self, where: Filter, span: Range, *, ascending: bool) -> Iterator[tuple[Any, ...]]:
        """Give the matching rows of a range, in the log's order or its reverse."""
        span = self.within(where, span)
        if self._sealed:
            yield from self._sealed_rows(self._sources(where, span), span, ascending=ascending)
        elif span.low < span.high:
            yield from self._live_rows(where, span, ascending=ascending)

    def _live_rows(self, where: Filter, span: Range, *, ascending: bool) -> Iterator[tuple[Any, ...]]:
        with contextlib.ExitStack() as opened:
            connections = [self._connection, *self._more_connections(span, opened)]
            phrase = self._functions(where, *connections)
            scan = LiveScan(
                connections,
                lambda connection, piece: LivePlan(connection, piece, where, phrase),
                ascending=ascending,
            )
            yield from scan.rows(span)

    def _more_connections(self, span: Range, opened: contextlib.ExitStack) -> list[sqlite3.Connection]:
        """Open the file again for other threads: fewer where it is not worth it, none when it is being removed."""
        wanted = min(limits.SCAN_THREADS, len(os.sched_getaffinity(0)), (span.high - span.low) // limits.SCAN_ROWS)
        more: list[sqlite3.Connection] = []
        while len(more) < wanted - 1:
            try:
                connection = opened.enter_context(contextlib.closing(open_read_only(self.segment.path)))
                (last,) = connection.execute("SELECT max(seq) FROM events").fetchone()
            except sqlite3.Error:
                break  # sealed meanwhile: what is open already stays readable
            if last is None or last + 1 < self.span.high:
                break  # its write-ahead log went before it
            more.append(connection)
        return more

    def _sealed_rows(self, sources: list[Source], span: Range, *, ascending: bool) -> Iterator[tuple[Any, ...]]:
        cursors = [
            self._connection.execute(*_joined(source).rows(span, SealedPlan.columns, ascending=ascending))
            for source in sources
        ]
        yield from cursors[0] if len(cursors) == 1 else heapq.merge(*cursors, key=_seq_of, reverse=not ascending)

    def groups(self, where: Filter, columns: tuple[str, ...], bucket_us: int | None) -> Iterator[Group]:
        """Count the matching events by the values of columns, and by spans of time when asked."""
        span = self.within(where, self.span)
        if span.low >= span.high:
            return
        if self._sealed and set(columns) <= set(KIND_COLUMNS):
            yield from self._kind_groups(where, span, columns, bucket_us)
        elif self._sealed and bucket_us is None and only_times(where) and (source := value_source(columns[0])):
            yield from self._indexed_groups(source, span, columns[0])
        else:
            names = [f"{'k' if self._sealed and name in KIND_COLUMNS else 'e'}.{name}" for name in columns]
            for source in self._sources(where, span):
                query = _joined(source) if self._sealed else source
                for row in self._connection.execute(*query.query(span, *_grouping(names, bucket_us))):
                    yield Group(tuple(row[:-4]), *row[-4:])

    def _kind_groups(
        self, where: Filter, span: Range, columns: tuple[str, ...], bucket_us: int | None
    ) -> Iterator[Group]:
        """Group by the kind's id and look its texts up afterwards; if possible ask the kinds alone."""
        if bucket_us is None and only_kinds(where):
            if span == self.span:
                yield from self._whole_kinds(where, columns)
                return
            sources = [kind_source(where)]
        else:
            sources = self._sources(where, span)
        sql = f"SELECT id, {', '.join(columns)} FROM kind"  # noqa: S608 - our own names only
        values = {row[0]: tuple(row[1:]) for row in self._connection.execute(sql)}
        for source in sources:
            for row in self._connection.execute(*source.query(span, *_grouping(["e.kind"], bucket_us))):
                yield Group(values[row[0]], *row[1:])

    def _whole_kinds(self, where: Filter, columns: tuple[str, ...]) -> Iterator[Group]:
        tests, values = kind_tests(where)
        names = ", ".join(columns)
        sql = f"SELECT {names}, NULL, events, first_seq, last_seq FROM kind WHERE {tests or 'true'}"  # noqa: S608
        for row in self._connection.execute(sql, values):
            yield Group(tuple(row[:-4]), *row[-4:])

    def _indexed_groups(self, source: Source, span: Range, column: str) -> Iterator[Group]:
        """Count by an index that leaves nulls out: they are the rest."""
        rest = span.high - span.low
        for row in self._connection.execute(*source.query(span, *_grouping([f"e.{column}"], None))):
            group = Group((row[0],), *row[1:])
            rest -= group.events
            yield group
        if rest:
            yield Group((None,), None, rest, span.low, span.high - 1)


def _joined(source: Source) -> Source:
    return source._replace(tables=source.tables + SealedPlan.joined)


def _grouping(names: list[str], bucket_us: int | None) -> tuple[str, str]:
    """Write what to select (the rest of a Group after the values) and how to group it."""
    bucket = "NULL" if bucket_us is None else f"e.received_at / {int(bucket_us)} * {int(bucket_us)}"
    keys = ", ".join([*names, bucket] if bucket_us is not None else names)
    return ", ".join([*names, bucket, "count(*)", "min(e.seq)", "max(e.seq)"]), f"GROUP BY {keys}"
