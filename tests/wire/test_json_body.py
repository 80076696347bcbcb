"""Bodies are cut into the same messages however they arrive; what cannot be cut is said, and nothing before it lost."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.wire.json_body import Body, JsonValues, Lines
from receiver.wire.message import Cut, Defect
from tests.kit.wire_cuts import bytewise, taken

JSON = "application/json; charset=utf-8"


class Case(NamedTuple):
    id: str
    content_type: str
    raw: bytes
    expected: list[bytes]
    error: str | None = None


CASES = [
    Case("lines", "application/x-ndjson", b'{"a":1}\n{"b":2}\r\n\n  \n<13>text\nlast', [
        b'{"a":1}', b'{"b":2}', b"<13>text", b"last"]),
    Case("lines-by-curl", "application/x-www-form-urlencoded", b'{"a":1}\n', [b'{"a":1}']),
    Case("one-object", JSON, b' {\n "a": {"b": "}"}\n}\n', [b'{\n "a": {"b": "}"}\n}']),
    Case("ndjson-as-json", JSON, b'{"a":1}\n{"b":2}{"c":3} ', [b'{"a":1}', b'{"b":2}', b'{"c":3}']),
    Case("array", JSON, b'[{"a":[1,2]},\n {"b":"],["}, 5, "x\\"y", null ]\n', [
        b'{"a":[1,2]}', b'{"b":"],["}', b"5", b'"x\\"y"', b"null"]),
    Case("array-by-any-name", "", b' [ {"a":1} ]', [b'{"a":1}']),
    Case("array-with-bom", JSON, b'\xef\xbb\xbf[{"a":1}]', [b'{"a":1}']),
    Case("empty-array", JSON, b"[]", []),
    Case("empty", JSON, b"", []),
    Case("blank", "", b" \n\r\n", []),
    Case("bracket-line", "text/plain", b"[12.5] kernel: up\n[] x\n[", [b"[12.5] kernel: up", b"[] x", b"["]),
    Case("number-as-json", JSON, b"7\n", [b"7"]),
    Case("broken-line", "", b'{"a": "\n{"b":2}\n', [b'{"a": "', b'{"b":2}']),
    Case("open-object", JSON, b'{"a":1}{"b":', [b'{"a":1}'], "the JSON ends early"),
    Case("open-array", JSON, b'[{"a":1},', [b'{"a":1}'], "the JSON ends early"),
    Case("only-bracket", JSON, b"[", [], "the JSON ends early"),
    Case("open-string", JSON, b'[{"a":1},"x', [b'{"a":1}'], "the JSON ends early"),
    Case("no-element", JSON, b'[{"a":1},,{"b":2}]', [b'{"a":1}'], "an element of the array is missing"),
    Case("last-comma", JSON, b'[{"a":1},]', [b'{"a":1}'], "an element of the array is missing"),
    Case("behind-array", JSON, b'[{"a":1}] {"b":2}', [b'{"a":1}'], "text between JSON values"),
    Case("text-between", JSON, b'{"a":1} x {"b":2}', [b'{"a":1}'], "text between JSON values"),
    Case("string-between", JSON, b'{"a":1} "x" {"b":2}', [b'{"a":1}'], "text between JSON values"),
    Case("comma-between", JSON, b'{"a":1},{"b":2}', [b'{"a":1}'], "text between JSON values"),
    Case("bracket-too-many", JSON, b'{"a":1}}', [b'{"a":1}'], "text between JSON values"),
    Case("wrong-bracket", JSON, b'[{"a":1}}', [], "the array ends with another bracket"),
]  # fmt: skip


def cut(body: Body, pieces: list[bytes]) -> list[bytes]:
    frames = [frame for piece in pieces for frame in body.feed(piece)]
    return frames + body.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_whole_and_byte_by_byte(case: Case) -> None:
    # The same frames, the same error.
    for pieces in ([case.raw], [bytes([byte]) for byte in case.raw], [case.raw[:3], b"", case.raw[3:]]):
        body = Body(case.content_type)
        assert cut(body, pieces) == case.expected
        assert body.error == case.error
        assert body.buffered_bytes == 0 or case.error is not None


def test_a_frame_that_is_too_long_is_cut_and_the_next_one_found() -> None:
    # Of a line, of an element and of a value by itself; the size it had is told.
    long = b'{"a":"' + b"x" * 50 + b'"}'
    for content_type, raw in (("", long + b"\n5\n"), (JSON, b"[" + long + b",5]"), (JSON, long + b"{}")):
        for pieces in ([raw], [bytes([byte]) for byte in raw]):
            body = Body(content_type, max_bytes=20)
            first, second = cut(body, pieces)
            assert type(first) is Cut
            assert (bytes(first), first.defect, first.original_bytes) == (long[:20], Defect.TRUNCATED, len(long))
            assert second in {b"5", b"{}"}
            assert type(second) is bytes


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.text(), JSON_VALUES, max_size=4), max_size=5), st.lists(st.integers(0, 400)),
       st.booleans(), st.sampled_from([None, 1]))  # fmt: skip
def test_what_is_cut_is_what_was_joined(values: list[object], cuts: list[int], array: bool, indent: int | None) -> None:
    # Any objects, written flat or over lines, in an array or one after the other, cut anywhere.
    texts = [json.dumps(value, indent=indent, ensure_ascii=False).encode() for value in values]
    raw = b"[" + b" ,\n".join(texts) + b"]" if array else b"\n".join(texts)
    at = sorted({0, len(raw), *(cut for cut in cuts if cut < len(raw))})
    body = Body(JSON)
    assert cut(body, [raw[low:high] for low, high in pairwise(at)]) == texts
    assert body.error is None


@given(st.binary(max_size=60), st.booleans(), st.integers(0, 60))
def test_any_bytes_are_cut_the_same_way(raw: bytes, is_json: bool, at: int) -> None:
    # Nothing raises; where it is cut does not matter.
    one, two = Body(JSON if is_json else ""), Body(JSON if is_json else "")
    assert cut(one, [raw]) == cut(two, [raw[:at], raw[at:]])
    assert one.error == two.error


@given(st.text('[]{}",\\ a', max_size=40), st.booleans(), st.integers(0, 40))
def test_any_brackets_are_cut_the_same_way(text: str, array: bool, at: int) -> None:
    # The structural characters in any disorder.
    raw = text.encode()
    one, two = JsonValues(array=array), JsonValues(array=array)
    assert one.feed(raw) + one.close() == two.feed(raw[:at]) + two.feed(raw[at:]) + two.close()
    assert one.error == two.error


@given(st.lists(st.binary(max_size=12)), st.integers(1, 10))
def test_lines_are_those_of_split(lines: list[bytes], size: int) -> None:
    # Against Python's own.
    raw = b"\n".join(lines)
    splitter = Lines()
    got = [line for at in range(0, len(raw), size) for line in splitter.feed(raw[at : at + size])] + splitter.close()
    assert got == [line.removesuffix(b"\r") for line in raw.split(b"\n") if line.removesuffix(b"\r").strip(b" \t\r\n")]


@pytest.mark.parametrize("size", [299, 300, 301, 900])
def test_the_end_of_a_line_is_no_byte_of_it_however_it_is_cut(size: int) -> None:
    # A CR that came in another piece than its line once counted: as a byte too many, or as one of the size.
    stream = b"a" * size + b"\r\nb\n"
    whole, cut_up = Lines(300), Lines(300)
    expected = taken(whole.feed(b"first\n" + stream))[1:]
    assert taken([frame for piece in bytewise(stream) for frame in cut_up.feed(piece)]) == expected
    assert expected[0].original_bytes == (size if size > 300 else None)


@pytest.mark.parametrize("blanks", [b" ", b"\n", b"\r\n\t "])
def test_blanks_between_values_are_no_part_of_one_however_it_is_cut(blanks: bytes) -> None:
    # In one piece they once counted as bytes of the value behind them, which was then cut as too long.
    stream = b'{"a":1}' + blanks * 400 + b'{"b":2}'
    assert cut(Body(JSON, 300), [stream]) == cut(Body(JSON, 300), bytewise(stream)) == [b'{"a":1}', b'{"b":2}']
