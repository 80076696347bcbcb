"""What is appended is what is read, in both forms of a segment."""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.event import COLUMNS, INTEGER_COLUMNS, Event
from receiver.store.insert import REPEATED
from receiver.store.segment import KIND_COLUMNS, catalog
from tests.kit.events import NOW_US, make_event, make_events
from tests.kit.stores import read, seal_all, write

TEXTS = st.sampled_from(
    ["", "0", "a", "nul\0inside", "żółć", "‘quoted’", "'; DROP TABLE events; --", "日本", "x" * 3000]
)
INTEGERS = st.sampled_from([0, 1, -1, 7, 65535, 2**53 - 1, -(2**53) + 1, 2**63 - 1])
BLOBS = st.sampled_from([b"", b"\0", b"\xff\xfe<13>", b"0"])


def values(name: str) -> st.SearchStrategy[object]:
    """Any value of a column; the columns that are never null in an Event stay so."""
    if name == "raw":
        return st.none() | BLOBS
    if name in INTEGER_COLUMNS:
        return st.none() | INTEGERS
    return TEXTS if name in {"time_quality", "transport", "listener", "format", "parse_status"} else st.none() | TEXTS


ANY_EVENT = st.builds(
    Event, received_at=st.just(NOW_US), **{name: values(name) for name in Event._fields if name != "received_at"}
)


@settings(max_examples=60, deadline=None)
@given(st.lists(ANY_EVENT, min_size=1, max_size=90), st.sampled_from([1, 7, 64, 1000]))
def test_any_event_is_read_as_it_was_appended_live_and_sealed(events: list[Event], batch: int) -> None:
    # Null, zero, empty text, NUL and large integers are all different values, in every column and every statement.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, events, batch=batch)
        live = read(folder)
        assert [Event(*row[1:30]) for row in live] == events
        assert [row.seq for row in live] == list(range(len(events)))
        seal_all(folder, make_event())
        assert read(folder)[:-1] == live


def test_salts_are_there_and_differ(tmp_path: Path) -> None:
    # The salt blinds the leaf from the first event on: 16 bytes each, none twice, also across statements.
    write(tmp_path, make_events(1500))
    salts = [row.salt for row in read(tmp_path)]
    assert {len(salt) for salt in salts if salt is not None} == {16}
    assert len(set(salts)) == 1500


def test_one_statement_mixes_absent_shared_and_nullable_columns(tmp_path: Path) -> None:
    # Each way a column can be bound, in full chunks, small ones and single rows.
    events = [
        make_event(n, host=None if n % 3 else "h", pid=None, source_port=None if n % 2 else 0, target=f"t{n}")
        for n in range(512 + 64 + 8 + 3)
    ]
    write(tmp_path, events)
    assert [Event(*row[1:30]) for row in read(tmp_path)] == events


def test_more_combinations_than_are_remembered(tmp_path: Path) -> None:
    # A sender that invents apps makes the inserter forget and start afresh, not go wrong.
    events = make_events(9000)
    events = [event._replace(app=f"app-{number}") for number, event in enumerate(events)]
    write(tmp_path, events, batch=5000)
    assert [row.app for row in read(tmp_path)] == [event.app for event in events]


def test_long_messages_go_in_smaller_statements(tmp_path: Path) -> None:
    # A batch of the longest messages is stored whole.
    events = make_events(70, message="x" * 100_000)
    write(tmp_path, events)
    assert [row.message for row in read(tmp_path)] == [event.message for event in events]


def test_both_forms_are_one_relation_to_anybody_with_sqlite(tmp_path: Path) -> None:
    # A person with the sqlite3 tool sees the same columns, values and order before and after sealing.
    write(tmp_path, make_events(300, data='{"a": 1}', raw=b"\0raw"))
    query = "SELECT * FROM events"
    with closing(sqlite3.connect(catalog(tmp_path)[0].path)) as connection:
        before = connection.execute(query).fetchall()
    seal_all(tmp_path, make_event())
    with closing(sqlite3.connect(catalog(tmp_path)[0].path)) as connection:
        cursor = connection.execute(query)
        assert tuple(column[0] for column in cursor.description) == COLUMNS
        assert cursor.fetchall() == before
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert len(before) == 300


def test_the_groups_of_columns_are_columns_of_the_schema() -> None:
    # The single source of the schema is event.py.
    assert set(KIND_COLUMNS) | set(REPEATED) <= set(Event._fields)
