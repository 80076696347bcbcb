"""The audit schema: its columns, their types, and the closed vocabularies. The single source of all of them.

Knows no I/O, no parser, no database. An `Event` is a plain tuple in column order, because that is what the
store binds and what a leaf will hash; the order from `received_at` to `raw` is frozen by the leaf format v1.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple


class TimeQuality(StrEnum):
    """How far the sender's `time` can be trusted."""

    FULL = "full"
    NO_ZONE = "no_zone"
    NO_YEAR = "no_year"
    NO_YEAR_ZONE = "no_year_zone"
    UNPARSED = "unparsed"
    MISSING = "missing"


class Outcome(StrEnum):
    """Did it succeed: the set that ECS, OCSF and CADF share."""

    SUCCESS = "success"
    FAILURE = "failure"
    UNKNOWN = "unknown"


class ParseStatus(StrEnum):
    """What the parser made of the bytes; never a reason to drop."""

    OK = "ok"
    PARTIAL = "partial"
    FAILED = "failed"


class Format(StrEnum):
    """How the message was written."""

    RFC5424 = "rfc5424"
    RFC3164 = "rfc3164"
    JSON = "json"
    GELF = "gelf"
    JOURNAL = "journal"
    RAW = "raw"


class Transport(StrEnum):
    """How the message came; `internal` is the receiver speaking of itself."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"
    RELP = "relp"
    UNIX_DGRAM = "unix_dgram"
    UNIX_STREAM = "unix_stream"
    HTTP = "http"
    INTERNAL = "internal"


class Event(NamedTuple):
    """One audit event as normalised; `seq`, `salt` and `commitment` are the store's to add.

    Times are integer microseconds since 1970 UTC. `data` is JSON text. `raw` is the bytes as received.
    Build it positionally on the hot path: a keyword call costs three times as much.
    """

    received_at: int
    time: int | None
    time_quality: str
    host: str | None
    app: str | None
    pid: str | None
    msgid: str | None
    facility: int | None
    severity: int | None
    actor: str | None
    actor_as: str | None
    action: str | None
    outcome: str | None
    reason: str | None
    target: str | None
    source_ip: str | None
    source_port: int | None
    session: str | None
    peer: str | None
    peer_port: int | None
    peer_identity: str | None
    transport: str
    listener: str
    format: str
    parse_status: str
    rule: str | None
    message: str | None
    data: str | None
    raw: bytes | None


class Origin(NamedTuple):
    """Who delivered a message, and through which door."""

    peer: str | None
    peer_port: int | None
    peer_identity: str | None
    transport: str
    listener: str


COLUMNS: Final[tuple[str, ...]] = ("seq", *Event._fields, "salt", "commitment")
"""Every column of the relation `events`, in order."""

INTEGER_COLUMNS: Final = frozenset(
    {"seq", "received_at", "time", "facility", "severity", "source_port", "peer_port"}
)
BLOB_COLUMNS: Final = frozenset({"raw", "salt", "commitment"})
NOT_NULL_COLUMNS: Final = frozenset({"seq", "received_at"})

MAX_TIME_US: Final = 2**53 - 1
"""A `time` beyond ± this is null and `unparsed`: JSON readers lose larger integers."""

SEVERITIES: Final = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
"""RFC 5424 §6.2.1, by the names syslog.conf gives them; the index is the number."""

FACILITIES: Final = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
    "local7",
)  # fmt: skip
"""RFC 5424 §6.2.1; the index is the number."""

ACTIONS: Final = frozenset(
    f"{category}.{verb}"
    for category, verbs in {
        "auth": "login logout switch",
        "session": "open close",
        "account": "create update delete enable disable lock unlock password_change password_reset"
        " mfa_enable mfa_disable",
        "privilege": "grant revoke",
        "role": "assign remove",
        "group": "create delete member_add member_remove",
        "command": "exec",
        "process": "start stop setuid",
        "file": "create read update delete rename set_attr set_perm",
        "fs": "mount unmount",
        "config": "change",
        "service": "start stop restart enable disable",
        "system": "boot shutdown time_change",
        "package": "install remove update",
        "schedule": "create update delete",
        "api": "create read update delete",
        "http": "request",
        "data": "query write",
        "secret": "read write delete",
        "net": "connect close refuse",
        "mail": "send receive reject",
        "log": "clear delete export archive rotate start stop redact prune query verify",
        "detect": "alert",
    }.items()
    for verb in verbs.split()
)
"""The vocabulary of `action`. What has no match keeps `action = null`, never a guess."""
