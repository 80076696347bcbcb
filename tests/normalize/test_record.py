"""Records: Linux audit, CEF, LEEF and key=value as programs write them, and as strangers would like them to be read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.errors import ConfigError
from receiver.normalize.check import check_packs
from receiver.normalize.rules.pack import parse_pack
from receiver.normalize.rules.record import READERS, read_audit, read_cef, read_leef, read_pairs

LOGIN = (
    "type=USER_LOGIN msg=audit(1764000000.123:42): pid=7 uid=0 auid=4294967295 ses=4294967295 "
    "msg='op=login acct={} exe=\"/usr/sbin/sshd\" hostname=? addr=203.0.113.9 terminal=sshd res=failed'"
)


def test_an_audit_record_is_flat() -> None:
    # What stands in msg='…' is the program's, the rest the kernel's.
    record = read_audit(LOGIN.format('"alice"'))
    assert record is not None
    assert {"type": "USER_LOGIN", "acct": "alice", "addr": "203.0.113.9", "res": "failed", "pid": "7"}.items() <= (
        record.items()
    )
    assert (record["audit_time"], record["audit_id"]) == ("1764000000.123", "42")


def test_what_a_stranger_fills_is_decoded_and_fakes_nothing() -> None:
    # auditd writes a value with quotes or blanks in hex.
    name = "root\" addr=192.0.2.66 res=success '"
    record = read_audit(LOGIN.format(name.encode().hex().upper()))
    assert record is not None
    assert (record["acct"], record["addr"], record["res"]) == (name, "203.0.113.9", "failed")


def test_the_kernels_word_goes_before_the_programs() -> None:
    # A program may write what it likes into its message.
    record = read_audit("type=USER_CMD msg=audit(1.0:2): pid=7 uid=1000 auid=1000 ses=3 msg='uid=0 auid=0 res=success'")
    assert record is not None
    assert (record["uid"], record["auid"], record["res"]) == ("1000", "1000", "success")


def test_other_forms_of_audit() -> None:
    # The kernel's own line, a number for the type, enriched records, an op with blanks, AVC.
    kernel = read_audit('[    5.25] audit: type=1400 audit(1.0:2): apparmor="DENIED" operation="open" comm="x y" pid=5')
    assert kernel is not None
    assert (kernel["type"], kernel["apparmor"], kernel["comm"]) == ("AVC", "DENIED", "x y")
    added = read_audit(
        "node=h type=ADD_USER msg=audit(1.0:2): pid=1 auid=1000 msg='op=adding user id=1001 exe=\"/x\" res=success'"
        '\x1dUID="root" AUID="alice" ID="bob"'
    )
    assert added is not None
    assert (added["node"], added["op"], added["id"], added["AUID"]) == ("h", "adding user", "1001", "alice")
    avc = read_audit('type=AVC msg=audit(1.0:2): avc:  denied  { read write } for  pid=1 comm="httpd" name="x"')
    assert avc is not None
    assert (avc["avc"], avc["permission"], avc["comm"]) == ("denied", "read write", "httpd")
    assert read_audit("type=USER_LOGIN but no record") is None


def test_audit_as_journald_writes_it() -> None:
    # The journal keeps the type's name or number before the fields, and no serial number.
    record = read_audit("USER_AUTH pid=811 uid=0 auid=1000 ses=3 msg='op=login acct=\"bob\" addr=? res=failed'")
    assert record is not None
    assert (record["type"], record["acct"], record["res"]) == ("USER_AUTH", "bob", "failed")
    for text in ('<audit-1400> apparmor="DENIED" pid=5', 'AUDIT1400 apparmor="DENIED" pid=5', 'AVC apparmor="DENIED"'):
        other = read_audit(text)
        assert other is not None
        assert (other["type"], other["apparmor"]) == ("AVC", "DENIED")
    assert read_audit("SOMETHING key=value") is None


@pytest.mark.parametrize(
    ("kind", "text", "name"),
    [
        ("linux-audit", "type=USER_LOGIN msg=audit(1.0:2): msg='hostname=x addr=192.0.2.66 addr=203.0.113.9'", "addr"),
        ("cef", "CEF:0|V|P|1|1|n|5|msg=no src=192.0.2.66 x=here src=203.0.113.9", "src"),
        ("leef", "LEEF:1.0|V|P|1|login|src=192.0.2.66\tsrc=203.0.113.9", "src"),
        ("kv", "msg=no src=192.0.2.66 here src=203.0.113.9", "src"),
    ],
)
def test_a_field_that_stands_twice_says_nothing(kind: str, text: str, name: str) -> None:
    # One of the two is a stranger's, and nobody knows which.
    record = READERS[kind](text)
    assert record is not None
    assert record[name] == "?"
    again = READERS[kind](text.replace("192.0.2.66", "203.0.113.9"))
    assert again is not None
    assert again[name] == "203.0.113.9"


def test_a_name_does_not_open_a_message() -> None:
    # `msg='` in a quoted name is part of it: the kernel writes a blank in hex.
    record = read_audit("type=SYSCALL msg=audit(1.0:2): auid=1000 comm=\"msg='res=1\" exe=\"/tmp/x'\" key=\"a\"")
    assert record is not None
    assert (record["comm"], record["exe"], record.get("res")) == ("msg='res=1", "/tmp/x'", None)


def test_what_auditd_adds_is_read_behind_either_mark() -> None:
    # rsyslog escapes the control character; a stranger's name may hold the same four, in quotes.
    for mark in ("\x1d", "#035"):
        fields = 'auid=1000 comm="x#035AUID=" key=(null) res=1'
        record = read_audit(f'type=CONFIG_CHANGE msg=audit(1.0:2): {fields}{mark}AUID="alice" UID="unknown(7)"')
        assert record is not None
        assert (record["AUID"], record["res"], record["comm"]) == ("alice", "1", "x#035AUID=")
        assert record["key"] == "(null)"
        assert "UID" not in record


def test_cef() -> None:
    # Header and extension escape differently; labels name custom fields.
    record = read_cef(
        r"CEF:0|Vendor|Pro\|duct|1.0|100|User \\ login|5|"
        r"src=203.0.113.9 suser=alice b msg=a\=b\nc cs1=x y cs1Label=Rule"
    )
    assert record == {
        "device_vendor": "Vendor", "device_product": "Pro|duct", "device_version": "1.0",
        "device_event_class_id": "100", "name": "User \\ login", "severity": "5", "src": "203.0.113.9",
        "suser": "alice b", "msg": "a=b\nc", "cs1": "x y", "cs1Label": "Rule", "Rule": "x y",
    }  # fmt: skip
    assert read_cef("CEF:0|too|short") is None


def test_cef_without_fields_is_its_header() -> None:
    # An extension is optional, and rubbish in its place has no keys.
    for rest in ("", "rubbish without a key", "=", "\0\xff"):
        record = read_cef(f"CEF:0|Vendor|Product|1.0|100|Login|5|{rest}")
        assert record is not None
        assert record["name"] == "Login"


def test_leef() -> None:
    # Version 2 names its delimiter, as a character or its number.
    first = read_leef("LEEF:1.0|V|P|1|login|usrName=alice\tsrc=203.0.113.9")
    assert first is not None
    assert (first["event_id"], first["usrName"], first["src"]) == ("login", "alice", "203.0.113.9")
    for delimiter, named in (("^", "^"), ("|", "0x7C"), ("\t", "x09"), ("\t", "")):
        second = read_leef(f"LEEF:2.0|V|P|1|login|{named}|usrName=a b{delimiter}src=203.0.113.9")
        assert second is not None
        assert (second["usrName"], second["src"]) == ("a b", "203.0.113.9"), named
    assert read_leef("LEEF:1.0|V|P|1|login|usrName=alice#011src=203.0.113.9") == first


def test_pairs() -> None:
    # A quoted value may hold what looks like another pair.
    assert read_pairs(r'date=2026-01-31 msg="user=root srcip=192.0.2.1 \"x\"" user=alice empty= srcip=203.0.113.9') == {
        "date": "2026-01-31", "msg": 'user=root srcip=192.0.2.1 "x"', "user": "alice", "empty": "",
        "srcip": "203.0.113.9",
    }  # fmt: skip
    assert read_pairs("no pairs") is None
    assert read_pairs("a=1,b=2; c=x,y;z, d=3") == {"a": "1", "b": "2", "c": "x,y;z", "d": "3"}


@pytest.mark.parametrize("kind", sorted(READERS))
@given(text=st.text(alphabet="=\"'\\ |abAF0:{}()[]\t\n.\x1d", max_size=80))
def test_no_text_makes_a_reader_fail(kind: str, text: str) -> None:
    # Anybody can send anything under any name.
    for begin in ("", "CEF:0|", "LEEF:2.0|a|b|c|d|", "type=X msg=audit(1.0:2): "):
        record = READERS[kind](begin + text)
        assert record is None or all(type(value) is str for value in record.values())


PACK = """\
pack: gate
about: the gate
record: kv
begins: ['gate=']
apps: any
rules:
  - name: denied
    where: {gate: [north, south], act: {not: [allow, open]}, who: {present: true}, why: {has: [badge, card]}}
    take: {actor: [who, card], source_ip: from, source_port: port, reason: why, floor: floor}
    set: {action: auth.login, outcome: failure, target: 'door:{gate}'}
    samples:
      - message: 'gate=north act=deny who=alice why="bad Badge" from=203.0.113.9 port=70000 floor=?'
        expect: {actor: alice, action: auth.login, outcome: failure, reason: bad Badge, target: 'door:north', source_ip: 203.0.113.9}
"""  # noqa: E501


def test_a_record_pack_is_its_own_test() -> None:
    # Conditions, first value, words, ports out of range and marks for nothing.
    assert check_packs([parse_pack(PACK, "gate.yaml")]) == []
    for old, new in (("act=deny", "act=open"), ("who=alice", "who=-"), ("bad Badge", "no reason")):
        assert check_packs([parse_pack(PACK.replace(old, new), "gate.yaml")]) != []


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("{has: ", "{like: ", "unknown test 'like'"),
        ("    where: {gate: [north, south], ", "    match: 'x'\n    where: {", "needs `where` instead of `match`"),
        ("record: kv\n", "", "needs `match`"),
        ("record: kv", "record: csv", "Input should be"),
    ],
)
def test_what_is_wrong_with_a_record_pack_is_said(old: str, new: str, sentence: str) -> None:
    # One line, with the place.
    with pytest.raises(ConfigError, match=sentence):
        parse_pack(PACK.replace(old, new), "gate.yaml")


@pytest.mark.parametrize(
    ("read", "text", "doubtful"),
    [
        (read_cef, "CEF:0|v|p|1|1|n|1|suser=bob src=192.0.2.66 src=203.0.113.7 spt=5", {"suser", "src"}),
        (read_pairs, 'user="bob" srcip=192.0.2.66 x="" srcip=203.0.113.7 status=failed', {"user", "srcip", "x"}),
        (read_pairs, 'user="bob" x" srcip=203.0.113.7', {"user"}),
        (read_audit, "type=USER_AUTH msg=audit(1.2:3): msg='acct=\"bob\" x\" addr=203.0.113.7 res=failed'", {"acct"}),
    ],
)
def test_a_value_that_was_cut_short_is_none(read, text, doubtful):
    # Who writes a stranger's word without the escapes of the notation: the word may go on behind the next name.
    record = read(text)
    assert {name for name, value in record.items() if value == "?"} == doubtful
    assert "203.0.113.7" in record.values() or "srcip" in doubtful or "src" in doubtful
