"""What a vocabulary is: how one kind of source names its fields, and what each name means.

Knows how rows are written down, no names and no values; the modules beside this one have those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from receiver.normalize.objects.mapped import Convert

Row = tuple[str, Convert | None, str]
"""The column, the function (None: a text as it is), the names."""

Recognise = Callable[[AbstractSet[str]], bool]

Rewrite = Callable[[dict[str, Any]], dict[str, Any] | None]
"""An object → the same said with other names, read in its place; None where that is not sure."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one name means. rank: its place in the order of reading; inwards: names of inner objects further down."""

    rank: int
    column: str
    convert: Convert | None
    inwards: tuple[str, ...] = ()


class Vocabulary:
    """What the names of one kind of object mean; worked out when the first such object comes: all of them cost 0.2 s.

    own: a product's own audit log, whose fields are surer than any rule for its text. rewrite: for objects whose names
    stand in their values.
    """

    def __init__(
        self, name: str, recognise: Recognise, rows: Sequence[Row], without: str, *, own: bool, rewrite: Rewrite | None
    ) -> None:
        self.name = name
        self.recognise = recognise
        self.own = own
        self.rewrite = rewrite
        self._rows = rows
        self._without = without

    @property
    def readings(self) -> dict[str, list[Reading]]:
        """Readings by canonical name."""
        return self._names[0]

    @property
    def outer(self) -> dict[str, list[Reading]]:
        """Of names with more than two parts: readings by the first two."""
        return self._names[1]

    @property
    def containers(self) -> frozenset[str]:
        """Canonical names under which an inner object may mean something."""
        return self._names[2]

    @cached_property
    def _names(self) -> tuple[dict[str, list[Reading]], dict[str, list[Reading]], frozenset[str]]:
        readings: dict[str, list[Reading]] = {}
        outer: dict[str, list[Reading]] = {}
        containers: set[str] = set()
        unwanted = set(self._without.split())
        rank = 0
        for column, convert, names in self._rows:
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
        return readings, outer, frozenset(containers)


def canonical(name: str) -> str:
    """Spell a field's name without case, `_` and `-`."""
    return name.lower().replace("_", "").replace("-", "")


def join_names(keys: Iterable[str]) -> set[str]:
    """Spell the names of an object's keys: of `user.name` also `user`, as if it were an inner object."""
    names = set()
    for key in keys:
        name = canonical(key)
        names.add(name)
        if "." in name:
            parts = name.split(".", _MOST_PARTS)
            names.update(".".join(parts[:length]) for length in range(1, len(parts)))
    return names


_MOST_PARTS: Final = 8


def nest(fields: dict[str, Any]) -> dict[str, Any]:
    """Make inner objects of names with dots; what finds its way taken by a value is left off."""
    nested = {key: value for key, value in fields.items() if "." not in key}
    made: dict[tuple[str, ...], dict[str, Any]] = {}
    for key, value in fields.items():
        *way, last = key.split(".", _MOST_PARTS)
        place = nested
        for depth, name in enumerate(way, 1):
            path = tuple(way[:depth])
            if path not in made:
                inner = place.get(name, {})
                if type(inner) is not dict:
                    break
                made[path] = place[name] = dict(inner)
            place = made[path]
        else:
            place.setdefault(last, value)
    return nested


def shape(all_of: str = "", any_of: str = "", only: str = "", none_of: str = "") -> Recognise:
    """Make a recogniser: names that must all be there, of which one must be, beside which no other may be."""
    every, some, most, never = (
        frozenset(map(canonical, names.split())) for names in (all_of, any_of, f"{only} {all_of}", none_of)
    )
    return lambda names: (
        every <= names
        and not (some and some.isdisjoint(names))
        and not (only and any(name not in most for name in names if "." not in name))
        and never.isdisjoint(names)
    )


def either(*recognisers: Recognise) -> Recognise:
    """Make a recogniser of several shapes."""
    return lambda names: any(recognise(names) for recognise in recognisers)


def make_vocabulary(
    name: str, recognise: Recognise, *rows: Row, without: str = "", own: bool = False, rewrite: Rewrite | None = None
) -> Vocabulary:
    """Build a vocabulary. without: names of its rows that mean nothing here."""
    return Vocabulary(name, recognise, rows, without, own=own, rewrite=rewrite)


def make_own(name: str, recognise: Recognise, *rows: Row) -> Vocabulary:
    """Build the vocabulary of a product's own audit log."""
    return make_vocabulary(name, recognise, *rows, own=True)
