"""Leaves: the exact bytes, against an RFC 8785 writer of its own."""

from __future__ import annotations

import base64
import hashlib
import struct

from hypothesis import given
from hypothesis import strategies as st

from receiver.evidence.leaf import ENTRY_BYTES, entry, leaf_hashes, payload, stored_leaf
from tests.kit.events import make_event

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
    assert payload([*values, raw]) == jcs([*values, encoded])


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
