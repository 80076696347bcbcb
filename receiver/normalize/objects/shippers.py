"""Objects that say with names of a shipper's own what a line or other names say too: written as those.

Knows what Loki is sent and answers, what Splunk's collector is sent, what Filebeat 6 made of lines
(`nginx.access.remote_ip`), how LAUREL and go-audit write Linux audit records, and how Nexus names who did it. Knows no
columns.

Invariant: NEVER GUESS - several lines or records give none; a value that has no place in a record is left off.
"""

from __future__ import annotations

import re
from typing import Any, Final

from receiver.normalize.rules.record import AUDIT_TYPES
from receiver.normalize.vocabularies.vocabulary import canonical

# --- Loki ---

_PROGRAM_LABELS: Final = ("syslog_identifier", "app", "program", "ident", "appname", "application")
_HOST_LABELS: Final = ("host", "hostname", "nodename")


def open_loki(fields: dict[str, Any]) -> dict[str, Any] | None:
    """Write the only line of a push (or of an answer) with its labels as a shipper's line."""
    stream = fields
    if "streams" in fields:
        found = _only(fields["streams"])
        if type(found) is not dict:
            return None
        stream = found
    labels = stream.get("stream", stream.get("labels"))
    entry = _only(stream.get("values")) if "values" in stream else [stream.get("timestamp"), stream.get("line")]
    if type(entry) is not list or len(entry) < 2 or type(entry[1]) is not str:
        return None
    written = {"@timestamp": entry[0], "message": entry[1]}
    if type(labels) is dict:
        for name, known in (("app", _PROGRAM_LABELS), ("host", _HOST_LABELS)):
            value = next((labels[label] for label in known if type(labels.get(label)) is str), None)
            if value is not None:
                written[name] = value
    return written


def _only(items: Any) -> Any:
    return items[0] if type(items) is list and len(items) == 1 else None


# --- Splunk ---


def open_splunk(fields: dict[str, Any]) -> dict[str, Any] | None:
    """Write a line or an object as it came to the collector, with its host and time."""
    event = fields.get("event")
    around: dict[str, Any] = {key: fields[key] for key in ("time", "host") if key in fields}
    if type(event) is str:
        return {**around, "message": event}
    return {**around, "event": event} if type(event) is dict else None


# --- Filebeat 6 ---

_SSH: Final = {"Accepted": "success", "Failed": "failure", "Invalid": "failure"}


def read_fileset(fields: dict[str, Any]) -> dict[str, Any] | None:
    """Write what Filebeat's modules made of a line before ECS with the usual names."""
    fileset = fields.get("fileset")
    module = fileset.get("module") if type(fileset) is dict else None
    name = fileset.get("name") if type(fileset) is dict else None
    inner = fields.get(module) if type(module) is str else None
    made = inner.get(name) if type(inner) is dict and type(name) is str else None
    if type(made) is not dict:
        return None
    written = {"@timestamp": fields.get("@timestamp")}
    if name == "access":
        written |= {
            "remote_ip": made.get("remote_ip"), "user": made.get("user_name"), "method": made.get("method"),
            "url": made.get("url"), "http_status": made.get("response_code"),
        }  # fmt: skip
    elif module == "auditd" and name == "log":
        return _read_audit_log(fields, made)
    elif module == "system" and name in {"auth", "syslog"}:
        written |= _read_system(made)
    else:
        return None
    return {key: value for key, value in written.items() if value is not None}


def _read_audit_log(fields: dict[str, Any], made: dict[str, Any]) -> dict[str, Any] | None:
    """Write the record of auditd that Filebeat's module took apart as auditd does."""
    kind, number = made.get("record_type"), str(made.get("sequence"))
    if kind not in _KNOWN_KINDS or not number.isdecimal() or len(number) > 12:
        return None
    pairs = [
        pair for name, value in made.items() if name not in _OF_FILEBEAT and (pair := _audit_pair(name, value))
    ]
    return {
        "@timestamp": fields.get("@timestamp"),
        "message": f"type={kind} msg=audit(0000000000.000:{number}): {' '.join(pairs)}",
    }


_OF_FILEBEAT: Final = frozenset({"record_type", "sequence", "geoip", "epoch", "msg", "type"})


def _read_system(made: dict[str, Any]) -> dict[str, Any]:
    header = {"host": made.get("hostname"), "app": made.get("program"), "pid": made.get("pid")}
    ssh, sudo, added = made.get("ssh"), made.get("sudo"), made.get("useradd")
    if type(ssh) is dict and ssh.get("event") in _SSH:
        return {
            **header, "user": made.get("user"), "source_ip": ssh.get("ip"), "source_port": ssh.get("port"),
            "action": "auth.login", "outcome": _SSH[ssh["event"]],
        }  # fmt: skip
    if type(sudo) is dict and type(sudo.get("command")) is str:
        failed = {"outcome": "failure", "reason": sudo["error"]} if sudo.get("error") else {}
        return {
            **header, "user": made.get("user"), "run_as": sudo.get("user"), "action": "command.exec",
            "target_type": "command", "target": sudo["command"], **failed,
        }  # fmt: skip
    if type(added) is dict and type(added.get("name")) is str:
        return {**header, "action": "account.create", "target_user": added["name"]}
    return {**header, "message": made.get("message")}


# --- Linux audit records ---

LAUREL: Final = frozenset(canonical(kind) for kind in AUDIT_TYPES.values() if "_" in kind) | {"syscall"}
"""Names under which LAUREL puts records, but for those that are anybody's words (`USER`, `LOGIN`)."""
_AUDIT_ID: Final = re.compile(r"\d{1,12}\.\d{3}:\d{1,12}")
_BARE: Final = re.compile(r"[\w.:/@+?-]{1,256}", re.ASCII)
_FIELD: Final = re.compile(r"[A-Za-z_-]{1,32}[0-9]?", re.ASCII)
_TEXTS: Final = frozenset({"acct", "exe", "comm", "cmd", "name", "cwd", "proctitle", "data", "grp", "path", "key"})
"""Fields that are quoted, or in hexadecimal where a stranger's quote could end them."""
_KNOWN_KINDS: Final = frozenset(AUDIT_TYPES.values())


def read_laurel(fields: dict[str, Any]) -> dict[str, Any] | None:
    """Write the first record of an event as auditd does: the user's own, else the system call."""
    number = fields.get("ID")
    if type(number) is not str or not _AUDIT_ID.fullmatch(number):
        return None
    kinds = [kind for kind, record in fields.items() if kind in _KNOWN_KINDS and type(record) is dict]
    own = [kind for kind in kinds if "_" in kind] or [kind for kind in kinds if kind == "SYSCALL"]
    kind = own[0] if own else None
    if kind is None:
        return None
    pairs = [pair for name, value in fields[kind].items() if (pair := _audit_pair(name, value))]
    written = {"message": f"type={kind} msg=audit({number}): {' '.join(pairs)}"}
    if type(fields.get("NODE")) is str:
        written["host"] = fields["NODE"]
    return written


def _audit_pair(name: str, value: Any) -> str | None:
    if type(value) is int:
        value = str(value)
    if type(value) is not str or not _FIELD.fullmatch(name):
        return None
    if name in _TEXTS or name.isupper():
        is_plain = value.isprintable() and value.isascii() and '"' not in value and " " not in value
        if name.isupper():
            return f'{name}="{value}"' if is_plain else None
        return f'{name}="{value}"' if is_plain else f"{name}={value.encode().hex().upper()}"
    return f"{name}={value}" if _BARE.fullmatch(value) else None


def read_go_audit(fields: dict[str, Any]) -> dict[str, Any] | None:
    """Write the first record of go-audit's event as auditd does."""
    messages = fields.get("messages")
    first = messages[0] if type(messages) is list and messages else None
    if type(first) is not dict or type(first.get("type")) is not int:
        return None
    kind = AUDIT_TYPES.get(first["type"])
    if kind is None or type(first.get("data")) is not str or type(fields.get("timestamp")) is not str:
        return None
    number = f"{fields['timestamp']}:{fields.get('sequence')}"
    return {"message": f"type={kind} msg=audit({number}): {first['data']}"} if _AUDIT_ID.fullmatch(number) else None


# --- Windows events with the texts of their data alone ---


def _places(**places: int) -> dict[str, int]:
    return places


_DONE_TO: Final = _places(TargetUserName=0, SubjectUserName=4)
_OF_MEMBERS: Final = _places(MemberName=0, TargetUserName=2, SubjectUserName=6)
_INSERTS: Final = {
    4624: _places(SubjectUserName=1, TargetUserName=5, IpAddress=18, IpPort=19),
    4625: _places(SubjectUserName=1, TargetUserName=5, IpAddress=19, IpPort=20),
    **dict.fromkeys((4634, 4647), _places(TargetUserName=1)),
    4648: _places(SubjectUserName=1, TargetUserName=5, IpAddress=12, IpPort=13),
    **dict.fromkeys((4672, 4688, 4698, 4699, 4700, 4701, 4702, 1102), _places(SubjectUserName=1)),
    **dict.fromkeys((4720, 4722, 4723, 4724, 4725, 4726, 4740, 4767), _DONE_TO),
    4738: _places(TargetUserName=1, SubjectUserName=5),
    **dict.fromkeys((4728, 4729, 4732, 4733, 4756, 4757), _OF_MEMBERS),
    4768: _places(TargetUserName=0, Status=6, IpAddress=9, IpPort=10),
    4769: _places(TargetUserName=0, IpAddress=6, IpPort=7, Status=8),
    4771: _places(TargetUserName=0, Status=4, IpAddress=6, IpPort=7),
    4776: _places(TargetUserName=1, Status=3),
}
"""By number of a Security event: where in the list of its data what stands (its manifest's order)."""


def read_inserts(fields: dict[str, Any]) -> dict[str, Any] | None:
    """Write the list of texts that some shippers have in place of an event's data with their names."""
    texts, written = fields.get("StringInserts"), {**fields}
    del written["StringInserts"]
    number, channel = fields.get("EventID"), fields.get("Channel")
    places = _INSERTS.get(number) if type(number) is int and channel in {"Security", None} else None
    if places is not None and type(texts) is list:
        written |= {
            name: texts[place]
            for name, place in places.items()
            if place < len(texts) and type(texts[place]) is str and name not in fields
        }
    return written


# --- Nexus ---

_NEXUS: Final = {
    "security.user created": "account.create", "security.user deleted": "account.delete",
    "security.user updated": "account.update",
}  # fmt: skip


def read_nexus(fields: dict[str, Any]) -> dict[str, Any] | None:
    """Write an entry of Nexus' audit log, whose initiator is a name and an address (`alice/192.0.2.7`)."""
    who, domain, kind = (fields.get(name) for name in ("initiator", "domain", "type"))
    if type(who) is not str or type(domain) is not str or type(kind) is not str:
        return None
    name, _, address = who.rpartition("/")
    written = {
        "@timestamp": fields.get("timestamp"), "user": name or who, "source_ip": address if name else None,
        "action": _NEXUS.get(f"{domain} {kind}"), "thread": fields.get("thread"),
        "target_type": "account" if domain == "security.user" else domain, "target": fields.get("context"),
    }  # fmt: skip
    if who.startswith("*"):
        del written["user"]  # *SYSTEM, *TASK, *UNKNOWN: no account
    return {key: value for key, value in written.items() if value is not None}
