"""The hashes of the tree, wherever they are kept: what proofs are made from.

Knows the folder, its segments and `evidence.db`. Leaves are recomputed from rows, the hashes of 256 leaves (level 1)
are read from the segments, those of pruned ranges from `evidence.db`. What is not there, or not whole, is an
EvidenceError.
"""

from __future__ import annotations

import contextlib
import sqlite3
import struct
from typing import TYPE_CHECKING, TypeVar

from receiver import limits
from receiver.errors import EvidenceError, StoreBusy, StoreError
from receiver.event import COLUMNS
from receiver.evidence.leaf import stored_leaf
from receiver.evidence.tiles import HashRange, nodes_from, nodes_to_keep
from receiver.evidence.tree import TILE_HEIGHT, TILE_LEAVES
from receiver.store.segment import catalog, check_format, open_read_only, store_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import Any

    from receiver.evidence.tree import NodeAt
    from receiver.store.evidence_file import EvidenceFile
    from receiver.store.segment import Segment

_T = TypeVar("_T")
_ROW = ", ".join(COLUMNS)


def leaf_of(row: Sequence[Any]) -> bytes | None:
    """Give the leaf of a row of `events`; None when it has neither payload nor commitment.

    Raises EvidenceError for values that no event has.
    """
    seq, *columns, salt, committed = row
    try:
        return stored_leaf(seq, columns[0], columns, salt, committed)
    except (TypeError, ValueError, struct.error) as error:
        raise EvidenceError(f"event {seq} holds what no event does: {error}") from None


class Hashes:
    """Hashes of a store, for as long as it takes to make a few proofs. Used by one thread."""

    def __init__(self, folder: Path, evidence: EvidenceFile) -> None:
        self._folder = folder
        self._evidence = evidence
        self._segments = catalog(folder)
        self._opened: dict[Path, sqlite3.Connection] = {}

    def node_at(self) -> NodeAt:
        """Give what proofs are made from (`tree.inclusion_proof`, `tree.consistency_proof`, `tree.tree_of`)."""
        return nodes_from(self._read, 1, self._evidence.node)

    def close(self) -> None:
        """Let the files go."""
        for connection in self._opened.values():
            connection.close()
        self._opened.clear()

    def _read(self, wanted: HashRange) -> list[bytes]:
        read = self.leaves if wanted.level == 0 else self._level1
        return read(wanted.start, wanted.start + wanted.width)

    def _level1(self, low: int, high: int) -> list[bytes]:
        found = self._evidence.level1(low, high)
        sql = "SELECT n, hash FROM level1 WHERE n >= ? AND n < ?"
        for connection in self._over(low << TILE_HEIGHT, high << TILE_HEIGHT):
            found.update(connection.execute(sql, (low, high)))
        return [found[n] for n in range(low, high) if n in found]

    def leaves(self, low: int, high: int) -> list[bytes]:
        """Give the leaves of a range, in order; fewer where some are missing."""
        found = self._evidence.leaves(low, high)
        sql = f"SELECT {_ROW} FROM events WHERE seq >= ? AND seq < ?"  # noqa: S608 - our own names only
        for connection in self._over(low, high):
            for row in connection.execute(sql, (low, high)):
                leaf = leaf_of(row)
                if leaf is not None:
                    found[row[0]] = leaf
        return [found[seq] for seq in range(low, high) if seq in found]

    def _over(self, low: int, high: int) -> Iterator[sqlite3.Connection]:
        """Open the segments that may hold something of a range of positions."""
        ends = [segment.first for segment in self._segments[1:]]
        for segment, end in zip(self._segments, [*ends, None], strict=True):
            if segment.first < high and (end is None or end > low):
                connection = self._open(segment)
                if connection is not None:
                    yield connection

    def _open(self, segment: Segment) -> sqlite3.Connection | None:
        connection = self._opened.get(segment.path)
        if connection is None:
            try:
                connection = open_read_only(segment.path)
            except sqlite3.Error as error:
                raise store_error(error, segment.path) from error
            self._opened[segment.path] = connection
        return connection if check_format(connection, segment.path) else None


def ask_hashes(folder: Path, evidence: EvidenceFile, question: Callable[[Hashes], _T]) -> _T:
    """Ask the hashes of a store something, and again when a segment was sealed under the question.

    Its old file goes while it is looked for, or is open already without its write-ahead log: that is no damage. Raises
    what the question raises (EvidenceError, as a rule), or a StoreError.
    """
    for _ in range(limits.READ_RETRIES):
        before = catalog(folder)
        try:
            with hashes_of(folder, evidence) as hashes:
                return question(hashes)
        except (EvidenceError, StoreError):
            if catalog(folder) == before:
                raise
    raise StoreBusy(f"{folder}: segments are being sealed faster than they can be read")


@contextlib.contextmanager
def hashes_of(folder: Path, evidence: EvidenceFile) -> Iterator[Hashes]:
    """Open the hashes of a store; `ask_hashes` is for those that may be sealed meanwhile."""
    hashes = Hashes(folder, evidence)
    try:
        yield hashes
    except sqlite3.Error as error:
        raise EvidenceError(f"{folder}: {error}") from error
    finally:
        hashes.close()


def kept_of_range(first: int, last: int, hashes: Hashes, sizes: Sequence[int]) -> list[tuple[int, int, bytes]]:
    """Give the nodes below level 1 that proofs need when the rows of a range are gone: (level, number, hash).

    Leaves that share 256 with an event outside of it, on both sides; and what old checkpoints end in, or are
    completed by, within their last 256. sizes: of the checkpoints whose last 256 may lie in the range.
    """
    node_at = hashes.node_at()
    begin, end = -(-first // TILE_LEAVES) * TILE_LEAVES, (last + 1) // TILE_LEAVES * TILE_LEAVES
    kept: dict[tuple[int, int], bytes] = {}
    for low, high in {(first, min(begin, last + 1)), (max(end, first), last + 1)}:
        leaves = hashes.leaves(low, high)
        if len(leaves) != high - low:
            raise EvidenceError(f"leaves are missing: {high - low} from {low}", expected=high - low, found=len(leaves))
        kept.update({(0, seq): leaf for seq, leaf in zip(range(low, high), leaves, strict=True)})
    wanted: set[tuple[int, int]] = set()
    for size in sizes:
        for level, number in nodes_to_keep(size):
            low, high = number << level, (number + 1) << level
            if first <= low and high - 1 <= last:
                wanted.add((level, number))
    kept.update({name: node_at(*name) for name in wanted - kept.keys()})
    return [(level, number, found) for (level, number), found in sorted(kept.items())]
