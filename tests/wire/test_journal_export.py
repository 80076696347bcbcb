"""The journal export format: entries are the same however they arrive, and nothing of a field is lost or guessed."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver import limits
from receiver.event import Origin
from receiver.normalize import Normalizer
from receiver.wire.journal_export import JournalExport, parse_entries, parse_entry
from receiver.wire.message import Cut, Defect


def binary(name: str, data: bytes) -> bytes:
    return name.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"


def text(name: str, value: str) -> bytes:
    return f"{name}={value}\n".encode()


class Case(NamedTuple):
    id: str
    raw: bytes
    expected: list[bytes]
    error: str | None = None


A, B = text("MESSAGE", "hello"), text("_PID", "7")
CASES = [
    Case("two", A + B + b"\n" + A + b"\n", [A + B, A]),
    Case("no-last-blank", A + b"\n" + B, [A, B]),
    Case("blank-lines", b"\n\n" + A + b"\n\n\n" + B + b"\n", [A, B]),
    Case("binary", binary("X", b"a\nb=\0\xff\n\n") + b"\n", [binary("X", b"a\nb=\0\xff\n\n")]),
    Case("empty-values", text("X", "") + binary("Y", b"") + b"\n", [text("X", "") + binary("Y", b"")]),
    Case("empty", b"", []),
    Case("longest-name", text("X" * 64, "1") + b"\n", [text("X" * 64, "1")]),
    Case("name-too-long", A + b"\n" + text("X" * 65, "1") + b"\n", [A], "no field name"),
    Case("name-endless", A + b"\n" + b"X" * 200, [A], "no field name"),
    Case("lower-case", text("message", "1"), [], "no field name"),
    Case("digit-first", text("1X", "1"), [], "no field name"),
    Case("no-name", b"=1\n", [], "no field name"),
    Case("not-it", b"GET / HTTP/1.1\r\n", [], "no field name"),
    Case("longer-than-it-says", A + b"\n" + binary("X", b"abc")[:-1] + b"d\n\n", [A], "a field is longer than it says"),
    Case("a-terabyte", b"X\n" + b"\xff" * 8 + b"abc", [], "a field says to be longer than can be"),
    Case("cut-in-text", A + b"\nMESSAGE=hel", [A], "the last entry ends early"),
    Case("cut-in-name", A + b"\nMESS", [A], "the last entry ends early"),
    Case("cut-in-length", A + b"\nX\n\5\0\0", [A], "the last entry ends early"),
    Case("cut-in-data", A + b"\n" + binary("X", b"abcdef")[:-3], [A], "the last entry ends early"),
]  # fmt: skip


def cut(raw: bytes, step: int, max_bytes: int = limits.MESSAGE_BYTES) -> tuple[list[bytes], str | None]:
    export = JournalExport(max_bytes)
    entries = [entry for at in range(0, len(raw), step) for entry in export.feed(raw[at : at + step])]
    entries += export.close()
    return entries, export.error


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_whole_and_byte_by_byte(case: Case) -> None:
    # The same entries and the same error.
    for step in (1 << 20, 1, 2, 3, 7):
        assert cut(case.raw, step) == (case.expected, case.error)


def test_every_truncation_is_noticed_or_a_whole_entry() -> None:
    # Half an entry is not acknowledged.
    raw = A + binary("X", b"a\nb") + b"\n"
    ends_of_fields = {0, len(A), len(raw) - 1, len(raw)}
    for end in range(len(raw) + 1):
        entries, error = cut(raw[:end], 5)
        assert (error is None) == (end in ends_of_fields)
        assert entries == ([] if error or not end else [raw[:end].rstrip(b"\n") + b"\n"])


FIELDS = st.lists(
    st.tuples(st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True), st.binary(max_size=20) | st.text(max_size=20)),
    min_size=1, max_size=6,
)  # fmt: skip


@given(st.lists(FIELDS, max_size=4), st.integers(1, 60))
def test_what_is_written_is_read(entries: list[list[tuple[str, bytes | str]]], step: int) -> None:
    # Any fields, as journald would write them, cut anywhere.
    raw = b""
    expected = []
    for fields in entries:
        read: dict[str, list[object]] = {}
        for name, value in fields:
            data = value if isinstance(value, bytes) else value.encode()
            plain = isinstance(value, str) and value.isprintable()
            raw += text(name, value) if plain and isinstance(value, str) else binary(name, data)
            try:
                read.setdefault(name, []).append(data.decode())
            except UnicodeDecodeError:
                read.setdefault(name, []).append(list(data))
        raw += b"\n"
        expected.append({name: values if len(values) > 1 else values[0] for name, values in read.items()})
    frames, error = cut(raw, step)
    assert error is None
    assert [message.fields for message in parse_entries(frames, 0)] == expected


@given(st.binary(max_size=80), st.integers(1, 20))
def test_any_bytes_are_cut_the_same_way(raw: bytes, step: int) -> None:
    # Nothing raises, neither in cutting nor in parsing.
    assert cut(raw, step) == cut(raw, 1 << 20)
    parse_entry(raw)


def test_what_does_not_fit_is_passed_over_and_said() -> None:
    # A core dump in one field must not cost the message that stands behind it.
    raw = text("_PID", "1") + binary("COREDUMP", bytes(100_000)) + A + text("LONG", "y" * 5000) + b"\n" + B + b"\n"
    for step in (1 << 20, 999):
        (first, second), error = cut(raw, step, max_bytes=1000)
        assert error is None
        assert type(first) is Cut
        assert (bytes(first), first.defect) == (text("_PID", "1") + A, Defect.TRUNCATED)
        assert first.original_bytes == len(raw) - len(B) - 2
        assert second == B
        message = parse_entry(first)
        assert (message.status, message.fields) == ("partial", {"_PID": "1", "MESSAGE": "hello"})


def test_memory_is_bounded_while_a_field_goes_on() -> None:
    # Neither an endless text, nor endless fields.
    export = JournalExport(1000)
    export.feed(A + b"X=")
    for _ in range(100):
        export.feed(b"x" * 1000)
        assert export.buffered_bytes <= 1000
    export = JournalExport()
    export.feed(b"X=1\n" * 5000)
    (entry,) = export.feed(b"\n")
    assert len(entry) == 4 * limits.JOURNAL_FIELDS


def test_the_columns_of_an_entry() -> None:
    # The journald vocabulary reads it; the cursor and what journald vouches for stay in data.
    entry = (
        text("__CURSOR", "s=1;i=2") + text("__REALTIME_TIMESTAMP", "1764000000000001") + text("_HOSTNAME", "web-1")
        + text("PRIORITY", "6") + text("SYSLOG_FACILITY", "10") + text("SYSLOG_IDENTIFIER", "sshd") + text("_COMM", "x")
        + text("_PID", "42") + text("_UID", "0")
        + text("MESSAGE", "Accepted publickey for alice from 192.0.2.7 port 51022 ssh2: RSA SHA256:abc")
    )  # fmt: skip
    from receiver.normalize import load_packs

    event = Normalizer(load_packs(())).event(parse_entry(entry), Origin("p", 1, None, "http", "in"), 5)
    assert (event.format, event.parse_status) == ("journal", "ok")
    assert (event.host, event.app, event.pid) == ("web-1", "sshd", "42")
    assert (event.time, event.time_quality, event.facility, event.severity) == (1764000000000001, "full", 10, 6)
    assert (event.action, event.actor, event.source_ip) == ("auth.login", "alice", "192.0.2.7")
    assert event.raw is None
    assert '"__CURSOR":"s=1;i=2"' in (event.data or "")
    assert '"_UID":"0"' in (event.data or "")
