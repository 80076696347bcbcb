"""Leaves: the exact bytes, against two other writers of RFC 8785: one spelled out here, one from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import struct
import sys
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from receiver.errors import EvidenceError
from receiver.event import INTEGER_COLUMNS, Event
from receiver.evidence.leaf import ENTRY_BYTES, entry, leaf_hashes, parse_entry, parse_payload, payload, stored_leaf
from tests.kit.events import NOW_US, make_event

ESCAPES = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
columns = st.lists(st.none() | st.integers(-(2**53) + 1, 2**53 - 1) | texts, max_size=8)


def jcs(values: list[object]) -> bytes:
    """RFC 8785 §3.2.2, for arrays of text, integers and null."""
    parts = []
    for value in values:
        if value is None:
            parts.append("null")
        elif isinstance(value, int):
            parts.append(str(value))
        else:
            escaped = (
                ESCAPES.get(ord(char)) or (f"\\u{ord(char):04x}" if ord(char) < 32 else char) for char in str(value)
            )
            parts.append(f'"{"".join(escaped)}"')
    return f"[{','.join(parts)}]".encode()


@given(values=columns, raw=st.none() | st.binary(max_size=40))
def test_a_payload_is_canonical_json(values: list[object], raw: bytes | None) -> None:
    # orjson writes it; that it writes what the standard wants is held here.
    encoded = None if raw is None else base64.b64encode(raw).decode()
    assert payload([*values, raw]) == jcs([*values, encoded]) == rfc8785.dumps([*values, encoded])


def test_every_character_is_written_canonically() -> None:
    # All of Unicode less surrogates, by itself and between others: no character is left to luck.
    for first in range(0, sys.maxunicode + 1, 4096):
        text = "".join(chr(code) for code in range(first, first + 4096) if not 0xD800 <= code < 0xE000)
        assert payload([text, None]) == rfc8785.dumps([text, None])
    for code in range(0x100):
        assert payload([chr(code), None]) == jcs([chr(code), None])


def test_a_leaf_is_made_of_its_parts() -> None:
    # The bytes of the format, spelled out once more.
    events = [make_event(1), make_event(2, raw=b"\xff\x00", message="ä\n\u2028\x7f", data=None)]
    salts = bytes(range(32))
    for number, event in enumerate(events):
        values = [*event[:-1], None if event.raw is None else base64.b64encode(event.raw).decode()]
        salt = salts[16 * number : 16 * number + 16]
        committed = hashlib.sha256(salt + jcs(values)).digest()
        written = b"audit-receiver/v1\n" + struct.pack(">QQ", 7 + number, event.received_at) + committed
        assert len(written) == ENTRY_BYTES == 66
        assert entry(7 + number, event.received_at, committed) == written
        leaf = hashlib.sha256(b"\x00" + written).digest()
        assert leaf_hashes(7, events, salts)[number] == leaf
        assert stored_leaf(7 + number, event.received_at, event, salt, None) == leaf
        assert stored_leaf(7 + number, event.received_at, [None] * 29, None, committed) == leaf
    assert stored_leaf(7, 1, [None] * 29, None, None) is None


def some_event() -> st.SearchStrategy[Event]:
    whole = st.integers(-(2**53) + 1, 2**53 - 1)
    values = {name: st.none() | (whole if name in INTEGER_COLUMNS else texts) for name in Event._fields}
    return st.builds(Event, **values | {"received_at": st.integers(0, 2**53 - 1), "raw": st.none() | st.binary()})


@given(event=some_event())
def test_a_payload_is_read_as_it_was_written(event: Event) -> None:
    # What a proof carries is the event itself.
    assert parse_payload(payload(event)) == event


WRONG: dict[str, Any] = {
    "not_json": b"[1",
    "no_array": b"{}",
    "too_few": payload([*make_event()][1:]),
    "no_received_at": payload(make_event(received_at=None)),
    "negative_received_at": payload(make_event(received_at=-1)),
    "text_as_number": payload(make_event(severity="6")),
    "number_as_text": payload(make_event(pid=1)),
    "truth": payload(make_event(severity=True)),
    "float": payload(make_event()).replace(b"52000", b"52000.0"),
    "beyond_2^53": payload(make_event(time=2**53)),
    "beyond_2^64": payload(make_event()).replace(b"52000", b"5%s" % (b"2" * 30)),
    "blank": payload(make_event()).replace(b",", b", ", 1),
    "long_escape": payload(make_event(message="\n")).replace(b"\\n", b"\\u000a"),
    "upper_case_escape": payload(make_event(message="\x1f")).replace(b"\\u001f", b"\\u001F"),
    "needless_escape": payload(make_event(message="\x7f")).replace(b"\x7f", b"\\u007f"),
    "raw_no_base64": payload(make_event(raw=b"ab")).replace(b'"YWI="', b'"YW!="'),
    "raw_other_base64": payload(make_event(raw=b"ab")).replace(b'"YWI="', b'"YWJ="'),
    "not_utf8": payload(make_event(message="abc")).replace(b"abc", b"\xff\xfe"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_payload_written_otherwise_is_refused(wrong: bytes) -> None:
    # Two ways to write one event would be two leaves for it.
    with pytest.raises(EvidenceError):
        parse_payload(wrong)


def test_an_entry_is_read_as_it_was_written() -> None:
    # 66 bytes, nothing else.
    written = entry(7, NOW_US, bytes(32))
    assert parse_entry(written) == (7, NOW_US, bytes(32))
    for wrong in (written[:-1], written + b"\0", b"B" + written[1:], b""):
        with pytest.raises(EvidenceError):
            parse_entry(wrong)
