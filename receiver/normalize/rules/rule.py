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
from typing import TYPE_CHECKING, Any, Final

from receiver.event import Event
from receiver.normalize.rules.literals import literal_prefixes, needle
from receiver.normalize.rules.rule_code import Read, compile_read, template_names

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


__all__ = ["COLUMNS", "SLOTS", "Columns", "PatternError", "Rule", "expand", "template_names"]


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


class Rule:
    """One pattern of a rule and what to do with its groups; a rule with three patterns is three of these.

    It is prepared when a message of its program comes, and compiled at its first use: a thousand rules at start would
    cost half a second.
    """

    __slots__ = (
        "alone", "apps", "expression", "file", "fullmatch", "groups", "line", "name", "needle", "numbers", "open_ended",
        "pattern", "prefixes", "read", "settings",
    )  # fmt: skip

    def __init__(self, name: str, pattern: str, settings: dict[str, str], file: str, line: int) -> None:
        self.name = name
        """`pack/rule`, as in the column `rule`."""
        self.pattern = pattern
        self.settings = settings
        self.apps: tuple[str, ...] | None = None
        """Names of programs, lower-case; None for any."""
        self.alone = False
        """Whether a text says by itself that it is this program's, where no header tells."""
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
        self.read: Read
        """Gives the columns, and what goes to `data` beside them; there once compiled."""

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
        self.read = compile_read(COLUMNS, index, compiled.groups, self.numbers, self.settings)
        self.fullmatch = compiled.fullmatch

    def _compile_and_match(self, text: str) -> re.Match[str] | None:
        self.compile()
        return self.fullmatch(text)
