"""The engine: which facts win, where each goes, and that nothing is lost or reordered."""

from __future__ import annotations

import json
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from receiver import limits
from receiver.event import Event, Origin
from receiver.normalize import Normalizer, load_packs
from receiver.normalize.rules.dispatch import KNOWN_APPS
from receiver.normalize.rules.literals import literal_prefixes, needle
from receiver.normalize.rules.pack import parse_pack
from receiver.normalize.rules.rule import SLOTS, Rule, expand
from receiver.wire.detect import parse_frame
from receiver.wire.message import Cut, Defect, Message
from tests.kit.packs import PACKS

NOW = 1_764_000_000_000_000
ORIGIN = Origin("192.0.2.1", 40_000, None, "tcp", "main")
NORMALIZER = Normalizer(PACKS)
LOGIN = "Accepted password for alice from 203.0.113.7 port 51234 ssh2"


def message(text: str | None, app: str | None = "sshd", **parts: Any) -> Message:
    values: dict[str, Any] = {
        "raw": (text or "").encode(), "format": "rfc3164", "status": "ok", "facility": 4, "severity": 6, "time": 7,
        "time_quality": "full", "host": "web1", "app": app, "pid": "811", "msgid": None, "structured_data": None,
        "message": text,
    }  # fmt: skip
    return Message(**{**values, **parts})


def event_of(text: str | None, app: str | None = "sshd", **parts: Any) -> Event:
    return NORMALIZER.event(message(text, app, **parts), ORIGIN, NOW)


def data_of(event: Event) -> dict[str, Any]:
    return json.loads(event.data) if event.data else {}


def wire(raw: str) -> Event:
    return NORMALIZER.event(parse_frame(raw.encode(), NOW, None), ORIGIN, NOW)


def test_a_matched_message_fills_every_column() -> None:
    # Positions are easily swapped: each column is compared with its own value.
    assert event_of(LOGIN) == Event(
        received_at=NOW, time=7, time_quality="full", host="web1", app="sshd", pid="811", msgid=None, facility=4,
        severity=6, actor="alice", actor_as=None, action="auth.login", outcome="success", reason=None, target=None,
        source_ip="203.0.113.7", source_port=51234, session=None, peer="192.0.2.1", peer_port=40_000,
        peer_identity=None, transport="tcp", listener="main", format="rfc3164", parse_status="ok",
        rule="sshd/accepted", message=LOGIN, data='{"method":"password"}', raw=None,
    )  # fmt: skip


def test_an_unmatched_message_says_nothing() -> None:
    # What has no match stays null, never a guess.
    event = event_of("something nobody has seen")
    assert (event.actor, event.action, event.outcome, event.rule, event.data) == (None,) * 5
    assert event.message == "something nobody has seen"


def test_one_event_a_message_in_order() -> None:
    # Lists travel: one in, one out, each with its own origin.
    texts = [f"line {i}" for i in range(20)]
    origins = [ORIGIN._replace(peer_port=i) for i in range(20)]
    events = NORMALIZER.normalize([message(text) for text in texts], origins, NOW)
    assert [(event.message, event.peer_port) for event in events] == [(text, i) for i, text in enumerate(texts)]
    assert len(NORMALIZER.normalize([message(LOGIN)] * 3, repeat(ORIGIN), NOW)) == 3


@pytest.mark.parametrize("app", ["sshd", "SSHD", "/usr/sbin/sshd", "sshd-session"])
def test_a_program_is_known_by_its_names(app: str) -> None:
    # Senders write paths, capitals and module names.
    assert event_of(LOGIN, app).rule == "sshd/accepted"


def test_pam_of_old_is_read_as_todays() -> None:
    # Linux-PAM before 1.0 put its module into the tag.
    event = event_of("session opened for user alice by (uid=0)", "sshd(pam_unix)")
    assert (event.rule, event.actor, event.app) == ("pam/session_opened", "alice", "sshd(pam_unix)")


FAMILY = """\
pack: family
about: programs with a number in their name
apps: ['family-*', other]
rules:
  - name: hello
    match: 'hello {actor}'
    samples:
      - message: 'hello alice'
        app: family-7
        expect: {actor: alice}
"""


def test_an_app_may_be_the_beginning_of_names() -> None:
    # `postfix-out/smtpd` and the like: who names them is the operator.
    normalizer = Normalizer([parse_pack(FAMILY, "family.yaml")])
    for app, rule in (("family-7", "family/hello"), ("Family-", "family/hello"), ("other", "family/hello")):
        assert normalizer.event(message("hello alice", app), ORIGIN, NOW).rule == rule
    for app in ("family", "others", "my-family-7"):
        assert normalizer.event(message("hello alice", app), ORIGIN, NOW).rule is None


def test_programs_without_rules_share_a_table() -> None:
    # Senders choose names: thousands of tables would be megabytes.
    normalizer = Normalizer(PACKS)
    assert normalizer.table("nobody-1") is normalizer.table("nobody-2") is normalizer.table("x")
    assert normalizer.table("nobody-1").others == ()


RECORDS = """\
pack: {name}
about: two rules on one record
record: kv
begins: ['{name}=']
apps: any
rules:
  - name: first
    where: {{type: [a, b], x: '1'}}
    take: {{actor: who}}
    samples:
      - message: '{name}=1 type=a x=1 who=alice'
        expect: {{actor: alice}}
  - name: second
    where: {{x: {{present: true}}}}
    take: {{actor: who}}
    samples:
      - message: '{name}=1 type=c x=1 who=alice'
        expect: {{actor: alice}}
"""


def test_the_first_rule_whose_conditions_hold_takes_a_record() -> None:
    # Rules side by side are one for the dispatch, and their order must not change.
    packs = [parse_pack(RECORDS.format(name=name), name) for name in ("records", "others-")]
    normalizer = Normalizer(packs)
    for begin in ("records", "others-"):
        for text, rule in (("type=b x=1", "first"), ("type=b x=2", "second"), ("x=1 y=1", "second"), ("type=a", None)):
            event = normalizer.event(message(f"{begin}=1 {text} who=bob", "any"), ORIGIN, NOW)
            assert event.rule == (f"{begin}/{rule}" if rule else None), text
    cut = message("records=1 type=a x=1 who=bob", "any", raw=Cut.of(b"", Defect.TRUNCATED))
    assert normalizer.event(cut, ORIGIN, NOW).rule is None


def test_what_fills_a_column_first() -> None:
    # Of a pattern's group, a text of `set` with groups, and a constant.
    settings = {"actor": "nobody", "target": "{_a}-{actor}-%s", "session": ""}
    rule = Rule("x/y", "{actor}/{target} {_a:any}!{n:int};{source_port}", settings, "", 1)
    rule.compile()
    for text, target in (("alice/t a!7;99999", "a-alice-%s"), ("alice/t !7;99999", None)):
        match = rule.fullmatch(text)
        assert match is not None
        columns, extras = rule.read(match)
        assert (columns[SLOTS["actor"]], columns[SLOTS["target"]], columns[SLOTS["session"]]) == ("alice", target, None)
        assert (columns[SLOTS["source_port"]], extras) == (None, {"n": 7, "source_port": 99_999})


@pytest.mark.parametrize("app", [None, "", "mysshd", "ssh", "dropbear"])
def test_a_rule_is_not_tried_under_another_program(app: str | None) -> None:
    # Any program may write this text.
    assert event_of(LOGIN, app).rule is None


def test_rules_for_any_program_need_no_name() -> None:
    # PAM speaks under whatever program it runs in.
    event = event_of("pam_unix(foo:session): session closed for user bob", None)
    assert (event.rule, event.actor) == ("pam/session_closed", "bob")


def test_names_of_programs_are_remembered_within_bounds() -> None:
    # Senders choose them: a million names must not stay in memory.
    normalizer = Normalizer(PACKS)
    for number in range(KNOWN_APPS + 10):
        normalizer.table(f"app-{number}")
    normalizer.table("x" * 100_000)
    assert len(normalizer._tables) <= KNOWN_APPS
    assert max(len(name or "") for name in normalizer._tables) < 100


@pytest.mark.parametrize("text", [f"  {LOGIN}", f"{LOGIN}\n", f"{LOGIN} \r\n"])
def test_blanks_around_a_message_do_not_matter_but_stay(text: str) -> None:
    # rsyslog's templates put one before, devices leave CR and LF behind.
    event = event_of(text)
    assert (event.actor, event.message) == ("alice", text)


@pytest.mark.parametrize(
    ("template", "count"),
    [("message repeated 3 times: [ {}]", 3), ("message repeated 12 times: [{}]", 12)],
)
def test_a_repeated_message_is_its_inner_event_counted(template: str, count: int) -> None:
    # rsyslog's compression of repetitions.
    event = event_of(template.format(LOGIN))
    assert (event.actor, event.rule, data_of(event)["count"]) == ("alice", "sshd/accepted", count)


def test_repetitions_do_not_nest() -> None:
    # A hostile depth would be a stack.
    text = "message repeated 2 times: [ " * 200 + LOGIN + "]" * 200
    assert event_of(text).rule is None


def test_a_repeated_message_that_rsyslog_cut_is_not_trusted() -> None:
    # `%.800s`: a name long enough pushes the true source out and puts another in its place.
    inner = "Failed password for invalid user " + "x" * 730
    inner += " from 192.0.2.66 port 22 ssh2"[: 800 - len(inner)]
    inner = inner.ljust(800, "x")[: 800 - 29] + " from 192.0.2.66 port 22 ssh2"
    event = event_of(f"message repeated 2 times: [{inner}]")
    assert (event.source_ip, event.rule) == (None, None)


def test_a_cut_message_matches_only_where_its_end_does_not_matter() -> None:
    # What stands at the cut is not what stood at the end.
    hostile = "Failed password for invalid user x from 192.0.2.66 port 5 ssh2"
    padding = " " * (limits.RULE_TEXT_CHARS - len(hostile)) + "y"
    assert event_of(f"{hostile}{padding} from 203.0.113.7 port 1 ssh2").source_ip is None
    cut = Cut.of(b"x", Defect.TRUNCATED, 99_999)
    text = "Failed password for invalid user x from 192.0.2.66 port 5 ssh2"
    parts: dict[str, Any] = {"raw": cut, "status": "partial", "defects": (Defect.TRUNCATED,)}
    assert event_of(text, **parts).source_ip is None
    event = event_of("bad ownership or modes for chroot directory /srv/x", **parts)
    assert event.reason == "/srv/x"
    assert data_of(event)["wire"] == {"defects": ["truncated"], "original_bytes": 99_999}
    assert type(event.raw) is bytes


def test_only_the_beginning_of_a_long_message_is_looked_at() -> None:
    # A regex must not see megabytes; the column keeps them.
    text = "bad ownership or modes for chroot directory " + "x" * 100_000
    event = event_of(text)
    assert event.message == text
    assert event.reason is not None
    assert len(event.reason) < limits.RULE_TEXT_CHARS


def test_raw_is_kept_when_asked_or_when_something_was_wrong() -> None:
    # `store.keep_raw`, and the promise that defects keep their bytes.
    always = Normalizer(PACKS, keep_raw_always=True)
    assert always.event(message(LOGIN), ORIGIN, NOW).raw == LOGIN.encode()
    assert event_of(LOGIN).raw is None
    partial = event_of(LOGIN, status="partial", defects=(Defect.NO_PRI,), extra={"sequence": "17"})
    assert partial.raw == LOGIN.encode()
    assert data_of(partial) == {"method": "password", "wire": {"defects": ["no_pri"], "sequence": "17"}}


def test_what_is_no_address_and_no_port_goes_to_data() -> None:
    # A name in `source_ip` would be believed.
    event = event_of("User bob from scan.example.net not allowed because listed in DenyUsers")
    assert (event.source_ip, data_of(event)["source_host"]) == (None, "scan.example.net")
    event = event_of("Connection closed by 203.0.113.7 port 99999")
    assert (event.source_port, data_of(event)["source_port"]) == (None, 99999)
    assert event_of("Connection closed by 203.0.113.7 port 0").source_port == 0


def test_addresses_have_one_spelling() -> None:
    # A filter compares texts.
    assert event_of("Connection closed by ::ffff:203.0.113.7 port 1").source_ip == "203.0.113.7"
    assert event_of("Connection closed by 2001:DB8:0::7 port 1").source_ip == "2001:db8::7"


def test_structured_data_stands_whole_in_data_and_speaks_where_no_rule_does() -> None:
    # RFC 5424 senders that are no Linux daemon: the usual names.
    head = '<86>1 2025-11-22T10:00:00Z web1 shop 7 - [audit@32473 user="alice" action="login" outcome="success"]'
    event = wire(f"{head} hello")
    assert (event.rule, event.actor, event.action) == ("generic/structured_data", "alice", "auth.login")
    assert data_of(event)["structured_data"]["audit@32473"]["user"] == "alice"
    event = wire(f"{head.replace('shop', 'sshd').replace('alice', 'mallory')} {LOGIN}")
    assert (event.rule, event.actor) == ("sshd/accepted", "alice")


def test_json_fields_speak_where_no_rule_does() -> None:
    # One object a line, as applications write.
    event = wire('{"host":"web1","app":"shop","user":"alice","action":"login","result":"ok","ip":"203.0.113.7","n":1}')
    assert (event.rule, event.host, event.actor, event.source_ip) == ("generic/json", "web1", "alice", "203.0.113.7")
    assert data_of(event)["n"] == 1
    assert "user" not in data_of(event)


def test_a_json_time_that_cannot_be_read_is_a_defect() -> None:
    # A time that is null though the sender gave one is not `ok`: the bytes are kept.
    event = wire('{"time":"half past nine","user":"eve"}')
    assert (event.time, event.time_quality, event.parse_status) == (None, "unparsed", "partial")
    assert event.raw == b'{"time":"half past nine","user":"eve"}'
    assert data_of(event)["wire"]["defects"] == ["bad_time"]


def test_a_rule_beats_json_fields_and_nothing_is_mixed() -> None:
    # The user of the process beside the text is not the user in the text.
    event = wire(json.dumps({"app": "sshd", "message": LOGIN, "user": "root", "target": "x"}))
    assert (event.rule, event.actor, event.target) == ("sshd/accepted", "alice", None)
    assert data_of(event) == {"method": "password", "user": "root", "target": "x"}


@pytest.mark.parametrize(
    "fields",
    [
        {"appname": "sshd", "hostname": "web1", "message": LOGIN},
        {"PROGRAM": "sshd", "HOST": "web1", "MESSAGE": LOGIN},
        {"syslog": {"appname": "sshd"}, "message": LOGIN},
        {"message": f"Jan  5 11:02:03 web1 sshd[9]: {LOGIN}", "log": {"file": {"path": "/var/log/auth.log"}}},
        {"_raw": f"Jan  5 11:02:03 web1 sshd[9]: {LOGIN}", "host": "web1"},
        {"ProcessName": "sshd", "SyslogMessage": LOGIN, "Computer": "web1"},
        {"rawmsg": f"<38>Jan  5 11:02:03 web1 sshd[9]: {LOGIN}", "msg": LOGIN, "programname": "sshd"},
    ],
    ids=["Vector", "syslog-ng", "Graylog", "Filebeat", "Splunk", "Azure", "rsyslog"],
)
def test_a_line_in_json_is_its_programs_whoever_relays_it(fields: dict[str, Any]) -> None:
    for relayed in (json.dumps(fields), f"<14>1 2026-01-05T11:02:04Z relay fwd - - - {json.dumps(fields)}"):
        event = wire(relayed)
        assert (event.rule, event.actor, event.source_ip) == ("sshd/accepted", "alice", "203.0.113.7")
        assert event.app == ("fwd" if relayed[0] == "<" else event.app)


def test_the_syslog_header_beats_what_its_json_text_says() -> None:
    # The other value is kept.
    head = "<14>1 2025-11-22T10:00:00Z web1 shop 7 - -"
    event = wire(f'{head} {{"host":"db9","app":"shop","user":"alice","action":"login"}}')
    assert (event.host, event.app, event.actor) == ("web1", "shop", "alice")
    assert data_of(event)["host"] == "db9"


def test_a_name_that_is_ours_is_kept_aside() -> None:
    # Nothing is lost to a name.
    event = wire('{"message":"x","wire":1,"structured_data":2,"fields":3,"other":4}')
    assert data_of(event) == {"other": 4, "fields": {"wire": 1, "structured_data": 2, "fields": 3}}


def test_a_json_field_and_a_rules_word_may_share_a_name() -> None:
    # Neither overwrites the other.
    event = wire(json.dumps({"app": "sshd", "message": LOGIN, "method": "POST"}))
    assert data_of(event) == {"method": "password", "fields": {"method": "POST"}}


def test_explain_names_the_rule_and_where_each_group_went() -> None:
    # `audit-receiver explain`.
    said = NORMALIZER.explain(message(LOGIN), ORIGIN, NOW)
    assert (said.rule, said.key, Path(said.file or "").name) == ("sshd/accepted", "sshd", "sshd.yaml")
    assert said.goes_to["method"] == "data.method"
    assert said.groups["actor"] == "alice"
    assert said.event.actor == "alice"
    assert any("took      actor = 'alice'" in line for line in said.lines())


def test_explain_shows_the_rule_of_the_program_that_json_names() -> None:
    raw = '<14>1 2026-01-05T11:02:04Z relay fwd - - - ' + json.dumps({"appname": "sshd", "message": LOGIN})
    said = NORMALIZER.explain(parse_frame(raw.encode(), NOW, None), ORIGIN, NOW)
    assert (said.rule, said.key, said.groups["actor"]) == ("sshd/accepted", "sshd", "alice")


def test_explain_names_the_nearest_rules_of_a_miss() -> None:
    # The operator sees how far a pattern came.
    said = NORMALIZER.explain(message("Accepted password for alice from 203.0.113.7 on Tuesday"), ORIGIN, NOW)
    assert said.rule is None
    assert said.nearest[0].rule == "sshd/accepted"
    assert said.nearest[0].matched.startswith("Accepted password for alice from 203.0.113.7")
    assert any("nearest" in line for line in said.lines())


def test_explain_works_for_every_kind_of_message() -> None:
    # Repeated, generic, defective and empty ones too.
    repeated = f"<38>x sshd: message repeated 2 times: [ {LOGIN}]".encode()
    for raw in (b"", b"\xff\xfe", b'{"user":"a","action":"login"}', b"{", repeated):
        assert NORMALIZER.explain(parse_frame(raw, NOW, None), ORIGIN, NOW).lines()


def test_an_operators_pack_comes_first(tmp_path: Path) -> None:
    # First match wins.
    (tmp_path / "mine.yaml").write_text(
        "pack: mine\nabout: x\napps: [sshd]\nrules:\n  - name: all\n    match: 'Accepted {rest:any}'\n"
        "    samples: [{message: Accepted x, expect: {data: {rest: x}}}]\n"
    )
    normalizer = Normalizer(load_packs([tmp_path]))
    assert normalizer.event(message(LOGIN), ORIGIN, NOW).rule == "mine/all"
    assert normalizer.event(message("Invalid user x from 203.0.113.7"), ORIGIN, NOW).rule == "sshd/invalid_user"


def test_a_template_without_its_group_is_null() -> None:
    # Half a sentence is a wrong one.
    pack = parse_pack(
        "pack: p\nabout: x\napps: any\nrules:\n  - name: r\n    match: 'did (?:{_a:int}|nothing)( to {_b})?'\n"
        "    set: {target: 'n:{_a}', reason: '{_a} 100% {_b}'}\n    samples: [{message: did nothing, expect: {}}]\n",
        "p",
    )
    normalizer = Normalizer([pack])

    def columns(text: str) -> tuple[Any, ...]:
        event = normalizer.event(message(text), ORIGIN, NOW)
        return event.rule, event.target, event.reason

    assert columns("did nothing") == ("p/r", None, None)
    assert columns("did 5") == ("p/r", "n:5", None)
    assert columns("did 5 to x") == ("p/r", "n:5", "5 100% x")


@pytest.mark.parametrize(
    ("pattern", "prefixes", "inside"),
    [
        ("Accepted {m} for {actor}", ("Accepted ",), "Accepted "),
        ("(error: |fatal: )?PAM: x", ("error: PAM: x", "fatal: PAM: x", "PAM: x"), "PAM: x"),
        (r"a\[b\]? c", (r"a[b",), "a[b"),
        ("ab+c", ("a",), "a"),
        ("{x:until} : foo{y:any}bar", ("",), " : foo"),
        ("(?:long text)?ab", ("long textab", "ab"), "ab"),
        (r"(?:a\|b\||cd)\|efg", ("a|b||efg", "cd|efg"), "|efg"),
        ("x|y", ("x",), ""),
        ("a(?!longer)b", ("a",), "a"),
        ("{x:[(]abc}d", ("",), "abc"),
    ],
)
def test_literals_are_never_more_than_what_must_stand(
    pattern: str, prefixes: tuple[str, ...], inside: str
) -> None:
    # A literal that a match could lack would hide the match.
    expression = expand(pattern)[0]
    if "|" not in pattern or "(" in pattern:
        assert literal_prefixes(expression) == prefixes
    assert needle(expression) == inside
