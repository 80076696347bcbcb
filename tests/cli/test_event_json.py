"""The line an event becomes: exact, stable, and harmless whatever stands in it."""

from __future__ import annotations

import json
import unicodedata
from base64 import b64encode
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.event import BLOB_COLUMNS, COLUMNS, INTEGER_COLUMNS, Event
from receiver.event_json import event_line, format_time, json_line
from tests.kit.events import NOW_US, make_event

any_text = st.text(st.characters(exclude_categories=()), max_size=60)  # surrogates too


class Stored(NamedTuple):
    seq: int
    message: str
    raw: bytes | None
    salt: bytes | None
    commitment: bytes | None


def any_value(name: str) -> st.SearchStrategy[Any]:
    if name in INTEGER_COLUMNS:
        return st.integers()
    if name in BLOB_COLUMNS:
        return st.none() | st.binary(max_size=30)
    if name == "data":
        documents = st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | any_text,
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
            max_leaves=8,
        )
        return st.none() | any_text | st.builds(json.dumps, documents, ensure_ascii=st.booleans())
    return st.none() | any_text


@settings(max_examples=200, deadline=None)
@given(st.tuples(*(any_value(name) for name in Event._fields)))
def test_any_event_is_one_line_of_valid_json(values: tuple[Any, ...]) -> None:
    # Whatever a sender wrote or a foreign hand stored: one line, UTF-8, nothing a terminal would obey.
    line = event_line(Event(*values))
    assert line.encode().decode() == line
    assert len(line.splitlines()) == 1
    assert not [char for char in line if unicodedata.category(char) in {"Cc", "Zl", "Zp"}]
    assert list(json.loads(line, parse_int=str)) == list(Event._fields)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=100), st.binary(max_size=40))
def test_valid_text_and_bytes_come_back_equal(text: str, raw: bytes) -> None:
    # Escaping is only another spelling: what was stored is what is read.
    event = json.loads(event_line(make_event(message=text, actor=text, raw=raw)))
    assert (event["message"], event["actor"], event["raw"]) == (text, text, b64encode(raw).decode())


def test_columns_stand_in_schema_order_with_nulls_and_exact_times() -> None:
    # Programs rely on the shape; floats would lose the last microsecond.
    event = json.loads(event_line(make_event(time=None, received_at=NOW_US + 1)))
    assert list(event) == list(COLUMNS[1:-2])
    assert event["time"] is None
    assert event["received_at"] == "2025-11-24T16:00:00.000001Z"


def test_a_stored_event_has_its_seq_and_never_its_salt() -> None:
    # The salt would let erased values be guessed; the commitment shows that one was erased.
    line = json.loads(event_line(Stored(7, "m", None, b"s" * 16, None)))
    assert line == {"seq": 7, "message": "m", "raw": None}
    assert json.loads(event_line(Stored(7, "m", None, None, b"\xff")))["commitment"] == "/w=="


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('{"n":1180591620717411303424}', '{"n":1180591620717411303424}'),
        ('{"n":1.10,"n":1e400}', '{"n":1.10,"n":1e400}'),
        ('{"a":\n1}\r', '{"a": 1} '),
        ('{"a":"\\ud800"}', '"{\\"a\\":\\"\\\\ud800\\"}"'),
        ("[1]", '"[1]"'),
        ('{"a":NaN}', '"{\\"a\\":NaN}"'),
        ("{", '"{"'),
        ("[" * 5000, '"' + "[" * 5000 + '"'),
    ],
    ids=["2^70", "inexact-numbers", "line-ends", "lone-surrogate", "no-object", "nan", "broken", "deep"],
)
def test_data_is_embedded_byte_for_byte_or_kept_as_text(data: str, expected: str) -> None:
    # Reading and writing numbers again would change evidence; what is no JSON object must not break the line.
    assert f'"data":{expected},"raw"' in event_line(make_event(data=data))


def test_what_json_cannot_hold_is_made_sound() -> None:
    # The last resort of every JSON line the program prints.
    text = json_line({"s": "\ud800", "i": 2**80, "b": b"\xff", "l": [{"\udfff": "\x85"}], "n": None, "f": 0.5})
    assert json.loads(text) == {"s": "�", "i": 2**80, "b": r"\xff", "l": [{"�": "\x85"}], "n": None, "f": 0.5}


def test_times_beyond_the_calendar_stay_numbers() -> None:
    # Only a damaged store has them; hiding them would hide the damage.
    assert format_time(2**62) == 2**62
    assert format_time(-1) == "1969-12-31T23:59:59.999999Z"
