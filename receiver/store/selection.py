"""Which events a redaction is about: what is asked for, less what is not there, gone already, or must stay.

Knows the folder, its segments and the filter. Events of the log's own that proofs need (what was redacted, removed,
sealed) cannot be redacted; those that quote what is looked for (who queried for it, holds that are no longer in force)
go with it.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from receiver import limits
from receiver.errors import StoreRefused
from receiver.own_acts import HOLD_ADDED, HOLD_REMOVED
from receiver.store.filter import Filter
from receiver.store.open_segment import OpenSegment
from receiver.store.retention import filter_of, positions
from receiver.store.segment import catalog, open_read_only, store_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from receiver.store.evidence_file import Hold
    from receiver.store.redacted import Span
    from receiver.store.segment import Segment

PROTECTED_ACTIONS: Final = ("log.redact", "log.prune", "log.rotate")
QUOTING_ACTIONS: Final = ("log.query", "log.export")
_PROTECTED: Final = f"format = 'internal' AND (action IN {PROTECTED_ACTIONS} OR message = '{HOLD_REMOVED}')"
_QUOTING: Final = f"format = 'internal' AND (action IN {QUOTING_ACTIONS} OR message = '{HOLD_ADDED}')"


def redactable(
    folder: Path, wanted: Sequence[Span] | Filter, end: int, holds: Iterable[Hold] = ()
) -> list[int]:
    """Give the positions to redact, in order, those left out that are redacted already.

    end: the log's next position. holds: in force; the events that added them stay, whatever they name.
    Raises StoreRefused when a position is not in the log, not kept, or must stay.
    """
    if isinstance(wanted, Filter):
        return _matching(folder, wanted, {hold.id for hold in holds})
    asked = sum(last - first + 1 for first, last in wanted)
    if asked > limits.REDACT_SEQS:
        raise StoreRefused(f"{asked} events at once: {limits.REDACT_SEQS} at most")
    seqs = sorted({seq for first, last in wanted for seq in range(first, last + 1)})
    if seqs and (seqs[0] < 0 or seqs[-1] >= end):
        raise StoreRefused(f"there is no event {seqs[-1] if seqs[-1] >= end else seqs[0]}: the log ends before {end}")
    whole: list[int] = []
    there: set[int] = set()
    for segment in catalog(folder):
        here = [seq for seq in seqs if segment.first <= seq and (segment.last is None or seq <= segment.last)]
        if here:
            _look(segment, here, whole, there)
    missing = [seq for seq in seqs if seq not in there]
    if missing:
        raise StoreRefused(f"event {missing[0]} is not kept any more")
    return sorted(whole)


def _look(segment: Segment, seqs: Sequence[int], whole: list[int], there: set[int]) -> None:
    """Sort positions of a segment into those that have their content, and all that are there."""
    sql = f"SELECT salt IS NOT NULL, {_PROTECTED} FROM events WHERE seq = ?"  # noqa: S608 - our own names only
    try:
        with closing(open_read_only(segment.path)) as connection:
            for seq in seqs:
                row = connection.execute(sql, (seq,)).fetchone()
                if row is None:
                    continue
                there.add(seq)
                if row[1]:
                    named = "what was redacted, removed, sealed or no longer held"
                    raise StoreRefused(f"event {seq} names {named}: proofs need it")
                if row[0]:
                    whole.append(seq)
    except sqlite3.Error as error:
        raise store_error(error, segment.path) from error


def _matching(folder: Path, where: Filter, in_force: set[int]) -> list[int]:
    """Find what matches, and the own events that quote the texts that are looked for."""
    texts = [text for text in (where.actor, where.source_ip, where.host, where.target, where.contains) if text]
    found: set[int] = set()
    for segment in catalog(folder):
        found.update(positions(segment, where))
        found.update(_quoting(segment, texts, in_force))
    return sorted(found)


def _quoting(segment: Segment, texts: Sequence[str], in_force: set[int]) -> list[int]:
    """Find queries of the log, and holds that are over, whose words name one of these texts, in any case."""
    if not texts:
        return []
    wanted = [text.casefold() for text in texts]
    sql = f"SELECT seq, data FROM events WHERE {_QUOTING} AND data IS NOT NULL"  # noqa: S608 - our own names only
    try:
        with closing(OpenSegment(segment)) as opened:
            return [seq for seq, data in opened.ask(sql) if _names(data, wanted, in_force)]
    except sqlite3.Error as error:
        raise store_error(error, segment.path) from error


def _names(data: str, wanted: Sequence[str], in_force: set[int]) -> bool:
    """Say if a value in this JSON holds one of the texts; never for a hold in force, whose entry vouches for it."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):  # not as we write it: what can be seen of it decides
        said = data
    hold = said.get("hold") if isinstance(said, dict) else None
    if isinstance(hold, int) and hold in in_force:
        return False
    return any(text in value.casefold() for value in _values(said) for text in wanted)


def _values(said: Any) -> Iterator[str]:
    """Give the texts of what was said; the filter of a hold is JSON within JSON."""
    if isinstance(said, dict):
        for name, value in said.items():
            yield from _values(_within(value) if name == "filter" else value)
    elif isinstance(said, list):
        for value in said:
            yield from _values(value)
    elif isinstance(said, str):
        yield said


def _within(text: Any) -> Any:
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        return text


def held_positions(folder: Path, holds: Iterable[Hold], seqs: Sequence[int]) -> list[tuple[int, int]]:
    """Find positions that a hold keeps: (number of the hold, position)."""
    wanted = set(seqs)
    found: list[tuple[int, int]] = []
    for hold in holds:
        for segment in catalog(folder):
            if any(segment.first <= seq and (segment.last is None or seq <= segment.last) for seq in seqs):
                found += [(hold.id, seq) for seq in positions(segment, filter_of(hold)) if seq in wanted]
    return found
