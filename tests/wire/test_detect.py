"""Which format a frame is, told by its first bytes, and what happens to frames that are not as they should be."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver import limits
from receiver.wire import gelf
from receiver.wire.detect import parse_frame, parse_frames
from receiver.wire.message import Cut, Defect
from tests.kit.wire_cases import assert_texts, facts, us

NOW = us(2024, 3, 2, 12)
GELF = {"version": "1.1", "host": "h", "short_message": "hi"}
GELF_FRAME = json.dumps(GELF).encode()
RAW = {"format": "raw", "status": "failed", "time_quality": "missing"}


def chunk(payload: bytes, number: int = 0, count: int = 1) -> bytes:
    return b"\x1e\x0f" + b"messagid" + bytes([number, count]) + payload


@pytest.mark.parametrize(
    ("frame", "format_name", "status"),
    [
        (b"<34>1 - - - - - - m", "rfc5424", "ok"),
        (b"<34>Oct 11 22:14:15 h su: m", "rfc3164", "ok"),
        (b"<34>hello", "rfc3164", "ok"),
        (b"<34>2024-01-05T10:00:00Z h su: m", "rfc3164", "ok"),
        (b"<34>2024 Mar  1 18:48:50 UTC: m", "rfc3164", "ok"),
        (b"<34>29: m", "rfc3164", "ok"),
        (b"<34>5", "rfc3164", "ok"),
        (b"<34>1 m", "rfc3164", "ok"),
        (b"<34>", "rfc3164", "ok"),
        (b"Oct 11 22:14:15 h su: m", "rfc3164", "partial"),
        (b'{"a":1}', "json", "ok"),
        (b' \r\n{"a":1}', "json", "ok"),
        (b'\xef\xbb\xbf{"a":1}', "json", "ok"),
        (b'{"a":1}\n\0', "json", "ok"),
        (b'{"a":', "raw", "failed"),
        (GELF_FRAME, "gelf", "ok"),
        (zlib.compress(GELF_FRAME), "gelf", "ok"),
        (gzip.compress(GELF_FRAME, mtime=0), "gelf", "ok"),
        (chunk(GELF_FRAME), "gelf", "ok"),
        (chunk(zlib.compress(GELF_FRAME)), "gelf", "ok"),
        (zlib.compress(b"<34>1 - - - - - - m"), "rfc5424", "ok"),
        (chunk(GELF_FRAME, 0, 2), "raw", "failed"),
        (chunk(GELF_FRAME, 2, 1), "raw", "failed"),
        (zlib.compress(zlib.compress(GELF_FRAME)), "raw", "failed"),
        (chunk(chunk(GELF_FRAME)), "raw", "failed"),
        (zlib.compress(GELF_FRAME)[:-5], "raw", "failed"),
        (b"\x1f\x8b\x08 no gzip", "raw", "failed"),
        (b"x^2 is text", "raw", "failed"),
        (b"[1, 2]", "raw", "failed"),
        (b'[{"a":1}]\n', "json", "ok"),
        (b'[{"a":1},{"a":2}]', "raw", "failed"),
        (b'[{"a":1}] x', "raw", "failed"),
        (b'[error] {"a":1}', "raw", "failed"),
        (b"hello", "raw", "failed"),
        (b"<", "raw", "failed"),
        (b"<>", "raw", "failed"),
        (b"<34", "raw", "failed"),
        (b"<html><body>", "raw", "failed"),
        (b"<123456789012345678901234>x", "raw", "failed"),
        ("<１３>x".encode(), "rfc3164", "partial"),
        (b"", "raw", "failed"),
        (b"\n", "raw", "failed"),
        (b"\xff\xfe", "raw", "failed"),
    ],
)
def test_format(frame, format_name, status):
    """The first bytes tell, and the bytes received stay with the message."""
    message = parse_frame(frame, NOW)
    assert (message.format, message.status) == (format_name, status)
    assert message.raw == frame
    assert_texts(message)


@pytest.mark.parametrize(
    ("frame", "message", "defects"),
    [
        (b"hello world\r\n", "hello world", ("not_a_message",)),
        (b"hello\0", "hello", ("not_a_message",)),
        (b"  hello", "  hello", ("not_a_message",)),
        ("grüße".encode("latin-1"), "gr\ufffd\ufffde", ("invalid_utf8", "not_a_message")),
        (b"x^2 is text", "x^2 is text", ("not_a_message",)),
        (b"<html>", "<html>", ("not_a_message",)),
    ],
)
def test_raw_text(frame, message, defects):
    """Text that is no message is kept as text, `failed`, with the reason."""
    assert facts(parse_frame(frame, NOW)) == {**RAW, "message": message, "defects": defects}


@pytest.mark.parametrize(
    ("text", "is_read"),
    [
        ('2024-01-01T00:00:00.123456789Z stdout F {"a":1}', True),
        ('2024-01-01T00:00:00+02:00 stderr F {"a":1}', True),
        ('web-1  | {"a":1}', True),
        ('web-1  | 2024-01-01T00:00:00Z {"a":1}', True),
        ('<14>Nov 22 10:00:00 h containerd: 2024-01-01T00:00:00.1Z stdout F {"a":1}', True),
        ('2024-01-01T00:00:00.1Z stdout P {"a":1}', False),
        ('2024-01-01T00:00:00.1Z stdout F {"a":1} {"a":2}', False),
        ('2024-01-01T00:00:00.1Z stdout F x\n{"a":1}', False),
        ('bob said {"a":1}', False),
    ],
)
def test_json_behind_what_a_runtime_writes(text, is_read):
    # A line of a container; what stands before it otherwise may be anybody's.
    message = parse_frame(text.encode(), NOW)
    assert message.fields == ({"a": 1} if is_read else None)
    assert message.message.endswith(text[-8:])


def test_packed_twice_is_binary():
    """What is still compressed after unpacking once is not text and not unpacked for ever."""
    message = parse_frame(zlib.compress(zlib.compress(GELF_FRAME)), NOW)
    assert facts(message) == {**RAW, "defects": ("not_a_message",)}


def test_broken_compression():
    """A datagram whose compression is broken keeps its bytes; as text only if it is text."""
    broken = zlib.compress(GELF_FRAME)[:-5]
    message = parse_frame(Cut.of(broken, Defect.BAD_COMPRESSION, len(broken)), NOW)
    assert facts(message) == {**RAW, "defects": ("bad_compression",)}
    message = parse_frame(Cut.of(b"x^2 is text", Defect.BAD_COMPRESSION, 11), NOW)
    assert facts(message) == {**RAW, "message": "x^2 is text", "defects": ("bad_compression",)}


def test_compression_bomb():
    """A datagram that would grow without bound is parsed as far as it was unpacked, and says it was cut."""
    bomb = zlib.compress(b"<13>" + b"a" * (limits.INFLATED_BYTES + 10))
    for frame in (bomb, gelf.inflate(bomb)):
        message = parse_frame(frame, NOW)
        assert (message.format, message.status) == ("rfc3164", "partial")
        assert message.defects == (Defect.TRUNCATED,)
        assert message.raw == bomb
        assert type(message.raw) is Cut


@pytest.mark.parametrize("compress", [zlib.compress, gzip.compress])
@pytest.mark.parametrize("payload", [GELF_FRAME, b"<34>1 - h a p m [broken", b"\xff\xfe", zlib.compress(GELF_FRAME)])
def test_unpacked_on_the_way(compress, payload):
    """Unpacked before (as datagrams are) or here, a message is the same, and `raw` is what was received."""
    packed = compress(payload)
    before, here = parse_frame(gelf.inflate(packed), NOW), parse_frame(packed, NOW)
    assert facts(before) == facts(here)
    assert before.raw == packed
    assert here.raw == packed


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"<34>1 - h a - - - abc", {"format": "rfc5424", "message": "abc"}),
        (b"<13>Jan  5 10:00:00 h a: abc", {"format": "rfc3164", "message": "abc"}),
        (b"Jan  5 10:00:00 h a: abc", {"format": "rfc3164", "message": "abc"}),
        (b"hello", {"format": "raw", "message": "hello", "status": "failed"}),
        (b'{"a": "b', {"format": "raw", "message": '{"a": "b', "status": "failed"}),
        (b'{"a": "b"}', {"format": "json", "fields": {"a": "b"}}),
    ],
)
@pytest.mark.parametrize("defect", [Defect.TRUNCATED, Defect.INCOMPLETE])
def test_cut_frames(data, expected, defect):
    """A cut frame is parsed as far as it goes and is never `ok`."""
    frame = Cut.of(data, defect, 99)
    message = parse_frame(frame, NOW)
    found = facts(message)
    assert {name: found[name] for name in expected} == expected
    assert message.status == expected.get("status", "partial")
    assert message.defects[0] is defect
    assert message.raw is frame


def test_cut_inside_a_character():
    """A character split by the cut is left off; one that was broken before it is marked."""
    frame = "<13>Jan  5 10:00:00 h a: €".encode()[:-1]
    message = parse_frame(Cut.of(frame, Defect.TRUNCATED, 99), NOW)
    assert (message.message, message.defects) == ("", (Defect.TRUNCATED,))
    message = parse_frame(Cut.of(b"<13>Jan  5 10:00:00 h a: \xffb", Defect.TRUNCATED, 99), NOW)
    assert (message.message, message.defects) == ("\ufffdb", (Defect.TRUNCATED, Defect.INVALID_UTF8))


def test_byte_order_mark_before_pri():
    """A byte order mark before `<` hides nothing, but is not the standard."""
    message = parse_frame(b"\xef\xbb\xbf<34>1 - h a - - - m", NOW)
    assert (message.format, message.host, message.message) == ("rfc5424", "h", "m")
    assert message.defects == (Defect.BAD_HEADER,)


def test_order_is_kept():
    """One message a frame, in order."""
    frames = [b"<13>Jan  5 10:00:00 h a: %d" % number for number in range(5)] + [b'{"n": 5}', b"6"]
    messages = parse_frames(frames, NOW)
    assert [message.message for message in messages] == ["0", "1", "2", "3", "4", None, "6"]
    assert [message.raw for message in messages] == frames
    assert parse_frames([], NOW) == []


FIRST = st.sampled_from(
    [b"", b"<13>", b"<13>1 ", b"{", b'{"a":', b"\x1e\x0f", b"x\x9c", b"\x1f\x8b", b" <", b"\xef\xbb\xbf"]
)
DEFECTS = st.sampled_from([None, Defect.TRUNCATED, Defect.INCOMPLETE, Defect.BAD_COMPRESSION])


@settings(max_examples=200, deadline=None)
@given(FIRST, st.binary(max_size=60), DEFECTS)
def test_any_frame(head, data, defect):
    """Any bytes, whole or cut, behind any opening, give one message of valid texts that keeps the bytes."""
    frame = head + data
    message = parse_frame(frame if defect is None else Cut.of(frame, defect, 99), NOW)
    assert_texts(message)
    assert message.raw == frame
    assert message.status in {"ok", "partial", "failed"}
    if defect is not None:
        assert message.status != "ok"
        assert defect in message.defects
