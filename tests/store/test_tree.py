"""The tree in the store: every committed event is a leaf, in the same transaction, over every rotation and crash."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.errors import StoreCorrupt
from receiver.evidence.leaf import stored_leaf
from receiver.evidence.tree import Tree, complete_root
from receiver.store import Store, StorePolicy
from receiver.store.segment import catalog, live_path
from tests.kit.events import make_event, make_events
from tests.kit.stores import all_sealed, opened, read, write

if TYPE_CHECKING:
    from pathlib import Path


def leaves(folder: Path) -> list[bytes]:
    """What the rows say, as an auditor would compute it."""
    found = [stored_leaf(row.seq, row.received_at, row[1:-2], row.salt, row.commitment) for row in read(folder)]
    assert None not in found
    return [leaf for leaf in found if leaf is not None]


def level1(folder: Path) -> dict[int, bytes]:
    """What the segments say of 256 leaves each."""
    kept: dict[int, bytes] = {}
    for segment in catalog(folder):
        with closing(sqlite3.connect(segment.path)) as connection:
            kept.update(connection.execute("SELECT n, hash FROM level1"))
    return kept


def check(folder: Path, head: Tree) -> None:
    """The store's tree is that of its rows."""
    rows = leaves(folder)
    assert head == Tree().append(rows)[0]
    assert level1(folder) == {n: complete_root(rows[n * 256 : n * 256 + 256]) for n in range(len(rows) // 256)}


@settings(max_examples=15, deadline=None)
@given(batches=st.lists(st.integers(1, 400), max_size=8), segment=st.integers(1, 700))
def test_the_tree_is_that_of_the_rows(
    tmp_path_factory: pytest.TempPathFactory, batches: list[int], segment: int
) -> None:
    # Whatever the batches and wherever segments end, restarts included.
    folder = tmp_path_factory.mktemp("store") / "store"
    events = make_events(sum(batches))
    events[: len(events) // 3] = [
        make_event(n, message="Zoë\0 \U0001f600 \x7f", raw=b"\xff\0", data='{"a":1.0}', actor=None, host="")
        for n in range(len(events) // 3)
    ]
    at = 0
    for count in batches:
        write(folder, events[at : at + count], segment=segment, batch=100)
        at += count

    async def head() -> Tree:
        async with opened(folder) as store:
            return store.head

    check(folder, asyncio.run(head()))


async def test_sealing_takes_the_tree_along(tmp_path: Path) -> None:
    # A sealed segment has the state after its last event, and a new live one begins with it.
    async with opened(tmp_path, max_events=300) as store:
        for at in range(0, 1000, 100):
            await store.append(make_events(100, first=at))
        await all_sealed(tmp_path)
        check(tmp_path, store.head)
    with closing(sqlite3.connect(catalog(tmp_path)[0].path)) as connection:
        size, packed = connection.execute("SELECT size, hashes FROM tree").fetchone()
    assert Tree.unpack(size, packed) == Tree().append(leaves(tmp_path)[:300])[0]


async def test_rows_that_were_taken_away_leave_their_positions_empty(tmp_path: Path) -> None:
    # The leaf index is the position: the log goes on behind what is missing, and does not write over it.
    async with opened(tmp_path) as store:
        await store.append(make_events(10))
        head = store.head
    with closing(sqlite3.connect(live_path(tmp_path, 0), isolation_level=None)) as connection:
        connection.execute("DELETE FROM events WHERE seq >= 7")
    async with opened(tmp_path) as store:
        assert store.head == head
        await store.append(make_events(1, first=10))
        assert store.next_seq == 11
    assert [event.seq for event in read(tmp_path)] == [*range(7), 10]


async def test_rows_the_tree_does_not_know_stop_the_start(tmp_path: Path) -> None:
    # No transaction of ours leaves them; to go on would give a position twice.
    async with opened(tmp_path) as store:
        await store.append(make_events(3))
    with closing(sqlite3.connect(live_path(tmp_path, 0), isolation_level=None)) as connection:
        connection.execute("INSERT INTO events (seq, received_at) VALUES (3, 1)")
    with pytest.raises(StoreCorrupt, match="its rows end at 4, its tree at 3"):
        await Store.open(tmp_path, StorePolicy())


@pytest.mark.parametrize(
    "damage", ["DELETE FROM tree", "UPDATE tree SET hashes = 'x'", "UPDATE tree SET size = 'many'"]
)
async def test_a_broken_tree_is_named(tmp_path: Path, damage: str) -> None:
    # Exit, and say where.
    async with opened(tmp_path) as store:
        await store.append(make_events(3))
    with closing(sqlite3.connect(live_path(tmp_path, 0), isolation_level=None)) as connection:
        connection.execute(damage)
    with pytest.raises(StoreCorrupt, match=r"000000000000-\.db: the state of the tree"):
        await Store.open(tmp_path, StorePolicy())
