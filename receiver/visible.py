r"""Text from outside, made harmless for terminals, journals and tables: what would control them is shown instead.

Knows Unicode; nothing of ours. Text from senders is hostile: escape sequences, C1 controls, carriage returns and
bidirectional controls can move the cursor, rename the window, fill the clipboard or make a line read as another. They
are shown as `\\x1b` or `\\u202e`, never sent.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_PLAIN: Final = re.compile(r"[\x20-\x7e]*\Z")


def escape(text: str) -> str:
    """Show what would control a terminal, end the line or hide (categories Cc, Cf, Cs, Zl, Zp) as escapes."""
    if _PLAIN.match(text):
        return text
    return "".join([_visible(char) for char in text])


def _visible(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        return char
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
