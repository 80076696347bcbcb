"""An event as a document of the Elastic Common Schema 8. What ECS has no name for stands under `audit_receiver`."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, Final

from receiver.event import FACILITIES, SEVERITIES
from receiver.event_json import format_time
from receiver.export.foreign import split_foreign
from receiver.export.vocabulary import MEANINGS, process_id

_VERSION: Final = "8.11.0"


def as_ecs(event: Any) -> dict[str, Any]:
    """Write the document; fields without a value are left out."""
    event, foreign = split_foreign(event)
    meaning = MEANINGS.get(event.action or "")
    kind = "alert" if event.action == "detect.alert" else "event"
    kind_of_target, _, target = (event.target or "").partition(":")
    document = {
        "@timestamp": format_time(event.time if event.time is not None else event.received_at),
        "ecs": {"version": _VERSION},
        "message": event.message,
        "event": {
            "id": str(event.seq), "created": format_time(event.received_at), "kind": kind, "action": event.action,
            "category": [meaning.category] if meaning else None, "type": list(meaning.type) if meaning else None,
            "outcome": event.outcome, "reason": event.reason, "code": event.msgid, "provider": event.rule,
            "severity": event.severity,
        },
        "user": {
            "name": event.actor,
            "effective": {"name": event.actor_as},
            "target": {"name": target if kind_of_target == "account" else None},
        },
        "group": {"name": target if kind_of_target == "group" else None},
        "file": {"path": target if kind_of_target == "file" else None},
        "source": {"ip": event.source_ip, "port": event.source_port},
        "host": {"hostname": event.host, "name": event.host},
        "process": {"name": event.app, "pid": process_id(event.pid)},
        "related": {
            "user": sorted({name for name in (event.actor, event.actor_as) if name}),
            "ip": sorted({address for address in (event.source_ip, event.peer) if address and _is_ip(address)}),
        },
        "log": {
            "syslog": {
                "facility": {"code": event.facility, "name": _name(FACILITIES, event.facility)},
                "severity": {"code": event.severity, "name": _name(SEVERITIES, event.severity)},
            },
        },
        "observer": {"product": "audit-receiver", "type": "audit log"},
        "audit_receiver": {
            "seq": event.seq, "target": event.target, "session": event.session, "peer": event.peer,
            "peer_identity": event.peer_identity, "transport": event.transport, "listener": event.listener,
            "format": event.format, "parse_status": event.parse_status, "time_quality": event.time_quality,
            "data": event.data, "foreign": foreign,
        },
    }  # fmt: skip
    return _without_nothing(document)


def _name(names: tuple[str, ...], number: int | None) -> str | None:
    return names[number] if number is not None and 0 <= number < len(names) else None


def _is_ip(text: str) -> bool:
    """Say if it is an address as the field type `ip` takes it: no socket's path, no zone of a link-local one."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _without_nothing(value: dict[str, Any]) -> dict[str, Any]:
    """Leave out nulls, and objects and lists with nothing in them."""
    kept = {name: _without_nothing(each) if isinstance(each, dict) else each for name, each in value.items()}
    return {name: each for name, each in kept.items() if each is not None and each not in ({}, [])}
