"""The writer: order, rotation, refusals, and what a failed append leaves behind."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import aiosqlite
import pytest

from receiver import limits
from receiver.errors import StoreBusy, StoreCorrupt, StoreError, StoreFull, StoreRefused
from receiver.evidence.tree import Tree
from receiver.store import Reader, Store, StorePolicy
from receiver.store.insert import hold_clock
from receiver.store.segment import FORMAT_VERSION, catalog, live_path
from receiver.store.writer import LiveSegment
from tests.kit.events import NOW_US, make_event, make_events
from tests.kit.stores import all_sealed, files, opened, read
from tests.kit.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

STEP = limits.CLOCK_STEP_US


def times(folder: Path) -> list[int]:
    return [row.received_at - NOW_US for row in read(folder)]


async def test_positions_have_no_gap_over_restarts(tmp_path: Path) -> None:
    # The position is the leaf's index: from 0, one by one, for ever.
    for start in (0, 3, 10):
        async with opened(tmp_path) as store:
            assert store.next_seq == start
            assert await store.append([]) == start
            await store.append(make_events(3 if start == 0 else 7, first=start))
    assert [row.seq for row in read(tmp_path)] == list(range(17))


async def test_received_at_never_goes_back_for_small_steps(tmp_path: Path) -> None:
    # Held within a batch, between batches, over a restart and over a rotation.
    async with opened(tmp_path) as store:
        await store.append([make_event(100), make_event(50), make_event(120)])
        await store.append([make_event(110)])
    async with opened(tmp_path, max_events=4) as store:
        await store.append([make_event(90), make_event(130)])
    assert times(tmp_path) == [100, 100, 120, 120, 120, 130]


async def test_a_clock_that_was_set_back_begins_a_new_segment(tmp_path: Path) -> None:
    # A year in the future, then put right: the log does not stand still for a year, and stays searchable.
    async with opened(tmp_path) as store:
        await store.append([make_event(STEP * 10)])
        await store.append([make_event(1), make_event(0)])
        await all_sealed(tmp_path)
    async with opened(tmp_path) as store:
        await store.append([make_event(2)])
    assert times(tmp_path) == [STEP * 10, 1, 1, 2]
    assert [segment.first for segment in catalog(tmp_path)] == [0, 1]


async def test_a_segment_ends_by_count_by_age_and_on_demand(tmp_path: Path) -> None:
    # By count with the batch that fills it; by age from its first event.
    async with opened(tmp_path, max_events=100, max_age_seconds=60) as store:
        await store.append(make_events(60))
        await store.append(make_events(60))
        await store.append(make_events(1))  # 120 are enough
        await store.append([make_event(59_000_000)])
        await store.append([make_event(61_000_000)])  # too old
        store.rotate_soon()
        await store.append([make_event(61_000_001)])
        store.rotate_soon()
    assert [segment.first for segment in catalog(tmp_path)] == [0, 120, 122, 123]


def test_holding_the_clock_costs_nothing_when_it_is_right() -> None:
    # The same list comes back when there is nothing to hold.
    events = make_events(5)
    assert hold_clock(events, NOW_US) is events
    assert [event.received_at for event in hold_clock(events, NOW_US + 3)] == [NOW_US + n for n in (3, 3, 3, 3, 4)]


async def test_a_second_receiver_is_refused(tmp_path: Path) -> None:
    # Two writers would give one position twice.
    async with opened(tmp_path):
        with pytest.raises(StoreRefused, match="another receiver is running on this store"):
            await Store.open(tmp_path, StorePolicy())
    async with opened(tmp_path):
        pass


async def test_a_store_of_a_newer_version_is_refused_by_writer_and_reader(tmp_path: Path) -> None:
    # What a newer version wrote we would misread.
    async with opened(tmp_path) as store:
        await store.append(make_events(1))
    with closing(sqlite3.connect(live_path(tmp_path, 0))) as connection:
        connection.execute(f"PRAGMA user_version = {FORMAT_VERSION + 1}")
    with pytest.raises(StoreRefused, match="written by a newer audit-receiver"):
        await Store.open(tmp_path, StorePolicy())
    with pytest.raises(StoreRefused, match="written by a newer audit-receiver"):
        read(tmp_path)


@pytest.mark.parametrize("content", [b"no database" * 1000, b"SQLite format 3\0" + b"\xff" * 8000])
async def test_a_broken_file_is_named(tmp_path: Path, content: bytes) -> None:
    # Exit, and say where.
    live_path(tmp_path, 0).write_bytes(content)
    with pytest.raises(StoreCorrupt, match=r"000000000000-\.db"):
        await Store.open(tmp_path, StorePolicy())
    with pytest.raises(StoreCorrupt, match=r"000000000000-\.db"):
        read(tmp_path)


async def test_somebody_elses_database_is_left_alone(tmp_path: Path) -> None:
    # A file that only has our name is not ours.
    with closing(sqlite3.connect(live_path(tmp_path, 0))) as connection:
        connection.execute("CREATE TABLE other (x)")
    with pytest.raises(StoreCorrupt, match="not a segment of an audit-receiver store"):
        await Store.open(tmp_path, StorePolicy())


async def test_a_blank_file_left_by_a_crash_is_taken_over(tmp_path: Path) -> None:
    # A crash between creating the file and writing the schema.
    live_path(tmp_path, 0).touch()
    assert read(tmp_path) == []
    async with opened(tmp_path) as store:
        await store.append(make_events(2))
    assert len(read(tmp_path)) == 2


def test_without_a_store_there_is_nothing_to_read(tmp_path: Path) -> None:
    # Reading creates nothing.
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(StoreRefused, match="there is no store here"):
            Reader(folder)
    assert list(tmp_path.iterdir()) == []


async def test_too_little_free_space_stops_intake(tmp_path: Path) -> None:
    # The last of the disk belongs to sealing and to the operator.
    async with opened(tmp_path) as store:
        await store.append(make_events(2))
    async with opened(tmp_path, min_free_bytes=2**62) as store:
        assert not store.check_space()
        with pytest.raises(StoreFull):
            await store.append(make_events(1))
        assert store.next_seq == 2
        assert await store.append_acts(make_events(1)) == 3  # or nothing could be removed any more


async def page_limit(store: Store, pages: int) -> None:
    await store._live._connection.execute(f"PRAGMA max_page_count = {pages}")


async def test_a_full_disk_stores_nothing_of_the_batch_and_recovers(tmp_path: Path) -> None:
    # SQLITE_FULL in the middle of a batch: all of it is refused, and the same batch goes in when space returns.
    async with opened(tmp_path) as store:
        await store.append(make_events(10))
        await page_limit(store, 20)
        for _ in range(2):
            with pytest.raises(StoreFull, match="full"):
                await store.append(make_events(5000, first=10))
            assert store.next_seq == 10
            assert len(read(tmp_path)) == 10
        await page_limit(store, 100_000)
        assert await store.append(make_events(5000, first=10)) == 5010
    assert [row.seq for row in read(tmp_path)] == list(range(5010))


async def test_a_new_segment_that_cannot_be_made_keeps_the_old_one(tmp_path: Path) -> None:
    # Rotation may hit the full disk too; the segment in use stays in use.
    async with opened(tmp_path, max_events=5) as store:
        await store.append(make_events(5))
        live_path(tmp_path, 5).mkdir()
        with pytest.raises(StoreFull):
            await store.append(make_events(5, first=5))
        live_path(tmp_path, 5).rmdir()
        await store.append(make_events(5, first=5))
    assert len(read(tmp_path)) == 10


async def test_a_locked_database_is_busy_not_broken(tmp_path: Path) -> None:
    # Somebody with the sqlite3 tool holds the write lock: the same call succeeds later.
    async with opened(tmp_path) as store:
        await store.append(make_events(1))
        await store._live._connection.execute("PRAGMA busy_timeout = 10")
        with closing(sqlite3.connect(live_path(tmp_path, 0), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreBusy):
                await store.append(make_events(1, first=1))
            other.execute("ROLLBACK")
        assert await store.append(make_events(1, first=1)) == 2


async def test_a_cancelled_append_is_whole_or_nothing(tmp_path: Path) -> None:
    # The caller learns from next_seq which, and no transaction stays open.
    async with opened(tmp_path) as store:
        done = 0
        for turns in range(12):
            task = asyncio.ensure_future(store.append(make_events(300, first=done)))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert store.next_seq in {done, done + 300}
            done = store.next_seq
        assert await store.append(make_events(5, first=done)) == done + 5
    assert len(read(tmp_path)) == done + 5


async def test_appends_at_once_are_put_in_a_row(tmp_path: Path) -> None:
    # Nobody needs to know who else appends.
    async with opened(tmp_path, max_events=50) as store:
        await asyncio.gather(*(store.append(make_events(20)) for _ in range(10)))
    assert [row.seq for row in read(tmp_path)] == list(range(200))


async def test_a_closed_store_says_so(tmp_path: Path) -> None:
    # Closing twice is harmless, appending afterwards a clear error.
    store = await Store.open(tmp_path, StorePolicy(min_free_bytes=0))
    await store.close()
    await store.close()
    with pytest.raises(StoreRefused, match="closed"):
        await store.append(make_events(1))


async def test_a_failed_start_gives_the_lock_back(tmp_path: Path) -> None:
    # The operator repairs and starts again, in the same process or another.
    live_path(tmp_path, 0).write_bytes(b"x" * 5000)
    with pytest.raises(StoreCorrupt):
        await Store.open(tmp_path, StorePolicy())
    live_path(tmp_path, 0).unlink()
    async with opened(tmp_path):
        pass


def test_a_failed_start_leaves_no_thread_that_reports_to_a_closed_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live_path(tmp_path, 0).write_bytes(b"no database, whatever it is called" * 100)
    monkeypatch.setattr(aiosqlite.core.LOG, "debug", lambda *_: time.sleep(0.02))  # a late thread
    others = set(threading.enumerate())
    unheard: list[object] = []
    monkeypatch.setattr(threading, "excepthook", unheard.append)
    with pytest.raises(StoreError):
        asyncio.run(LiveSegment.open(tmp_path, 0, Tree()))
    for thread in set(threading.enumerate()) - others:
        thread.join(PATIENCE_SECONDS)
    assert unheard == []


async def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    # One clear line, no traceback.
    (tmp_path / "file").touch()
    with pytest.raises(StoreRefused, match="file"):
        await Store.open(tmp_path / "file" / "store", StorePolicy())


async def test_a_closed_live_segment_needs_no_files_beside_it(tmp_path: Path) -> None:
    # So that a user who may only read the folder can open it: no WAL is left to be recovered.
    async with opened(tmp_path) as store:
        await store.append(make_events(3))
        assert (tmp_path / "000000000000-.db-wal").exists()
    assert files(tmp_path) == ["000000000000-.db", "evidence.db", "lock"]
    with closing(sqlite3.connect(live_path(tmp_path, 0))) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


async def test_the_writer_is_durable(tmp_path: Path) -> None:
    # An acknowledged batch has been synced: WAL with synchronous=FULL.
    segment = await LiveSegment.open(tmp_path, 0, Tree())
    try:
        async with segment._connection.execute("PRAGMA synchronous") as cursor:
            assert await cursor.fetchone() == (2,)
        async with segment._connection.execute("PRAGMA journal_mode") as cursor:
            assert await cursor.fetchone() == ("wal",)
    finally:
        await segment.close()
    assert files(tmp_path) == ["000000000000-.db"]


async def test_each_batch_is_told_its_own_position(tmp_path: Path) -> None:
    # Whatever is stored before the loop comes to tell: entries of the log are named by it.
    loop = asyncio.get_running_loop()
    done = False

    def parse() -> None:  # in every turn of the loop
        time.sleep(0.003)
        if not done:
            loop.call_soon(parse)

    async with opened(tmp_path / "store") as store:
        parse()
        ends = await asyncio.gather(*(store.append([make_event(number)]) for number in range(30)))
        done = True
    actors = {row.seq: row.actor for row in read(tmp_path / "store")}
    assert [actors.get(end - 1) for end in ends] == [f"user{number}" for number in range(30)]
