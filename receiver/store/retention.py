"""What may go: which segments are too old or too many, which events have a shorter life, and what a hold keeps.

Knows sealed segments and the policy; decides, and removes what was decided, noted and announced. The order is that of
safety: what proofs need is kept in `evidence.db` and synced, the log says what goes, then the file is unlinked.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from receiver.errors import EvidenceError, StoreCorrupt
from receiver.event import COLUMNS
from receiver.evidence.tree import TILE_LEAVES
from receiver.store.filter import Filter
from receiver.store.hashes import ask_hashes, kept_of_range
from receiver.store.open_segment import OpenSegment
from receiver.store.segment import Segment, catalog, open_read_only, side_files, store_error, sync_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from receiver.store.evidence_file import EvidenceFile, Hold
    from receiver.store.plan import Range

_FORMAT: Final = COLUMNS.index("format")
_OWN_FORMAT: Final = "internal"


@dataclass(frozen=True)
class ShorterLife:
    """Events of one kind that go before the rest: `where` without times."""

    where: Filter
    max_age_seconds: float
    reason: str


@dataclass(frozen=True)
class RetentionPolicy:
    """How long the log is kept; None: no such bound."""

    max_age_seconds: float | None = None
    max_bytes: int | None = None
    min_free_bytes: int | None = None
    shorter: tuple[ShorterLife, ...] = ()


class SegmentFacts(NamedTuple):
    """A sealed segment as retention sees it; newest: `received_at` of its last event, µs."""

    segment: Segment
    size_bytes: int
    newest: int


class Removal(NamedTuple):
    """A segment that goes, and why."""

    segment: Segment
    size_bytes: int
    reason: str


def choose(
    facts: Sequence[SegmentFacts], policy: RetentionPolicy, now_us: int, total_bytes: int, free_bytes: int
) -> list[Removal]:
    """Choose which go, oldest first. facts: of those nothing holds. total_bytes: of the whole store."""
    chosen: list[Removal] = []
    for segment, size_bytes, newest in facts:
        if policy.max_age_seconds is not None and now_us - newest > policy.max_age_seconds * 1_000_000:
            reason = "retention.max_age"
        elif policy.max_bytes is not None and total_bytes > policy.max_bytes:
            reason = "retention.max_bytes"
        elif policy.min_free_bytes is not None and free_bytes < policy.min_free_bytes:
            reason = "retention.min_free_bytes"
        else:
            break
        chosen.append(Removal(segment, size_bytes, reason))
        total_bytes -= size_bytes
        free_bytes += size_bytes
    return chosen


def sealed_facts(folder: Path) -> list[SegmentFacts]:
    """Look at the sealed segments, oldest first. Raises a StoreError."""
    found = []
    for segment in catalog(folder):
        if segment.last is None:
            continue
        try:
            with closing(OpenSegment(segment)) as opened:
                newest = opened.received_at(segment.last) or 0
        except sqlite3.Error as error:
            raise store_error(error, segment.path) from error
        found.append(SegmentFacts(segment, segment.path.stat().st_size, newest))
    return found


# --- holds ---


def filter_text(where: Filter) -> str:
    """Write a filter as it is kept with a hold."""
    return json.dumps({name: value for name, value in asdict(where).items() if value not in {None, False}})


def filter_of(hold: Hold) -> Filter:
    """Read a hold's filter. Raises StoreCorrupt when nobody can: it may have been to keep anything, so all is kept."""
    try:
        return Filter(**json.loads(hold.filter))
    except (ValueError, TypeError, RecursionError) as error:
        text = f"hold {hold.id} in evidence.db cannot be read ({error}) and keeps everything until it is removed"
        raise StoreCorrupt(f"{text}: audit-receiver hold remove {hold.id}") from error


def positions(segment: Segment, where: Filter, span: Range | None = None, limit: int | None = None) -> list[int]:
    """Give the positions of the events of a segment that match, own ones left out. Raises a StoreError."""
    found: list[int] = []
    try:
        with closing(OpenSegment(segment)) as opened:
            for row in opened.rows(where, span or opened.span, ascending=True):
                if row[_FORMAT] != _OWN_FORMAT:
                    found.append(row[0])
                if limit is not None and len(found) >= limit:
                    break
    except sqlite3.Error as error:
        raise store_error(error, segment.path) from error
    return found


def is_held(segment: Segment, holds: Iterable[Hold]) -> bool:
    """Tell whether a hold is on any event of a segment."""
    return any(positions(segment, filter_of(hold), limit=1) for hold in holds)


def due_positions(segment: Segment, life: ShorterLife, now_us: int, holds: Iterable[Hold]) -> list[int]:
    """Give the positions of a segment whose shorter life is over, those that a hold keeps left out."""
    until = now_us - int(life.max_age_seconds * 1_000_000)
    due = positions(segment, replace(life.where, until=until))
    if not due:
        return []
    held = {seq for hold in holds for seq in positions(segment, filter_of(hold))}
    return [seq for seq in due if seq not in held]


# --- removing ---


def note_removal(folder: Path, evidence: EvidenceFile, segment: Segment, reason: str) -> None:
    """Keep the hashes of a sealed segment that proofs go on needing, and note that it goes."""
    if segment.last is None:
        raise StoreCorrupt(f"{segment.path}: is not sealed, and does not go")
    first, last = segment.first, segment.last
    try:
        with closing(open_read_only(segment.path)) as connection:
            level1 = connection.execute("SELECT n, hash FROM level1").fetchall()
    except sqlite3.Error as error:
        raise store_error(error, segment.path) from error
    following = evidence.checkpoint_from(last + 1)
    sizes = evidence.sizes(first, last + TILE_LEAVES) + ([following.size] if following else [])
    try:
        nodes = ask_hashes(folder, evidence, lambda hashes: kept_of_range(first, last, hashes, sizes))
    except EvidenceError as error:
        raise StoreCorrupt(f"{segment.path}: {error}") from error
    evidence.note_absent(first, last, reason, level1, nodes)


def remove_absent(folder: Path, evidence: EvidenceFile) -> int:
    """Unlink the files of ranges that are noted and announced; what a crash left of that is done now."""
    absent = {found.first: found for found in evidence.absent() if found.announced}
    gone = [segment for segment in catalog(folder) if segment.last is not None and segment.first in absent]
    for segment in gone:
        for path in (segment.path, *side_files(segment.path)):
            path.unlink(missing_ok=True)
        sync_folder(folder)
        evidence.forget_range(segment.first, absent[segment.first].last)
    return len(gone)
