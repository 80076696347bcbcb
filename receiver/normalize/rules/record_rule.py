"""A rule for texts that are fields by themselves: conditions on the fields, and which fields fill which column.

Knows records (`record.py`), no YAML. Rules that stand side by side are one for the dispatch (`RecordRules`): a text is
read once, however many rules look at it, and of Linux audit only the rules of the record's type do.

`where`, all of which must hold: a text or a list of texts (the field is one of them), {not: …} (it is none of them),
{has: …} (one of them stands in it, in any case), {begins: …}, {present: true|false}.
`take`: a column, or a name in `data`, from the first of these fields that has a value. `outcome` is read as a word.
`set`: as with patterns; {field} is the value of a field, {field|field} that of the first that has one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from receiver.normalize.address import MAX_PORT, parse_ip
from receiver.normalize.rules.record import NONE, READERS, Record
from receiver.normalize.rules.rule import COLUMNS, SLOTS, Columns, PatternError
from receiver.normalize.words import YES_NO

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TESTS: Final = ("not", "has", "begins", "present")
_BEGINNINGS: Final = {
    "cef": ("CEF:0|", "CEF:1|"),
    "leef": ("LEEF:1.0|", "LEEF:2.0|"),
}
_NEEDLES: Final = {"linux-audit": "=", "kv": "=", "checkpoint": "", "windows": " "}
_LONGEST_WORD: Final = 40
_LONGEST_ADDRESS: Final = 140
_SOURCE_PORT: Final = SLOTS["source_port"]
_WITH_PORT: Final = re.compile(r"(\d{1,3}(?:\.\d{1,3}){3}|\[[0-9A-Fa-f:.]{2,45}\]):(\d{0,5})(?::[\w.-]{0,40}){0,2}")
"""`203.0.113.7:51234`, `[2001:db8::7]:51234`; SonicWall adds the interface, `…:X1`."""
_TEMPLATE_FIELDS: Final = re.compile(r"\{([A-Za-z_][\w|-]*)\}")
"""`{field}`, or `{field|field|…}`: the first of them that has a value."""


def has_value(value: str | None) -> bool:
    """Tell a value from the marks that stand for none."""
    return value is not None and value not in NONE


class RecordRule:
    """One set of conditions and what to do with the fields."""

    __slots__ = (
        "_read", "_settings", "_take", "_tests", "alone", "apps", "expression", "file", "groups", "kind", "line",
        "name", "needle", "numbers", "open_ended", "pattern", "prefixes", "settings", "types",
    )  # fmt: skip

    def __init__(
        self, name: str, kind: str, where: dict[str, Any], take: dict[str, Any], settings: dict[str, str],
        file: str, line: int, begins: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.name = name
        self.kind = kind
        self.settings = settings
        self.file = file
        self.line = line
        self.apps: tuple[str, ...] | None = None
        self.alone = False
        self.prefixes = tuple(begins) or _BEGINNINGS.get(kind, ("",))
        self.needle = _NEEDLES.get(kind, "|")
        self.open_ended = False
        """A record whose end is missing may lack the field that decides."""
        self.pattern = self.expression = ""
        self.numbers: frozenset[str] = frozenset()
        of_type = where.get("type")
        self.types = frozenset(_words(of_type)) if isinstance(of_type, str | list) else None
        """Values of the field `type` that it is for; None: it has to be asked."""
        self._read = READERS[kind]
        self._tests = tuple((field, _test(condition)) for field, condition in where.items())
        self._take = tuple((name, _words(fields)) for name, fields in take.items())
        self._settings = tuple((SLOTS[name], text, _TEMPLATE_FIELDS.findall(text)) for name, text in settings.items())
        self.groups = tuple(take)

    def prepare(self) -> None:
        """Nothing is left to prepare; pattern rules have it."""

    compile = prepare

    def holds(self, record: Record) -> bool:
        """Say if all conditions hold."""
        return all(test(record.get(field)) for field, test in self._tests)

    def fullmatch(self, text: str) -> Record | None:
        """Give the record when all conditions hold."""
        record = self._read(text) if text.startswith(self.prefixes) else None
        return record if record is not None and self.holds(record) else None

    def read(self, record: Record) -> tuple[Columns, dict[str, Any]]:
        """Give the columns, and what goes to `data` beside them."""
        values: list[Any] = [None] * len(COLUMNS)
        extras: dict[str, Any] = {}
        for slot, text, names in self._settings:
            values[slot] = _filled(text, names, record) if names else text
        for name, fields in self._take:
            value = next((record[field] for field in fields if has_value(record.get(field))), None)
            if value is None:
                continue
            column = SLOTS.get(name)
            if column is None:
                extras[name] = value
            elif name == "outcome":
                values[column] = YES_NO.get(value.lower()) if len(value) < _LONGEST_WORD else None
            elif name == "source_ip":
                address, port = _address_and_port(value)
                values[column] = address
                if address is None:
                    extras["source_host"] = value
                elif port is not None and values[_SOURCE_PORT] is None:
                    values[_SOURCE_PORT] = port
            elif name == "source_port":
                values[column] = _port(value)
            else:
                values[column] = value
        return tuple(values), extras


class RecordRules:
    """Rules side by side that read the same texts, as one: the first whose conditions hold takes the record."""

    __slots__ = ("_by_type", "_of_no_type", "_read", "needle", "open_ended", "prefixes", "rules")

    def __init__(self, rules: Sequence[RecordRule]) -> None:
        first = rules[0]
        self.rules = tuple(rules)
        self.prefixes = first.prefixes
        self.needle = first.needle
        self.open_ended = False
        self._read = READERS[first.kind]
        types = {name for rule in rules for name in rule.types or ()}
        self._of_no_type = tuple(rule for rule in rules if rule.types is None)
        self._by_type: dict[str | None, tuple[RecordRule, ...]] = {
            name: tuple(rule for rule in rules if rule.types is None or name in rule.types) for name in types
        }

    @staticmethod
    def together(one: RecordRule, other: RecordRule) -> bool:
        """Say if two rules read the same texts."""
        return one.kind == other.kind and one.prefixes == other.prefixes

    def fullmatch(self, text: str) -> tuple[RecordRule, Record] | None:
        """Give the rule that takes a text, and its record."""
        record = self._read(text) if text.startswith(self.prefixes) else None
        if record is None:
            return None
        rules = self._by_type.get(record.get("type"), self._of_no_type)
        return next(((rule, record) for rule in rules if rule.holds(record)), None)


def _filled(text: str, names: Sequence[str], record: Record) -> str | None:
    values = []
    for alternatives in names:
        value = next((record[name] for name in alternatives.split("|") if has_value(record.get(name))), None)
        if value is None:
            return None
        values.append(value)
    plain = _TEMPLATE_FIELDS.split(text)[::2]
    return plain[0] + "".join(value + rest for value, rest in zip(values, plain[1:], strict=True))


def _address_and_port(value: str) -> tuple[str | None, int | None]:
    """Read an address, alone, with the port behind it, or behind how it came: `https(203.0.113.7)`."""
    if value.endswith(")"):
        value = value[:-1].partition("(")[2]
    address = parse_ip(value)
    if address is None and len(value) < _LONGEST_ADDRESS and (both := _WITH_PORT.fullmatch(value)):
        return parse_ip(both[1]), _port(both[2])
    return address, None


def _port(value: str) -> int | None:
    if len(value) > 5 or not (value.isascii() and value.isdigit()):
        return None
    port = int(value)
    return port if port <= MAX_PORT else None


def _words(given: Any) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _test(condition: Any) -> Callable[[str | None], bool]:
    """Turn a condition into a function; raises PatternError."""
    if isinstance(condition, dict):
        tests = [_special(kind, given) for kind, given in condition.items()]
        return tests[0] if len(tests) == 1 else lambda value: all(test(value) for test in tests)
    allowed = frozenset(_words(condition))
    return lambda value: value in allowed


def _special(kind: str, given: Any) -> Callable[[str | None], bool]:
    if kind == "present":
        return lambda value: has_value(value) is given
    words = _words(given)
    if kind == "not":
        return lambda value: value not in words
    if kind == "has":
        folded = tuple(word.casefold() for word in words)
        return lambda value: value is not None and any(word in value.casefold() for word in folded)
    if kind == "begins":
        return lambda value: value is not None and value.startswith(words)
    raise PatternError(f"unknown test {kind!r}: there are {', '.join(TESTS)}")
