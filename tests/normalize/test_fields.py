"""JSON fields and structured data with the usual names fill the right columns, and nothing is guessed or lost."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver import limits
from receiver.event import ACTIONS, MAX_TIME_US, Outcome
from receiver.normalize import words
from receiver.normalize.objects import fields as fields_room
from receiver.normalize.objects.fields import map_fields, map_structured_data, put_back
from receiver.normalize.objects.mapped import COLUMNS, Mapped
from receiver.normalize.objects.plan_code import compile_plan
from receiver.normalize.vocabularies import usual

NOON = 1714564800_000000  # 2024-05-01T12:00:00Z


def columns_of(mapped: Mapped) -> dict[str, Any]:
    found = {column: getattr(mapped, column) for column in COLUMNS}
    if found["time_quality"] == "missing":
        del found["time_quality"]
    return {column: value for column, value in found.items() if value is not None}


class Case(NamedTuple):
    id: str
    fields: dict[str, Any]
    columns: dict[str, Any]
    rest: list[str]
    """The keys that remain for `data`."""


WHOLE = (
    Case(
        "application",
        {
            "time": "2024-05-01T12:00:00.25Z", "level": "WARN", "msg": "m", "host": "web1", "app": "shop", "pid": 42,
            "user": "alice", "action": "auth.login", "outcome": "success", "ip": "192.0.2.7", "target": "cart",
            "session_id": 17, "order": 5,
        },
        {
            "time": NOON + 250_000, "time_quality": "full", "severity": 4, "message": "m", "host": "web1",
            "app": "shop", "pid": "42", "actor": "alice", "action": "auth.login", "outcome": "success",
            "source_ip": "192.0.2.7", "target": "cart", "session": "17",
        },
        ["level", "order"],
    ),
    Case(
        "ECS",
        {
            "@timestamp": "2024-05-01T12:00:00.000Z", "message": "m", "ecs": {"version": "8.0"},
            "log": {"level": "error", "syslog": {"facility": {"code": 10}}},
            "event": {"action": "user-login", "outcome": "failure", "reason": "locked", "category": ["iam"]},
            "user": {"id": "1", "name": "bob", "effective": {"name": "root"}, "target": {"name": "eve"}},
            "source": {"ip": "2001:DB8::1", "port": 5022}, "host": {"hostname": "h2", "name": "h1"},
            "process": {"pid": 7, "name": "sshd"},
        },
        {
            "time": NOON, "time_quality": "full", "message": "m", "severity": 3, "facility": 10,
            "action": "auth.login", "outcome": "failure", "reason": "locked", "actor": "bob", "actor_as": "root",
            "target": "user:eve", "source_ip": "2001:db8::1", "source_port": 5022, "host": "h1", "app": "sshd",
            "pid": "7",
        },
        ["ecs", "log", "event", "user", "source", "host", "process"],
    ),
    Case(
        "ECS with dotted keys",
        {
            "user.name": "bob", "source.ip": "192.0.2.1", "event.action": "file.delete", "file.path": "/a",
            "http.response.status_code": 200, "user.target": {"name": "eve"},
        },
        {"actor": "bob", "source_ip": "192.0.2.1", "action": "file.delete", "target": "user:eve", "outcome": "success"},
        ["file.path", "http.response.status_code", "user.target"],
    ),
    Case(
        "journald",
        {
            "__REALTIME_TIMESTAMP": "1714564800000001", "_SOURCE_REALTIME_TIMESTAMP": "1714564800000000",
            "_HOSTNAME": "h", "SYSLOG_IDENTIFIER": "sshd", "_COMM": "sshd-session", "_PID": "12",
            "PRIORITY": "6", "SYSLOG_FACILITY": "10", "MESSAGE": "m", "_AUDIT_SESSION": "3", "_UID": "0",
            "USER_ID": "nobody we know",
        },
        {
            "time": NOON + 1, "time_quality": "full", "host": "h", "app": "sshd", "pid": "12", "severity": 6,
            "facility": 10, "message": "m", "session": "3",
        },
        ["_SOURCE_REALTIME_TIMESTAMP", "_COMM", "_UID", "USER_ID"],
    ),
    Case(
        "journald, bytes and no session",
        {"MESSAGE": [104, 105, 255], "SYSLOG_IDENTIFIER": "x", "_AUDIT_SESSION": "4294967295"},
        {"message": "hi\ufffd", "app": "x"},
        ["MESSAGE", "_AUDIT_SESSION"],
    ),
    Case(
        "journald, no bytes",
        {"MESSAGE": [104, "x"], "SYSLOG_IDENTIFIER": "x", "message": None},
        {"app": "x"},
        ["MESSAGE", "message"],
    ),
    Case(
        "Docker json-file",
        {"log": "hello\n", "stream": "stdout", "time": "2024-05-01T12:00:00.123456789Z"},
        {"time": NOON + 123456, "time_quality": "full", "message": "hello"},
        ["stream", "time"],
    ),
    Case(
        "Docker json-file, a part of a line",
        {"log": "hel", "stream": "stdout", "time": "2024-05-01T12:00:00Z"},
        {"time": NOON, "time_quality": "full", "message": "hel"},
        ["log", "stream"],
    ),
    Case(
        "GELF",
        {
            "version": "1.1", "host": "h", "short_message": "m", "full_message": "mm", "timestamp": 1714564800.5,
            "level": 3, "_user": "bob", "_action": "login", "_container_name": "shop", "facility": "auth",
        },
        {
            "time": NOON + 500_000, "time_quality": "full", "host": "h", "message": "m", "severity": 3,
            "actor": "bob", "action": "auth.login", "app": "shop",
        },
        ["version", "full_message", "_action", "facility"],
    ),
    Case(
        "GELF in milliseconds",
        {"version": "1.1", "host": "h", "short_message": "m", "timestamp": 1714564800123},
        {"time_quality": "unparsed", "host": "h", "message": "m"},
        ["version", "timestamp"],
    ),
    Case(
        "bunyan",
        {"name": "shop", "hostname": "h", "pid": 5, "level": 50, "msg": "m", "time": "2024-05-01T12:00:00Z", "v": 0},
        {"time": NOON, "time_quality": "full", "app": "shop", "host": "h", "pid": "5", "severity": 3, "message": "m"},
        ["level", "v"],
    ),
    Case(
        "pino",
        {"level": 30, "time": 1714564800123, "pid": 5, "hostname": "h", "msg": "m"},
        {"time": NOON + 123_000, "time_quality": "full", "severity": 6, "pid": "5", "host": "h", "message": "m"},
        ["level"],
    ),
    Case(
        "pino-http",
        {
            "level": 30, "time": 1714564800123, "msg": "request completed",
            "req": {"method": "GET", "url": "/a", "remoteAddress": "::ffff:192.0.2.1", "remotePort": 50},
            "res": {"statusCode": 404},
        },
        {
            "time": NOON + 123_000, "time_quality": "full", "severity": 6, "message": "request completed",
            "action": "http.request", "outcome": "failure", "target": "/a", "source_ip": "192.0.2.1",
            "source_port": 50,
        },
        ["level", "req", "res"],
    ),
    Case(
        "winston",
        {"level": "http", "message": "m", "timestamp": "2024-05-01T12:00:00.000Z", "service": "shop"},
        {"severity": 6, "message": "m", "time": NOON, "time_quality": "full", "app": "shop"},
        ["level"],
    ),
    Case(
        "zap",
        {"level": "dpanic", "ts": 1714564800.25, "caller": "a/b.go:5", "msg": "m"},
        {"severity": 2, "time": NOON + 250_000, "time_quality": "full", "message": "m"},
        ["level", "caller"],
    ),
    Case(
        "logrus",
        {"level": "warning", "time": "2024-05-01T14:00:00+02:00", "msg": "m", "name": "not an app"},
        {"severity": 4, "time": NOON, "time_quality": "full", "message": "m"},
        ["level", "time", "name"],
    ),
    Case(
        "structlog",
        {"event": "login_failed", "level": "info", "timestamp": "2024-05-01T12:00:00Z", "user": "bob"},
        {
            "message": "login_failed", "action": "auth.login", "outcome": "failure", "severity": 6, "time": NOON,
            "time_quality": "full", "actor": "bob",
        },
        ["event", "level"],
    ),
    Case(
        "python-json-logger",
        {"asctime": "2024-05-01 12:00:00,250", "levelname": "CRITICAL", "levelno": 50, "name": "a.b", "message": "m"},
        {"time": NOON + 250_000, "time_quality": "no_zone", "severity": 2, "message": "m"},
        ["asctime", "levelname", "levelno", "name"],
    ),
    Case(
        "nginx",
        {
            "time_local": "01/May/2024:14:00:00 +0200", "remote_addr": "192.0.2.9", "remote_user": "-",
            "request": "GET /a?b=c HTTP/1.1", "status": "403", "host": "shop.example", "request_time": "0.005",
        },
        {
            "time": NOON, "time_quality": "full", "source_ip": "192.0.2.9", "action": "http.request",
            "outcome": "failure", "target": "/a?b=c",
        },
        ["time_local", "remote_user", "request", "status", "host", "request_time"],
    ),
    Case(
        "nginx with a user",
        {"msec": "1714564800.250", "client_ip": "192.0.2.9", "remote_user": "bob", "request_uri": "/a", "status": 304,
         "hostname": "web1"},
        {
            "time": NOON + 250_000, "time_quality": "full", "source_ip": "192.0.2.9", "actor": "bob",
            "action": "http.request", "outcome": "success", "target": "/a", "host": "web1",
        },
        ["msec", "request_uri", "status"],
    ),
    Case("nothing known", {"x": 1, "y": {"z": 2}}, {}, ["x", "y"]),
    Case("nothing", {}, {}, []),
)  # fmt: skip


@pytest.mark.parametrize("case", WHOLE, ids=lambda case: case.id)
def test_whole_objects(case: Case) -> None:
    """Objects as their sources write them fill these columns and no other; the rest stays."""
    mapped = map_fields(case.fields)

    assert columns_of(mapped) == case.columns
    assert sorted(mapped.rest) == sorted(case.rest)
    assert all(mapped.rest[key] == case.fields[key] for key in mapped.rest)


@pytest.mark.parametrize(
    ("fields", "actor"),
    [
        ({"user": "bob"}, "bob"),
        ({"actor": "alice", "user": "bob"}, "alice"),
        ({"userName": "bob"}, "bob"),
        ({"USER-NAME": "bob"}, "bob"),
        ({"user": {"name": "n", "username": "u", "login": "l", "email": "e", "id": 1}}, "n"),
        ({"user": {"username": "u", "login": "l", "email": "e", "id": 1}}, "u"),
        ({"user": {"login": "l", "email": "e", "id": 1}}, "l"),
        ({"user": {"email": "e", "id": 1}}, "e"),
        ({"user": {"id": 1}}, "1"),
        ({"user": {"name": ["a"], "id": "x"}}, "x"),
        ({"user": {"name": "", "id": None}}, None),
        ({"actor": {"user": {"name": "bob"}}}, "bob"),
        ({"actor": {"user": "bob"}}, None),
        ({"user": "-"}, None),
        ({"user": ""}, None),
        ({"user": 5}, "5"),
        ({"user": 1001.0}, "1001"),
        ({"user": 1001.5}, None),
        ({"user": 1e300}, None),
        ({"user": True}, None),
        ({"user": "null", "user_id": 7}, "7"),
        ({"user": "N/A"}, None),
        ({"user": {"name": {"first": "a"}, "email": "a@b"}}, "a@b"),
        ({"src_user": "alice", "user": "bob"}, "alice"),
        ({"author": {"name": "alice"}, "target_user": {"name": "bob"}}, "alice"),
        ({"user": ["a"]}, None),
        ({"user": None, "user_id": 5}, "5"),
        ({"user_id": True}, None),
        ({"subject": "alice"}, "alice"),
        ({"subject": "Re: your order"}, None),
        ({"subject": "", "user": {}}, None),
        ({"login": "success"}, None),
        ({"uid": "CHhAvVGS1DHFjwGM9"}, None),
    ],
)
def test_actor(fields: dict[str, Any], actor: str | None) -> None:
    """Who: name before login before address before id; what is no name fills nothing."""
    assert map_fields(fields).actor == actor


@pytest.mark.parametrize(
    ("value", "address", "port", "is_taken"),
    [
        ("192.0.2.7", "192.0.2.7", None, True),
        ("192.0.2.7:5022", "192.0.2.7", 5022, False),
        ("[2001:DB8::1]:443", "2001:db8::1", 443, False),
        ("[2001:db8::1]", "2001:db8::1", None, False),
        ("2001:db8:0:0::1", "2001:db8::1", None, False),
        ("::ffff:1.2.3.4", "1.2.3.4", None, False),
        ("[::ffff:1.2.3.4]:22", "1.2.3.4", 22, False),
        ("192.0.2.7:0", None, None, False),
        ("192.0.2.7:65536", None, None, False),
        ("192.0.2.7:²", None, None, False),
        ("localhost:22", None, None, False),
        ("2001:db8:0:0:0:0:0:1:443", None, None, False),
        ("192.0.2.7, 10.0.0.1", "192.0.2.7", None, False),
        ("192.0.2.7:5022,[2001:db8::1]:443", "192.0.2.7", 5022, False),
        ("unknown, 192.0.2.7", None, None, False),
        ("192.0.2.7,", None, None, False),
        (", ".join(["192.0.2.7"] * 18), None, None, False),
        (["192.0.2.7", "192.0.2.8"], None, None, False),
        ("192.0.2.0/24", None, None, False),
        ("192.0.2.07", None, None, False),
        ("from 192.0.2.7", None, None, False),
        ("", None, None, False),
        ("-", None, None, False),
        (3221225991, None, None, False),
        (["192.0.2.7"], "192.0.2.7", None, False),
    ],
)
def test_address(value: Any, address: str | None, port: int | None, is_taken: bool) -> None:
    """From where: only what is an address, in one spelling; the original stays unless it is that spelling."""
    mapped = map_fields({"remote_addr": value})

    assert (mapped.source_ip, mapped.source_port) == (address, port)
    assert ("remote_addr" not in mapped.rest) is is_taken


@pytest.mark.parametrize(
    ("value", "port"),
    [(22, 22), ("22", 22), (0, None), (65536, None), ("x", None), ("", None), (22.0, None), (True, None), ("٢", None)],
)
def test_port(value: Any, port: int | None) -> None:
    """A port is a number in range, or its digits; it is read before one inside an address."""
    assert map_fields({"src_port": value}).source_port == port
    both = map_fields({"src_port": value, "src_ip": "192.0.2.1:7"})
    assert both.source_port == (port or 7)
    assert map_fields({"client_port": 5, "src_port": value}).source_port == (port or 5)


@pytest.mark.parametrize(
    ("fields", "action", "outcome"),
    [
        ({"action": "auth.login"}, "auth.login", None),
        ({"action": "AUTH.LOGIN"}, "auth.login", None),
        ({"action": "login"}, "auth.login", None),
        ({"event": "user.login"}, "auth.login", None),
        ({"event_type": "UserLoggedIn"}, "auth.login", "success"),
        ({"action": "logon"}, "auth.login", None),
        ({"action": "sign-in"}, "auth.login", None),
        ({"action": "ssh_login"}, "auth.login", None),
        ({"action": "login_failed"}, "auth.login", "failure"),
        ({"action": "FailedLogin"}, "auth.login", "failure"),
        ({"action": "auth_failure"}, "auth.login", "failure"),
        ({"action": "login.success"}, "auth.login", "success"),
        ({"action": "login_failed", "success": "1"}, "auth.login", "success"),
        ({"action": "login_success_failed"}, None, None),
        ({"type": "auth"}, None, None),
        ({"action": "authentication"}, None, None),
        ({"action": "logout"}, "auth.logout", None),
        ({"action": "create_user"}, "account.create", None),
        ({"action": "user.created"}, "account.create", None),
        ({"action": "useradd"}, "account.create", None),
        ({"action": "user.removed"}, None, None),
        ({"action": "password_reset_requested"}, None, None),
        ({"action": "2FA enabled"}, "account.mfa_enable", None),
        ({"action": "user_role_assigned"}, "role.assign", None),
        ({"action": "delete"}, None, None),
        ({"action": "delete", "target_type": "user"}, "account.delete", None),
        ({"action": "delete_failed", "resource_type": "User"}, "account.delete", "failure"),
        ({"action": "Updated", "object": {"type": "file", "name": "/a"}}, "file.update", None),
        ({"action": "delete", "target_type": "invoice"}, None, None),
        ({"action": "invoice.approve"}, None, None),
        ({"action": "access_denied"}, None, None),
        ({"action": "unknown thing", "event": "login"}, "auth.login", None),
        ({"action": "failed"}, None, None),
        ({"action": ""}, None, None),
        ({"action": "login " * 30}, None, None),
        ({"action": 5}, None, None),
        ({"action": ["login"]}, "auth.login", None),
        ({"action": ["login", "logout"]}, None, None),
        ({"action": "login", "error": "bad password"}, "auth.login", "failure"),
        ({"action": "login", "error": None}, "auth.login", None),
        ({"action": "login", "status": 401}, "auth.login", "failure"),
        ({"event": {"category": ["authentication"], "type": ["start"]}}, "auth.login", None),
        ({"event.category": "iam", "event.type": ["user", "creation"]}, "account.create", None),
        ({"event": {"category": ["iam"], "type": ["group", "user", "change"]}}, None, None),
        ({"event": {"category": ["process", "x" * 99], "type": [7]}}, None, None),
        ({"event": {"kind": "alert"}}, "detect.alert", None),
        ({"action": {"name": "login"}}, "auth.login", None),
    ],
)
def test_action(fields: dict[str, Any], action: str | None, outcome: str | None) -> None:
    """What: the vocabulary's own word, or one of the usual ones; a bare verb only with the type of its object."""
    mapped = map_fields(fields)

    assert (mapped.action, mapped.outcome) == (action, outcome)
    kept = fields if mapped.envelope is None else fields["event"]
    taken = ["auth.login", *filter(None, [mapped.reason])]
    assert mapped.rest == {key: value for key, value in kept.items() if value not in taken}


@pytest.mark.parametrize(
    ("fields", "outcome"),
    [
        *(({"outcome": str(outcome)}, str(outcome)) for outcome in Outcome),
        *(({"result": word}, "success") for word in ("ok", "OK", "succeeded", "passed", "Allowed", "granted", True)),
        *(({"result": word}, "failure") for word in ("fail", "Failed", "denied", "error", "refused", "blocked", False)),
        *(({"status": word}, "success") for word in ("success", "ok", True)),
        *(({"success": word}, "success") for word in (True, "true", "yes", 1, "1")),
        *(({"success": word}, "failure") for word in (False, "false", "no", 0, "0")),
        ({"allowed": "maybe"}, None),
        ({"success": 2}, None),
        ({"success": [True]}, None),
        ({"result": "pending"}, None),
        ({"result": "a" * 99}, None),
        ({"result": 0}, None),
        ({"result": None}, None),
        ({"outcome": "success", "result": "failed"}, "success"),
        ({"outcome": "success", "ok": False}, "success"),
        ({"outcome": "?", "ok": False}, "failure"),
        ({"event": {"outcome": "denied"}}, "failure"),
        ({"result": {"status": "ok"}}, "success"),
        ({"status": 200}, None),
        ({"status": "404"}, None),
        ({"status": None}, None),
        ({"status": 200, "method": "publickey", "path": "/a"}, None),
        ({"status": 200, "method": "GET"}, "success"),
        ({"status": 302, "method": "GET"}, "success"),
        ({"status": 400, "method": "GET"}, "failure"),
        ({"status": "500", "method": "GET"}, "failure"),
        ({"status": 101, "method": "GET"}, None),
        ({"status": 600, "method": "GET"}, None),
        ({"status": 200, "method": "GET", "ok": False}, "failure"),
        ({"status": 200, "request": "/a"}, None),
        ({"status": 200, "request_uri": 5}, None),
        ({"http": {"request": {"method": "GET"}, "response": {"status_code": 503}}}, "failure"),
        ({"http": {"request": "GET", "response": {"status_code": 503}}}, "failure"),
        ({"status_code": 403}, "failure"),
        ({"status_code": 201.0}, "success"),
        ({"status_code": 7}, None),
        ({"failed": True}, "failure"),
        ({"denied": False}, "success"),
        ({"error": "x"}, None),
    ],
)
def test_outcome(fields: dict[str, Any], outcome: str | None) -> None:
    """How it ended: by words and truth values; by a status code only in an HTTP request."""
    assert map_fields(fields).outcome == outcome


@pytest.mark.parametrize(
    ("fields", "action", "target"),
    [
        ({"method": "GET", "path": "/a", "status": 200}, "http.request", "/a"),
        ({"method": "GET", "url": "https://a/b", "status": 200}, "http.request", "https://a/b"),
        ({"method": "GET", "url": "b", "uri": "/c", "status": 200}, "http.request", "/c"),
        ({"method": "POST", "path": "/a", "status": 401, "action": "login", "target": "t"}, "auth.login", "t"),
        ({"request": "GET /a HTTP/2.0", "path": "/b", "status": 200}, "http.request", "/a"),
        ({"request": "\\x16\\x03\\x01", "status": 400}, None, None),
        ({"method": "GET", "path": "/a"}, None, None),
        ({"path": "/etc/passwd", "status": 200}, None, None),
    ],
)
def test_http_requests(fields: dict[str, Any], action: str | None, target: str | None) -> None:
    """A method or request line together with a status code is an HTTP request, unless it says better."""
    mapped = map_fields(fields)

    assert (mapped.action, mapped.target) == (action, target)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"outcome": "denied", "reason": "locked"}, "locked"),
        ({"outcome": "failure", "error": {"message": "locked"}}, "locked"),
        ({"action": "login_failed", "error": "locked"}, "locked"),
        ({"outcome": "failure", "reason": "", "error": "locked"}, "locked"),
        ({"outcome": "failure", "reason": "a", "error": "b"}, "a"),
        ({"outcome": "success", "reason": "ticket 5"}, None),
        ({"reason": "ticket 5"}, None),
        ({"outcome": "denied", "reason": 5}, None),
    ],
)
def test_reason(fields: dict[str, Any], reason: str | None) -> None:
    """Why: only of a failure."""
    assert map_fields(fields).reason == reason


@pytest.mark.parametrize(
    ("fields", "target", "rest"),
    [
        ({"target": "a"}, "a", []),
        ({"target": 5}, "5", []),
        ({"target": "a", "target_type": "user"}, "user:a", ["target", "target_type"]),
        ({"target": "user:a", "target_type": "user"}, "user:a", ["target_type"]),
        ({"object": {"type": "file", "path": "/a"}}, "file:/a", ["object"]),
        ({"resource_type": "bucket", "resource_id": 7}, "bucket:7", ["resource_type", "resource_id"]),
        ({"resource_type": "bucket", "target": "a"}, "a", ["resource_type"]),
        ({"target_type": 5, "object_type": "t", "object": "a"}, "t:a", ["target_type", "object_type", "object"]),
        ({"target_type": "a", "object_type": "t"}, None, ["target_type", "object_type"]),
        ({"target_user": "eve"}, "user:eve", ["target_user"]),
        ({"target_user": ["eve"], "file": {"path": "/a"}}, "file:/a", ["target_user", "file"]),
        ({"target": None, "target_type": "user"}, None, ["target", "target_type"]),
        ({"target": "a", "object": "b"}, "a", ["object"]),
    ],
)
def test_target(fields: dict[str, Any], target: str | None, rest: list[str]) -> None:
    """On what: with its type where a field of the same family tells it."""
    mapped = map_fields(fields)

    assert (mapped.target, sorted(mapped.rest)) == (target, sorted(rest))


@pytest.mark.parametrize(
    ("value", "time", "quality", "is_taken"),
    [
        ("2024-05-01T12:00:00Z", NOON, "full", True),
        ("2024-05-01T12:00:00.000001+00:00", NOON + 1, "full", True),
        ("2024-05-01T12:00:00.0000019Z", NOON + 1, "full", False),
        ("2024-05-01T12:00:00.1²Z", None, "unparsed", False),
        ("2024-05-01T12:00:00.Z", None, "unparsed", False),
        ("2024-05-01T14:00:00.5+02:00", NOON + 500_000, "full", False),
        ("2024-05-01T14:00:00.000+0200", NOON, "full", False),
        ("2024-05-01 12:00:00", NOON, "no_zone", False),
        ("2024-05-01T12:00:00", NOON, "no_zone", False),
        ("01/May/2024:12:00:00 +0000", NOON, "full", False),
        (1714564800, NOON, "full", True),
        (1714564800.25, NOON + 250_000, "full", True),
        (1714564800.0000005, NOON, "full", False),
        (1714564800250, NOON + 250_000, "full", True),
        (1714564800250.5, NOON + 250_500, "full", True),
        (1714564800000001, NOON + 1, "full", True),
        (1714564800000001000, NOON + 1, "full", True),
        (1714564800000001001, NOON + 1, "full", False),
        ("1714564800", NOON, "full", True),
        ("1714564800.25", NOON + 250_000, "full", False),
        ("1714564800250.5", NOON + 250_000, "full", False),
        ("0.005", None, "unparsed", False),
        (0.005, None, "unparsed", False),
        (17, None, "unparsed", False),
        (-1714564800, None, "unparsed", False),
        (2**70, None, "unparsed", False),
        (float(MAX_TIME_US + 1), None, "unparsed", False),
        (float("nan"), None, "unparsed", False),
        ("May  1 12:00:00", None, "unparsed", False),
        ("2024-05-01", None, "unparsed", False),
        ("2024-02-30T12:00:00Z", None, "unparsed", False),
        ("2024-05-01T12:00:00Z and more", None, "unparsed", False),
        ("9999-12-31T23:59:59Z", None, "unparsed", False),
        ("yesterday", None, "unparsed", False),
        ("2" * 99, None, "missing", False),
        ("", None, "missing", False),
        ("-", None, "missing", False),
        (None, None, "missing", False),
        (True, None, "missing", False),
        ({"seconds": 5}, None, "missing", False),
    ],
)
def test_time(value: Any, time: int | None, quality: str, is_taken: bool) -> None:
    """When: texts with a year, and numbers whose size tells their unit; taken out only if nothing is lost."""
    map_fields({"time": "2024-05-01T12:00:00Z"})  # a second that was read before must change nothing
    mapped = map_fields({"timestamp": value})

    assert (mapped.time, mapped.time_quality) == (time, quality)
    assert ("timestamp" not in mapped.rest) is is_taken


def test_a_second_time_field_is_read_if_the_first_is_none() -> None:
    """A time that cannot be read makes way for the next one."""
    mapped = map_fields({"timestamp": "soon", "ts": 1714564800, "date": "2024-05-01T12:00:01Z"})

    assert (mapped.time, mapped.time_quality) == (NOON, "full")
    assert sorted(mapped.rest) == ["date", "timestamp"]


def test_gelf_reads_only_one_time() -> None:
    """GELF's own time comes before an application's."""
    gelf = {"short_message": "m", "@timestamp": "2024-05-01T12:00:00Z"}

    for seconds in (1714564801, "1714564801"):
        mapped = map_fields({**gelf, "timestamp": seconds})
        assert mapped.time == NOON + 1_000_000
        assert ("timestamp" in mapped.rest) is isinstance(seconds, str)
    assert map_fields({**gelf, "timestamp": "x", "_timestamp": 1714564801}).time == NOON + 1_000_000
    assert map_fields({**gelf, "timestamp": 1714564801, "_timestamp": 1714564802}).time == NOON + 1_000_000


@pytest.mark.parametrize(
    ("command", "app"),
    [
        ("/usr/sbin/sshd -D -e", "sshd"), ("/usr/bin/redis-server", "redis-server"), ("/bin/sh -c sshd", "box"),
        ("/usr/bin/python3 /app.py", "box"), ("/docker-entrypoint.sh nginx", "box"), ("sshd -D", "box"), (7, "box"),
    ],
)  # fmt: skip
def test_a_container_is_the_program_that_runs_in_it(command: object, app: str) -> None:
    # Docker's GELF driver names no program; only what the system has installed is known by its name.
    gelf = {"short_message": "m", "_command": command, "_container_name": "box"}
    assert map_fields(gelf).app == app


def test_many_seconds_are_read_within_bounds() -> None:
    """The memory of seconds is emptied when it is full, and times stay right."""
    for second in range(limits.TIME_CACHE_ENTRIES + 100):
        text = f"2024-05-01T{12 + second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"
        assert map_fields({"time": text}).time == NOON + second * 1_000_000


@pytest.mark.parametrize(
    ("fields", "severity"),
    [
        *(({"level": word}, number) for word, number in words.SEVERITY_WORDS.items()),
        *(({"level": number}, severity) for number, severity in words.PINO_LEVELS.items()),
        *(({"levelno": number}, severity) for number, severity in words.PYTHON_LEVELS.items()),
        *(({"severity": number}, number) for number in range(8)),
        ({"severity": "6"}, 6),
        ({"log": {"level": "warn"}}, 4),
        ({"level": "error", "severity": "info", "levelno": 20}, 3),
        ({"level": 35}, None),
        ({"level": 40, "_level": 50}, 4),
        ({"level": 30, "severity": 5}, 6),
        ({"severity": 2, "level": "?"}, 2),
        ({"log.level": "info", "loglevel": 70, "severity": 3}, 3),
        ({"severity": 30}, None),
        ({"severity": "8"}, None),
        ({"severity": "high"}, None),
        ({"severity": -1}, None),
        ({"severity": 5.0}, None),
        ({"levelno": "20"}, None),
        ({"levelno": 25}, None),
        ({"priority": 3}, None),
    ],
)
def test_severity(fields: dict[str, Any], severity: int | None) -> None:
    """How urgent: names and numbers of syslog and of the usual loggers."""
    assert map_fields(fields).severity == severity


@pytest.mark.parametrize(
    ("value", "facility"),
    [(10, 10), ("10", 10), ("authpriv", 10), ("kern", 0), (24, None), ("24", None), ("999", None), ("x", None),
     (-1, None), (None, None), (True, None)],
)  # fmt: skip
def test_facility(value: Any, facility: int | None) -> None:
    """A facility is a number of RFC 5424 or its name."""
    assert map_fields({"facility": value, "syslog_facility": value}).facility == facility


@pytest.mark.parametrize(
    ("value", "pid"),
    [(5, "5"), ("5", "5"), ("a-b", "a-b"), ("a b", None), ("-", None), (True, None), (1.5, None), (12.0, "12"),
     (-1.0, None)],
)
def test_pid(value: Any, pid: str | None) -> None:
    """A process id is a number or one word."""
    assert map_fields({"pid": value}).pid == pid


@pytest.mark.parametrize("session", [5, "abc"])
def test_session_is_read_once(session: object) -> None:
    """The session's own name comes before its relatives."""
    mapped = map_fields({"session_id": "other", "session": session})

    assert (mapped.session, mapped.rest) == (str(session), {"session_id": "other"})


def test_keys_with_one_canonical_name_are_both_kept() -> None:
    """Of `user` and `_user` the first fills the column, the other stays."""
    mapped = map_fields({"user": "bob", "_user": "eve", "message": "a", "_message": "b", "source_ip": "192.0.2.1",
                         "sourceIp": "192.0.2.2", "log": "x\n", "stream": "y", "time": 0})  # fmt: skip

    assert (mapped.actor, mapped.message, mapped.source_ip) == ("bob", "x", "192.0.2.1")
    assert {"_user", "message", "_message", "sourceIp"} <= mapped.rest.keys()


@pytest.mark.parametrize("value", [5, None, ["x"]])
def test_texts_of_the_wrong_type_fill_nothing(value: object) -> None:
    """A Docker line, a journal message, a method, a request, a path, a type that is no text fills nothing."""
    for fields in (
        {"log": value, "stream": "stdout", "time": None},
        {"MESSAGE": "x", "message": value, "SYSLOG_IDENTIFIER": None},
        {"method": value, "request": value, "request_uri": value, "status": 200, "message": value},
        {"file_path": value, "target_type": value, "app": value, "host": value},
    ):
        mapped = map_fields(fields)
        assert (mapped.app, mapped.host, mapped.target, mapped.action, mapped.outcome) == (None,) * 5
        assert mapped.message in {None, "x"}


def test_put_back_returns_what_a_column_was_filled_from() -> None:
    """A caller who fills columns from elsewhere loses no field."""
    fields = {"host": "h", "user": {"name": "bob"}, "action": "auth.login", "x": 1}
    mapped = map_fields(fields)

    put_back(mapped, fields, {"host", "actor"})

    assert mapped.rest == {"host": "h", "user": {"name": "bob"}, "x": 1}


@pytest.mark.parametrize(
    ("fields", "is_audit"),
    [({}, False), ({"host": "h", "level": "info", "message": "m", "app": "a", "pid": 1, "time": NOON}, False),
     ({"user": "u"}, True), ({"ip": "192.0.2.1"}, True), ({"action": "login"}, True), ({"ok": True}, True),
     ({"target": "t"}, True), ({"session": "s"}, True), ({"run_as": "r"}, True), ({"src_port": 5}, True)],
)  # fmt: skip
def test_is_audit_tells_a_log_line_from_a_deed(fields: dict[str, Any], is_audit: bool) -> None:
    """An object is of interest to an audit if it says who, what, on what, from where or how it ended."""
    assert map_fields(fields).is_audit is is_audit


# --- structured data ---


@pytest.mark.parametrize(
    ("structured_data", "columns"),
    [
        ({"a@1": {"user": "bob", "ip": "192.0.2.1", "action": "login", "result": "denied", "reason": "x"}},
         {"actor": "bob", "source_ip": "192.0.2.1", "action": "auth.login", "outcome": "failure", "reason": "x"}),
        ({"a@1": {"subject": "bob"}, "b@1": {"object": "/a", "event": "file.read", "session": "5"}},
         {"actor": "bob", "target": "/a", "action": "file.read", "session": "5"}),
        ({"a@1": {"user": "bob"}, "b@1": {"user": "eve", "src": "192.0.2.1"}}, {"source_ip": "192.0.2.1"}),
        ({"a@1": {"user": "bob"}, "b@1": {"user": "bob"}}, {"actor": "bob"}),
        ({"a@1": {"user": ["bob", "eve"], "src_port": "22", "success": "false"}},
         {"source_port": 22, "outcome": "failure"}),
        ({"origin": {"ip": "192.0.2.1", "software": "x"}, "timeQuality": {"tzKnown": "1"}}, {}),
        ({"a@1": {"host": "h", "level": "info", "time": "1714564800", "message": "m", "pid": "1"}}, {}),
        ({}, {}),
    ],
)  # fmt: skip
def test_structured_data(structured_data: dict[str, dict[str, Any]], columns: dict[str, Any]) -> None:
    """Params say who did what; never what the header says, never of RFC 5424's own elements, never in doubt."""
    for _ in range(2):  # with a new plan, and with a remembered one
        mapped = map_structured_data(structured_data)
        assert columns_of(mapped) == columns


def test_plans_of_objects_and_of_structured_data_do_not_mix() -> None:
    """The same names mean a host in an object and nothing in structured data."""
    assert map_fields({"host": "h"}).host == "h"
    assert map_structured_data({"a@1": {"host": "h"}}).host is None
    assert map_fields({"": 1, "host": "h"}).host == "h"


# --- plans ---


def test_plans_are_bounded() -> None:
    """Neither many shapes nor long names fill the memory, and both are read."""
    for number in range(limits.FIELD_SHAPES + 5):
        assert map_fields({f"key{number}": 1, "user": "bob"}).actor == "bob"
        assert len(fields_room._plans) <= limits.FIELD_SHAPES
    before = len(fields_room._plans)
    assert map_fields({"x" * limits.FIELD_SHAPE_CHARS: 1, "user": {"name": "bob"}}).actor == "bob"
    assert len(fields_room._plans) == before


def test_one_shape_with_and_without_an_inner_object() -> None:
    """The plan follows what the values are, not only what the keys are."""
    for user, actor in (("bob", "bob"), ({"name": "eve"}, "eve"), ({"id": 5}, "5"), ([1], None), ("bob", "bob")):
        assert map_fields({"user": user, "host": "h"}).actor == actor


# --- vocabularies ---


def test_every_action_in_the_tables_is_in_the_vocabulary() -> None:
    """The synonyms lead to actions that exist."""
    assert set(words._ACTION_OF.values()) <= ACTIONS


@pytest.mark.parametrize("vocabulary", usual.VOCABULARIES, ids=lambda vocabulary: vocabulary.name)
def test_vocabularies_fill_columns_that_exist(vocabulary: usual.Vocabulary) -> None:
    """A row names a column, or a fact on the way to one."""
    columns = {reading.column for readings in vocabulary.readings.values() for reading in readings}

    assert columns <= {*COLUMNS, "type", "request"}


# --- any object ---

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["login", "success", "GET", "192.0.2.1:5", "2024-05-01T12:00:00.1Z", "200", "info", "٣"]),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.sampled_from(["name", "id", "ip", "type", "user", "code", "status_code"]), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
NAMES = st.sampled_from(
    sorted({name for vocabulary in usual.VOCABULARIES for name in vocabulary.readings})
) | st.text(max_size=5)


@given(st.dictionaries(NAMES, VALUES, max_size=8))
@settings(max_examples=200, deadline=None)
def test_any_object_is_mapped(fields: dict[str, Any]) -> None:
    """Nothing raises, columns have their types and ranges, and no field disappears without a column."""
    before = repr(fields)

    mapped = map_fields(fields)

    assert repr(fields) == before
    assert mapped.envelope is not None or mapped.rest.keys() <= fields.keys()
    assert mapped.action is None or mapped.action in ACTIONS
    assert mapped.outcome is None or mapped.outcome in set(Outcome)
    assert mapped.severity is None or 0 <= mapped.severity <= 7
    assert mapped.facility is None or 0 <= mapped.facility <= 23
    assert mapped.time is None or abs(mapped.time) <= MAX_TIME_US
    assert (mapped.time is None) == (mapped.time_quality in {"missing", "unparsed"})
    for column in ("host", "app", "pid", "actor", "actor_as", "reason", "target", "source_ip", "session", "message"):
        assert getattr(mapped, column) is None or type(getattr(mapped, column)) is str
    source = fields if mapped.source is None else mapped.source or mapped.rest
    taken = [key for key in source if key not in mapped.rest]
    assert len(taken) <= len(columns_of(mapped))
    put_back(mapped, fields, COLUMNS)
    assert mapped.rest.keys() == source.keys()


PARAMS = st.dictionaries(NAMES, st.text(max_size=5) | st.lists(st.text(max_size=3)))


@given(st.dictionaries(st.text(max_size=4), PARAMS))
@settings(max_examples=100, deadline=None)
def test_any_structured_data_is_mapped(structured_data: dict[str, dict[str, Any]]) -> None:
    """Nothing raises, whatever the params are called and say."""
    map_structured_data(structured_data)


@given(st.dictionaries(NAMES, VALUES, max_size=8), st.dictionaries(NAMES, VALUES, max_size=8))
def test_a_compiled_plan_reads_what_its_steps_read(fields: dict[str, Any], others: dict[str, Any]) -> None:
    # An object whose shape came often takes the short way, and comes out the same.
    plan = fields_room._plan_of(fields)
    read = compile_plan(plan.steps, plan.kept)
    values = iter(others.values())
    shaken = {key: value if type(value) is dict else next(values, value) for key, value in fields.items()}
    for given_fields in (fields, shaken):
        if fields_room._plan_of(given_fields) is plan:
            expected, found = fields_room._Plan._go_through_steps(plan, given_fields), read(given_fields)
            assert vars(found) == vars(expected)
            assert list(found.rest) == list(expected.rest)


def test_a_key_does_not_become_code() -> None:
    # Senders choose keys, and a plan that came often is compiled.
    key = "user'] or exit() #\"\"\"\n\\\ud800"
    for _ in range(600):
        mapped = map_fields({"user": "alice", key: 1, "host": {"name": "web1", key: key}})
    assert (mapped.actor, mapped.host, mapped.rest[key]) == ("alice", "web1", 1)
    assert fields_room._plan_of({"user": "", key: 1, "host": {"name": "", key: key}}).read.__name__ == "read"
