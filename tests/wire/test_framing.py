"""RFC 6587 framing, told apart per frame, whatever the reads look like."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.errors import FramingReason
from receiver.wire.framing import Framer
from receiver.wire.message import Cut, Defect
from tests.kit.wire_cuts import Taken, bytewise, cuttings, frames_of, random_cuts, reference_frames, taken

MAX = 20
A = b"<13>alpha"
B = b"<14>beta"
SKIPPED = b"\n9 <xxxxxx\0"


def cut(data: bytes, original_bytes: int) -> Taken:
    return Taken(data, Defect.TRUNCATED, original_bytes)


def incomplete(data: bytes) -> Taken:
    return Taken(data, Defect.INCOMPLETE)


CASES = [
    ("nothing", b"", []),
    ("line feed", A + b"\n" + B + b"\n", [A, B]),
    ("carriage return and line feed", A + b"\r\n" + B + b"\r\n", [A, B]),
    ("one of two carriage returns goes", A + b"\r\r\n", [A + b"\r"]),
    ("carriage return inside a line", b"<13>a\rb\n", [b"<13>a\rb"]),
    ("NUL", A + b"\0" + B + b"\0", [A, B]),
    ("whichever terminator is first", A + b"\0" + B + b"\n" + A + b"\n" + B + b"\0", [A, B, A, B]),
    ("NUL after LF is an empty line", A + b"\n\0" + B + b"\0\n", [A, B]),
    ("empty lines are no frames", b"\n\r\n\0\r\0" + A + b"\n\n\n" + B + b"\n\r\n", [A, B]),
    ("last line without terminator", A + b"\n" + B, [A, B]),
    ("last line ends in CR", A + b"\r", [A]),
    ("last byte is a CR alone", A + b"\n\r", [A]),
    ("counted", b"9 " + A + b"8 " + B, [A, B]),
    ("counted JSON", b'7 {"a":1}', [b'{"a":1}']),
    ("a count of one", b"1 <1 {", [b"<", b"{"]),
    ("LF, NUL, CR survive in a counted frame", b"9 <1>\n\0a\r\n\n" + B + b"\n", [b"<1>\n\0a\r\n\n", B]),
    ("counts are bytes, not characters", b"9 <1>\xc3\xa4\xe2\x82\xac!8 " + B, [b"<1>\xc3\xa4\xe2\x82\xac!", B]),
    ("a line feed after a counted frame is no frame", b"9 " + A + b"\n8 " + B + b"\r\n", [A, B]),
    ("mixed", A + b"\n8 " + B + A + b"\0" + b"9 " + A + b"8 " + B + B, [A, B, A, A, B, B]),
    ("count then another byte is a line", b"12 monkeys\n9 " + A, [b"12 monkeys", A]),
    ("count then two blanks is a line", b"9  " + A + b"\n", [b"9  " + A]),
    ("count then no blank is a line", b"9" + A + b"\n", [b"9" + A]),
    ("a count does not begin with zero", b"09 " + A + b"\n0 <\n", [b"09 " + A, b"0 <"]),
    ("a date is a line", b"2024-01-05 <b>\n2024 < 2025\n", [b"2024-01-05 <b>", incomplete(b"< 2025\n")]),
    ("eleven digits are a line", b"12345678901 <a\n", [b"12345678901 <a"]),
    ("digits and the end", b"123", [b"123"]),
    ("digits, a blank and the end", b"123 ", [b"123 "]),
    ("digits and a line feed", b"123\n123 \n", [b"123", b"123 "]),
    ("digits then NUL", b"7\0" + A, [b"7", A]),
    ("counted frame cut off by the end", b"9 " + A + b"100 " + B, [A, incomplete(B)]),
    ("counted frame with nothing but its first byte", b"5 <", [incomplete(b"<")]),
    ("line of just the bound", b"<" + b"x" * (MAX - 1) + b"\n", [b"<" + b"x" * (MAX - 1)]),
    ("line of just the bound and CR", b"<" + b"x" * (MAX - 1) + b"\r\n", [b"<" + b"x" * (MAX - 1)]),
    ("line over the bound", b"<" + b"x" * MAX + b"\n" + A + b"\n", [cut(b"<" + b"x" * (MAX - 1), MAX + 1), A]),
    ("line over the bound, CR", b"<" + b"x" * MAX + b"\r\n" + A, [cut(b"<" + b"x" * (MAX - 1), MAX + 1), A]),
    ("line over the bound, then counted", b"x" * 99 + b"\n9 " + A, [cut(b"x" * MAX, 99), A]),
    ("line over the bound, NUL", b"x" * 99 + b"\0" + A, [cut(b"x" * MAX, 99), A]),
    ("line over the bound at the end", b"x" * 99, [cut(b"x" * MAX, 99)]),
    ("a long line after short ones", A + b"\n" + b"x" * 99 + b"\n" + B, [A, cut(b"x" * MAX, 99), B]),
    ("counted, just the bound", b"20 <" + b"x" * 19 + A, [b"<" + b"x" * 19, A]),
    ("counted over the bound", b"21 <" + b"x" * 20 + A + b"\n", [cut(b"<" + b"x" * 19, 21), A]),
    ("what is skipped is not read", b"60 <" + SKIPPED * 5 + b"abcd9 " + A, [cut(b"<\n9 <xxxxxx\0\n9 <xxxx", 60), A]),
    ("two over the bound", (b"30 <" + b"y" * 29) * 2 + A, [cut(b"<" + b"y" * 19, 30)] * 2 + [A]),
    ("skipping to the end", b"9999999999 <" + b"z" * 50, [cut(b"<" + b"z" * 19, 9999999999)]),
    ("over the bound and incomplete before it", b"9999999999 <abc", [incomplete(b"<abc")]),
    ("0x16 alone is a line", b"\x16abc\n\x16\x03\x05\n", [b"\x16abc", b"\x16\x03\x05"]),
    ("TLS bytes later are a line", A + b"\n\x16\x03\x01\n", [A, b"\x16\x03\x01"]),
    ("HTTP later is a line", A + b"\nGET / HTTP/1.1\r\n", [A, b"GET / HTTP/1.1"]),
    ("HTTP in a sentence", b"we GET / HTTP/1.1\n", [b"we GET / HTTP/1.1"]),
]


@pytest.mark.parametrize(("stream", "expected"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_frames(stream, expected):
    """The same frames come of a stream however it is cut into reads, and as the reference has them."""
    wanted = [frame if isinstance(frame, Taken) else Taken(frame) for frame in expected]
    for chunks in cuttings(stream):
        assert frames_of(chunks, MAX) == (wanted, None)
    assert reference_frames(stream, MAX) == (wanted, None)


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", FramingReason.TLS_ON_PLAIN_PORT),
        (b"\x16\x03\x03\x0a\x00\x01\x00", FramingReason.TLS_ON_PLAIN_PORT),
        (b"\x16\x03\x00\x00\x2f\x01\x00", FramingReason.TLS_ON_PLAIN_PORT),
        (b"\x16\x03\x04\x00\x2f\x01\x00", FramingReason.TLS_ON_PLAIN_PORT),
        (b"\x16\x03\x01", FramingReason.TLS_ON_PLAIN_PORT),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", FramingReason.HTTP_ON_PLAIN_PORT),
        (b"POST /a?b=c HTTP/1.0\r\nContent-Length: 9\r\n\r\n9 <13>alph", FramingReason.HTTP_ON_PLAIN_PORT),
        (b"OPTIONS * HTTP/1.1", FramingReason.HTTP_ON_PLAIN_PORT),
        (b"\r\nGET / HTTP/1.1\r\n", FramingReason.HTTP_ON_PLAIN_PORT),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", FramingReason.HTTP_ON_PLAIN_PORT),
    ],
)
def test_other_protocols(stream, reason):
    """TLS or HTTP at the start of a connection gives no frame and an error that names it, however it is cut."""
    for chunks in cuttings(stream + b"tail\n"):
        assert frames_of(chunks) == ([], reason)


def test_lost_stream_stays_lost():
    """After the error nothing is taken and nothing is held."""
    framer = Framer()
    assert framer.feed(b"GET / HTTP/1.1\r\nHost: half") == []
    assert framer.error is not None
    assert framer.error.reason == FramingReason.HTTP_ON_PLAIN_PORT
    assert framer.buffered_bytes == 0
    assert framer.feed(A + b"\n") == []
    assert framer.flush_line() == []
    assert framer.close() == []


def test_idle_line_is_taken():
    """After silence a line is taken as it stands; its terminator, come late, is no second frame."""
    framer = Framer()
    assert framer.feed(A) == []
    assert framer.flush_line() == [A]
    assert framer.feed(b"\r\n" + B + b"\n") == [B]


def test_idle_line_over_the_bound():
    """A line that is too long and never ends is taken cut, and what comes after is a line of its own."""
    framer = Framer(MAX)
    assert framer.feed(b"x" * 30) == []
    (frame,) = framer.flush_line()
    assert taken([frame]) == [cut(b"x" * MAX, 30)]
    assert framer.feed(b"rest\n") == [b"rest"]


def test_idle_http():
    """A request line that idles without its CRLF is known for what it is."""
    framer = Framer()
    framer.feed(b"GET / HTTP/1.1")
    assert framer.flush_line() == []
    assert framer.error is not None


@pytest.mark.parametrize("half", [b"", b"9 <13>", b"9", b"9 ", b"30 <" + b"x" * 22])
def test_idle_counted_frame_waits(half):
    """Silence ends no counted frame and no count: its sender said how much will come."""
    framer = Framer(MAX)
    before = framer.feed(half)
    assert framer.flush_line() == []
    rest = (b"9 " + A)[len(half) :] if not before else b"x" * 7 + b"9 " + A
    assert framer.feed(rest) == [A]


def test_feed_of_nothing():
    """An empty read changes nothing."""
    framer = Framer()
    framer.feed(b"<13>al")
    assert framer.feed(b"") == []
    assert framer.feed(b"pha\n") == [A]


def test_close_can_be_repeated():
    """What was taken at close is not taken again."""
    framer = Framer()
    framer.feed(b"100 <13>")
    assert taken(framer.close()) == [incomplete(b"<13>")]
    assert framer.close() == []


def test_whole_frames_are_plain_bytes():
    """Whole frames are exactly `bytes`, so that `type(f) is bytes` tells them from cut ones."""
    framer = Framer(MAX)
    frames = framer.feed(A + b"\n9 " + A) + framer.feed(b"<13>al") + framer.feed(b"pha\n9 <13>")
    frames += framer.feed(b"alpha") + framer.feed(b"x" * 30 + b"\n")
    assert [type(frame) for frame in frames] == [bytes, bytes, bytes, bytes, Cut]


PIECES = st.one_of(
    st.sampled_from([b"\n", b"\r\n", b"\0", b"\r", A + b"\n", b"9 " + A, B + b"\0", b"8 " + B, b"30 <", b"5 {", b" "]),
    st.binary(max_size=30),
    st.text(alphabet="0123456789 <{\n\r\0x", max_size=30).map(str.encode),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=20).map(b"".join), st.integers(1, 40), st.integers(0, 1000), st.integers(1, 12))
def test_chunks_do_not_matter(stream, max_bytes, seed, mean_bytes):
    """Any stream, cut anywhere, gives what the plain reference gives from the whole."""
    expected = reference_frames(stream, max_bytes)
    assert frames_of([stream], max_bytes) == expected
    assert frames_of(bytewise(stream), max_bytes) == expected
    assert frames_of(random_cuts(stream, seed, mean_bytes), max_bytes) == expected


def _seconds(stream: bytes, chunk_bytes: int) -> float:
    chunks = [stream[i : i + chunk_bytes] for i in range(0, len(stream), chunk_bytes)]
    best = 9.0
    for _ in range(5):
        framer = Framer(1 << 18)
        start = time.thread_time()
        for chunk in chunks:
            framer.feed(chunk)
        framer.close()
        best = min(best, time.thread_time() - start)
    return best


@pytest.mark.parametrize(
    ("unit", "chunk_bytes"),
    [
        (b"x", 1),
        (b"<13>no end ", 1 << 17),
        (b"<13>a\0", 1 << 17),
        (b"1 <x\n", 1 << 17),
        (b"3 <<<ab\n", 1 << 17),
        (b"\n", 1 << 17),
        (b"1\n", 1 << 17),
        (b"\r", 1),
        (b"100000 <", 1000),
    ],
)
def test_time_is_linear(unit, chunk_bytes):
    """Four times the bytes take about four times as long, on streams made to be slow (quadratic would be 16)."""
    small = unit * ((5_000 if chunk_bytes == 1 else 30_000) // len(unit))
    assert _seconds(small * 4, chunk_bytes) < 10 * _seconds(small, chunk_bytes) + 0.05
