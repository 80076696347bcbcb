"""An event as one of OCSF 1.9: the class of its action, with every attribute that the class requires.

Where an attribute is required and the event does not know, the standard's own word for that stands there: `Unknown`
as a name, 0 as an id. What OCSF has no place for stands under `unmapped`. An event without action is a Base Event.
User Management (3007) came with 1.9.0 (the schema's changelog). What each class requires is held by a test as a table
of its own; the whole schema is not at hand here.
"""

from __future__ import annotations

from typing import Any, Final

from receiver.export.foreign import split_foreign
from receiver.export.vocabulary import MEANINGS, SEVERITY_IDS, process_id

_VERSION: Final = "1.9.0"
_UNKNOWN: Final = "Unknown"
_STATUS: Final = {"success": (1, "Success"), "failure": (2, "Failure")}


def as_ocsf(event: Any) -> dict[str, Any]:
    """Write the event."""
    event, foreign = split_foreign(event)
    meaning = MEANINGS.get(event.action or "")
    class_uid, activity_id = (meaning.class_uid, meaning.activity_id) if meaning else (0, 99)
    status_id, status = _STATUS.get(event.outcome or "", (0, _UNKNOWN))
    found = {
        "class_uid": class_uid,
        "category_uid": class_uid // 1000,
        "activity_id": activity_id,
        "activity_name": event.action or "Other",
        "type_uid": class_uid * 100 + activity_id,
        "severity_id": 0 if event.severity is None else SEVERITY_IDS[event.severity & 7],
        "time": (event.received_at if event.time is None else event.time) // 1000,
        "metadata": {
            "version": _VERSION, "uid": str(event.seq), "logged_time": event.received_at // 1000,
            "log_name": event.rule, "log_provider": event.app,
            "product": {"name": "audit-receiver", "vendor_name": "audit-receiver"},
        },
        "status_id": status_id, "status": status, "status_detail": event.reason, "message": event.message,
        "device": {"type_id": 0, "hostname": event.host or _UNKNOWN},
        "unmapped": {
            name: value
            for name in ("target", "peer", "transport", "listener", "format", "parse_status", "data")
            if (value := getattr(event, name)) is not None
        }
        | ({"foreign": foreign} if foreign else {}),
        **_of_class(class_uid, event),
    }  # fmt: skip
    return {name: value for name, value in found.items() if value is not None and value != {}}


def _of_class(class_uid: int, event: Any) -> dict[str, Any]:
    """Give what the class requires, and whom and what the event names."""
    kind, _, name = (event.target or "").partition(":")
    user = {"name": event.actor or _UNKNOWN}
    actor = {"user": user, "app_name": event.app or _UNKNOWN, "session": {"uid": event.session or _UNKNOWN}}
    source = {"ip": event.source_ip, "port": event.source_port} if event.source_ip else {"name": _UNKNOWN}
    target = name or event.target or _UNKNOWN
    process = {"name": event.app or _UNKNOWN, "pid": process_id(event.pid) or 0}
    by_class: dict[int, dict[str, Any]] = {
        1001: {"file": {"name": target.rsplit("/", 1)[-1] or target, "path": target, "type_id": 0}},
        1006: {"job": {"name": target, "file": {"name": target, "type_id": 0}}},
        1007: {"process": {"cmd_line": target, **process}},
        1008: {"log_type_id": 0, "log_name": "audit-receiver"},
        2004: {"finding_info": {"uid": str(event.seq), "title": event.reason or event.message or _UNKNOWN}},
        3002: {"user": user, "src_endpoint": source, "service": {"name": event.app or _UNKNOWN}, "is_remote": None},
        3004: {"entity": {"name": target, "type": kind or _UNKNOWN}},
        3006: {"group": {"name": target}, "user": {"name": target} if kind == "account" else None},
        3007: {"user": {"name": target if kind == "account" else _UNKNOWN}},
        4001: {"src_endpoint": source, "dst_endpoint": {"ip": target} if kind == "address" else {"name": target}},
        4002: {
            "src_endpoint": source, "dst_endpoint": {"hostname": event.host or _UNKNOWN},
            "http_request": {"url": {"path": event.target or _UNKNOWN}, "http_method": _UNKNOWN},
            "http_response": {"code": 0},
        },
        4009: {"direction_id": 0, "src_endpoint": source, "email": {"from": _UNKNOWN, "to": [target]}},
        6002: {"app": {"name": target, "vendor_name": _UNKNOWN}},
        6003: {
            "api": {"operation": event.action}, "src_endpoint": source, "resources": [{"name": target, "type": kind}],
        },
        6005: {"src_endpoint": source, "database": {"name": target, "type_id": 0}, "type_id": 0},
    }  # fmt: skip
    return {"actor": actor, **by_class.get(class_uid, {})}
