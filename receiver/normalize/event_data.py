"""The column `data`: what a message said beside the columns, as JSON text.

Knows its keys: the remaining JSON fields and what a rule took besides stand at top level; `structured_data` is RFC
5424's, whole; `wire` is the parser's bookkeeping; `fields` holds JSON fields whose names are taken by these. Nothing
is lost to a name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from receiver.wire.json_event import dump_data
from receiver.wire.message import Cut

if TYPE_CHECKING:
    from receiver.wire.message import Message

_OURS = frozenset({"structured_data", "fields", "wire"})


def build_data(message: Message, fields: dict[str, Any] | None, extras: dict[str, Any] | None) -> str | None:
    """Write `data`; None when there is nothing. fields: of the JSON object, less those that filled columns."""
    if not (extras or message.structured_data or message.defects or message.extra):
        if not fields:
            return None
        if _OURS.isdisjoint(fields):
            return dump_data(fields)
    data = dict(extras) if extras else {}
    if fields:
        _add_fields(data, fields)
    if message.structured_data:
        data["structured_data"] = message.structured_data
    wire = _wire(message)
    if wire:
        data["wire"] = wire
    return dump_data(data) if data else None


def _add_fields(data: dict[str, Any], fields: dict[str, Any]) -> None:
    aside = {}
    for name, value in fields.items():
        if name in _OURS or name in data:
            aside[name] = value
        else:
            data[name] = value
    if aside:
        data["fields"] = aside


def _wire(message: Message) -> dict[str, Any]:
    wire: dict[str, Any] = {}
    if message.defects:
        wire["defects"] = [str(defect) for defect in message.defects]
    raw = message.raw
    if type(raw) is Cut and raw.original_bytes is not None:
        wire["original_bytes"] = raw.original_bytes
    if message.extra:
        wire.update(message.extra)
    return wire
