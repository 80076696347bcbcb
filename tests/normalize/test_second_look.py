"""Lines of programs' own files, lines passed on inside of messages, and what must not be read into a text."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest

from receiver.event import Event, Origin
from receiver.normalize import Normalizer
from receiver.normalize.second_look import LineStarts, readings
from receiver.wire.detect import parse_frame
from tests.kit.packs import PACKS

NORMALIZER = Normalizer(PACKS)
ORIGIN = Origin("192.0.2.1", 514, None, "udp", "test")
NOW = 1_764_000_000_000_000


def event_of(raw: str) -> Event:
    return NORMALIZER.event(parse_frame(raw.encode(), NOW, None), ORIGIN, NOW)


class Case(NamedTuple):
    id: str
    raw: str
    expected: dict[str, object]


SSHD = "Invalid user bob from 203.0.113.7 port 51234"
CEF = "CEF:0|Example|Gate|1.0|4|Login failed|5|suser=bob src=203.0.113.7"
GATE: dict[str, object] = {"rule": "cef/login_failed", "actor": "bob", "source_ip": "203.0.113.7"}
IOS = "%SEC_LOGIN-4-LOGIN_FAILED: Login failed [user: bob] [Source: 203.0.113.7] [localport: 22] [Reason: x] at 06:55"
SWITCH: dict[str, object] = {"rule": "cisco/ios_login_failed", "actor": "bob", "source_ip": "203.0.113.7"}
BOB: dict[str, object] = {"rule": "sshd/invalid_user", "actor": "bob", "source_ip": "203.0.113.7"}

CASES = [
    Case("name and pid alone", f"sshd[7]: {SSHD}", {**BOB, "app": "sshd", "pid": "7"}),
    Case("name alone", f"sshd: {SSHD}", {**BOB, "app": "sshd"}),
    Case("seconds and name", f"1702191346 sshd[7]: {SSHD}", {**BOB, "app": "sshd"}),
    Case("name in brackets", f"Dec 10 06:55:46 [sshd] {SSHD}", {**BOB, "app": "sshd", "host": None}),
    Case("facility before the name", f"Dec 10 06:55:46 web1 auth.info sshd[7]: {SSHD}", {**BOB, "host": "web1"}),
    Case("facility in brackets", f"<86>Dec 10 06:55:46 web1 <auth.info> sshd[7]: {SSHD}", {**BOB, "host": "web1"}),
    Case("FreeBSD's numbers", f"Dec 10 06:55:46 <4.6> web1 sshd[7]: {SSHD}", {**BOB, "host": "web1", "app": "sshd"}),
    Case("a host that reads like them", f"2025-12-10 06:55:46 mail.local sshd[7]: {SSHD}",
         {**BOB, "host": "mail.local"}),
    Case("such a host behind a relay's time", f"Dec 10 06:55:46 mail.local Dec 10 06:55:45 sshd[7]: {SSHD}",
         {**BOB, "app": "sshd"}),
    Case("local7", f"Dec 10 06:55:46 web1 local7.notice sshd[7]: {SSHD}", {**BOB, "host": "web1"}),
    Case("no host's name", f"Dec 10 06:55:46 (none) sshd[7]: {SSHD}", {**BOB, "app": "sshd", "host": "(none)"}),
    Case("tabs", f"2025-12-10T06:55:46Z\tweb1\tsshd[7]:\t{SSHD}", {**BOB, "host": "web1", "app": "sshd"}),
    Case("Kiwi", f"10-12-2025 06:55:46\tAuth.Info\t192.0.2.9\tDec 10 06:55:45 sshd[7]: {SSHD}", {**BOB, "app": "sshd"}),
    Case("AIX' facility and level", f"Dec 10 06:55:46 aix1 auth|security:info sshd[7]: {SSHD}", {**BOB, "app": "sshd"}),
    Case("Kiwi, and what a switch writes",
         "2025-12-10 06:55:46\tLocal7.Notice\t192.0.2.9\t9: Dec 10 06:55:45: " + IOS, SWITCH),
    Case("a record behind time and host", "2025-12-10T06:55:46Z gate1 " + CEF, {**GATE, "host": "gate1"}),
    Case("a record behind a relay's time", "Dec 10 06:55:46 box Dec 10 06:55:45 gate1 " + CEF, GATE),
    Case("a record behind a whole header", "<134>Dec 10 06:55:46 box <134>Dec 10 06:55:45 gate1 " + CEF, GATE),
    Case("a program's text is none", "<134>Dec 10 06:55:46 box app: <134>Dec 10 06:55:45 gate1 " + CEF, {"rule": None}),
    Case("Snare, kept in a file", "2025-12-10T06:55:46Z dc1 MSWinEventLog\t1\tSecurity\t9\tWed Dec 10 06:55:45 2025\t"
         "1102\tMicrosoft-Windows-Eventlog\tN/A\tN/A\tSuccess Audit\tdc1\tLog clear\t\tThe audit log was cleared.  "
         "Subject:  Security ID:  S-1-5-21-1  Account Name:  bob  Domain Name:  EXAMPLE  Logon ID:  0x1\t9",
         {"rule": "windows/log_cleared", "actor": "bob"}),
    Case("Sophos Firewall, kept in a file", "2025-12-10T06:55:46Z fw1 device=\"SFW\" date=2025-12-10 time=06:55:45 "
         "log_type=\"Event\" log_component=\"GUI\" log_subtype=\"Admin\" status=\"Failed\" user_name=\"bob\" "
         "src_ip=203.0.113.7 message=\"User bob failed to login to WebAdmin Console because of wrong credentials\"",
         {"actor": "bob", "source_ip": "203.0.113.7", "outcome": "failure"}),
    Case("ACS, kept in a file", "2025-12-10T06:55:46Z acs1 CSCOacs_Passed_Authentications 0000001234 1 0 2026-11-22 "
         "10:00:00.345 +00:00 0000012345 5201 NOTICE Passed-Authentication: Authentication succeeded, "
         "ConfigVersionId=12, Action=Login, User=bob, Port=tty1, Remote-Address=203.0.113.7, Authen-Type=ASCII",
         {"actor": "bob", "source_ip": "203.0.113.7", "outcome": "success"}),
    Case("Junos' explicit priority", "<38>Dec 10 06:55:46 mx1 sshd[7]: %AUTH-6-SSHD_LOGIN_FAILED: Login failed for "
         "user 'bob' from host '203.0.113.7'", {"actor": "bob", "source_ip": "203.0.113.7", "outcome": "failure"}),
    Case("journalctl, short-full", f"Wed 2025-12-10 06:55:46 CET web1 sshd[7]: {SSHD}", {**BOB, "app": "sshd"}),
    Case("RFC 5424 without PRI", f"2025-12-10T06:55:46Z web1 sshd 7 - - {SSHD}", {**BOB, "app": "sshd", "pid": "7"}),
    Case("a part of an unknown program", "<86>Dec 10 06:55:46 web1 shop[7]: [Auth2] User bob logged in from 192.0.2.7",
         {"rule": "worded/login", "actor": "bob", "source_ip": "192.0.2.7", "app": "shop"}),
    Case("containerd", f"2025-12-10T06:55:46.123456789Z stderr F {SSHD}", {**BOB, "app": None}),
    Case("Docker Compose", f"web_1  | {SSHD}", {**BOB, "app": None}),
    Case("OSSEC", f"2025 Dec 10 06:55:46 web1->/var/log/auth.log Dec 10 06:55:46 web1 sshd[7]: {SSHD}", BOB),
    Case("Solaris' ID in RFC 5424", f"<38>1 2025-12-10T06:55:46Z web1 sshd 7 - - [ID 800047 auth.info] {SSHD}", BOB),
    Case("level behind the pid", f"Dec 10 06:55:46 web1 sshd[7] <Info>: {SSHD}", {**BOB, "host": "web1"}),
    Case("in a container", f"<38>Dec 10 06:55:46 box app[1]: sshd[7]: {SSHD}", {**BOB, "app": "app", "host": "box"}),
    Case("in a container, without PRI", f"Dec 10 06:55:46 box app[1]: sshd[7]: {SSHD}", {**BOB, "host": "box"}),
    Case("relayed", f"<38>Dec 10 06:55:46 relay Dec 10 06:55:45 web1 sshd[7]: {SSHD}", {**BOB, "app": "sshd"}),
    Case("relayed with a tag", f"<38>Dec 10 06:55:46 relay x: Dec 10 06:55:45 web1 sshd[7]: {SSHD}", BOB),
    Case("relayed with PRI", f"<38>Dec 10 06:55:46 relay x[1]: <38>Dec 10 06:55:45 web1 sshd[7]: {SSHD}", BOB),
    Case("relayed in RFC 5424", f"<38>1 2025-12-10T06:55:46Z relay x 1 - - web1 sshd[7]: {SSHD}", {"rule": None}),
    Case("relayed with an ISO time",
         f"<38>1 2025-12-10T06:55:46Z r x 1 - - 2025-12-10T06:55:46.1Z w sshd[7]: {SSHD}", BOB),
    Case("repeated inside", f"<38>Dec 10 06:55:46 box app[1]: sshd[7]: message repeated 2 times: [ {SSHD}]", BOB),
    Case("host and name, no time", f"web1 sshd[7]: {SSHD}", {**BOB, "app": "sshd", "host": "web1", "pid": "7"}),
    Case("the program's own time behind a relay's host", "Dec 10 06:55:46 ns1 12/10/2025:06:55:45 GMT ns1 0-PPE-0 : "
         "default AAA LOGIN_FAILED 12 0 :  User bob - Client_ip 203.0.113.7 - Failure_reason \"x\" - Browser y",
         {"rule": "secure-gateways/netscaler_login_failed", "actor": "bob", "source_ip": "203.0.113.7"}),
    Case("the program's own line behind time and host", "Dec 10 06:55:46 vpn [vpn/VPN] (2025-12-10 06:55:45.123) "
         '<HUB_LOG>: Connection "CID-5": User authentication failed. The user name that has been provided was "bob", '
         "from 203.0.113.7.", {"rule": "guards/softether_failed", "actor": "bob", "host": "vpn"}),
    Case("a container of Compose without a number",
         "gitea    | 2025/10/11 14:32:52 routers/web/auth/auth.go:202:SignInPost() [I] Failed authentication attempt "
         "for bob from 203.0.113.7: user's password is invalid [uid: 4, name: bob]",
         {"rule": "gitea/login_failed", "actor": "bob", "source_ip": "203.0.113.7"}),
    Case("a display manager's display", "<38>Dec 10 06:55:46 ws kdm: :0[2014]: pam_unix(kde:session): session opened "
         "for user bob by (uid=0)", {"app": "kdm", "actor": "bob", "action": "session.open"}),
    Case("dropbear's own stamp", "[1126] Dec 10 06:55:46 Password auth succeeded for 'bob' from 203.0.113.7:51000",
         {"rule": "dropbear/accepted", "actor": "bob"}),
    Case("a zone before the text", '2025-12-10 06:55:46 UTC: User "bob" (bob@example.org) was created',
         {"rule": "worded/created", "target": "account:bob@example.org", "time": 1_765_349_746_000_000}),
    Case("NXLog's fields beside a sentence without names",
         '<14>1 2025-12-10T06:55:46Z dc1 Microsoft-Windows-Eventlog 10 - '
         '[NXLOG@14506 EventType="INFO" EventID="1102" Channel="Security" SubjectUserName="bob"] The audit log was '
         'cleared.', {"actor": "bob", "action": "log.clear"}),
    Case("text alone", SSHD, {**BOB, "app": None}),
    Case("text alone, after a time", f"[2025-12-10 06:55:46] {SSHD}", {**BOB, "time": 1_765_349_746_000_000}),
    Case("nginx, access", '203.0.113.7 - bob [10/Oct/2025:13:55:36 -0700] "GET / HTTP/1.1" 200 5',
         {"rule": "web-access/request", "actor": "bob", "app": "nginx"}),
    Case("nginx, error",
         '2025/10/11 14:32:52 [error] 1#1: *1 user "bob": password mismatch, client: 203.0.113.7, server: x',
         {"rule": "web-errors/nginx_password_mismatch", "actor": "bob", "time": 1_760_193_172_000_000}),
    Case("httpd, error", "[Wed Oct 11 14:32:52.1 2025] [auth_basic:error] [pid 1] [client 203.0.113.7:4444] AH01618: "
         "user bob not found: /x", {"rule": "web-errors/httpd_login_failed", "actor": "bob", "app": "apache2"}),
    Case("mysqld", "2025-10-11T14:32:52.000000Z 14 [Note] [MY-010926] [Server] Access denied for user "
         "'bob'@'203.0.113.7' (using password: YES)", {"rule": "mysql/denied", "actor": "bob"}),
    Case("mysqld, old", "251011  4:32:52 [Warning] Access denied for user 'bob'@'203.0.113.7' (using password: YES)",
         {"rule": "mysql/denied", "actor": "bob"}),
    Case("mysqld, general log", "251011  4:32:52\t    3 Connect\tAccess denied for user 'bob'@'203.0.113.7' (using "
         "password: YES)", {"rule": "mysql/denied", "actor": "bob"}),
    Case("postgres", '2025-10-11 14:32:52.123 UTC [123] FATAL:  password authentication failed for user "bob"',
         {"rule": "postgresql/login_failed", "actor": "bob", "app": "postgres", "host": None}),
    Case("postgres with names", '2025-10-11 14:32:52 CEST bob@db FATAL:  password authentication failed for user "bob"',
         {"rule": "postgresql/login_failed", "actor": "bob"}),
    Case("vsftpd", 'Wed Oct 11 14:32:52 2025 [pid 2] [bob] FAIL LOGIN: Client "203.0.113.7"',
         {"rule": "ftp-servers/vsftpd_failed", "actor": "bob", "host": None}),
    Case("squid", "1697034772.123    12 203.0.113.7 TCP_DENIED/407 3800 GET http://x/ bob HIER_NONE/- text/html",
         {"rule": "proxies/squid_failed", "actor": "bob"}),
    Case("haproxy", '203.0.113.7:33317 [06/Feb/2025:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- '
         '1/1/1/1/0 0/0 "GET /index.html HTTP/1.1"', {"rule": "proxies/http_request"}),
    Case("gitea", "2025/10/11 14:32:52 ...ers/web/auth/auth.go:201:SignInPost() [W] Failed authentication attempt for "
         "bob from 203.0.113.7:4444: user does not exist", {"rule": "gitea/login_failed", "actor": "bob"}),
    Case("redis", "9:M 11 Oct 2025 14:32:52.123 * Ready to accept connections", {"rule": "databases/redis_ready"}),
    Case("fail2ban", "2025-10-11 14:32:52,123 fail2ban.actions        [123]: NOTICE  [sshd] Ban 203.0.113.7",
         {"rule": "security/banned"}),
    Case("exim", "2025-10-11 14:32:52 login authenticator failed for (h) [203.0.113.7]:4444: 535 Incorrect "
         "authentication data (set_id=bob)", {"rule": "mail-servers/exim_login_failed", "actor": "bob"}),
    Case("dovecot", "Oct 11 14:32:52 imap-login: Info: Login: user=<bob>, method=PLAIN, rip=203.0.113.7, lip=192.0.2.1",
         {"rule": "dovecot/login", "actor": "bob"}),
    Case("dovecot, its own stamp", "dovecot: Oct 11 14:32:52 Info: imap-login: Login: user=<bob>, method=PLAIN, "
         "rip=203.0.113.7, lip=192.0.2.1", {"rule": "dovecot/login", "actor": "bob", "host": None}),
    Case("mongod", "2025-10-11T14:32:52.123+0000 I ACCESS   [conn12] SCRAM-SHA-256 authentication failed for bob on "
         "admin from client 203.0.113.7:4444 ; UserNotFound: Could not find user", {"actor": "bob", "app": "mongod"}),
    Case("openvpn", "Wed Oct 11 14:32:52 2025 203.0.113.7:4444 [bob] Peer Connection Initiated with "
         "[AF_INET]203.0.113.7:4444", {"rule": "openvpn/initiated", "actor": "bob"}),
    Case("vaultwarden", "[2025-10-11 14:32:52.123][vaultwarden::api::identity][ERROR] Username or password is "
         "incorrect. Try again. IP: 203.0.113.7. Username: bob.",
         {"rule": "applications/vaultwarden_failed", "actor": "bob"}),
    Case("named", "11-Oct-2025 14:32:52.123 security: info: client 203.0.113.7#4444 (x.org): query (cache) "
         "'x.org/A/IN' denied", {"rule": "applications/bind_denied", "app": "named"}),
    Case("DirectAdmin", "2024:03:01-12:00:01: '203.0.113.7' 2 failed login attempts. Account 'bob'", {"actor": "bob"}),
    Case("ZNC", "[2025-03-01 12:00:00] [bob] failed to login from 203.0.113.7", {"actor": "bob", "app": "znc"}),
    Case("ASSP", "Mar-01-25 12:00:01 [SSL-out] 203.0.113.7 [SMTP Error] 535 5.7.8 Error: authentication failed",
         {"app": "assp", "source_ip": "203.0.113.7"}),
    Case("Roundcube", "[01-Mar-2025 12:00:00 +0000]: <1a2b> Failed login for bob from 203.0.113.7 in session 1a "
         "(error: 0)", {"actor": "bob", "app": "roundcube"}),
    Case("ZoneMinder", '03/01/25 12:00:00.123456 web_php[7].ERR [Login denied for user "bob"]', {"actor": "bob"}),
    Case("Kerio", "[01/Mar/2025 12:00:01] IMAP: Invalid password for user bob@x.org. Attempt from IP address "
         "203.0.113.7.", {"actor": "bob@x.org", "app": "kerio"}),
    Case("Domino", "[0BFC:0009-0E38] 28.04.2025 10:20:30   smtp: bob [203.0.113.7] authentication failure using "
         "internet password", {"actor": "bob"}),
    Case("Zimbra", "2025-03-01 12:00:00,123 WARN  [qtp-1:https://x/service/soap/AuthRequest] [name=bob@x.org;"
         "oip=203.0.113.7;] security - cmd=Auth; account=bob@x.org; protocol=soap; error=authentication failed;",
         {"actor": "bob@x.org", "source_ip": "203.0.113.7"}),
    Case("SoftEther", '2025-03-01 12:00:00.123 [HUB "H"] Connection "CID-1": User authentication failed. The user name '
         'that has been provided was "bob", from 203.0.113.7.', {"actor": "bob", "source_ip": "203.0.113.7"}),
    Case("Grafana", 't=2025-03-01T12:00:01+0200 lvl=eror msg="Invalid username or password" logger=context userId=0 '
         'uname= error="User not found" remote_addr=203.0.113.7', {"app": "grafana", "source_ip": "203.0.113.7"}),
    Case("asterisk", "[2025-10-11 14:32:52] NOTICE[12][C-1f]: chan_sip.c: Registration from '<sip:bob@192.0.2.1>' "
         "failed for '203.0.113.7:5060' - Wrong password", {"actor": "bob", "app": "asterisk"}),
]  # fmt: skip

NOTHING = [
    Case("what a known program says in brackets", f"<86>Dec 10 06:55:46 web1 sshd[7]: [x] {SSHD}", {}),
    Case("a name no pack knows", f"<38>Dec 10 06:55:46 box app[1]: mysshd[7]: {SSHD}", {}),
    Case("another program's text", f"<38>Dec 10 06:55:46 box mysshd[1]: {SSHD}", {}),
    Case("a text under a header without a program", f"<38>Dec 10 06:55:46 box {SSHD}", {}),
    Case("a name in the middle", f"<38>Dec 10 06:55:46 box app[1]: he said sshd[7]: {SSHD}", {}),
    Case("a sentence", f"<38>Dec 10 06:55:46 box app[1]: error: {SSHD}", {}),
    Case("too deep", f"<38>Dec 10 06:55:46 box app[1]: a[1]: b[1]: c[1]: sshd[7]: {SSHD}", {}),
    Case("a time of nothing", "[2025-10-11 14:32:52] hello", {}),
    Case("a bracket", "[", {}),
    Case("a time without its bracket", "[2025-10-11 14:32:52", {}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_line_is_its_programs_whoever_brings_it(case: Case) -> None:
    # Files read by a forwarder and containers' output come without the header that names the program.
    event = event_of(case.raw)
    assert {name: getattr(event, name) for name in case.expected} == case.expected


@pytest.mark.parametrize("case", NOTHING, ids=lambda case: case.id)
def test_nothing_is_read_into_a_text(case: Case) -> None:
    # A wrong program is worse than none.
    event = event_of(case.raw)
    assert (event.rule, event.action, event.actor, event.source_ip) == (None, None, None, None)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (f"2025-12-10 06:55:46,123 sshd[7]: {SSHD}", "partial"),
        ("CEF:0|Vendor|Gate|1|100|Login failed|5|src=203.0.113.7 suser=bob outcome=failure", "partial"),
        (f"<86>Dec 10 06:55:46 web1 sshd[7]: {SSHD}", "ok"),
        ("hello", "failed"),
    ],
)
def test_a_line_without_a_header_that_is_read_is_no_failure(raw: str, status: str) -> None:
    # The alert on failed ones says that nobody is named in them; the bytes are kept all the same.
    event = event_of(raw)
    assert event.parse_status == status
    assert (event.raw == raw.encode()) == (status != "ok")


@pytest.mark.parametrize(
    ("text", "actor"),
    [
        ("bob logged in from 203.0.113.7", "bob"),
        ('"bob" logged in from 203.0.113.7', "bob"),
        ("bob@example.org has successfully logged in from 203.0.113.7", "bob@example.org"),
        ("bob authenticated from 203.0.113.7", "bob"),
        ("Client logged in from 203.0.113.7", None),
        ("Postgres logged in", None),  # any word, and nothing that speaks for a name
        ("One bob logged in from 203.0.113.7", None),
        ("bob logged in from 203.0.113.7 and from 192.0.2.1", None),
    ],
)
@pytest.mark.parametrize("head", ["<38>Dec 10 06:55:46 web1 shop[7]: ", "2025-12-10 06:55:46,123 INFO "])
def test_a_sentence_may_begin_with_a_name(head: str, text: str, actor: str | None) -> None:
    # As small programs write; read as one that begins with `User`.
    event = event_of(head + text)
    assert (event.actor, event.source_ip) == (actor, "203.0.113.7" if actor else None)
    assert event.action == ("auth.login" if actor else None)


def test_what_was_read_is_said_beside_what_was_sent() -> None:
    # The header's program stays: it is what the sender claimed.
    event = event_of(f"<38>Dec 10 06:55:46 box app[1]: sshd[7]: {SSHD}")
    assert event.app == "app"
    assert json.loads(event.data or "{}") == {"program": "sshd"}


def test_no_raw_byte_is_lost_when_a_header_is_taken_back() -> None:
    # `security:` looked like a program, and was named's category.
    raw = "11-Oct-2025 14:32:52.123 security: info: client 203.0.113.7#4444 (x.org): query (cache) 'x.org/A/IN' denied"
    event = event_of(raw)
    assert (event.host, event.app, event.message, event.raw) == (None, "named", raw, raw.encode())


def test_every_start_of_a_line_is_tried() -> None:
    # One that no line reaches is a guess.
    lines = [sample.raw for pack in PACKS for sample in pack.samples if sample.raw] + [case.raw for case in CASES]
    tried = {start: LineStarts([start]) for pack in PACKS for start in pack.lines}
    for line in lines:
        for start, only in tuple(tried.items()):
            read = readings(line, NOW, lambda _: False, only, None, is_bare=True)
            if any(reading.app is not None for reading in read):
                del tried[start]
    assert not tried


def test_the_explanation_shows_the_rule_of_the_other_reading() -> None:
    # `explain` must not say that no rule matched.
    for raw in (f"<38>Dec 10 06:55:46 box app[1]: sshd[7]: {SSHD}", f"sshd[7]: {SSHD}", SSHD):
        explanation = NORMALIZER.explain(parse_frame(raw.encode(), NOW, None), ORIGIN, NOW)
        assert explanation.rule == "sshd/invalid_user"
        assert explanation.groups["actor"] == "bob"
        assert explanation.nearest == ()
