"""Runs the reading of all segments and puts the tree together from what they give.

Knows segments, processes and the tree's arithmetic; knows no signature. The tree is rebuilt from the hashes of 256
leaves, in order, so the root at any size costs a few hashes. What is missing is taken from where it was kept: removed
ranges from `evidence.db`, ranges that need not be read again from their own file.
"""

from __future__ import annotations

import gc
import hashlib
import os
import sqlite3
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import closing, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from receiver.errors import StoreCorrupt, StoreError
from receiver.evidence.tree import TILE_HEIGHT, TILE_LEAVES, Tree, complete_root, subtrees
from receiver.store.segment import check_format, open_read_only, side_files
from receiver.store.tree_tables import read_tree
from receiver.verify.report import Change, Report
from receiver.verify.rows import Part, Task, read_part
from receiver.verify.segment_rows import TELLING_ACTIONS, Act

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from receiver.store.redacted import Span
    from receiver.store.segment import Segment

TASK_ROWS: Final = 65_536
_LEAST_ROW_BYTES: Final = 32
"""No row is smaller: what is left of a redacted one is a commitment of 32 bytes, and more."""
Progress = "Callable[[int, int], None]"


class Extent(NamedTuple):
    """A segment as its file says: positions from `first` up to, not including, `end`; the tree after its last row."""

    segment: Segment
    end: int
    tree: Tree


@dataclass
class Collected:
    """All that the rows and what stands beside them give."""

    size: int = 0
    level1: dict[int, bytes] = field(default_factory=dict)
    leaves: dict[int, bytes] = field(default_factory=dict)
    ends: dict[int, tuple[bytes, ...]] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    redacted: list[Span] = field(default_factory=list)
    digests: dict[int, bytes] = field(default_factory=dict)
    """SHA-256 of each sealed file, by its first position."""

    def heads(self, sizes: Iterable[int]) -> dict[int, Tree | None]:
        """Build the trees of these sizes, in one walk; None where hashes are missing."""
        found: dict[int, Tree | None] = {}
        tree, n = Tree(), 0
        for size in sorted(set(sizes)):
            whole = size // TILE_LEAVES
            batch = [self.level1.get(number) for number in range(n, whole)]
            if None in batch:
                found.update(dict.fromkeys([later for later in sizes if later >= size]))
                return found
            # The tree over the hashes of 256 leaves is the tree, less its lowest levels.
            tree, _ = tree.append([hash_ for hash_ in batch if hash_ is not None])
            n = whole
            rest = self._rest(size)
            found[size] = None if rest is None else Tree(size, tree.hashes + rest)
        return found

    def _rest(self, size: int) -> tuple[bytes, ...] | None:
        """Give the complete subtrees within the last, incomplete 256 of a tree; None when leaves are missing."""
        if size % TILE_LEAVES == 0:
            return ()
        if size in self.ends:
            return self.ends[size]
        leaves = [self.leaves.get(seq) for seq in range(size - size % TILE_LEAVES, size)]
        if None in leaves:
            return None
        return Tree().append([leaf for leaf in leaves if leaf is not None])[0].hashes


def extents(segments: Sequence[Segment], report: Report) -> list[Extent]:
    """Look where each segment ends; one that cannot be opened, or holds other positions than it says, is a problem."""
    found: list[Extent] = []
    for segment in segments:
        try:
            extent = _extent(segment)
        except (sqlite3.Error, StoreError) as error:
            report.add(Change.UNREADABLE, segment.path.name, str(error), segment.first)
            continue
        if extent is None:  # created just now, or just before a crash
            if found and found[-1].end != segment.first:
                text = f"is blank, and does not follow the events before it, which end at {found[-1].end}"
                report.add(Change.INSERTED, segment.path.name, text, segment.first)
            continue
        low, high, tree = extent
        name = segment.path.name
        end = tree.size if segment.last is None else segment.last + 1
        if low is not None and (low < segment.first or (high is not None and high > end)):
            text = f"holds events {low}–{(high or 1) - 1}"
            change = Change.REORDERED if segment.last is not None else Change.INSERTED
            report.add(change, name, f"{text}, its name and tree say {segment.first}–{end - 1}", low)
        if tree.size != end:
            report.add(Change.ALTERED, name, f"its tree ends at {tree.size}, its name at {end}", segment.first)
        rows_end = min(high or segment.first, segment.first + _most_rows(segment.path))
        if rows_end < end:
            report.add(Change.TRUNCATED, name, f"its rows end at {rows_end}, its name or tree at {end}", rows_end)
            end = max(rows_end, segment.first)
        found.append(Extent(segment, end, tree))
    return found


def _most_rows(path: Path) -> int:
    """Give how many rows the file has room for: what it says of itself must not decide how much is read."""
    size_bytes = 0
    for part in (*side_files(path), path):  # the database last: what leaves its write-ahead log meanwhile is in it then
        with suppress(FileNotFoundError):
            size_bytes += part.stat().st_size
    return size_bytes // _LEAST_ROW_BYTES


def _extent(segment: Segment) -> tuple[int | None, int | None, Tree] | None:
    """Give the first position, that after the last, and the tree; None where the file is blank."""
    with closing(open_read_only(segment.path)) as connection:
        connection.execute("BEGIN")  # rows and tree of one moment, beside a receiver that writes both
        if not check_format(connection, segment.path):
            return None
        table = "events" if segment.last is None else "event"
        low, high = connection.execute(f"SELECT min(seq), max(seq) FROM {table}").fetchone()  # noqa: S608 - our name
        if type(low) is not type(high) or type(low) not in {int, type(None)}:
            raise StoreCorrupt(f"{segment.path}: its positions are no numbers")
        return low, None if high is None else high + 1, read_tree(connection, segment.path)


def tasks_of(extent: Extent, sizes: Sequence[int]) -> list[Task]:
    """Cut a segment into ranges that end where 256 leaves do."""
    tasks, low = [], extent.segment.first
    while low < extent.end:
        high = min(extent.end, (low // TASK_ROWS + 1) * TASK_ROWS)
        here = tuple(size for size in sizes if low < size <= high)
        tasks.append(Task(extent.segment, low, high, here))
        low = high
    return tasks


def collect(
    tasks: Sequence[Task],
    sealed: Sequence[Segment],
    report: Report,
    processes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Collected:
    """Read all of it. sealed: whose files are to be hashed. progress: told of rows done, and of all there are."""
    collected = Collected()
    total = sum(task.high - task.low for task in tasks)
    done = 0
    workers = processes or len(os.sched_getaffinity(0))
    if workers == 1 or total <= TASK_ROWS:
        results: Iterable[Any] = (work(thing) for work, thing in _work(tasks, sealed))
        for result in results:
            done = _take(result, collected, report, done, total, progress)
        return collected
    # Forking is the quickest way, and sound while there is one thread.
    start = "fork" if threading.active_count() == 1 else "forkserver"
    # Rows make no cycles: looking for them costs a tenth.
    with ProcessPoolExecutor(min(workers, 32), get_context(start), initializer=gc.disable) as pool:
        for future in as_completed([pool.submit(work, thing) for work, thing in _work(tasks, sealed)]):
            done = _take(future.result(), collected, report, done, total, progress)
    return collected


def _work(tasks: Sequence[Task], sealed: Sequence[Segment]) -> list[tuple[Callable[[Any], Any], Any]]:
    return [*((read_part, task) for task in tasks), *((_hash_file, segment) for segment in sealed)]


def _hash_file(segment: Segment) -> tuple[int, bytes | str]:
    try:
        with segment.path.open("rb") as file:
            return segment.first, hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        return segment.first, f"{segment.path.name}: {error.strerror}"


def _take(
    result: Part | tuple[int, bytes | str],
    collected: Collected,
    report: Report,
    done: int,
    total: int,
    progress: Callable[[int, int], None] | None,
) -> int:
    if isinstance(result, Part):
        collected.level1.update(result.level1)
        collected.leaves.update(result.leaves)
        collected.ends.update(result.ends)
        collected.acts += result.acts
        collected.redacted += result.redacted
        report.problems += result.problems
        report.verified += result.rows
        done += result.high - result.low
        if progress is not None:
            progress(done, total)
    elif isinstance(result[1], bytes):
        collected.digests[result[0]] = result[1]
    else:
        report.add(Change.UNREADABLE, result[1], "cannot be read")
    return done


def take_kept(
    collected: Collected, size: int, level1: dict[int, bytes], nodes: dict[tuple[int, int], bytes], sizes: Iterable[int]
) -> None:
    """Fill in what removed ranges left: hashes of 256 leaves, leaves at their edges, ends of old checkpoints."""
    for n, kept in level1.items():
        collected.level1.setdefault(n, kept)
    for (level, number), kept in nodes.items():
        if level == 0:
            collected.leaves.setdefault(number, kept)
    for old in sizes:
        below = [(level, number) for level, number in subtrees(old) if level < TILE_HEIGHT]
        if old not in collected.ends and all(name in nodes for name in below):
            collected.ends[old] = tuple(nodes[name] for name in below)
    collected.size = size


def join_edges(collected: Collected) -> None:
    """Put together the 256 leaves that lie in two segments or two ranges."""
    for n in {seq // TILE_LEAVES for seq in collected.leaves}:
        leaves = [collected.leaves.get(seq) for seq in range(n * TILE_LEAVES, (n + 1) * TILE_LEAVES)]
        if None not in leaves:
            collected.level1[n] = complete_root([leaf for leaf in leaves if leaf is not None])


def read_beside(segment: Segment, collected: Collected) -> None:
    """Take the hashes that stand beside the rows, and the own acts, of a segment whose rows are not read again."""
    actions = ", ".join(f"'{action}'" for action in sorted(TELLING_ACTIONS))
    sql = f"SELECT seq, action, data FROM events WHERE format = 'internal' AND action IN ({actions})"  # noqa: S608
    with closing(open_read_only(segment.path)) as connection:
        for n, kept in connection.execute("SELECT n, hash FROM level1"):
            collected.level1.setdefault(n, kept)
        collected.acts += [Act(*row) for row in connection.execute(sql)]
