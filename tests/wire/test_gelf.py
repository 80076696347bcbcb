"""GELF: its own fields, bounded decompression, bounded reassembly."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver import limits
from receiver.event import MAX_TIME_US
from receiver.wire import gelf, json_event
from receiver.wire.message import Cut, Defect

PAYLOAD = b'{"version":"1.1","host":"h","short_message":"m","full_message":"' + b"x" * 3000 + b'"}'


def parse(**fields: Any) -> Any:
    whole = {"version": "1.1", "host": "h", "short_message": "m"} | fields
    return json_event.parse(json_event.dump_data(whole).encode())


def chunks_of(payload: bytes, count: int, message_id: bytes = b"12345678") -> list[bytes]:
    size = -(-len(payload) // count)
    return [
        b"\x1e\x0f" + message_id + bytes([number, count]) + payload[number * size : (number + 1) * size]
        for number in range(count)
    ]


# --- the object ---


def test_a_whole_message() -> None:
    """GELF's own fields fill the header, and all fields stay."""
    message = parse(full_message="long", timestamp=1385053862.3072, level=1, _user="bob", facility="x", line=3)

    assert (message.format, message.status, message.defects) == ("gelf", "ok", ())
    assert (message.host, message.message, message.severity, message.facility) == ("h", "m", 1, None)
    assert (message.time, message.time_quality) == (1385053862_307200, "full")
    assert message.fields["full_message"] == "long"
    assert message.fields["_user"] == "bob"


@pytest.mark.parametrize(
    ("timestamp", "time"),
    [
        (1700000000.123456, 1700000000_123456),
        (1700000000.000001, 1700000000_000001),
        (4102444800.999999, 4102444800_999999),
        (1700000000, 1700000000_000000),
        (0, 0),
        (-1.5, -1_500_000),
        (1e-7, 0),
        ("1700000000.123456", 1700000000_123456),
        (MAX_TIME_US // 1_000_000, MAX_TIME_US // 1_000_000 * 1_000_000),
        (9007199254.740992, None),
        (1700000000123, None),
        (1e300, None),
        (2**70, None),
        ("yesterday", None),
        ("1e9", None),
        (True, None),
        (None, None),
        ([1], None),
    ],
)
def test_the_time_is_exact_or_null(timestamp: Any, time: int | None) -> None:
    """Seconds become µs without a float's error; what is no time in range is null, unparsed, flagged."""
    message = parse(timestamp=timestamp)

    assert message.time == time
    assert message.time_quality == ("unparsed" if time is None else "full")
    assert message.defects == ((Defect.BAD_TIME,) if time is None else ())
    assert message.status == ("partial" if time is None else "ok")


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_none_is_no_time(number: float) -> None:
    """NaN and infinities are refused, not raised over."""
    assert gelf.epoch_us(number) is None


@pytest.mark.parametrize("fields", [{"host": 5}, {"host": ""}, {"level": 8}, {"level": "3"}, {"level": True}])
def test_wrong_shapes_fill_nothing(fields: dict[str, Any]) -> None:
    """A host that is no text and a level that is no syslog number stay in the fields only."""
    message = parse(**fields)

    assert message.status == "ok"
    assert {"host": message.host, "level": message.severity} == {"host": "h", "level": None} | dict.fromkeys(fields)


@pytest.mark.parametrize(
    ("fields", "is_gelf"),
    [
        ({"version": "1.1", "short_message": "m"}, True),
        ({"host": "h", "short_message": "m"}, True),
        ({"short_message": "m"}, False),
        ({"version": "1.1", "host": "h", "short_message": 5}, False),
        ({"version": "1.1", "host": "h"}, False),
    ],
)
def test_the_shape_of_gelf(fields: dict[str, Any], is_gelf: bool) -> None:
    """`short_message` must be there, and one of the other two mandatory fields."""
    assert gelf.is_gelf(fields) is is_gelf


# --- compression ---


@pytest.mark.parametrize(
    "compressed",
    [gzip.compress(PAYLOAD), *(zlib.compress(PAYLOAD, level) for level in (0, 1, 6, 9)), PAYLOAD],
    ids=["gzip", "zlib 0", "zlib 1", "zlib 6", "zlib 9", "plain"],
)
def test_inflate_gives_the_payload(compressed: bytes) -> None:
    """gzip and zlib of any level are opened and what came stays at hand; other bytes pass as they are."""
    payload = gelf.inflate(compressed)

    assert payload == PAYLOAD
    if compressed is PAYLOAD:
        assert type(payload) is bytes
    else:
        assert isinstance(payload, gelf.Inflated)
        assert (payload.packed, payload.is_whole) == (compressed, True)


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress])
def test_a_bomb_is_cut(compress: Any) -> None:
    """What would grow over the bound gives its beginning; exactly the bound is whole."""
    whole = gelf.inflate(compress(b"a" * limits.INFLATED_BYTES))
    datagram = compress(b"a" * (limits.INFLATED_BYTES * 20))
    bomb = gelf.inflate(datagram)

    assert isinstance(whole, gelf.Inflated)
    assert (len(whole), whole.is_whole) == (limits.INFLATED_BYTES, True)
    assert isinstance(bomb, gelf.Inflated)
    assert (len(bomb), bomb.is_whole, bomb.packed) == (limits.INFLATED_BYTES, False, datagram)


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress])
def test_a_broken_stream_is_kept_whole(compress: Any) -> None:
    """A stream cut at any byte, changed, or with bytes after its end comes back as received, marked."""
    data = compress(PAYLOAD)
    for broken in (*(data[:end] for end in range(2, len(data))), data + b"x", data[:-3] + b"abc"):
        kept = gelf.inflate(broken)
        assert kept == broken
        assert isinstance(kept, Cut)
        assert kept.defect is Defect.BAD_COMPRESSION


def test_a_long_plain_message_is_cut() -> None:
    """A message that arrived in chunks without compression has the same bound."""
    cut = gelf.inflate(b"{" * (limits.INFLATED_BYTES + 7))

    assert isinstance(cut, Cut)
    assert (len(cut), cut.original_bytes) == (limits.INFLATED_BYTES, limits.INFLATED_BYTES + 7)


@given(st.sampled_from([b"", b"\x78\x9c", b"\x1f\x8b\x08"]), st.binary(max_size=50))
@settings(max_examples=200)
def test_inflate_takes_any_bytes(head: bytes, rest: bytes) -> None:
    """Nothing raises, and the result is within its bound."""
    assert len(gelf.inflate(head + rest)) <= limits.INFLATED_BYTES


# --- chunks ---


@given(st.permutations(range(5)), st.booleans())
@settings(max_examples=60)
def test_chunks_are_joined_in_any_order(order: list[int], compressed: bool) -> None:
    """Out of order and repeated chunks give the message once."""
    payload = zlib.compress(PAYLOAD) if compressed else PAYLOAD
    chunks = chunks_of(payload, 5)
    reassembler = gelf.Reassembler()

    given_back = [reassembler.feed(chunks[number], "peer", 0.0) for number in (*order, *order)]

    assert [each for each in given_back if each is not None] == [payload]
    assert given_back[4] == payload
    assert gelf.inflate(payload) == PAYLOAD
    assert (reassembler.open, reassembler.cost_bytes, reassembler.discarded) == (0, 0, 0)


def test_a_message_of_one_chunk() -> None:
    """A count of one is complete at once."""
    assert gelf.Reassembler().feed(chunks_of(PAYLOAD, 1)[0], "peer", 0.0) == PAYLOAD


def test_senders_and_ids_do_not_mix() -> None:
    """The same id of two senders, and two ids of one sender, are different messages."""
    reassembler = gelf.Reassembler()
    first, second = chunks_of(PAYLOAD, 2)

    assert reassembler.feed(first, "a", 0.0) is None
    assert reassembler.feed(second, "b", 0.0) is None
    assert reassembler.feed(chunks_of(PAYLOAD, 2, b"another!")[1], "a", 0.0) is None
    assert reassembler.feed(second, "a", 0.0) == PAYLOAD
    assert reassembler.open == 2


def test_an_inconsistent_count_is_discarded() -> None:
    """A chunk that announces another count is dropped and counted; the message goes on."""
    reassembler = gelf.Reassembler()
    first, second = chunks_of(PAYLOAD, 2)
    reassembler.feed(first, "a", 0.0)

    assert reassembler.feed(chunks_of(PAYLOAD, 3)[1], "a", 0.0) is None
    assert reassembler.discarded == 1
    assert reassembler.feed(second, "a", 0.0) == PAYLOAD


@pytest.mark.parametrize(
    "datagram",
    [b"", b"\x1e", b"\x1e\x0f1234567", b"\x1e\x0f12345678\x00\x00x", b"\x1e\x0f12345678\x02\x02x",
     b"\x1e\x0f12345678\x00\x81x", b"{}"],
    ids=["empty", "half the magic", "short header", "count 0", "number beyond", "129 chunks", "no chunk"],
)  # fmt: skip
def test_what_is_no_chunk_comes_back(datagram: bytes) -> None:
    """Bytes that break the chunk header are given back to be stored as they are."""
    reassembler = gelf.Reassembler()

    assert reassembler.feed(datagram, "peer", 0.0) == datagram
    assert (reassembler.open, reassembler.discarded) == (0, 0)


def test_unfinished_messages_expire() -> None:
    """After five seconds an unfinished message goes, its chunks counted; a finished one may be sent again."""
    reassembler = gelf.Reassembler()
    chunks = chunks_of(PAYLOAD, 3)
    reassembler.feed(chunks[0], "a", 10.0)
    reassembler.feed(chunks[1], "a", 12.0)
    single = chunks_of(PAYLOAD, 1, b"finished")[0]
    reassembler.feed(single, "a", 10.0)

    reassembler.expire(10.0 + limits.GELF_ASSEMBLY_SECONDS - 0.1)
    assert reassembler.open == 1
    assert reassembler.feed(single, "a", 14.0) is None
    reassembler.expire(10.0 + limits.GELF_ASSEMBLY_SECONDS)

    assert (reassembler.open, reassembler.cost_bytes, reassembler.discarded) == (0, 0, 2)
    assert reassembler.feed(single, "a", 15.0) == PAYLOAD


def test_the_number_of_open_messages_is_bounded() -> None:
    """The oldest makes way for the newest, so that spoofed chunks cannot keep honest ones out."""
    reassembler = gelf.Reassembler()
    count = limits.GELF_ASSEMBLIES + 10
    for number in range(count):
        reassembler.feed(chunks_of(b"ab", 2, number.to_bytes(8, "big"))[0], "a", 0.0)

    assert (reassembler.open, reassembler.discarded) == (limits.GELF_ASSEMBLIES, 10)
    assert reassembler.feed(chunks_of(b"ab", 2, (count - 1).to_bytes(8, "big"))[1], "a", 0.0) == b"ab"


def test_the_memory_of_finished_messages_is_bounded() -> None:
    """Ids of finished messages are remembered up to the same bound."""
    reassembler = gelf.Reassembler()
    singles = [chunks_of(b"a", 1, number.to_bytes(8, "big"))[0] for number in range(limits.GELF_ASSEMBLIES + 1)]
    for single in singles:
        reassembler.feed(single, "a", 0.0)

    assert reassembler.feed(singles[-1], "a", 0.0) is None
    assert reassembler.feed(singles[0], "a", 0.0) == b"a"


def test_memory_is_bounded() -> None:
    """Many large, or very many tiny, unfinished messages stay within the bound, overhead included."""
    for size, chunks in ((60_000, 300), (0, 200_000)):
        reassembler = gelf.Reassembler()
        for number in range(chunks):
            head = b"\x1e\x0f" + (number // 100).to_bytes(8, "big") + bytes([number % 100, 128])
            reassembler.feed(head + bytes(size), "a", 0.0)
            assert reassembler.cost_bytes <= limits.GELF_ASSEMBLY_BYTES
        assert reassembler.discarded > 0


CHUNKS = st.tuples(
    st.binary(max_size=2), st.integers(0, 4), st.integers(0, 4), st.binary(max_size=3), st.floats(0, 20)
)


@given(st.lists(CHUNKS, max_size=30))
@settings(max_examples=150)
def test_any_chunks_leave_the_books_right(datagrams: list[tuple[bytes, int, int, bytes, float]]) -> None:
    """Nothing raises, and when all is expired nothing is held."""
    reassembler = gelf.Reassembler()
    for message_id, number, count, payload, now in datagrams:
        reassembler.feed(b"\x1e\x0f" + message_id.ljust(8) + bytes([number, count]) + payload, "a", now)

    reassembler.expire(100.0)

    assert (reassembler.open, reassembler.cost_bytes) == (0, 0)
