"""One verification of a store, from its folder to the report.

Knows the order of the steps; `collect.py` reads, `checks.py` compares. Beside a running receiver files are sealed and
rewritten meanwhile: when that touched what was read, the whole is done once more.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from receiver.errors import StoreBusy, StoreCorrupt, StoreError, StoreFull, StoreRefused
from receiver.evidence.tree import TILE_LEAVES
from receiver.store.evidence_file import EvidenceFile
from receiver.store.open_segment import OpenSegment
from receiver.store.segment import catalog, open_read_only, segment_files, side_files
from receiver.verify import checks
from receiver.verify.collect import (
    TASK_ROWS,
    Extent,
    collect,
    extents,
    join_edges,
    read_beside,
    take_kept,
    tasks_of,
)
from receiver.verify.integrity import check_integrity
from receiver.verify.report import Change, Report
from receiver.verify.rows import Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from receiver.evidence.keys import VerifierKey
    from receiver.store.evidence_file import Absent, Hold, Redaction, SealedDigest, StoredCheckpoint
    from receiver.store.segment import Segment
    from receiver.verify.checks import RecordedHead
    from receiver.verify.collect import Collected

TRIES: Final = 6
PAUSE_SECONDS: Final = 0.5
"""Longer from try to try: what a receiver has under way is done by then."""
_FOREIGN: Final = f"SELECT n FROM level1 WHERE n < ? OR n >= (SELECT max(size) / {TILE_LEAVES} FROM tree)"  # noqa: S608
_NEVER: Final = "the log was stopped or sealed, which signs a checkpoint, and there is none"


@dataclass(frozen=True)
class Question:
    """What is to be verified, and against what.

    keys: those the asker trusts; none: those the store names. copies: checkpoints kept elsewhere, as (where, note).
    recorded: heads that Prometheus has. since: µs; rows of segments that ended before are not read again.
    known: digests of sealed files that were verified before; size: how far that was.
    """

    folder: Path
    keys: tuple[VerifierKey, ...] = ()
    copies: tuple[tuple[str, bytes], ...] = ()
    recorded: tuple[RecordedHead, ...] = ()
    since: int | None = None
    known: Mapping[int, bytes] | None = None
    known_size: int = 0
    known_root: bytes = b""
    processes: int | None = None
    progress: Callable[[int, int], None] | None = None


@dataclass
class Verified:
    """A report, and what to remember of it."""

    report: Report
    digests: dict[int, bytes]


@dataclass(frozen=True)
class _Tables:
    """What `evidence.db` says, read at once."""

    checkpoints: list[StoredCheckpoint]
    verifiers: list[str]
    level1: dict[int, bytes]
    nodes: dict[tuple[int, int], bytes]
    absent: list[Absent]
    redactions: list[Redaction]
    sealed: dict[int, SealedDigest]
    holds: list[Hold]

    @classmethod
    def read(cls, folder: Path) -> _Tables:
        evidence = EvidenceFile(folder, read_only=True)
        try:
            damage = evidence.damage()
            if damage is not None:
                raise StoreCorrupt(damage)
            return cls(
                evidence.checkpoints(), evidence.verifiers(), evidence.level1(0, 2**62), evidence.nodes(),
                evidence.absent(), evidence.redactions(), evidence.sealed(),
                evidence.holds(),
            )  # fmt: skip
        finally:
            evidence.close()


def verify(question: Question) -> Verified:
    """Verify. Raises StoreRefused when there is no store, StoreBusy when it changes too fast to tell."""
    for attempt in range(TRIES):
        segments = catalog(question.folder)
        if not segments:
            raise StoreRefused(f"{question.folder}: there is no store here")
        if not (question.folder / "evidence.db").exists():
            return _without_evidence(Change.REMOVED, "is missing: every checkpoint stood in it")
        try:
            tables = _Tables.read(question.folder)
        except (StoreCorrupt, StoreFull) as error:  # full: what cannot be read, in SQLite's words
            return _without_evidence(Change.UNREADABLE, str(error))
        verified = _verify(question, segments, tables)
        if not verified.report.problems or not _has_moved(question.folder, segments, tables):
            return verified
        time.sleep(attempt * PAUSE_SECONDS)
    text = "events are sealed, erased or removed faster than they can be read; verify again, or verify a backup"
    raise StoreBusy(f"{question.folder}: {text}")


def _without_evidence(change: Change, text: str) -> Verified:
    report = Report()
    report.add(change, "evidence.db", text)
    return Verified(report, {})


def _has_moved(folder: Path, segments: Sequence[Segment], tables: _Tables) -> bool:
    """Tell whether files were sealed, rewritten or removed since."""
    try:
        now = _Tables.read(folder)
        return catalog(folder) != segments or (now.sealed, now.absent, now.redactions, now.holds) != (
            tables.sealed, tables.absent, tables.redactions, tables.holds,
        )  # fmt: skip
    except StoreError:
        return True


def _verify(question: Question, segments: Sequence[Segment], tables: _Tables) -> Verified:
    report = Report(segments=len(segments))
    _check_files(question.folder, segments, report)
    there = extents(segments, report)
    size = max((extent.end for extent in there), default=0)
    report.size = size
    notes = [kept.note.encode() for kept in tables.checkpoints] + [note for _, note in question.copies]
    checks.check_verifiers(tables.verifiers, report)
    keys = checks.trusted_keys(question.keys, tables.verifiers, notes)
    heads = checks.stored_heads(tables.checkpoints, keys, report)
    for where, note in question.copies:
        head = checks.open_head(where, note, keys, report)
        if head is not None:
            heads.append(head)
    report.checkpoints = len(heads)
    report.origin = max(heads, key=lambda head: head.checkpoint.size).checkpoint.origin if heads else None
    digests, floor, collected = _read(question, there, heads, report)
    _compare(question, there, tables, heads, collected, report, digests, floor)
    return Verified(report, collected.digests)


def _check_files(folder: Path, segments: Sequence[Segment], report: Report) -> None:
    """Look for files that have no place in a store: who asks it with the sqlite3 tool is shown what they hold."""
    known = {segment.path for segment in segments}
    for extra in segment_files(folder):
        if extra.path not in known and extra.last is not None:
            report.add(Change.INSERTED, extra.path.name, "is a second file of the events from there on", extra.first)
    for segment in segments:
        beside = [] if segment.last is None else [path.name for path in side_files(segment.path) if path.exists()]
        for name in beside:
            text = "lies beside a sealed file, which has none: who opens that is shown what it does not hold"
            report.add(Change.INSERTED, name, text, segment.first)


def _read(
    question: Question, there: Sequence[Extent], heads: Sequence[checks.KnownHead], report: Report
) -> tuple[dict[int, bytes], int, Collected]:
    """Read the rows, but for segments that an earlier verification or `since` lets be; gives their digests."""
    sealed = [extent.segment for extent in there if extent.segment.last is not None]
    # Hashed beside the reading, unless the digests decide what is to be read.
    hashed = {} if question.known is None else collect([], sealed, report, question.processes).digests
    trusted = {
        extent.segment.first
        for extent in there
        if extent.segment.last is not None and _is_trusted(question, extent.segment, hashed)
    }
    floor = max((extent.end for extent in there if extent.segment.first in trusted), default=0)
    sizes = sorted({head.checkpoint.size for head in heads} | {head.size for head in question.recorded})
    tasks: list[Task] = []
    for extent in there:
        if extent.segment.first in trusted:
            report.trusted += extent.end - extent.segment.first
            tasks += _edges(extent)
        else:
            tasks += tasks_of(extent, sizes)
    left = [segment for segment in sealed if segment.first not in hashed]
    collected = collect(tasks, left, report, question.processes, question.progress)
    collected.digests.update(hashed)
    collected.size = report.size
    for extent in there:
        if extent.segment.first in trusted:
            read_beside(extent.segment, collected)
    return {first: collected.digests.get(first, b"") for first in trusted}, floor, collected


def _is_trusted(question: Question, segment: Segment, digests: Mapping[int, bytes]) -> bool:
    if question.known is not None and digests.get(segment.first) == question.known.get(segment.first, b""):
        return True
    if question.since is None or segment.last is None:
        return False
    try:
        with closing(OpenSegment(segment)) as opened:
            newest = opened.received_at(segment.last)
    except (sqlite3.Error, StoreError):
        return False
    return newest is not None and newest < question.since


def _edges(extent: Extent) -> list[Task]:
    """Give the ranges at both ends whose 256 leaves other segments share."""
    first, end = extent.segment.first, extent.end
    begin, last = -(-first // TILE_LEAVES) * TILE_LEAVES, end // TILE_LEAVES * TILE_LEAVES
    if begin >= last:
        return [Task(extent.segment, first, end, ())] if end - first < TASK_ROWS else []
    ranges = [(first, begin), (last, end)]
    return [Task(extent.segment, low, high, ()) for low, high in ranges if low < high]


def _compare(
    question: Question,
    there: Sequence[Extent],
    tables: _Tables,
    heads: Sequence[checks.KnownHead],
    collected: Collected,
    report: Report,
    trusted: Mapping[int, bytes],
    floor: int,
) -> None:
    sizes = [kept.size for kept in tables.checkpoints]
    take_kept(collected, report.size, tables.level1, tables.nodes, sizes)
    join_edges(collected)
    checks.check_kept_apart(tables.level1, tables.nodes, collected, report)
    _compare_shared(there, collected, report)
    checks.check_states(there, collected, report)
    checks.check_two_roots(heads, report)
    checks.check_heads(heads, question.recorded, collected, report, floor)
    checks.check_ends(tables.checkpoints, tables.nodes, collected, report)
    named = checks.named_by((act for act in collected.acts if act.seq < report.signed_size), report)
    unsigned = checks.named_by((act for act in collected.acts if act.seq >= report.signed_size), report)
    report.absent = checks.check_absent(there, named.absent, tables.absent, report)
    checks.check_redactions(collected.redacted, named, unsigned, report)
    read = [(extent.segment.first, extent.end - 1) for extent in there if extent.segment.first not in trusted]
    pending = [(found.first, found.last) for found in tables.redactions if not found.done]
    checks.check_restored(collected.redacted, named.redacted, read, pending, report)
    whole = [(extent.segment.first, extent.end - 1) for extent in there]
    listed = [(found.first, found.last) for found in tables.redactions]
    checks.check_listed(named.redacted, whole, listed, report)
    checks.check_holds(collected.acts, report.signed_size, tables.holds, report)
    segments = [extent.segment for extent in there]
    closer = checks.check_digests(segments, collected.digests, tables.sealed, named, report)
    for segment in [*closer, *(segment for segment in segments if segment.last is None)]:
        check_integrity(segment, report)
    _check_remembered(question, collected, report)
    if not tables.checkpoints and any(act.action in {"log.rotate", "log.stop"} for act in collected.acts):
        report.add(Change.REMOVED, "checkpoints", _NEVER)
    tree = collected.heads([report.size]).get(report.size)
    report.root = tree.root if tree is not None else b""
    report.problems.sort(key=lambda problem: (problem.seq is None, problem.seq or 0))


def _compare_shared(there: Sequence[Extent], collected: Collected, report: Report) -> None:
    """Compare the hashes of 256 leaves that lie in two segments: the rows of one alone do not give them."""
    for extent in there:
        first, end = extent.segment.first, extent.end
        shared = {n for n in (first // TILE_LEAVES, (end - 1) // TILE_LEAVES) if n in collected.level1}
        try:
            with closing(open_read_only(extent.segment.path)) as connection:
                marks = ", ".join(str(int(n)) for n in shared) or "NULL"
                stored = dict(connection.execute(f"SELECT n, hash FROM level1 WHERE n IN ({marks})"))  # noqa: S608
                foreign = connection.execute(_FOREIGN, (first // TILE_LEAVES,)).fetchone()
        except sqlite3.Error as error:
            report.add(Change.UNREADABLE, extent.segment.path.name, str(error), first)
            continue
        checks.check_kept(stored, collected, report)
        if foreign is not None:
            text = f"keeps a hash of events that are not in it (page {foreign[0]} of {TILE_LEAVES} events)"
            report.add(Change.INSERTED, extent.segment.path.name, text, first)


def _check_remembered(question: Question, collected: Collected, report: Report) -> None:
    """Compare with the head of the verification before: the log must go on from it."""
    if not question.known_size:
        return
    if question.known_size > report.size:
        text = f"an earlier verification saw {question.known_size} events, the log ends at {report.size}"
        report.add(Change.ROLLED_BACK, f"events {report.size}–{question.known_size - 1}", text, report.size)
        return
    tree = collected.heads([question.known_size]).get(question.known_size)
    if tree is not None and tree.root != question.known_root:
        text = f"an earlier verification saw another root of {question.known_size} events"
        report.add(Change.RESIGNED, f"events 0–{question.known_size - 1}", text)
