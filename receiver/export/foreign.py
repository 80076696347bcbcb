"""What no writer of ours puts into a column: bytes where a text belongs, a text where a number does.

Whoever can write to the file can store anything, and an export is made when somebody doubts it: so it goes through.
Formats are given what the schema says they may expect; what really stands there goes beside, exactly.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from receiver.event import BLOB_COLUMNS, INTEGER_COLUMNS, NOT_NULL_COLUMNS


def split_foreign(event: Any) -> tuple[Any, dict[str, str]]:
    """Give the event with texts as texts and numbers as numbers; and by column, what was something else.

    Bytes become readable, with what is not UTF-8 as escapes; what is no number is none, or 0 where there must be one.
    Beside it they stand as `base64:…`, anything else as Python writes it.
    """
    foreign = {name: value for name, value in zip(event._fields, event, strict=True) if _is_foreign(name, value)}
    if not foreign:
        return event, {}
    sound = {name: _as_expected(name, value) for name, value in foreign.items()}
    return event._replace(**sound), {name: _exactly(value) for name, value in foreign.items()}


def _is_foreign(name: str, value: object) -> bool:
    if value is None:
        return name in NOT_NULL_COLUMNS
    expected = int if name in INTEGER_COLUMNS else bytes if name in BLOB_COLUMNS else str
    return not isinstance(value, expected)


def _as_expected(name: str, value: object) -> object:
    if name in INTEGER_COLUMNS:
        return 0 if name in NOT_NULL_COLUMNS else None
    if name in BLOB_COLUMNS:
        return None
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)


def _exactly(value: object) -> str:
    return f"base64:{b64encode(value).decode()}" if isinstance(value, bytes) else repr(value)
