r"""What may reach a terminal, how wide it is there, and when colour is welcome.

Knows Unicode and ECMA-48; not what an event is. Text from senders is hostile: escape sequences, C1 controls,
carriage returns and bidirectional controls can move the cursor, rename the window or make a line read as another.
They are shown as `\\x1b` or `\\u202e`, never sent.
"""

from __future__ import annotations

import os
import re
import shutil
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing import TextIO

_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_PLAIN: Final = re.compile(r"[\x20-\x7e]*\Z")
_ELLIPSIS: Final = "…"
_FALLBACK_COLUMNS: Final = 120
_STYLES: Final = {"bold": "1", "dim": "2", "red": "31", "yellow": "33"}


def escape(text: str) -> str:
    """Show what would control a terminal, end the line or hide (categories Cc, Cf, Cs, Zl, Zp) as escapes."""
    if _PLAIN.match(text):
        return text
    return "".join([_visible(char) for char in text])


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


def _visible(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        return char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _cells(char: str) -> int:
    if char < "\u0300":
        return 1
    if unicodedata.category(char) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
