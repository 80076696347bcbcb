"""Reads a range of a segment's rows and computes what the tree is made of. Runs in several processes.

Knows one file and the leaf's encoding; knows nothing of what should come out, but for what the same file says of it:
the hashes of 256 leaves that stand beside the rows tell which 256 were altered.
"""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from receiver.event import COLUMNS
from receiver.evidence.leaf import stored_leaf
from receiver.evidence.tree import TILE_LEAVES, Tree, complete_root
from receiver.store.redacted import spans
from receiver.store.segment import Segment, open_read_only
from receiver.verify.report import Change, Problem
from receiver.verify.segment_rows import Act, Row, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from receiver.store.redacted import Span

ROWS: Final = 2_048
_MESSAGE: Final = COLUMNS.index("message")
_SALT: Final = COLUMNS.index("salt")


class Task(NamedTuple):
    """Rows from `low` up to, not including, `high`. sizes: of checkpoints in that range (low < size ≤ high)."""

    segment: Segment
    low: int
    high: int
    sizes: tuple[int, ...]


@dataclass
class Part:
    """What a range of rows gives."""

    low: int
    high: int
    rows: int = 0
    level1: dict[int, bytes] = field(default_factory=dict)
    """Hashes of 256 leaves each, of those wholly within."""
    leaves: dict[int, bytes] = field(default_factory=dict)
    """Leaves of the 256 that are not wholly within, at both ends."""
    ends: dict[int, tuple[bytes, ...]] = field(default_factory=dict)
    """For each size: the complete subtrees within its last, incomplete 256."""
    acts: list[Act] = field(default_factory=list)
    redacted: list[Span] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_part(task: Task) -> Part:
    """Compute a range. What cannot be read is a problem of the part, not an exception."""
    part = Part(task.low, task.high)
    try:
        with closing(open_read_only(task.segment.path)) as connection:
            _Reading(task, part, connection).run()
    except sqlite3.Error as error:
        where = f"events {task.low}–{task.high - 1} in {task.segment.path.name}"
        part.problems.append(Problem(Change.UNREADABLE, where, str(error), task.low))
    return part


class _Reading:
    """One range on its way."""

    def __init__(self, task: Task, part: Part, connection: sqlite3.Connection) -> None:
        self._task = task
        self._part = part
        self._connection = connection
        self._name = task.segment.path.name
        self._tile: list[bytes | None] = []
        """Leaves of the 256 under way; None where there is no row, or none that can be hashed."""
        self._tile_first = task.low
        self._sizes = iter(task.sizes)
        self._next_size = next(self._sizes, None)
        self._redacted: list[int] = []
        self._odd: list[int] = []
        self._last_received = 0
        self._unreadable: set[int] = set()
        self._rows = rows_of(task.segment, connection)

    def run(self) -> None:
        """Read all of it."""
        expected = self._task.low
        for rows in self._chunks():
            if rows[0][0] != expected or rows[-1][0] != expected + len(rows) - 1:
                expected = self._take_gapped(rows, expected)
                continue
            self._take(rows)
            expected += len(rows)
        if expected < self._task.high:
            self._missing(expected, self._task.high)
        self._close_tile()
        self._part.redacted = spans(self._redacted)
        self._compare_level1()
        if self._task.segment.last is None:
            self._compare_odd()

    def _chunks(self) -> Iterator[list[Row]]:
        """Give the rows in pieces; where a piece cannot be read, row by row what can."""
        low = self._task.low
        while low < self._task.high:
            high = min(low + ROWS, self._task.high)
            try:
                rows = self._rows.read(low, high)
            except sqlite3.Error:
                rows = list(self._readable(low, high))
            if rows:
                yield rows
            low = high

    def _readable(self, low: int, high: int) -> Iterator[Row]:
        for seq in range(low, high):
            try:
                yield from self._rows.read(seq, seq + 1)
            except sqlite3.Error as error:
                where = f"event {seq} in {self._name}"
                self._part.problems.append(Problem(Change.UNREADABLE, where, str(error), seq))
                self._unreadable.add(seq)

    def _take_gapped(self, rows: Sequence[Row], expected: int) -> int:
        """Take rows with some missing among them; gives the position after the last."""
        for row in rows:
            if row[0] > expected:
                self._missing(expected, row[0])
            self._take([row])
            expected = row[0] + 1
        return expected

    def _missing(self, low: int, high: int) -> None:
        """Say which rows are not there, but for those that are and cannot be read."""
        gaps = spans(seq for seq in range(low, high) if seq not in self._unreadable)
        for first, last in gaps:
            events = f"event {first}" if first == last else f"events {first}–{last}"
            self._part.problems.append(Problem(Change.REMOVED, f"{events} in {self._name}", "there is no row", first))
        self._add([None] * (high - low))

    def _take(self, rows: Sequence[Row]) -> None:
        self._part.rows += len(rows)
        commitment_at = self._rows.salt_at + 1
        plain = [row[commitment_at] for row in rows].count(None) == len(rows)
        try:
            leaves: list[bytes | None] = [*self._rows.leaves(rows)] if plain else self._each_leaf(rows)
        except (TypeError, ValueError, struct.error):  # a value no event has, such as bytes where text belongs
            leaves = self._each_leaf(rows)
        self._look(rows)
        self._add(leaves)

    def _each_leaf(self, rows: Sequence[Row]) -> list[bytes | None]:
        return [self._leaf(self._rows.whole(row)) for row in rows]

    def _leaf(self, row: Row) -> bytes | None:
        """Compute one leaf, of a redacted event too."""
        seq, salt, committed = row[0], row[_SALT], row[_SALT + 1]
        problem = None
        leaf = None
        if committed is not None:
            self._redacted.append(seq)
            if salt is not None or any(value is not None for value in row[2:_SALT]):
                problem = "is redacted, and has content all the same"
        elif salt is None:
            problem = "has neither its content nor what is left of a redacted one"
        if problem is None:
            try:
                leaf = stored_leaf(seq, row[1], row[1:_SALT], salt, committed)
            except Exception as error:  # noqa: BLE001 - whatever an attacker put there, it is no event
                problem = f"is not an event: {type(error).__name__}"
        if problem is not None:
            self._part.problems.append(Problem(Change.ALTERED, f"event {seq} in {self._name}", problem, seq))
        return leaf

    def _look(self, rows: Sequence[Row]) -> None:
        """Take note of what rows say beside their hash: own acts, order, odd messages."""
        self._part.acts += self._rows.acts(rows)
        times = [row[1] for row in rows]
        try:
            if times[0] < self._last_received or times != sorted(times):
                where = f"events {rows[0][0]}–{rows[-1][0]} in {self._name}"
                self._part.problems.append(Problem(Change.REORDERED, where, "received_at goes back", rows[0][0]))
            self._last_received = times[-1]
        except TypeError:
            pass  # it is no number: its leaf tells
        if self._task.segment.last is None:
            self._odd += [row[0] for row in rows if _is_odd(row[_MESSAGE])]

    def _add(self, leaves: list[bytes | None]) -> None:
        """Add leaves to the 256 under way, and close each that is full."""
        at = 0
        while at < len(leaves):
            room = TILE_LEAVES - (self._tile_first + len(self._tile)) % TILE_LEAVES
            taken = leaves[at : at + room]
            self._tile += taken
            at += len(taken)
            if len(taken) == room:
                self._close_tile()

    def _close_tile(self) -> None:
        first, leaves = self._tile_first, self._tile
        if not leaves:
            return
        end = first + len(leaves)
        whole = first % TILE_LEAVES == 0 and len(leaves) == TILE_LEAVES
        while self._next_size is not None and self._next_size <= end:
            if first % TILE_LEAVES == 0 and self._next_size % TILE_LEAVES:
                known = leaves[: self._next_size - first]
                if None not in known:
                    tree, _ = Tree().append([leaf for leaf in known if leaf is not None])
                    self._part.ends[self._next_size] = tree.hashes
            self._next_size = next(self._sizes, None)
        if whole and None not in leaves:
            self._part.level1[first // TILE_LEAVES] = complete_root([leaf for leaf in leaves if leaf is not None])
        elif not whole:
            self._part.leaves.update({first + at: leaf for at, leaf in enumerate(leaves) if leaf is not None})
        self._tile, self._tile_first = [], end

    def _compare_level1(self) -> None:
        """Compare with the hashes that stand beside the rows: they tell which 256 were altered."""
        low, high = -(-self._task.low // TILE_LEAVES), self._task.high // TILE_LEAVES
        sql = "SELECT n, hash FROM level1 WHERE n >= ? AND n < ?"
        stored = dict(self._connection.execute(sql, (low, high)))
        for n, computed in self._part.level1.items():
            if stored.get(n) != computed:
                first, last = n * TILE_LEAVES, n * TILE_LEAVES + TILE_LEAVES - 1
                text = f"the rows do not give the hash kept of them (page {n} of {TILE_LEAVES} events)"
                self._part.problems.append(
                    Problem(Change.ALTERED, f"events {first}–{last} in {self._name}", text, first)
                )

    def _compare_odd(self) -> None:
        """Compare a live segment's list of messages that are not plain ASCII, which searching relies on."""
        sql = "SELECT seq FROM odd WHERE seq >= ? AND seq < ? ORDER BY seq"
        stored = [row[0] for row in self._connection.execute(sql, (self._task.low, self._task.high))]
        if stored != self._odd:
            seq = min(set(stored) ^ set(self._odd))
            text = "the list of messages that are not plain ASCII is not that of the rows"
            self._part.problems.append(Problem(Change.INDEX, f"{self._name}, table odd, event {seq}", text, seq))


def _is_odd(message: Any) -> bool:
    return isinstance(message, str) and (not message.isascii() or "\0" in message)
