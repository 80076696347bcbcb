"""What a vocabulary is: how one kind of source names its fields, and what each name means.

Knows how rows are written down, no names and no values; `vocabularies.py` and `audit_vocabularies.py` have those.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from receiver.normalize.mapped import Convert

Row = tuple[str, Convert | None, str]
"""The column, the function (None: a text as it is), the names."""

Recognise = Callable[[AbstractSet[str]], bool]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one name means. rank: its place in the order of reading; inwards: names of inner objects further down."""

    rank: int
    column: str
    convert: Convert | None
    inwards: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Readings by canonical name. outer: by the first two parts of names with more.

    containers: canonical names under which an inner object may mean something.
    """

    name: str
    recognise: Recognise
    readings: dict[str, list[Reading]]
    outer: dict[str, list[Reading]]
    containers: frozenset[str]


def canonical(name: str) -> str:
    """Spell a field's name without case, `_` and `-`."""
    return name.lower().replace("_", "").replace("-", "")


def make_vocabulary(name: str, recognise: Recognise, *rows: Row, without: str = "") -> Vocabulary:
    """Build a vocabulary. without: names of its rows that mean nothing here."""
    readings: dict[str, list[Reading]] = {}
    outer: dict[str, list[Reading]] = {}
    containers: set[str] = set()
    unwanted = set(without.split())
    rank = 0
    for column, convert, names in rows:
        for alias in names.split():
            known = readings.setdefault(canonical(alias), [])
            if alias in unwanted or any(reading.column == column for reading in known):
                continue
            rank += 1
            known.append(Reading(rank, column, convert))
            parts = alias.split(".")
            containers.update(canonical(".".join(parts[:length])) for length in range(1, len(parts)))
            if len(parts) > 2:
                start = canonical(".".join(parts[:2]))
                outer.setdefault(start, []).append(Reading(rank, column, convert, tuple(parts[2:])))
    return Vocabulary(name, recognise, readings, outer, frozenset(containers))
