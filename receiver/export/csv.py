"""An event as a line of CSV (RFC 4180): a header, one line an event, whatever a sender wrote.

Spreadsheets run what begins with `= + - @`: such a cell gets an apostrophe in front (OWASP, "CSV Injection"), behind
any blanks too, and in the full-width forms that some read alike. What would control a terminal or end a line is shown
as an escape, as in tables; who needs the bytes exactly takes JSON.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

from receiver.event import COLUMNS
from receiver.event_json import format_time
from receiver.visible import escape

if TYPE_CHECKING:
    from collections.abc import Iterable

CSV_COLUMNS: Final = tuple(name for name in COLUMNS if name not in {"salt", "commitment"})
_TIMES: Final = frozenset({"received_at", "time"})
_FORMULA: Final = re.compile(r"\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_TO_QUOTE: Final = re.compile('[",\\s]')


def csv_header(columns: Iterable[str] = CSV_COLUMNS) -> str:
    """Write the names of the columns, without the line end (CRLF)."""
    return ",".join(columns)


def csv_line(event: Any, columns: Iterable[str] = CSV_COLUMNS) -> str:
    """Write one event, without the line end (CRLF)."""
    return ",".join([_cell(name, getattr(event, name)) for name in columns])


def _cell(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        value = b64encode(value).decode()
    elif isinstance(value, int):
        return str(format_time(value) if name in _TIMES else value)
    text = str(value)
    guarded = "'" + text if _FORMULA.match(text) else text
    shown = escape(guarded)
    return '"' + shown.replace('"', '""') + '"' if _TO_QUOTE.search(shown) else shown
