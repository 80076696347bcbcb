"""How an explanation reads: what the parser and the rules say, then the event's columns. Knows no rule itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from receiver.cli.terminal import escape
from receiver.event import Event
from receiver.event_json import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from receiver.cli.doorway import Arrival
    from receiver.normalize import Normalizer

_NAME_CELLS: Final = max(map(len, Event._fields))
_TIMES: Final = frozenset({"received_at", "time"})


def explanation_lines(normalizer: Normalizer, arrival: Arrival) -> Iterator[str]:
    """Write one message's explanation, each line safe for a terminal."""
    explanation = normalizer.explain(*arrival)
    for line in explanation.lines():
        yield escape(line)
    yield "event"
    for name, value in zip(Event._fields, explanation.event, strict=True):
        if value is not None:
            yield f"  {name:{_NAME_CELLS}}  {_shown(name, value)}"


def _shown(name: str, value: object) -> str:
    if name in _TIMES and isinstance(value, int):
        return str(format_time(value))
    if isinstance(value, bytes):
        return escape(value.decode(errors="backslashreplace"))
    return escape(str(value))
