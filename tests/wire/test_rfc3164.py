"""RFC 3164 as devices really send it."""

from __future__ import annotations

import time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.wire import rfc3164
from receiver.wire.detect import parse_frame
from tests.kit.wire_cases import Case, assert_case, assert_texts, assert_truncations, facts, us

NOW = us(2024, 3, 2, 12)
JAN5 = us(2024, 1, 5, 10)
T = "Jan  5 10:00:00"


def case(name: str, text: str | bytes, expected: dict[str, object], pri: int | None = 13) -> Case:
    """Put `<pri>` before the text, and into what is expected what a time of `T` gives."""
    body = text.encode() if isinstance(text, str) else text
    facts_of_all: dict[str, object] = {"format": "rfc3164", "status": "ok", "time_quality": "missing"}
    if T.encode() in body:
        facts_of_all |= {"time": JAN5, "time_quality": "no_year_zone"}
    if pri is None:
        return Case(name, body, {**facts_of_all, "facility": 1, "severity": 5, **expected})
    return Case(name, b"<%d>%b" % (pri, body), {**facts_of_all, "facility": pri // 8, "severity": pri % 8, **expected})


def tagged(name: str, tag: str, app: str, pid: str | None = None, message: str = "x") -> Case:
    expected: dict[str, object] = {"host": "host", "app": app, "message": message}
    return case(f"tag {name}", f"{T} host {tag}", expected if pid is None else {**expected, "pid": pid})


def untagged(name: str, text: str) -> Case:
    return case(f"no tag: {name}", f"{T} host {text}", {"host": "host", "message": text})


def headless(name: str, text: str, **expected: object) -> Case:
    return case(f"no header: {name}", text, {"message": text, **expected})


CISCO = "%SYS-5-CONFIG_I"
MAR1 = {"time": us(2024, 3, 1, 18, 48, 50, 483_000), "time_quality": "no_year"}
PARTIAL = {"status": "partial"}
NO_PRI = {"status": "partial", "defects": ("no_pri",)}

CASES = [
    # --- the standard's own examples (§5.4) ---
    case("example 1", "Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
         {"time": us(2023, 10, 11, 22, 14, 15), "time_quality": "no_year_zone", "host": "mymachine", "app": "su",
          "message": "'su root' failed for lonvick on /dev/pts/8"}, 34),
    case("example 2", "Feb  5 17:32:18 10.0.0.99 Use the BFG!",
         {"time": us(2024, 2, 5, 17, 32, 18), "time_quality": "no_year_zone", "host": "10.0.0.99",
          "message": "Use the BFG!"}),
    case("example 3", "Aug 24 05:34:00 CST 1987 mymachine myproc[10]: %% It's time to make the do-nuts.  %%",
         {"time": us(1987, 8, 24, 5, 34), "time_quality": "no_zone", "host": "mymachine", "app": "myproc", "pid": "10",
          "message": "%% It's time to make the do-nuts.  %%", "extra": {"zone": "CST"}}, 165),
    case("example 4", "1990 Oct 22 10:52:01 TZ-6 scapegoat.dmz.example.org 10.1.2.3 sched[0]: That's All Folks!",
         {"time": us(1990, 10, 22, 10, 52, 1), "time_quality": "no_zone", "host": "scapegoat.dmz.example.org",
          "app": "sched", "pid": "0", "message": "That's All Folks!",
          "extra": {"zone": "TZ-6", "address": "10.1.2.3"}}, 0),
    # --- time ---
    case("two-digit day", "Jan 05 10:00:00 host app: x",
         {"time": JAN5, "time_quality": "no_year_zone", "host": "host", "app": "app", "message": "x"}),
    case("one-digit day", "Jan 5 10:00:00 host app: x",
         {"time": JAN5, "time_quality": "no_year_zone", "host": "host", "app": "app", "message": "x"}),
    case("year after the time", f"{T}.5 2023  mx1 mgd[7]: UI_LOGIN: x",
         {"time": us(2023, 1, 5, 10, 0, 0, 500_000), "time_quality": "no_zone", "host": "mx1", "app": "mgd",
          "pid": "7", "message": "UI_LOGIN: x"}),
    case("year after the time, common shape", f"{T} 2023 app: x",
         {"time": us(2023, 1, 5, 10), "time_quality": "no_zone", "app": "app", "message": "x"}),
    case("year before the time", "2023 Jan  5 10:00:00.000 host app: x",
         {"time": us(2023, 1, 5, 10), "time_quality": "no_zone", "host": "host", "app": "app", "message": "x"}),
    case("year in the middle", "Jan 05 2023 10:00:00 host app: x",
         {"time": us(2023, 1, 5, 10), "time_quality": "no_zone", "host": "host", "app": "app", "message": "x"}),
    case("RFC 3339", "2024-01-05T10:00:00.123456+01:00 host app[1]: x",
         {"time": us(2024, 1, 5, 9, 0, 0, 123_456), "time_quality": "full", "host": "host", "app": "app", "pid": "1",
          "message": "x"}),
    case("RFC 3339, beyond microseconds", "2024-01-05T10:00:00.123456789Z host app[1]: x",
         {"time": us(2024, 1, 5, 10, 0, 0, 123_456), "time_quality": "full", "host": "host", "app": "app", "pid": "1",
          "message": "x"}),
    case("RFC 3339, no such time", "2024-01-35T10:00:00Z host app[1]: x",
         {"time_quality": "unparsed", "host": "host", "app": "app", "pid": "1", "message": "x",
          **PARTIAL, "defects": ("bad_time",)}),
    case("ISO with a blank", "2024-01-05 10:00:00 host app[1]: x",
         {"time": JAN5, "time_quality": "no_zone", "host": "host", "app": "app", "pid": "1", "message": "x"}),
    case("ESXi", "2024-01-05T10:00:00.123Z esxi1 Hostd: info hostd[2099] [Originator@6876 sub=x] m",
         {"time": us(2024, 1, 5, 10, 0, 0, 123_000), "time_quality": "full", "host": "esxi1", "app": "Hostd",
          "message": "info hostd[2099] [Originator@6876 sub=x] m"}),
    case("ISO date of an application", "2024-01-05 10:00:00 ERROR foo.bar: thing",
         {"time": JAN5, "time_quality": "no_zone", "message": "ERROR foo.bar: thing"}),
    case("zone before the host", f"{T} UTC host app: x",
         {"time_quality": "no_year", "host": "host", "app": "app", "message": "x"}),
    case("zone, common shape", f"{T} UTC app: x", {"time_quality": "no_year", "app": "app", "message": "x"}),
    case("offset before the host", f"{T} +01:00 host app: x",
         {"time": us(2024, 1, 5, 9), "time_quality": "no_year", "host": "host", "app": "app", "message": "x"}),
    case("no such day", "Jan 32 10:00:00 host app: x",
         {"time_quality": "unparsed", "host": "host", "app": "app", "message": "x",
          **PARTIAL, "defects": ("bad_time",)}),
    case("no such hour", "Jan 31 25:00:00 host app: x",
         {"time_quality": "unparsed", "host": "host", "app": "app", "message": "x",
          **PARTIAL, "defects": ("bad_time",)}),
    case("time alone", T, {"message": ""}),
    case("several blanks", f" {T}  host   app:  x", {"host": "host", "app": "app", "message": " x"}),
    case("Meraki", "1 1563249630.774247467 MX84 events type=vpn_connectivity_change",
         {"time": us(2019, 7, 16, 4, 0, 30, 774_247), "time_quality": "full", "host": "MX84", "app": "events",
          "message": "type=vpn_connectivity_change"}, 134),
    # --- host ---
    case("IPv4", f"{T} 192.0.2.1 app: x", {"host": "192.0.2.1", "app": "app", "message": "x"}),
    case("IPv6", f"{T} 2001:db8::1 app: x", {"host": "2001:db8::1", "app": "app", "message": "x"}),
    case("IPv6 of letters", f"{T} fe80::1 app: x", {"host": "fe80::1", "app": "app", "message": "x"}),
    case("IPv6 that ends in colons", f"{T} 2001:db8:: app: x", {"host": "2001:db8::", "app": "app", "message": "x"}),
    case("IPv6 loopback", f"{T} ::1 app: x", {"host": "::1", "app": "app", "message": "x"}),
    case("IPv6 with scope", f"{T} fe80::1%eth0 app: x", {"host": "fe80::1%eth0", "app": "app", "message": "x"}),
    case("IPv6 in brackets", f"{T} [2001:db8::1] app: x", {"host": "2001:db8::1", "app": "app", "message": "x"}),
    case("IPv4 and colon", f"{T} 10.1.1.1: app: x", {"host": "10.1.1.1", "app": "app", "message": "x"}),
    case("IPv6 and colon", f"{T} 2001:db8::1: app: x", {"host": "2001:db8::1", "app": "app", "message": "x"}),
    case("relayed", f"{T} a.example/b.example app: x", {"host": "a.example/b.example", "app": "app", "message": "x"}),
    case("host of two", f"{T} s_net@web-1_a app: x", {"host": "s_net@web-1_a", "app": "app", "message": "x"}),
    case("no host, tag", f"{T} root: hello", {"app": "root", "message": "hello"}),
    case("no host, pid", f"{T} sshd[12]: x", {"app": "sshd", "pid": "12", "message": "x"}),
    case("no host, pid without colon", f"{T} CRON[12] x", {"app": "CRON", "pid": "12", "message": "x"}),
    case("no host, container id", f"{T} 3f1a2b4c[12]: x", {"app": "3f1a2b4c", "pid": "12", "message": "x"}),
    case("host is nil", f"{T} - app: x", {"app": "app", "message": "x"}),
    case("host and colon apart", f"{T} host : app: x", {"host": "host", "app": "app", "message": "x"}),
    case("Ubiquiti", f"{T} U7PG2,f09fc2000000,v4.0: hostapd: ath0",
         {"host": "U7PG2,f09fc2000000,v4.0", "app": "hostapd", "message": "ath0"}),
    case("no host for sure", f"{T} a=b c=d", {"message": "a=b c=d"}),
    case("one word", f"{T} hello", {"message": "hello"}),
    case("level, common shape", f"{T} ERROR foo: x", {"message": "ERROR foo: x"}),
    # --- tag ---
    tagged("plain", "app: x", "app"),
    tagged("pid", "app[12]: x", "app", "12"),
    tagged("pid of letters", "app[a.b-1]: x", "app", "a.b-1"),
    tagged("empty pid", "app[]: x", "app"),
    tagged("no text", "app:", "app", message=""),
    tagged("pid, no text", "app[1]:", "app", "1", ""),
    tagged("blanks in the text", "app:   x", "app", message="  x"),
    tagged("no blank after colon", "app[12]:x", "app", "12"),
    tagged("no blank after colon, no pid", "app:text x", "app", message="text x"),
    tagged("slashes", "postfix/smtpd[12]: x", "postfix/smtpd", "12"),
    tagged("path", "/usr/sbin/cron[1]: x", "/usr/sbin/cron", "1"),
    tagged("parentheses", "su(pam_unix)[12]: x", "su(pam_unix)", "12"),
    tagged("bracket and pid", "gdm-password][12]: x", "gdm-password]", "12"),
    tagged("bracket", "gdm-password]: x", "gdm-password]", None),
    tagged("value in parentheses", "polkitd(authority=local)[12]: x", "polkitd(authority=local)", "12"),
    tagged("parentheses around", "(systemd)[1]: x", "(systemd)", "1"),
    tagged("dashes", "systemd-logind[1]: x", "systemd-logind", "1"),
    tagged("login shell", "-bash[1]: x", "-bash", "1"),
    tagged("upper case", "CRON[1]: x", "CRON", "1"),
    tagged("instance", "openvpn@server.1[1]: x", "openvpn@server.1", "1"),
    tagged("pid without colon", "CRON[1] x", "CRON", "1"),
    tagged("bare", "su 'su root' failed", "su", message="'su root' failed"),
    tagged("bare, upper case", "CRON x", "CRON"),
    tagged("bare, mixed case", "NetworkManager x", "NetworkManager"),
    tagged("bare, path", "/usr/sbin/cron x", "/usr/sbin/cron"),
    tagged("tabs", "MSWinEventLog\t1\tSecurity", "MSWinEventLog", message="1\tSecurity"),
    tagged("a line feed after the colon", "app:\nx", "app", message="\nx"),
    tagged("colon in the text", "dovecot: imap-login: x", "dovecot", message="imap-login: x"),
    tagged("bracket in the text", "kernel: [12.3] x", "kernel", message="[12.3] x"),
    tagged("capitals", "Connection: User [a] from [1.2.3.4]", "Connection", message="User [a] from [1.2.3.4]"),
    untagged("sentence", "Connection closed by peer"),
    untagged("article", "A link went down"),
    untagged("one word", "hello"),
    untagged("mark", "-- MARK --"),
    untagged("number", "00076 ports: port 1 is up"),
    untagged("number and colon", "93: x"),
    untagged("key=value", 'devname="a" x: y'),
    untagged("topics", "system,info,account user admin logged in"),
    untagged("CSV", "1,2024/01/05 10:00:00,0011,TRAFFIC"),
    untagged("CEF", "CEF:0|a|b|c: d"),
    untagged("URL", "http://example.com/ x: y"),
    untagged("punctuation", "... x"),
    untagged("unclosed pid", "app[12 x"),
    untagged("quote", '"app": x'),
    # --- text ---
    tagged("@cee without object", "app: @cees", "app", message="@cees"),
    case("JSON after a tag", f'{T} host app[1]: {{"a": 1}}',
         {"host": "host", "app": "app", "pid": "1", "message": '{"a": 1}', "fields": {"a": 1}}),
    case("JSON after @cee:", f'{T} host app: @cee:{{"a": 1}}',
         {"host": "host", "app": "app", "message": '@cee:{"a": 1}', "fields": {"a": 1}}),
    case("JSON after blanks", f'{T} host app:  {{"a": 1}} ',
         {"host": "host", "app": "app", "message": ' {"a": 1} ', "fields": {"a": 1}}),
    case("JSON after the host", f'{T} host {{"a": 1}}', {"host": "host", "message": '{"a": 1}', "fields": {"a": 1}}),
    case("@cee: after the host", f'{T} host @cee: {{"a": 1}}',
         {"host": "host", "message": '@cee: {"a": 1}', "fields": {"a": 1}}),
    case("JSON after PRI", '{"a": 1}', {"message": '{"a": 1}', "fields": {"a": 1}}),
    case("braces that hold no JSON", f"{T} host app: {{a}}", {"host": "host", "app": "app", "message": "{a}"}),
    case("@cee: and broken JSON", f'{T} host app: @cee:{{"a": ',
         {"host": "host", "app": "app", "message": '@cee:{"a": ', **PARTIAL, "defects": ("bad_json",)}),
    case("JSON with a key twice", f'{T} host app: {{"a": 1, "a": 2}}',
         {"host": "host", "app": "app", "message": '{"a": 1, "a": 2}', "fields": {"a": 2},
          "extra": {"duplicate_keys": {"a": [1, 2]}}, **PARTIAL, "defects": ("duplicate_key",)}),
    case("BOM", f"{T} host app: \ufeffx", {"host": "host", "app": "app", "message": "x"}),
    case("line feeds", f"{T} host app: a\nb", {"host": "host", "app": "app", "message": "a\nb"}),
    case("terminators", f"{T} host app: x\r\n", {"host": "host", "app": "app", "message": "x"}),
    case("NUL terminator", f"{T} host app: x\0", {"host": "host", "app": "app", "message": "x"}),
    case("two terminators", f"{T} host app: x\n\n", {"host": "host", "app": "app", "message": "x\n"}),
    case("Latin-1", f"{T} host app: ".encode() + b"\xe4!",
         {"host": "host", "app": "app", "message": "\ufffd!", **PARTIAL, "defects": ("invalid_utf8",)}),
    case("Unicode", f"{T} host app: ä😀", {"host": "host", "app": "app", "message": "ä😀"}),
    # --- repetitions, forwarders ---
    case("last message repeated", f"{T} host last message repeated 3 times",
         {"host": "host", "message": "last message repeated 3 times", "extra": {"repeated": 3}}),
    case("last message repeated, no host", f"{T} last message repeated 3 times",
         {"message": "last message repeated 3 times", "extra": {"repeated": 3}}),
    case("last message repeated, tag", f"{T} host sshd[1]: last message repeated 1 time",
         {"host": "host", "app": "sshd", "pid": "1", "message": "last message repeated 1 time",
          "extra": {"repeated": 1}}),
    case("message repeated", f"{T} host sshd[1]: message repeated 2 times: [ Failed password for root]",
         {"host": "host", "app": "sshd", "pid": "1", "message": "message repeated 2 times: [ Failed password for root]",
          "extra": {"repeated": 2}}),
    case("message repeated, no tag", f"{T} host message repeated 2 times: [ x]",
         {"host": "host", "message": "message repeated 2 times: [ x]", "extra": {"repeated": 2}}),
    case("message repeated, no host", f"{T} message repeated 2 times: [ x]",
         {"message": "message repeated 2 times: [ x]", "extra": {"repeated": 2}}),
    case("message repeated, no number", f"{T} host app: message repeated often",
         {"host": "host", "app": "app", "message": "message repeated often"}),
    case("forwarded", f"{T} Message forwarded from aix1: sshd[12]: x",
         {"host": "aix1", "app": "sshd", "pid": "12", "message": "x", "extra": {"forwarded_from": "aix1"}}),
    case("forwarded, IPv6", f"{T} Message forwarded from fe80::1: su: x",
         {"host": "fe80::1", "app": "su", "message": "x", "extra": {"forwarded_from": "fe80::1"}}),
    case("forwarded and relayed", f"{T} relay Message forwarded from aix1: su: x",
         {"host": "aix1", "app": "su", "message": "x", "extra": {"forwarded_from": "aix1", "forwarded_by": "relay"}}),
    case("forwarded, older", f"{T} From aix1: su: x",
         {"host": "aix1", "app": "su", "message": "x", "extra": {"forwarded_from": "aix1"}}),
    case("forwarded, no colon", f"{T} host Message forwarded from somewhere",
         {"host": "host", "message": "Message forwarded from somewhere"}),
    case("Solaris", f"{T} sol1 sshd[123]: [ID 800047 auth.info] Accepted publickey",
         {"host": "sol1", "app": "sshd", "pid": "123", "msgid": "800047", "message": "Accepted publickey",
          "extra": {"id": "ID 800047 auth.info"}}, 38),
    case("F5", f"{T} bigip1 notice mcpd[6541]: 01070417:5: AUDIT",
         {"host": "bigip1", "app": "mcpd", "pid": "6541", "message": "01070417:5: AUDIT",
          "extra": {"level": "notice"}}),
    # --- Cisco ---
    case("IOS", f"29: *Mar  1 18:48:50.483 UTC: {CISCO}: Configured from console",
         {**MAR1, "app": CISCO, "message": "Configured from console",
          "extra": {"sequence": "29", "clock": "not set"}}, 189),
    case("IOS, clock lost", f"000029: .Mar  1 18:48:50.483 UTC: {CISCO}: x",
         {**MAR1, "app": CISCO, "message": "x", "extra": {"sequence": "000029", "clock": "not synchronised"}}, 189),
    case("IOS, no sequence", f"*Mar  1 18:48:50.483 UTC: {CISCO}: x",
         {**MAR1, "app": CISCO, "message": "x", "extra": {"clock": "not set"}}, 189),
    case("IOS, zoneless", f"29: Mar  1 18:48:50.483: {CISCO}: x",
         {**MAR1, "time_quality": "no_year_zone", "app": CISCO, "message": "x", "extra": {"sequence": "29"}}, 189),
    case("IOS, named zone", f"29: Mar  1 18:48:50.483 EST: {CISCO}: x",
         {**MAR1, "time_quality": "no_year_zone", "app": CISCO, "message": "x",
          "extra": {"sequence": "29", "zone": "EST"}}, 189),
    case("IOS, year", f"29: Mar  1 2023 18:48:50.483 UTC: {CISCO}: x",
         {"time": us(2023, 3, 1, 18, 48, 50, 483_000), "time_quality": "full", "app": CISCO, "message": "x",
          "extra": {"sequence": "29"}}, 189),
    case("IOS, origin", f"29: rtr1: *Mar  1 18:48:50.483 UTC: {CISCO}: x",
         {**MAR1, "host": "rtr1", "app": CISCO, "message": "x", "extra": {"sequence": "29", "clock": "not set"}}, 189),
    case("IOS, time since boot", f"29: 1w2d: {CISCO}: x",
         {"app": CISCO, "message": "x", "extra": {"sequence": "29", "uptime": "1w2d"}}, 189),
    case("IOS, clock since boot", f"00:00:46: {CISCO}: x",
         {"app": CISCO, "message": "x", "extra": {"uptime": "00:00:46"}}, 189),
    case("IOS, no time", f"29: {CISCO}: x", {"app": CISCO, "message": "x", "extra": {"sequence": "29"}}, 189),
    case("IOS behind a relay", f"{T} rtr1 82: *Mar  1 18:48:50.483 EDT: {CISCO}: x",
         {"host": "rtr1", "app": CISCO, "message": "x",
          "extra": {"sequence": "82", "clock": "not set", "device_time": "Mar  1 18:48:50.483 EDT"}}, 189),
    case("IOS behind a relay, no time", f"{T} rtr1 82: {CISCO}: x",
         {"host": "rtr1", "app": CISCO, "message": "x", "extra": {"sequence": "82"}}, 189),
    case("PIX behind a relay, no host", f"{T} 93: *2003 Mar 23 12:12:12 PDT -8:00 %PIX-4-106023 denied",
         {"app": "%PIX-4-106023", "message": "denied",
          "extra": {"sequence": "93", "clock": "not set", "device_time": "2003 Mar 23 12:12:12 PDT -8:00"}}, 187),
    case("NX-OS", ": 2023 Mar  1 18:48:50 UTC: %ETHPORT-5-IF_UP: x",
         {"time": us(2023, 3, 1, 18, 48, 50), "time_quality": "full", "app": "%ETHPORT-5-IF_UP", "message": "x"}, 189),
    case("NX-OS, host", "2023 Mar  1 18:48:50 sw1 %ETHPORT-5-IF_UP: x",
         {"time": us(2023, 3, 1, 18, 48, 50), "time_quality": "no_zone", "host": "sw1", "app": "%ETHPORT-5-IF_UP",
          "message": "x"}, 189),
    case("NX-OS, origin", "sw01.pdx01: 2023 Mar  1 18:48:50 UTC: %AUTHPRIV-6-SYSTEM_MSG: x",
         {"time": us(2023, 3, 1, 18, 48, 50), "time_quality": "full", "host": "sw01.pdx01",
          "app": "%AUTHPRIV-6-SYSTEM_MSG", "message": "x"}, 190),
    case("IOS-XR", "1452: xr1 RP/0/RSP0/CPU0:Mar  1 18:48:50.483 UTC: config[65710]: %MGBL-6-COMMIT : x",
         {**MAR1, "host": "xr1", "app": "config", "pid": "65710", "message": "%MGBL-6-COMMIT : x",
          "extra": {"sequence": "1452", "node": "RP/0/RSP0/CPU0"}}, 189),
    case("ASA", "%ASA-6-302013: Built", {"app": "%ASA-6-302013", "message": "Built"}, 166),
    case("ASA, host and colon apart", "Jan 05 2024 10:00:00 fw1 : %ASA-6-302013: Built",
         {"time": JAN5, "time_quality": "no_zone", "host": "fw1", "app": "%ASA-6-302013", "message": "Built"}, 166),
    case("ASA, host and colon", f"{T} fw1: %ASA-6-302013: Built",
         {"host": "fw1", "app": "%ASA-6-302013", "message": "Built"}, 166),
    case("ASA, no host", "Jan 05 2024 10:00:00: %ASA-6-302013: Built",
         {"time": JAN5, "time_quality": "no_zone", "app": "%ASA-6-302013", "message": "Built"}, 166),
    case("ASA, EMBLEM", f":{T} UTC: %ASA-6-302013: Built",
         {"time_quality": "no_year", "app": "%ASA-6-302013", "message": "Built"}, 166),
    case("ASA, host, no time", "fw1 %ASA-6-302013: Built",
         {"host": "fw1", "app": "%ASA-6-302013", "message": "Built"}, 166),
    case("Comware", f"{T} 2024 HP1 %%10SHELL/5/SHELL_LOGIN: admin logged in",
         {"time": JAN5, "time_quality": "no_zone", "host": "HP1", "app": "%%10SHELL/5/SHELL_LOGIN",
          "message": "admin logged in"}, 189),
    case("Huawei", "Jan  5 2024 11:00:00+01:00 HW1 %%01SHELL/5/CMDRECORD(l)[12]:Recorded",
         {"time": JAN5, "time_quality": "full", "host": "HW1", "app": "%%01SHELL/5/CMDRECORD(l)", "pid": "12",
          "message": "Recorded"}, 189),
    # --- no header ---
    headless("text", "hello world"),
    headless("nothing", ""),
    headless("MikroTik", "system,info,account user admin logged in from 192.0.2.1 via ssh"),
    headless("FortiGate", 'date=2024-01-05 time=10:00:00 devname="FGT" type="event"'),
    headless("sentence with colon", "Warning: disk is low"),
    headless("Python", "INFO:root:hello"),
    headless("sequence of nothing", "29: hello"),
    headless("mark of nothing", "*hello"),
    headless("XML", "<Event/>"),
    case("no time, tag", "myapp: hello", {"app": "myapp", "message": "hello"}),
    case("no time, pid", "Warning[12]: hello", {"app": "Warning", "pid": "12", "message": "hello"}),
    # --- PRI ---
    case("pri 0", f"{T} host kernel: x", {"host": "host", "app": "kernel", "message": "x"}, 0),
    case("pri 191", f"{T} host app: x", {"host": "host", "app": "app", "message": "x"}, 191),
    Case("pri 192", f"<192>{T} host app: x".encode(),
         {"format": "rfc3164", **PARTIAL, "defects": ("bad_pri",), "time": JAN5, "time_quality": "no_year_zone",
          "host": "host", "app": "app", "message": "x"}),
    Case("pri of many digits", b"<12345678901234567890>hello",
         {"format": "rfc3164", **PARTIAL, "defects": ("bad_pri",), "time_quality": "missing", "message": "hello"}),
    Case("pri with leading zero", f"<013>{T} host app: x".encode(),
         {"format": "rfc3164", **PARTIAL, "defects": ("bad_pri",), "facility": 1, "severity": 5, "time": JAN5,
          "time_quality": "no_year_zone", "host": "host", "app": "app", "message": "x"}),
    Case("pri empty", f"<>{T} host app: x".encode(),
         {"format": "rfc3164", **PARTIAL, "defects": ("bad_pri",), "time": JAN5, "time_quality": "no_year_zone",
          "host": "host", "app": "app", "message": "x"}),
    Case("pri is a word", f"<auth>{T} host app: x".encode(),
         {"format": "rfc3164", **PARTIAL, "defects": ("bad_pri",), "time": JAN5, "time_quality": "no_year_zone",
          "host": "host", "app": "app", "message": "x"}),
    case("no pri", f"{T} host app[1]: x", {"host": "host", "app": "app", "pid": "1", "message": "x", **NO_PRI}, None),
    case("no pri, no tag", f"{T} host It works", {"host": "host", "message": "It works", **NO_PRI}, None),
    case("no pri, RFC 3339", "2024-01-05T10:00:00Z host app: x",
         {"time": JAN5, "time_quality": "full", "host": "host", "app": "app", "message": "x", **NO_PRI}, None),
    case("no pri, Cisco", f"29: *Mar  1 18:48:50.483 UTC: {CISCO}: x",
         {**MAR1, "app": CISCO, "message": "x", "extra": {"sequence": "29", "clock": "not set"}, **NO_PRI}, None),
    case("no pri, JSON", f'{T} host app: {{"a": 1}}',
         {"host": "host", "app": "app", "message": '{"a": 1}', "fields": {"a": 1}, **NO_PRI}, None),
    Case("blanks before", f"  <13>{T} host app: x".encode(),
         {"format": "rfc3164", **PARTIAL, "defects": ("bad_header",), "facility": 1, "severity": 5, "time": JAN5,
          "time_quality": "no_year_zone", "host": "host", "app": "app", "message": "x"}),
    Case("zone of the listener", f"<13>{T} host app: x".encode(),
         {"format": "rfc3164", "status": "ok", "facility": 1, "severity": 5, "time": us(2024, 1, 5, 9),
          "time_quality": "no_year", "host": "host", "app": "app", "message": "x"}, ZoneInfo("Europe/Berlin")),
    Case("zone of the listener, year", b"<13>Jan  5 2024 10:00:00 host app: x",
         {"format": "rfc3164", "status": "ok", "facility": 1, "severity": 5, "time": us(2024, 1, 5, 9),
          "time_quality": "full", "host": "host", "app": "app", "message": "x"}, ZoneInfo("Europe/Berlin")),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_cases(case):
    """Each message gives exactly these fields, however it arrives."""
    assert_case(case, NOW)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_cut_anywhere(case):
    """A message cut at any byte still is a message."""
    assert_truncations(case.raw, NOW)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_fast_path_is_only_faster(case):
    """What the common shape reads in one pass, the careful way reads the same."""
    text = case.raw.decode("utf-8", "replace")
    fast = rfc3164.parse(case.raw, text, NOW, case.zone)
    careful = rfc3164._parse_any(case.raw, text, NOW, case.zone)
    assert facts(fast) == facts(careful)


def test_text_without_pri_is_still_a_message():
    """The parser itself, asked to read text without PRI, takes priority 13 and says so."""
    message = rfc3164.parse(b"hello", "hello", NOW, None)
    assert (message.facility, message.severity) == (1, 5)
    assert [str(defect) for defect in message.defects] == ["no_pri"]


@pytest.mark.parametrize(
    "text",
    [
        "hello world", "", "sshd[12]: x", "2024-01-05 10:00:00 something happened", "2024-01-05T10:00:00Z",
        "2024-01-05 10:00:00,123 ERROR foo.bar: thing", "<Event xmlns='x'>", "<Event>x", "host app: x", "29: hello",
    ],
)  # fmt: skip
def test_no_header_without_pri(text):
    """Text that has neither PRI nor a header for sure is no syslog."""
    assert rfc3164.parse_without_pri(text.encode(), text, NOW, None) is None


WORDS = st.sampled_from(
    ["<13>", "<", ">", T, "2024-01-05T10:00:00Z", "29: ", "*", ".", ":", " ", "host", "app", "[1]", ": ", "UTC", "2024",
     "%ASA-6-1: ", "Message forwarded from ", "message repeated 2 times: [", "[ID 1 a.b] ", "::1", "10.0.0.1", "-",
     "@cee:", "{", "\n", "\t", "\ufeff", "é", "RP/0/RSP0/CPU0:", "1w2d: ", "1 1563249630.7 "]
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, max_size=15).map("".join), st.integers(0, 2**52))
def test_any_sequence_of_parts(text, received_at):
    """Parts of headers in any order give a message of valid texts, with and without PRI."""
    assert_texts(parse_frame(text.encode(), received_at))
    message = parse_frame(f"<13>{text}".encode(), received_at)
    assert_texts(message)
    assert message.format in {"rfc3164", "rfc5424"}
    fast = rfc3164.parse(b"", f"<13>{T} {text}", received_at, None)
    careful = rfc3164._parse_any(b"", f"<13>{T} {text}", received_at, None)
    assert facts(fast) == facts(careful)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), st.sampled_from([b"", b"<13>", b"<13>Jan  5 10:00:00 ", b"Jan  5 10:00:00 h app[1]: "]))
def test_any_bytes(data, head):
    """Any bytes give a message of valid texts, and keep them."""
    message = parse_frame(head + data, NOW)
    assert_texts(message)
    assert message.raw == head + data


@pytest.mark.parametrize(
    ("head", "unit"),
    [
        ("<13>", " "), ("<13>", "a"), ("<13>", "1"), ("<13>", "1: "), ("<13>", ": "), ("<13>", "a:"), ("<13>", "a: "),
        ("<13>", "RP/0/"), ("<13>", "%A-1-"), ("<13>", f"{T} "), (f"<13>{T}", " "), (f"<13>{T} ", "A"),
        (f"<13>{T} ", "a."), (f"<13>{T} ", "::"), (f"<13>{T} ", "1w2d: "), (f"<13>{T} host ", "a/"),
        (f"<13>{T} host ", "A_"), (f"<13>{T} host app[", "1"), (f"<13>{T} host ", "10.0.0.1 "),
        (f"<13>{T} host ", "Message forwarded from "), (f"<13>{T} host app: ", "message repeated 1 times: ["),
        (f"<13>{T} host app: ", "{"), (f"<13>{T} host app: ", "@cee:"), (f"<13>{T} host app: ", "[ID "), ("<", "1"),
        (f"<13>{T} host %", "A-"), (f"{T} ", "x "),
    ],
)  # fmt: skip
def test_time_is_linear(head, unit):
    """Eight times the text takes about eight times as long, however it is twisted (quadratic would be 64)."""

    def seconds(size: int) -> float:
        frame = (head + unit * (size // len(unit))).encode()
        best = 9.0
        for _ in range(5):
            start = time.thread_time()
            parse_frame(frame, NOW)
            best = min(best, time.thread_time() - start)
        return best

    assert seconds(160_000) < 25 * seconds(20_000) + 0.02
