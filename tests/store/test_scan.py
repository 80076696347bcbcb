"""A live segment is scanned in slices by several threads: the same rows, in the same order, as by one."""

from __future__ import annotations

import sqlite3
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver import limits
from receiver.store import Filter, Reader
from receiver.store.open_segment import OpenSegment
from receiver.store.plan import Range
from receiver.store.scan import slices
from receiver.store.segment import catalog
from tests.kit.events import make_event
from tests.kit.stores import write

if TYPE_CHECKING:
    from pathlib import Path

EVENTS = [
    make_event(index, message=("ärger at the door", "door\0bell rang", "the door is open", "quiet", None)[index % 5])
    for index in range(600)
]


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of a few rows and pages of fewer, so that a small segment meets all that a large one does."""
    monkeypatch.setattr(limits, "SCAN_FIRST_ROWS", 2)
    monkeypatch.setattr(limits, "SCAN_ROWS", 16)
    monkeypatch.setattr(limits, "READ_PAGE_ROWS", 5)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(4)))


@given(low=st.integers(0, 10**6), rows=st.integers(0, 10**6), ascending=st.booleans())
def test_slices_cover_a_range_once_and_in_order(low: int, rows: int, ascending: bool) -> None:
    # A row in no slice would be lost to every question, one in two would be given twice.
    found = list(slices(Range(low, low + rows), ascending=ascending))
    assert sum(high - start for start, high in found) == rows
    ordered = found if ascending else found[::-1]
    assert all(one.high == next_one.low for one, next_one in pairwise(ordered))
    assert not found or (ordered[0].low, ordered[-1].high) == (low, low + rows)


@pytest.mark.parametrize("contains", [None, "door", "bell", "ärger", "nothing", "quiet"])
@pytest.mark.parametrize("ascending", [True, False])
def test_threads_find_what_a_naive_reading_finds(
    tmp_path: Path, small_slices: None, contains: str | None, ascending: bool
) -> None:
    # Odd messages (not ASCII, or with NUL) are noted beside the rows: none may be missed.
    write(tmp_path, EVENTS)
    expected = [i for i, event in enumerate(EVENTS) if contains is None or contains in (event.message or "")]
    found = Reader(tmp_path).select(Filter(contains=contains), after_seq=-1 if ascending else None)
    assert [event.seq for event in found] == (expected if ascending else expected[::-1])


def test_several_connections_are_used(tmp_path: Path, small_slices: None) -> None:
    # Otherwise the test above would say nothing of threads.
    write(tmp_path, EVENTS)
    opened = []
    original = OpenSegment._more_connections

    def spy(self: OpenSegment, *given: object) -> list[sqlite3.Connection]:
        opened.extend(original(self, *given))  # type: ignore[arg-type]
        return opened

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OpenSegment, "_more_connections", spy)
        list(Reader(tmp_path).select(Filter(contains="door")))
    assert len(opened) == 3


def test_who_has_enough_waits_for_nobody(tmp_path: Path, small_slices: None) -> None:
    # Slices read ahead are broken off when the asker closes.
    write(tmp_path, EVENTS)
    asked = Reader(tmp_path).select(Filter(contains="door"), limit=90)
    assert len(list(asked)) == 90
    half = Reader(tmp_path).select(Filter(contains="door"))
    for _ in range(150):
        next(half)
    half.close()


def test_a_fault_in_a_thread_reaches_the_asker(tmp_path: Path, small_slices: None) -> None:
    # A page that cannot be read must not look like the end of the log.
    write(tmp_path, EVENTS)
    (segment,) = catalog(tmp_path)
    opened = OpenSegment(segment)
    rows = opened.rows(Filter(contains="door"), Range(0, 600), ascending=True)
    next(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("receiver.store.plan.LivePlan.source", lambda _: (_ for _ in ()).throw(sqlite3.DatabaseError))
        with pytest.raises(sqlite3.DatabaseError):
            list(rows)
    opened.close()
