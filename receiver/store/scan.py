"""Reading through a live segment, which has no index: in slices, by as many threads as the machine has cores.

Knows SQLite's connections and the plan's sources; knows no file and no page of an answer. SQLite scans without the
GIL. Rows come in the log's order or its reverse. The first slices are small and read by the caller's own thread, so
that the newest hundred events cost no more than they are; nothing is read far ahead of what was asked for. A slice is
read page by page, so that no snapshot keeps the write-ahead log from being emptied.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final

from receiver import limits
from receiver.store.plan import LivePlan, Range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_Page = list[tuple[Any, ...]]

_ALONE: Final = 3
"""Slices that are read before threads are asked: 2 Ki, 8 Ki and 32 Ki rows."""


def slices(span: Range, *, ascending: bool) -> Iterator[Range]:
    """Cut a range into slices in the order of reading, small ones first."""
    low, high = span
    rows = limits.SCAN_FIRST_ROWS
    while low < high:
        if ascending:
            yield Range(low, min(high, low + rows))
            low += rows
        else:
            yield Range(max(low, high - rows), high)
            high -= rows
        rows = min(4 * rows, limits.SCAN_ROWS)


class LiveScan:
    """One question to one live segment, over connections of which no two threads use one at a time."""

    def __init__(
        self,
        connections: Sequence[sqlite3.Connection],
        plan_of: Callable[[sqlite3.Connection, Range], LivePlan],
        *,
        ascending: bool,
    ) -> None:
        self._connections = connections
        self._plan_of = plan_of
        self._ascending = ascending
        self._free: SimpleQueue[sqlite3.Connection] = SimpleQueue()
        for connection in connections:
            self._free.put(connection)

    def rows(self, span: Range) -> Iterator[tuple[Any, ...]]:
        """Give the rows of a range; raises sqlite3.Error."""
        ahead = slices(span, ascending=self._ascending)
        for _ in range(_ALONE):
            piece = next(ahead, None)
            if piece is None:
                return
            yield from self._whole(piece, self._page(piece))
        if len(self._connections) == 1:
            for piece in ahead:
                yield from self._whole(piece, self._page(piece))
            return
        with ThreadPoolExecutor(len(self._connections), "scan") as threads:
            waiting: deque[tuple[Range, Future[_Page]]] = deque()
            try:
                for piece in ahead:
                    waiting.append((piece, threads.submit(self._page, piece)))
                    if len(waiting) > len(self._connections):
                        yield from self._whole(*_first(waiting))
                while waiting:
                    yield from self._whole(*_first(waiting))
            finally:  # the asker may have enough: what still runs is for nobody
                for _, future in waiting:
                    future.cancel()
                self._interrupt(waiting)

    def _interrupt(self, waiting: deque[tuple[Range, Future[_Page]]]) -> None:
        while waiting:
            _, future = waiting.popleft()
            while not future.done():
                for connection in self._connections:
                    connection.interrupt()
                with contextlib.suppress(sqlite3.Error, TimeoutError):
                    future.result(timeout=0.01)

    def _whole(self, piece: Range, page: _Page) -> Iterator[tuple[Any, ...]]:
        """Give a slice's first page and what follows it."""
        yield from page
        while len(page) == limits.READ_PAGE_ROWS:
            last = page[-1][0]
            piece = Range(last + 1, piece.high) if self._ascending else Range(piece.low, last)
            page = self._page(piece)
            yield from page

    def _page(self, piece: Range) -> _Page:
        """Read the first rows of a slice."""
        connection = self._free.get()
        try:
            source = self._plan_of(connection, piece).source()
            sql, parameters = source.rows(piece, LivePlan.columns, ascending=self._ascending)
            return connection.execute(f"{sql} LIMIT {limits.READ_PAGE_ROWS}", parameters).fetchall()
        finally:
            self._free.put(connection)


def _first(waiting: deque[tuple[Range, Future[_Page]]]) -> tuple[Range, _Page]:
    piece, future = waiting[0]
    page = future.result()
    waiting.popleft()
    return piece, page
