"""How wide text is on a terminal, how it is cut to fit, and when colour is welcome.

Knows Unicode and ECMA-48; not what an event is. What may reach a terminal at all is `escape`'s to say.
"""

from __future__ import annotations

import os
import shutil
import unicodedata
from typing import TYPE_CHECKING, Final

from receiver.visible import escape

if TYPE_CHECKING:
    from typing import TextIO

__all__ = ["columns_of_terminal", "cut", "escape", "fit", "paint", "wants_colour", "width"]

_ELLIPSIS: Final = "…"
_FALLBACK_COLUMNS: Final = 120
_STYLES: Final = {"bold": "1", "dim": "2", "red": "31", "yellow": "33"}


def width(text: str) -> int:
    """Count the cells of escaped text: wide East Asian characters take two, combining marks none."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def fit(text: str, cells: int) -> str:
    """Cut or pad escaped text to exactly this many cells."""
    head = text[: 4 * cells + 1]  # a bound where nothing but combining marks follows
    used = width(head)
    return head + " " * (cells - used) if used <= cells and len(head) == len(text) else _cut(head, cells)


def cut(text: str, cells: int) -> str:
    """Cut escaped text to at most this many cells."""
    return fit(text, cells).rstrip(" ")


def columns_of_terminal() -> int:
    """Give the width to lay out for: $COLUMNS, the terminal's, or a page's."""
    return shutil.get_terminal_size((_FALLBACK_COLUMNS, 24)).columns


def wants_colour(stream: TextIO) -> bool:
    """Colour only a terminal that can, and never against NO_COLOR (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, style: str | None) -> str:
    """Wrap text in one style; the text must be escaped already."""
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if style else text


def _cut(text: str, cells: int) -> str:
    kept: list[str] = []
    left = cells - 1  # one for the ellipsis
    for char in text:
        taken = _cells(char)
        if taken > left:
            break
        left -= taken
        kept.append(char)
    return "".join(kept) + _ELLIPSIS + " " * left


def _cells(char: str) -> int:
    if char < "\u0300":
        return 1
    if unicodedata.category(char) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
