"""Events to test with: plausible, numbered, and any column can be set."""

from __future__ import annotations

from typing import Any

from receiver.event import Event

NOW_US = 1_764_000_000_000_000


def make_event(number: int = 0, **columns: Any) -> Event:
    """A failed login by user<number>, received `number` microseconds after NOW_US."""
    event = Event(
        received_at=NOW_US + number, time=NOW_US + number, time_quality="full", host=f"web-{number % 7}", app="sshd",
        pid=str(1000 + number), msgid=None, facility=4, severity=6, actor=f"user{number}", actor_as=None,
        action="auth.login", outcome="failure", reason="bad password", target=None, source_ip="203.0.113.9",
        source_port=52000, session=None, peer="127.0.0.1", peer_port=40000, peer_identity=None, transport="tcp",
        listener="syslog", format="rfc3164", parse_status="ok", rule="sshd/failed",
        message=f"Failed password for user{number} from 203.0.113.9 port 52000 ssh2", data=None, raw=None,
    )  # fmt: skip
    return event._replace(**columns)


def make_events(count: int, first: int = 0, **columns: Any) -> list[Event]:
    """`count` of them, numbered from `first`."""
    return [make_event(first + i, **columns) for i in range(count)]
