"""What a vocabulary is: how one kind of source names its fields, and what each name means.

Rows say what a name means wherever it stands (compared without case, `_` and `-`: `user_name`, `userName`, `USER-NAME`
and journald's `_USER_NAME` are one; a dot goes into an inner object, or is a dot of the key). They are made into plans,
once for each shape. What takes more than a name - an action told by a table, a target put together - is a function
`read`, called after the rows. Knows how these are written down; no names, no values.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

from receiver.normalize.mapped import Convert
from receiver.normalize.vocabularies.reader import Reader

Row = tuple[str, Convert | None, str]
"""The column, the function (None: a text as it is), the names."""

Recognise = Callable[[AbstractSet[str]], bool]
"""Says from the canonical names at the top level, and the first parts of names with dots."""

Read = Callable[[Reader], None]
Inner = Callable[[Reader], dict[str, Any] | None]

_FILLS: Final = ("actor", "actor_as", "action", "outcome", "reason", "target", "source_ip", "source_port", "session")


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

    about: whose objects these are. containers: canonical names under which an inner object may mean something.
    read: fills what rows cannot say. inner: finds the object that an envelope is around.
    rule: what the column `rule` says.
    """

    name: str
    about: str
    recognise: Recognise
    readings: dict[str, list[Reading]]
    outer: dict[str, list[Reading]]
    containers: frozenset[str]
    read: Read | None
    inner: Inner | None
    rule: str


def canonical(name: str) -> str:
    """Spell a field's name without case, `_` and `-`."""
    return name.lower().replace("_", "").replace("-", "")


def having(*shapes: str) -> Recognise:
    """Recognise an object by names that all stand in it; any of these lists of names will do."""
    wanted = [frozenset(canonical(name) for name in shape.split()) for shape in shapes]
    return lambda names: any(shape <= names for shape in wanted)


def make_vocabulary(
    name: str,
    about: str,
    recognise: Recognise,
    *rows: Row,
    read: Read | None = None,
    inner: Inner | None = None,
    without: str = "",
) -> Vocabulary:
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
    rule = f"{name}/json"
    return Vocabulary(name, about, recognise, readings, outer, frozenset(containers), read, inner, rule)
