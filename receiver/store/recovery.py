"""What a crash may have left, put in order before anything is written. Knows the folder; the caller holds the lock.

Left may be: files under construction, both forms of a segment, side files without their database, a blank live
segment, and segments that were full but not yet sealed.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from receiver.store.open_segment import OpenSegment
from receiver.store.sealing import is_complete, remove
from receiver.store.segment import Segment, catalog, live_path, side_files, store_error, sync_folder

if TYPE_CHECKING:
    from pathlib import Path

_SIDE_FILE: Final = re.compile(r"(\d{12}-(?:\d{12})?\.db)-(?:wal|shm|journal)")


class Recovered(NamedTuple):
    """Where the log goes on: the live segment's first position, the last `received_at`, and what is to be sealed."""

    first: int
    last_received_at: int
    backlog: list[tuple[Path, int, int]]


def recover(folder: Path) -> Recovered:
    """Clear away what a crash left, and find the end of the log. Raises a StoreError."""
    _clear(folder)
    segments = catalog(folder)
    backlog = [
        (segment.path, segment.first, following.first - 1)
        for segment, following in pairwise(segments)
        if segment.last is None
    ]
    first, last_received_at = 0, 0
    for segment in reversed(segments):
        end, last_received_at = _end_of(segment)
        if segment is segments[-1]:
            first = end if segment.last is not None else segment.first
        if end > segment.first:
            break
    return Recovered(first, last_received_at, backlog)


def _end_of(segment: Segment) -> tuple[int, int]:
    """Give the position after a segment's last event, and when that event came."""
    try:
        with closing(OpenSegment(segment)) as opened:
            end = opened.span.high
            return end, (opened.received_at(end - 1) or 0) if end > segment.first else 0
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
