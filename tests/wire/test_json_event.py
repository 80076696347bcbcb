"""JSON objects are read exactly, written exactly, and what is none is kept as text."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver import limits
from receiver.wire import json_event
from receiver.wire.message import Cut, Defect

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
OBJECTS = st.dictionaries(
    TEXTS,
    st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
    ),
    max_size=6,
)


class Case(NamedTuple):
    id: str
    raw: bytes
    fields: dict[str, Any] | None
    defects: tuple[Defect, ...] = ()


CASES = (
    Case("empty", b"{}", {}),
    Case("flat", b'{"a": "x", "b": [1, 2.5, null, true]}', {"a": "x", "b": [1, 2.5, None, True]}),
    Case("nested", b'{"a":{"b":[{"c":1},{"c":2}]}}', {"a": {"b": [{"c": 1}, {"c": 2}]}}),
    Case("escapes", rb'{"a":"\u00e9\/\"\ud83d\ude00\\u0022"}', {"a": 'é/"😀\\u0022'}),
    Case("escaped quote alone", rb'{"a":"\u0022","a b":"\u0022"}', {"a": '"', "a b": '"'}),
    Case("pretty", b'\r\n{\n\t"a" : 1.50e1\n}\n', {"a": 15.0}),
    Case("byte order mark", b'\xef\xbb\xbf{"a":1}', {"a": 1}),
    Case("NUL at the end", b'{"a":1}\0', {"a": 1}),
    Case("64 bits", b'{"a": 18446744073709551615, "b": -9223372036854775808}', {"a": 2**64 - 1, "b": -(2**63)}),
    Case("65 bits", b'{"a":18446744073709551616}', {"a": 2**64}),
    Case("65 bits below", b'{ "a":-9223372036854775809}', {"a": -(2**63) - 1}),
    Case("digits in a text", b'{ "a" : "12345678901234567890",  "b":1.0}', {"a": "12345678901234567890", "b": 1.0}),
    Case("exponent", b'{"a":12345678901234567890e2}', {"a": 1.234567890123456789e21}),
    Case("NaN", b'{"a":NaN,"b":[-Infinity]}', {"a": "NaN", "b": ["-Infinity"]}, (Defect.BAD_JSON,)),
    Case("beyond a float", b'{"a":1e400}', {"a": "1e400"}, (Defect.BAD_JSON,)),
    Case("endless integer", b'{"a":' + b"1" * 5000 + b"}", {"a": "1" * 5000}, (Defect.BAD_JSON,)),
    Case("lone surrogate", rb'{"a":"x\ud800y","\udc00":1}', {"a": "x\ufffdy", "\ufffd": 1}, (Defect.LONE_SURROGATE,)),
    Case("a backslash before u", rb'{"a":"\\ud800"}', {"a": "\\ud800"}),
    Case("surrogate and a pair", rb'{"a":"\ud800\ud83d\ude00"}', {"a": "\ufffd😀"}, (Defect.LONE_SURROGATE,)),
    Case("not UTF-8", b'{"a":"\xff"}', {"a": "\ufffd"}, (Defect.INVALID_UTF8,)),
    Case("control characters", b'{"a":"x\ny\x01"}', {"a": "x\ny\x01"}, (Defect.BAD_JSON,)),
    Case("duplicate key", b'{"a":1,"b":2,"a":3}', {"a": 3, "b": 2}, (Defect.DUPLICATE_KEY,)),
    Case("duplicate by escape", rb'{"a":1,"\u0061":"\u0022\u0022"}', {"a": '""'}, (Defect.DUPLICATE_KEY,)),
    Case("duplicate inside", b'{"a":{"b":1, "b":1}}', {"a": {"b": 1}}, (Defect.DUPLICATE_KEY,)),
    Case("trailing text", b'{"a":1} x', None, (Defect.BAD_JSON,)),
    Case("two objects", b'{"a":1}{"b":2}', None, (Defect.BAD_JSON,)),
    Case("array", b'[{"a":1}]', None, (Defect.BAD_JSON,)),
    Case("scalar", b"17", None, (Defect.BAD_JSON,)),
    Case("nothing", b"", None, (Defect.BAD_JSON,)),
    Case("broken", b'{"a":', None, (Defect.BAD_JSON,)),
    Case("broken and not UTF-8", b'{"a":\xff', None, (Defect.INVALID_UTF8, Defect.BAD_JSON)),
    Case("comment", b'{"a":1 /* x */}', None, (Defect.BAD_JSON,)),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_parse_reads_exactly_or_keeps_the_text(case: Case) -> None:
    """Each kind of object gives its fields and defects; what is no object stays as raw text."""
    message = json_event.parse(case.raw)

    assert message.raw == case.raw
    assert message.fields == case.fields
    assert _types(message.fields) == _types(case.fields)
    assert message.defects == case.defects
    assert (message.time, message.time_quality, message.severity) == (None, "missing", None)
    if case.fields is None:
        assert (message.format, message.status) == ("raw", "failed")
        assert message.message == case.raw.decode("utf-8", "replace")
    else:
        assert (message.format, message.status) == ("json", "partial" if case.defects else "ok")
        assert message.message is None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_load_object_answers_as_parse_does(case: Case) -> None:
    """A syslog MSG that is JSON is read the same way, from text or from bytes."""
    parsed = json_event.parse(case.raw)
    expected = None if case.fields is None else (case.fields, case.defects, parsed.extra)

    assert json_event.load_object(case.raw) == expected
    if Defect.INVALID_UTF8 not in case.defects:
        assert json_event.load_object(case.raw.decode()) == expected


def test_text_with_a_lone_surrogate_is_no_exception() -> None:
    """A text that no encoder takes is read with replacements, and says so."""
    loaded = json_event.load_object('{"a":"\ud800"}')

    assert loaded is not None
    assert loaded[1] == (Defect.INVALID_UTF8,)


@pytest.mark.parametrize("opening", [b'{"a":', b'{"a":['], ids=["objects", "arrays"])
def test_nesting_is_bounded_without_a_recursion(opening: bytes) -> None:
    """The deepest allowed nesting is read; one more level, or a hundred thousand, is kept as text."""
    closing = b"]}" if opening.endswith(b"[") else b"}"
    levels = limits.JSON_DEPTH // len(closing)
    last = b"1"

    assert json_event.parse(opening * levels + last + closing * levels).status == "ok"
    assert json_event.parse(opening * levels + b'{"x":1}' + closing * levels).defects == (Defect.TOO_DEEP,)
    for deeper in (levels + 1, 600, 100_000):
        message = json_event.parse(opening * deeper + last + closing * deeper)
        assert (message.status, message.format, message.defects) == ("failed", "raw", (Defect.TOO_DEEP,))


def test_brackets_in_texts_are_no_nesting() -> None:
    """Depth is counted outside of strings only, also on the exact path."""
    text = "[" * 500 + '\\"' + "{" * 500

    for value in ("NaN", "1"):
        assert json_event.load_object(f'{{"a":"{text}","b":[{value}]}}') is not None


def test_all_values_of_a_repeated_key_are_kept() -> None:
    """The last value wins in the fields, and every one stands in `extra`."""
    message = json_event.parse(b'{"user":"root","user":"eve","x":{"user":1,"user":2}}')

    assert message.fields == {"user": "eve", "x": {"user": 2}}
    assert message.extra == {"duplicate_keys": {"user": [1, 2, "root", "eve"]}}


def test_repeated_keys_do_not_multiply() -> None:
    """Nested repetition is told by name, since its values would be written once a level."""
    text = b'"x"'
    for _ in range(60):
        text = b'{"a":1,"a":%s}' % text

    message = json_event.parse(text)

    assert message.defects == (Defect.DUPLICATE_KEY,)
    assert message.extra == {"duplicate_keys": {"a": []}}


def test_a_cut_character_is_no_encoding_error() -> None:
    """A frame that was cut inside a character lacks it, and is not called invalid UTF-8."""
    frame = Cut.of('{"a":"é'.encode()[:-1], Defect.TRUNCATED, 100)

    message = json_event.parse(frame)

    assert (message.message, message.defects) == ('{"a":"', (Defect.BAD_JSON,))


def test_gelf_is_told_by_its_shape() -> None:
    """An object with GELF's mandatory fields is GELF, on both paths."""
    assert json_event.parse(b'{"version":"1.1","host":"h","short_message":"m"}').format == "gelf"
    gelf = json_event.parse(b'{"version":"1.1","host":"h","short_message":"m","_n":NaN}')
    assert (gelf.format, gelf.status, gelf.defects) == ("gelf", "partial", (Defect.BAD_JSON,))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"a": 2**64 - 1}, '{"a":18446744073709551615}'),
        ({"a": 2**70, "b": "é"}, '{"a":1180591620717411303424,"b":"é"}'),
        ({"a": ["\ud800"]}, '{"a":["\ufffd"]}'),
        ({"a": Defect.NO_PRI}, '{"a":"no_pri"}'),
        ({"a": {1, 2}}, '{"a":"{1, 2}"}'),
    ],
    ids=["64 bits", "70 bits", "lone surrogate", "an enumeration", "no JSON at all"],
)
def test_dump_data_never_fails(data: dict[str, Any], text: str) -> None:
    """Whatever is in an object becomes valid Unicode, integers stay exact."""
    assert json_event.dump_data(data) == text


@given(OBJECTS, st.sampled_from([None, 1]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_what_is_loaded_and_dumped_is_the_same(fields: dict[str, Any], indent: int | None, ascii_only: bool) -> None:
    """Any object survives reading and writing, however it was spelled, and nothing is flagged."""
    text = json.dumps(fields, indent=indent, ensure_ascii=ascii_only)

    loaded = json_event.load_object(text)

    assert loaded is not None
    assert loaded[1] == ()
    assert json.loads(json_event.dump_data(loaded[0])) == json.loads(text)


KEYS = st.sampled_from(["a", "b", "\\u0061", "\\u0022", "c"])


@given(st.lists(st.tuples(KEYS, st.sampled_from(['"\\u0022\\u0022"', "1"]))))
@settings(max_examples=150)
def test_a_dropped_key_is_always_noticed(pairs: list[tuple[str, str]]) -> None:
    """No spelling of keys and values hides a duplicate from the fast path."""
    text = "{" + ",".join(f'"{key}":{value}' for key, value in pairs) + "}"
    keys = [json.loads(f'"{key}"') for key, _ in pairs]

    loaded = json_event.load_object(text)

    assert loaded is not None
    assert (Defect.DUPLICATE_KEY in loaded[1]) == (len(set(keys)) < len(keys))


@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,\\u0123d8aN-e.\x00 ', max_size=40).map(str.encode))
@settings(max_examples=200)
def test_any_bytes_give_a_message(raw: bytes) -> None:
    """Nothing raises, the bytes are kept, and every text can be stored."""
    message = json_event.parse(raw)

    assert message.raw == raw
    json_event.dump_data({"fields": message.fields, "message": message.message}).encode()


def _types(value: Any) -> Any:
    """2.0 == 2 and True == 1, but they are not the same."""
    if isinstance(value, dict):
        return {key: _types(inner) for key, inner in value.items()}
    return [_types(inner) for inner in value] if isinstance(value, list) else type(value)
