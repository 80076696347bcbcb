"""An event as a line of ArcSight's Common Event Format (implementation standard v26), version 0."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from receiver import __version__
from receiver.export.foreign import split_foreign
from receiver.export.vocabulary import process_id

_SEVERITIES: Final = (10, 9, 8, 7, 5, 4, 3, 1)
"""Syslog severity → CEF's 0 to 10."""
_CONTROL: Final = re.compile(
    "[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""What would control a terminal, reorder a line, or is no character."""


def cef_line(event: Any) -> str:
    """Write the line, without its end."""
    event, foreign = split_foreign(event)
    header = ("CEF:0", "audit-receiver", "audit-receiver", __version__, event.rule or "none", event.action or "event")
    severity = 0 if event.severity is None else _SEVERITIES[event.severity & 7]
    kind, _, name = (event.target or "").partition(":")
    extension = {
        "rt": event.received_at // 1000, "end": None if event.time is None else event.time // 1000,
        "externalId": event.seq, "dvchost": event.host, "deviceProcessName": event.app, "dvcpid": process_id(event.pid),
        "suser": event.actor, "duser": name if kind == "account" else event.actor_as, "src": event.source_ip,
        "spt": event.source_port, "act": event.action, "outcome": event.outcome, "reason": event.reason,
        "filePath": name if kind == "file" else None,
        "cs1": event.target, "cs1Label": "target" if event.target else None,
        "cs2": event.session, "cs2Label": "session" if event.session else None,
        "cs3": json.dumps(foreign) if foreign else None, "cs3Label": "foreign" if foreign else None,
        "msg": event.message,
    }  # fmt: skip
    pairs = " ".join(f"{key}={_value(value)}" for key, value in extension.items() if value is not None)
    return "|".join([header[0], *(_header(str(part)) for part in header[1:]), str(severity), pairs])


def _header(text: str) -> str:
    return _CONTROL.sub(" ", text).replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("\r", " ")


def _value(value: object) -> str:
    text = _CONTROL.sub(" ", str(value)).replace("\\", "\\\\").replace("=", "\\=")
    return text.replace("\n", "\\n").replace("\r", "\\r").encode("utf-8", "replace").decode()
