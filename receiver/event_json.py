"""An event as one line of JSON: what `query`, `explain`, the API and exports write.

Knows the schema and RFC 8259; no I/O, no database, no terminal. The line has the columns in schema order, nulls
included, so that its shape is stable: times as RFC 3339 with microseconds and Z, `raw` in base64, `data` as the
JSON object it is, byte for byte where it is sound (2^70 stays 2^70), no `salt`; `seq` where the event has one, and
`commitment` where it is set (redacted events).

Invariant: whatever the columns hold, the line is valid JSON and valid UTF-8, has no line end that any reader counts
as one, and no character that moves a terminal.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES: Final = frozenset({"received_at", "time"})
_BYTES: Final = frozenset({"raw", "commitment"})

_UNSAFE: Final = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Legal in a JSON string, but DEL and C1 controls move terminals, U+0085 and U+2028–9 end lines for some readers,
and bidirectional controls reorder what a person reads."""


class Row(Protocol):
    """A named tuple of the schema's columns: an `Event`, or a stored one."""

    @property
    def _fields(self) -> tuple[str, ...]: ...
    def __iter__(self) -> Iterator[Any]: ...


def event_line(event: Row) -> str:
    """Write one event as JSON, without the line end."""
    columns = {
        name: _as_json(name, value)
        for name, value in zip(event._fields, event, strict=True)
        if name != "salt" and (name != "commitment" or value is not None)
    }
    return json_line(columns)


def json_line(value: dict[str, Any]) -> str:
    """Write any object as one line of JSON under the invariant above."""
    try:
        text = orjson.dumps(value).decode()
    except TypeError:  # a lone surrogate, an integer beyond 64 bits, or a type that a foreign hand stored
        text = orjson.dumps(_sound(value)).decode()
    if not text.isascii() or "\x7f" in text:
        text = _UNSAFE.sub(_escape, text)
    return text


def format_time(micros: int) -> str | int:
    """Give RFC 3339 in UTC with microseconds; the number itself where the calendar (years 1–9999) ends."""
    try:
        moment = _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return micros
    return moment.isoformat(timespec="microseconds")[:-6] + "Z"


def _as_json(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _TIMES:
        return format_time(value) if isinstance(value, int) else value
    if name in _BYTES:
        return b64encode(value).decode() if isinstance(value, bytes) else value
    if name == "data":
        return _embedded(value) if isinstance(value, str) else value
    return value


def _embedded(data: str) -> orjson.Fragment | str:
    """Embed a JSON object as it is written; what is not one stays a text."""
    try:
        is_object = isinstance(orjson.loads(data), dict)
    except orjson.JSONDecodeError:
        is_object = _is_sound_object(data)
    if not is_object:
        return data
    # Raw line ends can only stand between tokens, where a blank means the same.
    return orjson.Fragment(data.replace("\n", " ").replace("\r", " "))


def _is_sound_object(data: str) -> bool:
    """Check what orjson refuses although it is JSON: numbers no float can hold."""
    try:
        value = json.loads(data, parse_int=str, parse_float=str, parse_constant=_no_constant)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict)


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _sound(value: Any) -> Any:
    """Make a value something JSON has."""
    if value is None or isinstance(value, bool | float | orjson.Fragment):
        return value
    if isinstance(value, int):
        return orjson.Fragment(str(value))
    if isinstance(value, dict):
        return {_sound_text(str(key)): _sound(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_sound(item) for item in value]
    if isinstance(value, bytes):
        return value.decode(errors="backslashreplace")
    return _sound_text(str(value))


def _sound_text(text: str) -> str:
    """Replace lone surrogates by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
