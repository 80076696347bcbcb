"""Reading a store: all its segments as one log, beside a running receiver or on a stopped one.

Knows the folder and its catalog. Writes nothing, takes no lock, never slows the writer: a live segment is read page
by page, so that no snapshot keeps the write-ahead log from being emptied. Segments are opened one by one; one that
vanishes was sealed or pruned meanwhile, and the catalog is read again. Who may read the folder may read the store;
while the receiver runs that includes the `-shm` file beside the live segment.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from receiver import limits
from receiver.errors import StoreBusy, StoreRefused
from receiver.event import BLOB_COLUMNS, COLUMNS
from receiver.store.open_segment import Group, OpenSegment
from receiver.store.plan import Range
from receiver.store.segment import Segment, catalog, store_error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from receiver.store.filter import Filter

_END: Final = 2**63 - 1
_T = TypeVar("_T")


class StoredEvent(NamedTuple):
    """One event as stored: exactly `receiver.event.COLUMNS`.

    A redacted one has nothing but its position, `received_at` and the commitment.
    """

    seq: int
    received_at: int
    time: int | None
    time_quality: str | None
    host: str | None
    app: str | None
    pid: str | None
    msgid: str | None
    facility: int | None
    severity: int | None
    actor: str | None
    actor_as: str | None
    action: str | None
    outcome: str | None
    reason: str | None
    target: str | None
    source_ip: str | None
    source_port: int | None
    session: str | None
    peer: str | None
    peer_port: int | None
    peer_identity: str | None
    transport: str | None
    listener: str | None
    format: str | None
    parse_status: str | None
    rule: str | None
    message: str | None
    data: str | None
    raw: bytes | None
    salt: bytes | None
    commitment: bytes | None


class HostSummary(NamedTuple):
    """What one host sent; times are `received_at` in µs; `apps` and `peers` stop at limits.HOST_FACTS."""

    host: str | None
    events: int
    first_seen: int
    last_seen: int
    apps: tuple[str, ...]
    formats: tuple[str, ...]
    peers: tuple[str, ...]


class _Vanished(Exception):
    """The segment was sealed or pruned between the catalog and its opening."""


class Reader:
    """Answers questions about a store. Not thread-safe. What it raises is a StoreError naming the file."""

    def __init__(self, folder: Path) -> None:
        """Look for the store; raises StoreRefused when there is none."""
        self._folder = folder
        if not folder.is_dir() or not self._catalog():
            raise StoreRefused(f"{folder}: there is no store here")

    def close(self) -> None:
        """End reading; nothing is held between questions."""

    def select(
        self, where: Filter, limit: int | None = None, before_seq: int | None = None, after_seq: int | None = None
    ) -> Iterator[StoredEvent]:
        """Give matching events, newest first; with `after_seq` those after it, oldest first."""
        ascending = after_seq is not None
        span = Range(0 if after_seq is None else after_seq + 1, _END if before_seq is None else before_seq)
        left = _END if limit is None else limit
        if left <= 0:
            return
        for segment in self._walk(span, ascending=ascending):
            for row in _reading(segment, segment.rows(where, span, ascending=ascending)):
                yield StoredEvent._make(row)
                left -= 1
                if left == 0:
                    return

    def count_by(
        self, column: str, where: Filter, bucket_us: int | None = None
    ) -> Iterator[tuple[int | None, Any, int]]:
        """Count by a column's values: (start of the span of time in µs or None, value, events).

        In order of time; in each span the most frequent value first.
        """
        if column not in COLUMNS or column in BLOB_COLUMNS:
            raise ValueError(f"cannot count by {column}")
        counts: dict[tuple[int | None, Any], int] = {}
        for segment in self._walk(Range(0, _END), ascending=True):
            for group in _reading(segment, segment.groups(where, (column,), bucket_us)):
                key = group.bucket, group.values[0]
                counts[key] = counts.get(key, 0) + group.events
        for (bucket, value), events in sorted(counts.items(), key=lambda item: (item[0][0] or 0, -item[1])):
            yield bucket, value, events

    def hosts(self, where: Filter) -> Iterator[HostSummary]:
        """Tell who sent, by the name they claim; most events first."""
        hosts: dict[str | None, _Host] = {}
        columns = ("host", "app", "format", "peer")
        for segment in self._walk(Range(0, _END), ascending=True):
            parts: dict[str | None, _Host] = {}
            for group in _reading(segment, segment.groups(where, columns, None)):
                parts.setdefault(group.values[0], _Host()).add(group)
            for name, part in parts.items():
                times = segment.received_at(part.first) or 0, segment.received_at(part.last) or 0
                hosts.setdefault(name, _Host()).join(part, *times)
        for name, host in sorted(hosts.items(), key=lambda item: -item[1].events):
            yield host.summary(name)

    def _walk(self, span: Range, *, ascending: bool) -> Iterator[OpenSegment]:
        """Open the segments of a range one after the other; each is closed when the next is asked for."""
        tries = 0
        while span.low < span.high:
            found = _find(self._catalog(), span, ascending=ascending)
            if found is None:
                return
            segment, next_first = found
            try:
                opened = _open(segment, next_first)
            except _Vanished:
                tries += 1
                if tries > limits.READ_RETRIES:
                    raise StoreBusy(f"{segment.path}: keeps vanishing") from None
                continue
            try:
                yield opened
            finally:
                opened.close()
            if not ascending:
                span = Range(span.low, segment.first)
            elif next_first is not None:
                span = Range(next_first, span.high)
            else:
                return

    def _catalog(self) -> list[Segment]:
        try:
            return catalog(self._folder)
        except OSError as error:
            raise StoreRefused(f"{self._folder}: {error.strerror}") from error


def _find(segments: list[Segment], span: Range, *, ascending: bool) -> tuple[Segment, int | None] | None:
    """Choose the segment to read next, and say where the one after it begins."""
    starts = [segment.first for segment in segments[1:]]
    pairs = list(zip(segments, [*starts, None], strict=True))
    if ascending:
        ahead = (pair for pair in pairs if pair[0].first < span.high and (pair[1] is None or pair[1] > span.low))
    else:
        ahead = (pair for pair in reversed(pairs) if pair[0].first < span.high)
        if segments and span.high <= segments[0].first:
            return None
    found = next(ahead, None)
    if found is not None and not ascending and found[1] is not None and found[1] <= span.low:
        return None
    return found


def _open(segment: Segment, next_first: int | None) -> OpenSegment:
    try:
        opened = OpenSegment(segment)
    except sqlite3.Error as error:
        raise _trouble(error, segment) from error
    whole = segment.last is not None or next_first is None or opened.span.high == next_first
    if not whole and not segment.path.exists():
        # Opened while its files were being removed: what stood only in the write-ahead log is missing.
        opened.close()
        raise _Vanished
    return opened


def _trouble(error: sqlite3.Error, segment: Segment) -> Exception:
    if not segment.path.exists():
        return _Vanished()
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}:
        return StoreRefused(f"{segment.path}: cannot be read ({error})")
    return store_error(error, segment.path)


def _reading(segment: OpenSegment, rows: Iterator[_T]) -> Iterator[_T]:
    """Pass rows on; what SQLite says on the way is said in our words."""
    try:
        yield from rows
    except sqlite3.Error as error:
        raise store_error(error, segment.segment.path) from error


class _Host:
    """A host in the making: in one segment `first` and `last` are positions, over several they are times."""

    def __init__(self) -> None:
        self.events = 0
        self.first = _END
        self.last = 0
        self._names: tuple[set[str], set[str], set[str]] = set(), set(), set()

    def add(self, group: Group) -> None:
        """Take in a part of the same segment."""
        self._take(group.events, group.first_seq, group.last_seq)
        for names, name in zip(self._names, group.values[1:], strict=True):
            if name is not None and len(names) < limits.HOST_FACTS:
                names.add(name)

    def join(self, part: _Host, first_seen: int, last_seen: int) -> None:
        """Take in what one segment has."""
        self._take(part.events, first_seen, last_seen)
        for names, more in zip(self._names, part._names, strict=True):
            names.update(list(more)[: limits.HOST_FACTS - len(names)])

    def _take(self, events: int, first: int, last: int) -> None:
        self.events += events
        self.first = min(self.first, first)
        self.last = max(self.last, last)

    def summary(self, name: str | None) -> HostSummary:
        """Give what is known."""
        apps, formats, peers = (tuple(sorted(names)) for names in self._names)
        return HostSummary(name, self.events, self.first, self.last, apps, formats, peers)
