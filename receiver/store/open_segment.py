"""One segment, open for reading: its extent, its rows in order, its counts. The same questions for both forms.

Knows SQLite, both schemas and the plans; knows no folder and no other segment.
"""

from __future__ import annotations

import heapq
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from receiver import limits
from receiver.store.filter import Filter, Phrase
from receiver.store.plan import (
    PHRASE_FUNCTION,
    LivePlan,
    Range,
    SealedPlan,
    Source,
    count_sql,
    kind_tests,
    only_kinds,
    select_sql,
)
from receiver.store.segment import KIND_COLUMNS, Segment, check_format, open_read_only

if TYPE_CHECKING:
    from collections.abc import Iterator

_seq_of = itemgetter(0)


class Group(NamedTuple):
    """Events that share `values` (and, when asked, a span of time); a group may come in several parts."""

    values: tuple[Any, ...]
    bucket: int | None
    events: int
    first_seen: int
    last_seen: int


class OpenSegment:
    """Opened by the constructor; `span` is what it holds now."""

    def __init__(self, segment: Segment) -> None:
        """Open it; raises sqlite3.Error when the file cannot be read, StoreRefused when a newer version wrote it."""
        self.segment = segment
        self._sealed = segment.last is not None
        self._table = "event" if self._sealed else "events"
        self._connection = open_read_only(segment.path)
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
        phrase = None if where.contains is None else Phrase(where.contains)
        if phrase is not None:
            self._connection.create_function(PHRASE_FUNCTION, 1, phrase.matches, deterministic=True)
        plan = SealedPlan(self._connection, span) if self._sealed else LivePlan()
        return plan.sources(where, phrase)

    def rows(self, where: Filter, span: Range, *, ascending: bool) -> Iterator[tuple[Any, ...]]:
        """Give the matching rows of a range, in the log's order or its reverse."""
        span = self.within(where, span)
        sources = self._sources(where, span)
        if self._sealed:
            yield from self._sealed_rows(sources, span, ascending=ascending)
        elif sources:
            yield from self._live_rows(sources[0], span, ascending=ascending)

    def _live_rows(self, source: Source, span: Range, *, ascending: bool) -> Iterator[tuple[Any, ...]]:
        while span.low < span.high:
            sql, parameters = select_sql(source, span, LivePlan.columns, ascending=ascending)
            page = self._connection.execute(f"{sql} LIMIT {limits.READ_PAGE_ROWS}", parameters).fetchall()
            yield from page
            if len(page) < limits.READ_PAGE_ROWS:
                return
            last = page[-1][0]
            span = Range(last + 1, span.high) if ascending else Range(span.low, last)

    def _sealed_rows(self, sources: list[Source], span: Range, *, ascending: bool) -> Iterator[tuple[Any, ...]]:
        cursors = []
        for source in sources:
            joined = source._replace(tables=f"{source.tables} {SealedPlan.joined}")
            sql, parameters = select_sql(joined, span, SealedPlan.columns, ascending=ascending)
            cursors.append(self._connection.execute(sql, parameters))
        yield from cursors[0] if len(cursors) == 1 else heapq.merge(*cursors, key=_seq_of, reverse=not ascending)

    def groups(self, where: Filter, columns: tuple[str, ...], bucket_us: int | None) -> Iterator[Group]:
        """Count the matching events by the values of columns, and by spans of time when asked."""
        span = self.within(where, self.span)
        by_kind = self._sealed and set(columns) <= set(KIND_COLUMNS)
        if by_kind and bucket_us is None and span == self.span and only_kinds(where):
            yield from self._whole_kinds(where, columns)
            return
        values = self._kind_values(columns) if by_kind else {}
        for source in self._sources(where, span):
            for row in self._connection.execute(*self._group_sql(source, span, columns, bucket_us, by_kind=by_kind)):
                yield Group(values[row[0]] if by_kind else tuple(row[:-4]), *row[-4:])

    def _group_sql(
        self, source: Source, span: Range, columns: tuple[str, ...], bucket_us: int | None, *, by_kind: bool
    ) -> tuple[str, tuple[Any, ...]]:
        """Write the grouping; kinds are grouped by their id, which is quicker than by their texts."""
        if by_kind:
            names = ["e.kind"]
        elif self._sealed:
            source = source._replace(tables=f"{source.tables} {SealedPlan.joined}")
            names = [f"{'k' if name in KIND_COLUMNS else 'e'}.{name}" for name in columns]
        else:
            names = [f"e.{name}" for name in columns]
        bucket = "NULL" if bucket_us is None else f"e.received_at / {int(bucket_us)} * {int(bucket_us)}"
        facts = [bucket, "count(*)", "min(e.received_at)", "max(e.received_at)"]
        keys = [str(number + 1) for number in range(len(names))]
        if bucket_us is not None:
            keys.insert(0, str(len(names) + 1))
        sql, parameters = count_sql(source, span, ", ".join(names + facts))
        return f"{sql} GROUP BY {', '.join(keys)}", parameters

    def _kind_values(self, columns: tuple[str, ...]) -> dict[int, tuple[Any, ...]]:
        sql = f"SELECT id, {', '.join(columns)} FROM kind"  # noqa: S608 - our own names only
        return {row[0]: tuple(row[1:]) for row in self._connection.execute(sql)}

    def _whole_kinds(self, where: Filter, columns: tuple[str, ...]) -> Iterator[Group]:
        tests, values = kind_tests(where)
        sql = (
            f"SELECT {', '.join(columns)}, NULL, events, first_received_at, last_received_at"  # noqa: S608
            f" FROM kind WHERE {tests or 'true'}"
        )
        for row in self._connection.execute(sql, values):
            yield Group(tuple(row[:-4]), *row[-4:])
