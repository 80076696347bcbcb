"""`explain`: the parsers and rules from outside, for people and for programs."""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver import limits
from receiver.cli.doorway import split_peer
from receiver.cli.explain_lines import read_lines
from receiver.event import Event

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Answer

SSHD = b"<86>Jan  5 10:00:00 web-1 sshd[7]: Failed password for root from 203.0.113.9 port 4242 ssh2"
AT = ("--received-at", "2026-01-05T10:00:01Z")


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def line(raw: bytes, transport: str | None = "udp", peer: str | None = "192.0.2.1:514") -> bytes:
    return json.dumps({"raw": b64(raw), "transport": transport, "peer": peer}).encode() + b"\n"


def events(answer: Answer) -> list[dict[str, Any]]:
    assert answer.code == 0, answer.err
    return [json.loads(text) for text in answer.lines]


def test_jsonl_answers_with_the_event(cli: Callable[..., Answer]) -> None:
    # All columns but seq, which only the log gives.
    (event,) = events(cli("explain", "--jsonl", *AT, stdin=line(SSHD)))
    assert list(event) == list(Event._fields)
    assert event["received_at"] == "2026-01-05T10:00:01.000000Z"
    assert event["time"] == "2026-01-05T10:00:00.000000Z"
    assert (event["peer"], event["peer_port"], event["transport"]) == ("192.0.2.1", 514, "udp")
    assert (event["host"], event["app"], event["pid"]) == ("web-1", "sshd", "7")
    assert (event["actor"], event["action"], event["outcome"]) == ("root", "auth.login", "failure")
    assert (event["source_ip"], event["source_port"]) == ("203.0.113.9", 4242)


def test_jsonl_keeps_the_order_whatever_stands_in_a_line(cli: Callable[..., Answer]) -> None:
    # Programs pair input and output by position: one answer a line, and no line ends the run.
    bad = [
        b"\n", b"nonsense\n", b"[1]\n", b"{}\n", b'{"raw": 1}\n', b'{"raw": "*"}\n', b'{"raw": "YQ"}\n',
        b'{"raw": "", "transport": "pigeon"}\n', b'{"raw": "", "transport": 7}\n', b'{"raw": "", "peer": []}\n',
        b"\xff\xfe\n", b'{"raw": "\\ud800"}\n', b'{"raw": "' + "\u00e9".encode() + b'"}\n',
    ]  # fmt: skip
    mixed = [part for wrong in bad for part in (wrong, line(SSHD))]
    answers = events(cli("explain", "--jsonl", stdin=b"".join(mixed)))
    assert len(answers) == len(mixed)
    for number, (wrong, right) in enumerate(zip(answers[::2], answers[1::2], strict=True)):
        assert list(wrong) == ["error"]
        assert wrong["error"].startswith(f"line {2 * number + 1}: ")
        assert "bug" not in wrong["error"]
        assert right["host"] == "web-1"


def test_a_last_line_without_its_end_counts(cli: Callable[..., Answer]) -> None:
    # printf without \n is how people try things.
    assert len(events(cli("explain", "--jsonl", stdin=line(SSHD) + line(SSHD).rstrip()))) == 2
    assert cli("explain", "--jsonl", stdin=b"").out == ""


ANY_BYTES = st.binary(max_size=80) | st.text(max_size=60).map(str.encode)


UNMINDED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=15, deadline=None, suppress_health_check=UNMINDED)
@given(st.lists(st.tuples(ANY_BYTES, st.sampled_from(["udp", "tcp", "json"])), max_size=30))
def test_any_message_has_its_event(cli: Callable[..., Answer], messages: list[tuple[bytes, str]]) -> None:
    # Nothing is rejected for its content, and nothing a message holds breaks the line or the order.
    answers = events(cli("explain", "--jsonl", stdin=b"".join(line(*message) for message in messages)))
    assert len(answers) == len(messages)
    for (raw, _), event in zip(messages, answers, strict=True):
        if "error" in event:
            assert raw.startswith(b"\x1e\x0f")
        else:
            assert event["parse_status"] == "ok" or event["raw"] == b64(raw)


def test_udp_is_taken_as_the_listener_does(cli: Callable[..., Answer]) -> None:
    # Compressed GELF, a chunk, and the rest of its message: a datagram each.
    gelf = json.dumps({"version": "1.1", "host": "app-1", "short_message": "hello"}).encode()
    packed = zlib.compress(gelf)
    head = b"\x1e\x0f12345678"
    chunks = [head + b"\0\2" + packed[:9], head + b"\1\2" + packed[9:], b"\x1e\x0fabcdefgh\0\1" + packed]
    datagrams = [gelf, packed, *chunks]
    answers = events(cli("explain", "--jsonl", stdin=b"".join(map(line, datagrams))))
    assert [answer.get("host") for answer in answers] == ["app-1", "app-1", None, "app-1", "app-1"]
    assert answers[2] == {"error": "line 3: a GELF chunk: its message is not complete"}
    assert {answer["format"] for answer in answers if "format" in answer} == {"gelf"}


def test_too_long_a_frame_is_cut_as_on_a_stream(cli: Callable[..., Answer]) -> None:
    # The same bound as behind a socket.
    long = b"<13>1 - h a - - - " + b"x" * limits.MESSAGE_BYTES
    (event,) = events(cli("explain", "--jsonl", stdin=line(long, "tcp")))
    assert event["data"]["wire"]["original_bytes"] == len(long)
    assert event["parse_status"] == "partial"


def test_json_is_one_object_over_tcp(cli: Callable[..., Answer]) -> None:
    # Numbers beyond 2^53 and nested values survive to the byte.
    raw = b'{"user":"alice","action":"login","big":1180591620717411303424,"nested":{"a":[1,{"b":null}]}}'
    answer = cli("explain", "--jsonl", stdin=line(raw, "json", "2001:DB8::1"))
    assert "1180591620717411303424" in answer.out
    (event,) = events(answer)
    assert (event["transport"], event["format"], event["peer"]) == ("tcp", "json", "2001:db8::1")
    assert event["data"]["nested"] == {"a": [1, {"b": None}]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, (None, None)),
        ("", (None, None)),
        ("192.0.2.1", ("192.0.2.1", None)),
        ("192.0.2.1:514", ("192.0.2.1", 514)),
        ("2001:DB8::1", ("2001:db8::1", None)),
        ("[2001:db8::1]:6514", ("2001:db8::1", 6514)),
        ("[::ffff:192.0.2.1]", ("192.0.2.1", None)),
        ("/run/log.sock", ("/run/log.sock", None)),
        ("192.0.2.1:99999", ("192.0.2.1:99999", None)),
    ],
)
def test_peers(text: str | None, expected: tuple[str | None, int | None]) -> None:
    # With a port or without, either IP, or a socket's path.
    assert split_peer(text) == expected


def test_frames_are_those_of_the_stream(cli: Callable[..., Answer]) -> None:
    # Each line is one connection, closed at its end: mixed framings, any cuts.
    stream = b"5 <1>a\n<2>b\n<3>c"
    whole = json.dumps({"chunks": [b64(stream)]})
    bytewise = json.dumps({"chunks": [b64(stream[i : i + 1]) for i in range(len(stream))]})
    tls = json.dumps({"chunks": [b64(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")]})
    text = "\n".join([whole, bytewise, "{}", '{"chunks": [1]}', '{"chunks": []}', tls, "x"]) + "\n"
    answers = events(cli("explain", "--frames", stdin=text.encode()))
    good = {"frames": [b64(b"<1>a\n"), b64(b"<2>b"), b64(b"<3>c")], "error": None}
    assert answers[0] == answers[1] == good
    assert list(answers[0]) == ["frames", "error"]
    for number in (2, 3, 6):
        assert answers[number]["frames"] == []
        assert answers[number]["error"].startswith(f"line {number + 1}: ")
    assert answers[4] == {"frames": [], "error": None}
    assert answers[5] == {"frames": [], "error": "tls_on_plain_port"}


def test_a_line_too_long_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    # Memory is bounded by the line's bound, and the next line is found.
    import io

    monkeypatch.setattr(limits, "EXPLAIN_LINE_BYTES", 8)
    source = io.BytesIO(b"1234567\n" + b"x" * 50 + b"\nabc\r\n12345678")
    assert list(read_lines(source)) == [b"1234567", None, b"abc", None]


def test_people_read_fields_and_rule(cli: Callable[..., Answer]) -> None:
    # What came out, which rule, where it stands.
    answer = cli("explain", SSHD.decode(), *AT)
    assert answer.code == 0
    assert "auth.login" in answer.out
    assert "203.0.113.9" in answer.out
    assert "sshd" in answer.out


def test_lines_of_standard_input_are_messages(cli: Callable[..., Answer]) -> None:
    # A file of old logs, piped in; --json gives events instead of explanations.
    answers = events(cli("explain", "--json", *AT, stdin=SSHD + b"\n\n" + SSHD + b"\r\nplain text"))
    assert [answer["format"] for answer in answers] == ["rfc3164", "rfc3164", "raw"]


def test_an_explanation_is_safe_to_read(cli: Callable[..., Answer]) -> None:
    # The message being explained is hostile by assumption.
    answer = cli("explain", stdin=b"<13>1 - h\x1b[2J app - - - \x1b]0;x\x07 \xff\xe2\x80\xae\n\x1b\x9b\n")
    assert answer.code == 0
    assert answer.out.replace("\n", "").isprintable()


def test_zone_and_receive_time_decide_an_old_time_stamp(cli: Callable[..., Answer]) -> None:
    # RFC 3164 has neither year nor zone.
    (event,) = events(cli("explain", "--json", "--zone", "Europe/Berlin", *AT, SSHD.decode()))
    assert event["time"] == "2026-01-05T09:00:00.000000Z"


def test_a_configuration_gives_zone_listener_and_raw(cli: Callable[..., Answer], tmp_path: Path) -> None:
    # The line is taken as if it came to the first listener of its transport.
    (tmp_path / "config.yaml").write_text(
        "store: {keep_raw: always}\n"
        "limits: {message_bytes: 2KiB}\n"
        "zones: {198.51.100.0/24: Asia/Tokyo}\n"
        "listeners:\n"
        "  - {name: door, type: udp, listen: '127.0.0.1:5514', zone: Europe/Berlin}\n"
    )
    options = ("explain", "--jsonl", "--config", tmp_path / "config.yaml", *AT)
    lines = line(SSHD) + line(SSHD, "udp", "198.51.100.7") + line(SSHD, "tcp") + line(b"<1>" + b"x" * 4000)
    first, second, third, fourth = events(cli(*options, stdin=lines))
    assert [first["listener"], third["listener"]] == ["door", "explain"]
    assert [first["time"][11:13], second["time"][11:13], third["time"][11:13]] == ["09", "01", "10"]
    assert first["raw"] == b64(SSHD)
    assert fourth["data"]["wire"]["original_bytes"] == 4003
    chunk = json.dumps({"chunks": [b64(b"y" * 3000)]}).encode()
    (frames,) = events(cli("explain", "--frames", "--config", tmp_path / "config.yaml", stdin=chunk))
    assert len(base64.b64decode(frames["frames"][0])) == 2048


def test_the_configuration_that_commands_find_by_themselves_holds(
    cli: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As the help says; whoever asks why a rule of theirs does nothing must not be told of others.
    (tmp_path / "config.yaml").write_text("zones: {192.0.2.0/24: Asia/Tokyo}\n")
    monkeypatch.setenv("AUDIT_RECEIVER_CONFIG", str(tmp_path / "config.yaml"))
    ask = ("explain", "--json", "--peer", "192.0.2.7", *AT)
    assert [event["time"][11:13] for event in events(cli(*ask, SSHD.decode()))] == ["01"]
    assert [event["time"][11:13] for event in events(cli(*ask, "--store", tmp_path, SSHD.decode()))] == ["10"]
