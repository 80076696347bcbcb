"""The vocabulary of `action` in the words of OCSF 1.9 and ECS 8: one row an action. Knows no event."""

from __future__ import annotations

from typing import Final, NamedTuple


class Meaning(NamedTuple):
    """OCSF's class and activity; ECS' category and type."""

    class_uid: int
    activity_id: int
    category: str
    type: tuple[str, ...]


def _rows(
    verbs: str, class_uid: int, activities: str, category: str, types: str
) -> list[tuple[str, Meaning]]:
    """Write a row for each verb of `category.verb verb …`; types: one for each, or one for all."""
    first, *more = verbs.split()
    area, _, verb = first.partition(".")
    names = [verb, *more]
    numbers = [int(number) for number in activities.split()]
    kinds = [tuple(kind.split("+")) for kind in types.split()]
    kinds = kinds if len(kinds) == len(names) else kinds * len(names)
    return [
        (f"{area}.{name}", Meaning(class_uid, number, category, kind))
        for name, number, kind in zip(names, numbers, kinds, strict=True)
    ]


MEANINGS: Final[dict[str, Meaning]] = dict(
    _rows("auth.login logout switch", 3002, "1 2 7", "authentication", "start end start")
    + _rows("session.open close", 3002, "1 2", "session", "start end")
    + _rows(
        "account.create update delete enable disable lock unlock", 3007, "1 2 3 4 5 6 7", "iam",
        "user+creation user+change user+deletion user+change user+change user+change user+change",
    )
    + _rows("account.password_change password_reset mfa_enable mfa_disable", 3007, "8 9 12 13", "iam", "user+change")
    + _rows("privilege.grant revoke", 3007, "14 15", "iam", "admin+change")
    + _rows("role.assign remove", 3007, "16 17", "iam", "admin+change")
    + _rows(
        "group.create delete member_add member_remove", 3006, "6 5 3 4", "iam",
        "group+creation group+deletion group+change group+change",
    )
    + _rows("command.exec", 1007, "1", "process", "start")
    + _rows("process.start stop setuid", 1007, "1 2 5", "process", "start end change")
    + _rows(
        "file.create read update delete rename set_attr set_perm", 1001, "1 2 3 4 5 6 7", "file",
        "creation access change deletion change change change",
    )
    + _rows("fs.mount unmount", 1001, "12 13", "host", "change")
    + _rows("config.change", 3004, "3", "configuration", "change")
    + _rows("service.start stop restart enable disable", 6002, "3 4 5 6 7", "process", "start end change change change")
    + _rows("system.boot shutdown time_change", 6002, "99 99 99", "host", "start end change")
    + _rows("package.install remove update", 6002, "1 2 8", "package", "installation deletion change")
    + _rows("schedule.create update delete", 1006, "1 2 3", "configuration", "creation change deletion")
    + _rows("api.create read update delete", 6003, "1 2 3 4", "api", "creation access change deletion")
    + _rows("http.request", 4002, "99", "web", "access")
    + _rows("data.query write", 6005, "4 5", "database", "access change")
    + _rows("secret.read write delete", 6003, "2 3 4", "api", "access change deletion")
    + _rows("net.connect close refuse", 4001, "1 2 5", "network", "start end denied")
    + _rows("mail.send receive reject", 4009, "1 2 99", "email", "info info denied")
    + _rows(
        "log.clear delete export archive rotate start stop redact prune query verify", 1008, "1 2 3 4 5 6 7 2 2 99 99",
        "configuration", "deletion deletion access change change change change deletion deletion access access",
    )
    + _rows("detect.alert", 2004, "1", "intrusion_detection", "info")
)  # fmt: skip

SEVERITY_IDS: Final = (6, 5, 5, 4, 3, 2, 1, 1)
"""Syslog severity → OCSF severity_id."""


def process_id(text: str | None) -> int | None:
    """Read a process id; a PROCID may be anything, thousands of digits included."""
    return int(text) if text and len(text) <= 10 and text.isascii() and text.isdecimal() else None
