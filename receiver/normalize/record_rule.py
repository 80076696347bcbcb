"""A rule for texts that are fields by themselves: conditions on the fields, and which fields fill which column.

Looks to the dispatch and the engine like a rule with a pattern (`rule.py`). Knows records (`record.py`), no YAML.
A text is read once, however many rules look at it: each reader remembers its last.

`where`, all of which must hold: a text or a list of texts (the field is one of them), {not: …} (it is none of them),
{has: …} (one of them stands in it, in any case), {begins: …}, {present: true|false}.
`take`: a column, or a name in `data`, from the first of these fields that has a value. `outcome` is read as a word.
`set`: as with patterns; {field} is the value of a field.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from receiver.normalize.address import MAX_PORT, parse_ip
from receiver.normalize.record import AUDIT_TYPES, NONE, READERS, Record
from receiver.normalize.rule import COLUMNS, SLOTS, Columns, PatternError, template_names
from receiver.normalize.words import YES_NO

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TESTS: Final = ("not", "has", "begins", "present")
_TYPE_NUMBERS: Final = {name: str(number) for number, name in AUDIT_TYPES.items()}
_BEGINNINGS: Final = {
    "cef": ("CEF:0|", "CEF:1|"), "leef": ("LEEF:1.0|", "LEEF:2.0|"), "linux-audit": ("",), "kv": ("",),
}  # fmt: skip
_LONGEST_WORD: Final = 40
_TEMPLATE_NAME: Final = re.compile(r"\{([A-Za-z_]\w*)\}")


class _Reader:
    """One notation, with the last text it read."""

    __slots__ = ("_read", "_record", "_text")

    def __init__(self, kind: str) -> None:
        self._read = READERS[kind]
        self._text: str | None = None
        self._record: Record | None = None

    def __call__(self, text: str) -> Record | None:
        if text is not self._text:
            self._record = self._read(text)
            self._text = text
        return self._record


_READERS: Final = {kind: _Reader(kind) for kind in READERS}


def has_value(value: str | None) -> bool:
    """Tell a value from the marks that stand for none."""
    return value is not None and value not in NONE


class RecordRule:
    """One set of conditions and what to do with the fields."""

    __slots__ = (
        "_read", "_take", "_tests", "apps", "expression", "file", "groups", "kind", "line", "name", "needle", "numbers",
        "open_ended", "pattern", "prefixes", "settings",
    )  # fmt: skip

    def __init__(
        self, name: str, kind: str, where: dict[str, Any], take: dict[str, Any], settings: dict[str, str],
        file: str, line: int, begins: Sequence[str] = (), needle: str = "",
    ) -> None:  # fmt: skip
        self.name = name
        self.kind = kind
        self.settings = settings
        self.file = file
        self.line = line
        self.apps: tuple[str, ...] | None = None
        self.prefixes = tuple(begins) or _BEGINNINGS[kind]
        self.needle = needle
        self.open_ended = False
        """A record whose end is missing may lack the field that decides."""
        self.pattern = self.expression = ""
        self.numbers: frozenset[str] = frozenset()
        self._read = _READERS[kind]
        self._tests = tuple((field, _test(condition)) for field, condition in where.items())
        self._take = tuple((name, _words(fields)) for name, fields in take.items())
        self.groups = tuple(take)

    def prepare(self) -> None:
        """Nothing is left to prepare; pattern rules have it."""

    compile = prepare

    def fullmatch(self, text: str) -> Record | None:
        """Give the record when all conditions hold."""
        record = self._read(text)
        if record is None:
            return None
        for field, test in self._tests:
            if not test(record.get(field)):
                return None
        return record

    def read(self, record: Record) -> tuple[Columns, dict[str, Any]]:
        """Give the columns, and what goes to `data` beside them."""
        values: list[Any] = [None] * len(COLUMNS)
        extras: dict[str, Any] = {}
        for column, template in self.settings.items():
            values[SLOTS[column]] = _filled(template, record)
        for name, fields in self._take:
            value = next((record[field] for field in fields if has_value(record.get(field))), None)
            if value is None:
                continue
            slot = SLOTS.get(name)
            if slot is None:
                extras[name] = value
            elif name == "outcome":
                values[slot] = YES_NO.get(value.lower()) if len(value) < _LONGEST_WORD else None
            elif name == "source_ip":
                values[slot] = parse_ip(value)
                if values[slot] is None:
                    extras["source_host"] = value
            elif name == "source_port":
                values[slot] = _port(value)
            else:
                values[slot] = value
        return tuple(values), extras


def _filled(template: str, record: Record) -> str | None:
    if not all(has_value(record.get(name)) for name in template_names(template)):
        return None
    return _TEMPLATE_NAME.sub(lambda name: record[name[1]], template)


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


def record_rules(
    name: str, kind: str, where: dict[str, Any], take: dict[str, Any], settings: dict[str, str],
    file: str, line: int, begins: Sequence[str] = (),
) -> list[RecordRule]:  # fmt: skip
    """Make the rules of one set of conditions: for Linux audit one for each type and its number, found by needle."""
    types = _words(where["type"]) if kind == "linux-audit" and isinstance(where.get("type"), str | list) else ()
    needles = [f"type={type_}" for type_ in types]
    needles += [f"type={_TYPE_NUMBERS[type_]} " for type_ in types if type_ in _TYPE_NUMBERS]
    return [RecordRule(name, kind, where, take, settings, file, line, begins, needle) for needle in needles or [""]]
