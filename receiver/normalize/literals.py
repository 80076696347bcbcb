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
_TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|.", re.DOTALL)
_QUANTIFIER = re.compile(r"(?:[?*+]|\{\d*,?\d*\})[?+]?")
_GROUP_HEAD = re.compile(r"\((?:\?(?::|>|P<\w+>))?")
_FIRST_GROUP = re.compile(
    r"\((?:\?:)?(?P<words>(?:[^\\.\[\](){}*+?^$]|\\[^\w])+)\)(?P<optional>\?)?(?P<many>[*+?{])?", re.ASCII
)


def literal_prefixes(expression: str) -> tuple[str, ...]:
    """Return the plain texts of which every match begins with one.

    A first group of plain alternatives, optional or not, is seen through: `(error: )?PAM: ` gives two prefixes.
    """
    first = _FIRST_GROUP.match(expression)
    if first is None or first["many"]:
        return (_plain_run(expression, 0)[0],)
    follows = _plain_run(expression, first.end())[0]
    words = [_PLAIN_ESCAPE.sub(r"\1", word) for word in first["words"].split("|")]
    if first["optional"]:
        words.append("")
    return tuple(word + follows for word in words)


def needle(expression: str) -> str:
    """Return the longest plain text that stands in every match; empty when there is none for sure."""
    if "|" in _top_level(expression):
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
            if must and not body.startswith("?") and "|" not in _top_level(body):
                yield from _runs(body)
        quantifier = _QUANTIFIER.match(expression, end)
        at = quantifier.end() if quantifier else end


def _token_end(expression: str, at: int) -> int:
    token = _TOKEN.match(expression, at)
    return token.end() if token else len(expression)


def _plain_run(expression: str, at: int) -> tuple[str, int]:
    """Plain text from here on, and where it ends; a character with a quantifier is not plain."""
    plain: list[str] = []
    while at < len(expression):
        char = expression[at]
        step = 1
        if char == "\\":
            escape = _PLAIN_ESCAPE.match(expression, at)
            if escape is None:
                break
            char, step = escape[1], 2
        elif char in ".[](){}^$*+?|":
            break
        if expression[at + step : at + step + 1] in {"?", "*", "+", "{"}:
            break
        plain.append(char)
        at += step
    return "".join(plain), at


def _closing(expression: str, at: int) -> int:
    """Where the group that opens here closes; the end when it does not."""
    depth = 0
    for token in _TOKEN.finditer(expression, at):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if depth == 0:
            return token.start()
    return len(expression)


def _top_level(expression: str) -> str:
    """Return the expression less what stands in groups."""
    kept: list[str] = []
    depth = 0
    for token in _TOKEN.finditer(expression):
        depth += {"(": 1, ")": -1}.get(token[0], 0)
        if depth == 0 and len(token[0]) == 1:
            kept.append(token[0])
    return "".join(kept)
