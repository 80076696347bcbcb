"""Fields behind a text, as libraries for logs write them for people."""

from __future__ import annotations

import json

import pytest

from receiver.event import Origin
from receiver.normalize import Normalizer
from receiver.normalize.tails import read_fields
from receiver.wire.detect import parse_frame
from tests.kit.packs import PACKS

NORMALIZER = Normalizer(PACKS)
ORIGIN = Origin("192.0.2.1", 514, None, "tcp", "test")
T = "2026-11-22T10:00:00.123Z"
IP = "203.0.113.9"
FAILED = ("bob", IP, "auth.login", "failure")


def read(line: str) -> tuple[str | None, str | None, str | None, str | None]:
    """Give who, whence, what and the outcome of a line."""
    event = NORMALIZER.event(parse_frame(line.encode(), 1_795_341_600_000_000, None), ORIGIN, 1_795_341_600_000_000)
    return event.actor, event.source_ip, event.action, event.outcome


@pytest.mark.parametrize(
    "line",
    [
        f"{T}  WARN app::auth: login failed username=bob client_ip={IP}",
        f"{T}  WARN request{{method=POST uri=/}}: app::auth: login failed username=bob client_ip={IP}",
        f"{T} WRN login failed ip={IP} user=bob",
        f"10:00AM WRN login failed error=\"invalid password\" remote_addr={IP} username=bob",
        f"10:00AM WRN auth/login.go:42 > login failed remote_addr={IP} username=bob",
        f'{T} WRN event=login ip={IP} provider=local reason="invalid password" result=failure username=bob',
        f"WARN[0012] login failed                                  ip={IP} user=bob",
        f'{T}\tWARN\tauth/login.go:42\tlogin failed\t{{"username": "bob", "remote_addr": "{IP}:51234"}}',
        f'{T}\tWARN\tauth\tauth/login.go:42\tlogin failed\t{{"username": "bob", "ip": "{IP}"}}',
        f'{T} [warn]: login failed {{"username":"bob","ip":"{IP}"}}',
        f'time={T} level=WARN msg="user login failed" clientIP={IP} username=bob',
        f"Nov 22 10:00:00 web1 shop[7]: login failed user=bob ip={IP}",
        json.dumps({"log": f"{T} WRN login failed ip={IP} user=bob\n", "stream": "stderr", "time": T}),
    ],
)  # fmt: skip
def test_fields_behind_a_text_say_who_and_from_where(line: str) -> None:
    """Whichever library wrote them."""
    assert read(line) == FAILED


def test_fields_between_tabs_may_hold_blanks() -> None:
    """As Hadoop's audit logs have them."""
    fields = ("allowed=false", "ugi=bob (auth:SIMPLE)", f"ip=/{IP}", "cmd=delete", "src=/x y")
    line = "2026-11-22 10:00:00,123 INFO FSNamesystem.audit: " + "\t".join(fields)
    assert read(line) == ("bob", IP, "file.delete", "failure")
    assert read(line.replace("\t", "#011")) == ("bob", IP, "file.delete", "failure")


@pytest.mark.parametrize(
    "text",
    [
        "user=bob action=login ip={ip} result=failure",
        'action=login user="bob" src={ip} status=failed',
        "event=login_failed;user=bob;ip={ip}",
        'action="login" | user="bob" | ip="{ip}" | result="failed"',
        "action=login, user=bob, reason=wrong password, ip={ip}, result=failure",
        "Action: login, User: bob, IP: {ip}, Status: failed",
        "2026-11-22 10:00:00 INFO user=bob action=login ip={ip} result=failure",
    ],
)
def test_fields_alone_tell_an_event_that_they_name(text: str) -> None:
    """As programs write who have no library for it."""
    assert read(f"<38>Nov 22 10:00:00 web1 portal: {text}".format(ip=IP)) == FAILED
    # `logger` says of its clock in structured data how good it is.
    head = f'<38>1 {T} web1 portal - - [timeQuality tzKnown="1" isSynced="0"]'
    assert read(f"{head} {text}".format(ip=IP)) == FAILED


@pytest.mark.parametrize(
    "text",
    [
        "user=bob ip=192.0.2.9 page=/x",  # no deed
        "action=login result=failure id=7",  # nobody
        "user=root ip=192.0.2.1 action=login src=203.0.113.9",  # a name `root ip=192.0.2.1`
        "user=bob username=root action=login ip=203.0.113.9",
        "user=bob result=success action=login ip=203.0.113.9 status=failed",  # a name `bob result=success`
        "user=bob action=logout event=login ip=203.0.113.9",
        "user=bob, action=login, ip=203.0.113.9 and so on=1, result=failure",
        "comment=x user=root action=login ip=203.0.113.9",  # a stranger's comment may begin so
    ],
)
def test_fields_alone_that_may_be_somebody_elses_name_nobody(text: str) -> None:
    """Where two fields say one thing, a value with blanks in it may have brought the second."""
    assert read(f"<38>Nov 22 10:00:00 web1 portal: {text}") == (None, None, None, None)


@pytest.mark.parametrize(
    "text",
    [
        "login failed user=bob ip=192.0.2.1 from nowhere",
        "login failed user=bob, ip=192.0.2.1",
        'login failed {"user": "bob"} {"user": "root"}',
        'login failed {"user": "bob", "user": "root"}',
        "login failed user=User { name: bob }",
        "login failed user='bob' ip=192.0.2.1",
        "user=bob ip=192.0.2.1",
        "allowed=true\tugi=bob\tand so on",
        "level=info user=bob",
    ],
)
def test_what_is_not_fields_to_its_end_is_none(text: str) -> None:
    """A text of which a part looks like fields may be anybody's word."""
    assert read_fields(text) is None


def test_a_field_that_stands_twice_has_no_value() -> None:
    """Nor has the one before it."""
    tail = read_fields("login failed id=1 user=bob user=root ip=192.0.2.1")
    assert tail is not None
    assert tail.fields == {"message": "login failed", "ip": "192.0.2.1"}


@pytest.mark.parametrize(
    "line",
    [
        f"{T} WRN bad request action=login user=root ip={IP}",
        f"{T} WRN GET /x user=root ip={IP}",
        f"{T} WRN login failed for foo user=root ip={IP}",
        f"{T} WRN user foo logged in user=root ip={IP}",
        f"{T} WRN unknown command login user=root ip={IP}",
        f"{T} WRN x\tuser=root\tip={IP}\taction=login",
    ],
)
def test_what_a_stranger_may_have_written_names_nobody(line: str) -> None:
    """A program may show what it was sent: only a sentence that names the deed has fields of its own behind it."""
    assert read(line) == (None, None, None, None)
