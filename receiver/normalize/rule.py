r"""One rule: a readable pattern, the columns it fills, and the compiled form that the hot path calls.

A pattern is a Python regular expression over the whole message, with braces for what is taken out of it::

    {name}          one word: \S+
    {name:any}      anything, also nothing: .*
    {name:int}      a number, kept as a number in `data`: \d{1,18}
    {name:until}…   up to the first place where the plain text that follows stands; what follows is taken with it,
                    for good (an atomic group: no way back, so several of them stay linear)
    {name:without "TEXT"}
                    anything up to where TEXT stands, or the end
    {name:REGEX}    what the expression takes

A name that is a column fills it; any other goes to `data` under that name; a leading underscore keeps it for the
templates of `set` only. Groups that took nothing leave null.

Knows no YAML, no message, no app. Invariant: reading a text never raises, and fills no column with a guess: what is
not an IP address or a port goes to `data`.
"""

from __future__ import annotations

import re
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from receiver.event import Event
from receiver.normalize.address import MAX_PORT, parse_ip
from receiver.normalize.literals import literal_prefixes, needle

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMNS: Final = Event._fields[Event._fields.index("actor") : Event._fields.index("session") + 1]
"""The columns a rule may fill, in schema order: who, what, on what, from where, with what outcome."""

SLOTS: Final = {name: slot for slot, name in enumerate(COLUMNS)}

Columns = tuple[Any, ...]
"""One value a column, in the order of COLUMNS."""

_PLAIN_GROUP = re.compile(r"(\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|\((?!\?)", re.DOTALL)
_BRACES = re.compile(r"\{(?P<name>[A-Za-z_]\w*)(?::(?P<kind>(?:[^{}]|\{[\d,]+\})+))?\}")
_KINDS: Final = {"word": r"\S+", "any": ".*", "int": r"\d{1,18}"}
_PORT: Final = r"\d{1,9}"
_UNTIL_TEXT = re.compile(r"(?:[^\\.\[\](){}*+?^$|]|\\[^\w])+")
_WITHOUT = re.compile(r'without "(.+)"')
_TEMPLATE_NAME = re.compile(r"\{([A-Za-z_]\w*)\}")


class PatternError(ValueError):
    """A pattern or template that cannot be used; the sentence says why."""


def expand(pattern: str) -> tuple[str, frozenset[str]]:
    """Turn braces into named groups; return the expression and the names that are numbers."""
    numbers: set[str] = set()
    pieces: list[str] = []
    at = 0
    for brace in _BRACES.finditer(pattern):
        if brace.start() < at:
            continue
        name, kind = brace["name"], brace["kind"] or "word"
        if name == "source_port":
            kind = _PORT  # whatever is written: only digits can be turned into a number
        pieces.append(pattern[at : brace.start()])
        at = brace.end()
        if kind == "until":
            text = _UNTIL_TEXT.match(pattern, at)
            if text is None or pattern[text.end() : text.end() + 1] in {"?", "*", "+"}:
                raise PatternError(f"{{{name}:until}} needs plain text after it, to know where it ends")
            pieces.append(f"(?>(?P<{name}>.*?){text[0]})")
            at = text.end()
        else:
            without = _WITHOUT.fullmatch(kind)
            expression = _without(without[1]) if without else _KINDS.get(kind, kind)
            pieces.append(f"(?P<{name}>{expression})")
            if kind == "int":
                numbers.add(name)
    pieces.append(pattern[at:])
    # Groups without a name are never asked for, and taking them costs 0.1 µs.
    expression = _PLAIN_GROUP.sub(lambda found: found[1] or "(?:", "".join(pieces))
    return expression, frozenset(numbers)


def _without(text: str) -> str:
    """Anything in which `text` does not stand, in one pass and for good.

    An atomic group, since CPython 3.11.2 (Debian 12) loses its place in possessive groups `(?:…)*+`.
    """
    first, rest = re.escape(text[0]), re.escape(text[1:])
    return f"(?>[^{first}]*(?:{first}(?!{rest})[^{first}]*)*)" if rest else f"[^{first}]*"


def template_names(text: str) -> list[str]:
    """Return the groups that a value of `set` uses."""
    return _TEMPLATE_NAME.findall(text)


class Template:
    """A value of `set` with {names} of groups in it; one that took nothing makes the whole value null."""

    __slots__ = ("_format", "_groups", "_last", "_start")

    def __init__(self, text: str, index: dict[str, int]) -> None:
        names = template_names(text)
        self._format = _TEMPLATE_NAME.sub("%s", text.replace("%", "%%"))
        self._groups = [index.get(name, -1) for name in names]
        # Most are `type:{name}`, and adding takes a third of formatting.
        self._start, _, rest = text.partition(f"{{{names[0]}}}")
        self._last = self._groups[0] if len(names) == 1 and not rest else -1

    def fill(self, groups: tuple[str | None, ...]) -> str | None:
        """Write the groups into the text."""
        if self._last >= 0:
            value = groups[self._last]
            return self._start + value if value else None
        values = [groups[i] if i >= 0 else None for i in self._groups]
        return self._format % tuple(values) if all(values) else None


class Rule:
    """One pattern of a rule and what to do with its groups; a rule with three patterns is three of these.

    It is prepared when a message of its program comes, and compiled at its first use: a thousand rules at start would
    cost half a second.
    """

    __slots__ = (
        "_constants", "_numbers", "_pick", "_port", "_source", "_templates", "_texts", "apps", "expression", "file",
        "fullmatch", "groups", "line", "name", "needle", "numbers", "open_ended", "pattern", "prefixes", "settings",
    )  # fmt: skip

    def __init__(self, name: str, pattern: str, settings: dict[str, str], file: str, line: int) -> None:
        self.name = name
        """`pack/rule`, as in the column `rule`."""
        self.pattern = pattern
        self.settings = settings
        self.apps: tuple[str, ...] | None = None
        """Names of programs, lower-case; None for any."""
        self.file = file
        self.line = line
        self.expression = ""
        self.numbers: frozenset[str] = frozenset()
        self.prefixes: tuple[str, ...] = ()
        self.needle = ""
        """Text without which nothing matches: looking for it costs 0.04 µs, a failing expression 0.2 to 1."""
        self.open_ended = pattern.endswith((":any}", ".*"))
        """Whether a cut text may match: then only the tail it takes is shorter, and nothing else is mistaken."""
        self.groups: tuple[str, ...] = ()
        """Names of what it takes; known once compiled."""
        self.fullmatch: Callable[[str], re.Match[str] | None] = self._compile_and_match

    def prepare(self) -> None:
        """Find out what a message must have in it for this rule to be tried; raises PatternError."""
        if not self.expression:
            self.expression, self.numbers = expand(self.pattern)
            self.prefixes = literal_prefixes(self.expression)
            self.needle = needle(self.expression)

    def compile(self) -> None:
        """Compile the expression and plan where its groups go; raises PatternError."""
        self.prepare()
        try:
            compiled = re.compile(self.expression, re.ASCII | re.DOTALL)
        except re.error as error:
            raise PatternError(f"not a regular expression: {error}") from error
        index = {name: number - 1 for name, number in compiled.groupindex.items()}
        self.groups = tuple(index)
        self._plan_columns(index, compiled.groups)
        data = [name for name in index if name not in SLOTS and not name.startswith("_")]
        self._texts = tuple((name, index[name]) for name in data if name not in self.numbers)
        self._numbers = tuple((name, index[name]) for name in data if name in self.numbers)
        self.fullmatch = compiled.fullmatch

    def _plan_columns(self, index: dict[str, int], group_count: int) -> None:
        """Each column is picked from the groups, the constants, and what is made of groups: nine values in a call."""
        self._constants: tuple[str | None, ...] = (None, *self.settings.values())
        places = dict.fromkeys(COLUMNS, group_count)
        places.update({column: group_count + 1 + number for number, column in enumerate(self.settings)})
        places.update({column: place for column, place in index.items() if column in SLOTS})
        at = group_count + len(self._constants)
        made: list[str] = [column for column in ("source_ip", "source_port") if column in index]
        templates = []
        for column, text in self.settings.items():
            if template_names(text):
                made.append(column)
                templates.append(Template(text, index))
        places.update({column: at + number for number, column in enumerate(made)})
        self._source = index.get("source_ip", -1)
        self._port = index.get("source_port", -1)
        self._templates = tuple(templates)
        self._pick = itemgetter(*places.values())

    def _compile_and_match(self, text: str) -> re.Match[str] | None:
        self.compile()
        return self.fullmatch(text)

    def read(self, match: re.Match[str]) -> tuple[Columns, dict[str, Any]]:
        """Give the columns, and what goes to `data` beside them."""
        groups = match.groups()
        values = groups + self._constants
        extras: dict[str, Any] = {}
        for name, i in self._texts:
            if text := groups[i]:
                extras[name] = text
        for name, i in self._numbers:
            if text := groups[i]:
                extras[name] = int(text)
        if self._source >= 0:
            text = groups[self._source]
            address = parse_ip(text) if text else None
            if address is None and text:
                extras["source_host"] = text
            values += (address,)
        if self._port >= 0:
            values += (_port(groups[self._port], extras),)
        for template in self._templates:
            values += (template.fill(groups),)
        columns: Columns = self._pick(values)
        if "" in columns:
            columns = tuple([value or None for value in columns])
        return columns, extras


def _port(text: str | None, extras: dict[str, Any]) -> int | None:
    if not text:
        return None
    port = int(text)
    if port <= MAX_PORT:
        return port
    extras["source_port"] = port
    return None
