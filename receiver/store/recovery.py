"""What a crash may have left, put in order before anything is written. Knows the folder; the caller holds the lock.

Left may be: files under construction, both forms of a segment, side files without their database, a blank live
segment, and segments that were full but not yet sealed.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final, NamedTuple

from receiver.evidence.tree import Tree
from receiver.store.open_segment import OpenSegment
from receiver.store.sealing import file_digest, is_complete, remove
from receiver.store.segment import Segment, catalog, live_path, side_files, store_error, sync_folder

if TYPE_CHECKING:
    from pathlib import Path

    from receiver.store.evidence_file import EvidenceFile

_SIDE_FILE: Final = re.compile(r"(\d{12}-(?:\d{12})?\.db)-(?:wal|shm|journal)")


class Recovered(NamedTuple):
    """Where the log goes on: the live segment's first position, the last `received_at`, and what is to be sealed.

    tree: what a live segment that is not there yet begins with.
    """

    first: int
    last_received_at: int
    backlog: list[tuple[Path, int, int]]
    tree: Tree


def recover(folder: Path, evidence: EvidenceFile) -> Recovered:
    """Clear away what a crash left, and find the end of the log. Raises a StoreError."""
    _clear(folder)
    segments = catalog(folder)
    _settle_digests(segments, evidence)
    backlog = [
        (segment.path, segment.first, _end_of(segment).tree.size - 1)
        for segment in segments[:-1]
        if segment.last is None
    ]
    first, last_received_at, tree = 0, 0, Tree()
    for segment in reversed(segments):
        end = _end_of(segment)
        last_received_at = end.received_at
        if segment is segments[-1]:
            first = segment.first
            if segment.last is not None:
                first = end.tree.size
            elif end.seq < end.tree.size:
                # Rows are gone that the tree knows. The log goes on behind them, and `verify` names what is missing.
                first = end.tree.size
                backlog.append((segment.path, segment.first, first - 1))
        tree = max(tree, end.tree, key=lambda found: found.size)
        if end.seq > segment.first:
            break
    return Recovered(first, last_received_at, backlog, tree)


def _settle_digests(segments: list[Segment], evidence: EvidenceFile) -> None:
    """Find out whether the sealed files a crash left half noted came to their place."""
    files = {segment.first: segment.path for segment in segments if segment.last is not None}
    for found in evidence.sealed().values():
        if found.pending is not None:
            is_there = found.first in files and file_digest(files[found.first]) == found.pending
            evidence.settle_sealed(found.first, found.pending if is_there else None)


class _End(NamedTuple):
    """The end of a segment: the position after its last event, when that came, and the tree it says there is."""

    seq: int
    received_at: int
    tree: Tree


def _end_of(segment: Segment) -> _End:
    try:
        with closing(OpenSegment(segment)) as opened:
            end = opened.span.high
            return _End(end, (opened.received_at(end - 1) or 0) if end > segment.first else 0, opened.tree())
    except sqlite3.Error as error:
        raise store_error(error, segment.path) from error


def _clear(folder: Path) -> None:
    for path in folder.glob("*.db.tmp*"):
        path.unlink()
    for segment in catalog(folder):
        live = live_path(folder, segment.first)
        if segment.last is None or not live.exists():
            continue
        if is_complete(segment.path, segment.first, segment.last):
            remove(live, *side_files(live))
        else:
            remove(segment.path)
    for path in folder.iterdir():
        side = _SIDE_FILE.fullmatch(path.name)
        if side is not None and not (folder / side[1]).exists():
            path.unlink()
    sync_folder(folder)
