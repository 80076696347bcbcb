"""What plain text must stand in every match of a regular expression: where it begins, and anywhere.

Knows the syntax of Python's `re` as far as packs use it; compiles nothing. Used once a rule, so that most rules are
never tried. Invariant: when in doubt it returns less, never a text that a match could lack.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAIN_ESCAPE = re.compile(r"\\([^\w])", re.ASCII)
_PLAIN_RUN = re.compile(r"(?:(?:[^\\.\[\](){}^$*+?|]|\\[^\w])(?![?*+{]))*", re.ASCII)
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
_STRUCTURE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()|]", re.DOTALL)
"""What groups are made of, and escapes and character classes, in which a bracket is none."""
_DEPTH = {"(": 1, ")": -1}
_QUANTIFIER = re.compile(r"(?:[?*+]|\{\d*,?\d*\})[?+]?")
_GROUP_HEAD = re.compile(r"\((?:\?(?::|>|P<\w+>))?")
_FIRST_GROUP = re.compile(
    r"\((?:\?:|\?P<\w+>)?(?P<words>(?:[^\\.\[\](){}*+?^$]|\\[^\w])+)\)(?P<optional>\?)?(?P<many>[*+?{])?", re.ASCII
)


def literal_prefixes(expression: str) -> tuple[str, ...]:
    """Return the plain texts of which every match begins with one.

    A first group of plain alternatives, optional or not, is seen through: `(error: )?PAM: ` gives two prefixes.
    """
    first = _FIRST_GROUP.match(expression)
    if first is None or first["many"]:
        return (_plain_run(expression, 0)[0],)
    follows = _plain_run(expression, first.end())[0]
    words = [_PLAIN_ESCAPE.sub(r"\1", word) for word in _alternatives(first["words"])]
    if first["optional"]:
        words.append("")
    return tuple(word + follows for word in words)


def _alternatives(words: str) -> list[str]:
    """Split at `|`, but not at an escaped one."""
    found = [""]
    for piece in _TOKEN.findall(words):
        if piece == "|":
            found.append("")
        else:
            found[-1] += piece
    return found


def needle(expression: str) -> str:
    """Return the longest plain text that stands in every match; empty when there is none for sure."""
    if _offers_choice(expression):
        return ""
    return max(_runs(expression), key=len, default="")


def _runs(expression: str) -> Iterator[str]:
    """Plain texts outside of groups, and in groups that must match and offer no choice."""
    at = 0
    while at < len(expression):
        run, end = _plain_run(expression, at)
        if run:
            yield run
            at = end
            continue
        end = _token_end(expression, at)
        head = _GROUP_HEAD.match(expression, at)
        if head is not None:
            close = _closing(expression, at)
            end = close + 1
            body = expression[head.end() : close]
            must = _QUANTIFIER.match(expression, end) is None
            if must and not body.startswith("?") and not _offers_choice(body):
                yield from _runs(body)
        quantifier = _QUANTIFIER.match(expression, end)
        at = quantifier.end() if quantifier else end


def _token_end(expression: str, at: int) -> int:
    token = _TOKEN.match(expression, at)
    return token.end() if token else len(expression)


def _plain_run(expression: str, at: int) -> tuple[str, int]:
    """Plain text from here on, and where it ends; a character with a quantifier is not plain."""
    run = _PLAIN_RUN.match(expression, at)
    if run is None or not run[0]:
        return "", at
    return _PLAIN_ESCAPE.sub(r"\1", run[0]) if "\\" in run[0] else run[0], run.end()


def _closing(expression: str, at: int) -> int:
    """Where the group that opens here closes; the end when it does not."""
    depth = 0
    for token in _STRUCTURE.finditer(expression, at):
        depth += _DEPTH.get(token[0], 0)
        if depth == 0 and token[0] == ")":
            return token.start()
    return len(expression)


def _offers_choice(expression: str) -> bool:
    """Say if a `|` stands outside of all groups."""
    if "|" not in expression:
        return False
    depth = 0
    for token in _STRUCTURE.finditer(expression):
        depth += _DEPTH.get(token[0], 0)
        if depth == 0 and token[0] == "|":
            return True
    return False
