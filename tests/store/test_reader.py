"""Readers beside a writer: they never err, never see half a batch, and never hold anybody up."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from receiver.errors import StoreCorrupt
from receiver.event import COLUMNS
from receiver.store import Filter, Reader, StoredEvent
from receiver.store.open_segment import OpenSegment
from receiver.store.segment import Segment, catalog, live_path, sealed_path
from tests.kit.events import make_event, make_events
from tests.kit.stores import all_sealed, opened, read, seal_all, write

if TYPE_CHECKING:
    from pathlib import Path


def test_a_stored_event_has_the_columns_of_the_schema() -> None:
    # The schema's single source is event.py.
    assert StoredEvent._fields == COLUMNS


async def test_readers_never_err_while_segments_rotate_and_are_sealed(tmp_path: Path) -> None:
    # Four threads read all the time; each sees a gapless log that only grows, and whole batches.
    batch, stop, faults = 40, threading.Event(), []

    def read_on() -> None:
        seen = 0
        reader = Reader(tmp_path)
        try:
            while not stop.is_set():
                newest = [event.seq for event in reader.select(Filter())]
                assert newest == list(range(len(newest)))[::-1]
                assert len(newest) >= seen
                assert len(newest) % batch == 0
                seen = len(newest)
                assert [event.seq for event in reader.select(Filter(), after_seq=-1)][:seen] == newest[::-1]
                assert sum(host.events for host in reader.hosts(Filter())) >= seen
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            faults.append(error)

    async with opened(tmp_path, max_events=200) as store:
        threads = [threading.Thread(target=read_on) for _ in range(4)]
        for thread in threads:
            thread.start()
        for start in range(0, 4000, batch):
            await store.append(make_events(batch, first=start))
        await all_sealed(tmp_path)
        stop.set()
        for thread in threads:
            await asyncio.to_thread(thread.join)
    assert faults == []


async def test_a_reader_that_stands_still_keeps_its_place(tmp_path: Path) -> None:
    # `query | less`: what was begun before sealing goes on after it, without a gap and without a repeat.
    async with opened(tmp_path, max_events=1500) as store:
        await store.append(make_events(1500))
        rows = Reader(tmp_path).select(Filter())
        first = [next(rows).seq for _ in range(700)]
        await store.append(make_events(1500, first=1500))
        await store.append(make_events(10, first=3000))
        await all_sealed(tmp_path)
        assert first + [event.seq for event in rows] == list(range(1500))[::-1]


async def test_a_reader_that_stands_still_does_not_hold_the_log_back(tmp_path: Path) -> None:
    # Between pages there is no snapshot, so the write-ahead log can be emptied.
    async with opened(tmp_path) as store:
        await store.append(make_events(1200))
        rows = Reader(tmp_path).select(Filter())
        next(rows)
        await store.append(make_events(100, first=1200))
        async with store._live._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)") as cursor:
            assert (await cursor.fetchone())[0] == 0
        rows.close()


async def test_following_sees_each_event_once(tmp_path: Path) -> None:
    # `tail -f`: ask again after the last one seen, over rotation and sealing.
    seen: list[int] = []
    async with opened(tmp_path, max_events=30) as store:
        reader = Reader(tmp_path)
        for start in range(0, 200, 20):
            await store.append(make_events(20, first=start))
            seen += [event.seq for event in reader.select(Filter(), after_seq=seen[-1] if seen else -1)]
    assert seen == list(range(200))


def test_a_segment_that_vanishes_is_looked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Between the catalog and the opening it was sealed: the reader takes the sealed form.
    write(tmp_path, make_events(50))
    stale = catalog(tmp_path)
    seal_all(tmp_path, make_event())
    catalogs = [stale, stale]
    reader = Reader(tmp_path)
    monkeypatch.setattr(reader, "_catalog", lambda: catalogs.pop() if catalogs else catalog(tmp_path))
    assert [event.seq for event in reader.select(Filter())] == list(range(51))[::-1]


def test_a_broken_sealed_segment_is_named(tmp_path: Path) -> None:
    # The reader says which file, and what it read before stays read.
    write(tmp_path, make_events(600), segment=300, batch=300)
    broken = sealed_path(tmp_path, 0, 299)
    broken.chmod(0o600)
    content = bytearray(broken.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    broken.write_bytes(content)
    rows = Reader(tmp_path).select(Filter())
    assert [next(rows).seq for _ in range(300)] == list(range(300, 600))[::-1]
    with pytest.raises(StoreCorrupt, match="000000000000-000000000299"):
        next(rows)


def test_old_segments_may_be_gone(tmp_path: Path) -> None:
    # Retention removes files from the beginning; the rest is still the log.
    write(tmp_path, make_events(50), segment=10, batch=10)
    for segment in catalog(tmp_path)[:2]:
        segment.path.unlink()
    assert [event.seq for event in read(tmp_path)] == list(range(20, 50))
    assert [event.seq for event in Reader(tmp_path).select(Filter())] == list(range(20, 50))[::-1]
    assert list(Reader(tmp_path).select(Filter(), before_seq=20)) == []


def test_rare_values_are_found_by_index_and_absent_ones_at_once(tmp_path: Path) -> None:
    # Nothing is walked to find one event, or none: the plan names an index for each.
    events = make_events(5000, host="h", app="a")
    events[77] = events[77]._replace(actor_as="rare", host="lonely", message="zyzzyva")
    write(tmp_path, [*events, make_event()], segment=5000, batch=5000)
    with closing(OpenSegment(Segment(0, 4999, sealed_path(tmp_path, 0, 4999)))) as segment:
        for where, found in [
            (Filter(actor="rare"), "INDEXED BY event_actor"), (Filter(source_ip="203.0.113.9"), "event_source_ip"),
            (Filter(contains="zyzzyva"), "word"), (Filter(host="lonely"), "INDEXED BY event_kind"),
            (Filter(host="h"), "NOT INDEXED"),
        ]:  # fmt: skip
            assert found in segment._sources(where, segment.span)[-1].tables
        for absent in [Filter(actor="no"), Filter(target="no"), Filter(contains="no"), Filter(host="no")]:
            assert segment._sources(absent, segment.span) == []
    assert [event.seq for event in Reader(tmp_path).select(Filter(actor="rare", contains="ZYZZYVA"))] == [77]


def test_a_segment_killed_between_two_journal_modes_can_be_read(tmp_path: Path) -> None:
    # The journal of that change is hot, and a reader may not roll it back.
    write(tmp_path, make_events(5))
    live = live_path(tmp_path, 0)
    live.with_name(f"{live.name}-journal").write_bytes(hot_journal(live.read_bytes()))
    connection = sqlite3.connect(f"file:{live}?mode=ro", uri=True)
    with closing(connection), pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("PRAGMA schema_version")
    assert [row.seq for row in read(tmp_path)] == list(range(5))


def hot_journal(database: bytes) -> bytes:
    """A rollback journal that holds the first page as it was (SQLite's file format, §3)."""
    page_size = int.from_bytes(database[16:18], "big") or 65536
    page, nonce = database[:page_size], 12345
    checksum = (nonce + sum(page[at] for at in range(page_size - 200, 0, -200))) & 0xFFFFFFFF
    numbers = (1, nonce, len(database) // page_size, 512, page_size)
    header = bytes.fromhex("d9d505f920a163d7") + b"".join(number.to_bytes(4, "big") for number in numbers)
    return header.ljust(512, b"\0") + (1).to_bytes(4, "big") + page + checksum.to_bytes(4, "big")
