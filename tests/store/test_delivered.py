"""A resend is stored once: within a batch, over batches, over restarts, crashes and sealing; and it is bounded."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from receiver import limits
from receiver.errors import StoreFull
from receiver.store.segment import catalog, live_path, sealed_path
from tests.kit.events import make_events
from tests.kit.stores import all_sealed, files, opened, read
from tests.kit.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from receiver.store import Store


def ids_of(numbers: Iterable[int | None]) -> list[bytes | None]:
    return [None if number is None else number.to_bytes(16, "big") for number in numbers]


async def deliver(store: Store, numbers: Iterable[int | None]) -> list[int]:
    numbers = list(numbers)
    events = make_events(len(numbers), first=store.next_seq)
    named = [event._replace(app=str(number)) for event, number in zip(events, numbers, strict=True)]
    return await store.append_once(named, ids_of(numbers))


def apps(folder: Path) -> list[str | None]:
    return [row.app for row in read(folder)]


def remembered(folder: Path, first: int = 0) -> list[tuple[int, int]]:
    with closing(sqlite3.connect(live_path(folder, first))) as connection:
        rows = connection.execute("SELECT seq, id FROM delivered ORDER BY seq").fetchall()
    return [(seq, int.from_bytes(one, "big")) for seq, one in rows]


async def test_what_came_before_is_left_out_of_rows_and_tree(tmp_path: Path) -> None:
    # Twice in one batch, again in the next one, nameless ones as often as they come.
    async with opened(tmp_path) as store:
        assert await deliver(store, [1, 2, 1, None, None, 3]) == [2]
        assert await deliver(store, [3, 4, None, 4, 2]) == [0, 3, 4]
        assert store.next_seq == store.head.size == 7
        assert await deliver(store, [1, 2, 3, 4]) == [0, 1, 2, 3]
        assert store.next_seq == store.head.size == 7
    assert apps(tmp_path) == ["1", "2", "None", "None", "3", "4", "None"]
    assert remembered(tmp_path) == [(0, 1), (1, 2), (4, 3), (5, 4)]


async def test_events_without_ids_go_beside(tmp_path: Path) -> None:
    # A batch of syslog touches nothing of it.
    async with opened(tmp_path) as store:
        await deliver(store, [1])
        await store.append(make_events(5, first=1))
        assert await deliver(store, [1]) == [0]
    assert len(read(tmp_path)) == 6


@pytest.mark.parametrize("max_events", [2, 1000])
async def test_a_nameless_delivery_comes_first_after_a_restart_or_a_rotation(tmp_path: Path, max_events: int) -> None:
    # Ids are remembered, and the connection has not asked for any yet.
    async with opened(tmp_path, max_events=max_events) as store:
        await deliver(store, [1, 2])
        assert await deliver(store, [None]) == []
    async with opened(tmp_path, max_events=max_events) as store:
        assert await deliver(store, [None, None]) == []
        assert await deliver(store, [2]) == [0]
    assert apps(tmp_path) == ["1", "2", "None", "None", "None"]


async def test_they_are_known_after_a_restart_and_in_the_next_segment(tmp_path: Path) -> None:
    # Rotation carries them over; the sealed file has none of it.
    async with opened(tmp_path) as store:
        await deliver(store, [1, 2])
    async with opened(tmp_path, max_events=2) as store:
        assert await deliver(store, [2, 3]) == [0]  # begins a segment: its predecessor is full
        assert await deliver(store, [1, 3, 4]) == [0, 1]
        await all_sealed(tmp_path)
        assert await deliver(store, [4, 1, 2]) == [0, 1, 2]
    assert apps(tmp_path) == ["1", "2", "3", "4"]
    with closing(sqlite3.connect(sealed_path(tmp_path, 0, 1))) as sealed:
        assert not sealed.execute("SELECT * FROM sqlite_schema WHERE name LIKE 'delivered%'").fetchall()


async def test_a_crash_between_new_segment_and_its_ids_loses_none(tmp_path: Path, monkeypatch) -> None:
    # The new file is there, what it is to inherit is not: the next start makes up for it, before anything is sealed.
    async with opened(tmp_path) as store:
        await deliver(store, [1, 2])

        def crash(*_: object) -> None:
            raise sqlite3.OperationalError("the plug was pulled")

        store.rotate_soon()
        with monkeypatch.context() as broken:
            broken.setattr("receiver.store.writer.inherit", crash)
            with pytest.raises(Exception, match="plug"):
                await deliver(store, [3])
    assert live_path(tmp_path, 2).exists()
    async with opened(tmp_path) as store:
        assert await deliver(store, [1, 3, 2]) == [0, 2]
        await all_sealed(tmp_path)
    assert apps(tmp_path) == ["1", "2", "3"]


async def test_a_failed_append_knows_nothing_more(tmp_path: Path, monkeypatch) -> None:
    # The batch is tried again as it was: its own events must not be taken for duplicates.
    async with opened(tmp_path) as store:
        with monkeypatch.context() as full:
            full.setattr("receiver.store.writer.write_tree", lambda *_: (_ for _ in ()).throw(_disk_full()))
            with pytest.raises(StoreFull):
                await deliver(store, [1, 2])
        assert await deliver(store, [1, 2]) == []
    assert apps(tmp_path) == ["1", "2"]


def _disk_full() -> sqlite3.Error:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL  # type: ignore[misc]
    return error


async def test_the_oldest_make_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Bounded, over restarts and rotations too: what is forgotten would be stored again.
    monkeypatch.setattr(limits, "DELIVERED_IDS", 10)
    monkeypatch.setattr(limits, "DELIVERED_EVICTED", 1)
    async with opened(tmp_path) as store:
        await deliver(store, range(8))
        await deliver(store, range(8, 13))
    async with opened(tmp_path) as store:
        store.rotate_soon()
        await deliver(store, [13, 4])
        assert len(remembered(tmp_path, 13)) == 10
        assert await deliver(store, [3, 12]) == [1]
    assert [number for _, number in remembered(tmp_path, 13)] == [5, 6, 7, 8, 9, 10, 11, 12, 13, 3][-10:]


def of_sender(sender: int, numbers: Iterable[int]) -> list[int]:
    return [sender << 96 | number for number in numbers]


async def test_a_busy_sender_pushes_out_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # However much it sends, over restarts and redactions too: what quiet ones said before it is known.
    monkeypatch.setattr(limits, "DELIVERED_IDS", 40)
    monkeypatch.setattr(limits, "DELIVERED_EVICTED", 4)
    monkeypatch.setattr(limits, "DELIVERED_FLOOR", 10)
    quiet = of_sender(1, range(10)) + of_sender(2, range(10))
    async with opened(tmp_path) as store:
        await deliver(store, quiet)
        for start in range(0, 300, 15):
            await deliver(store, of_sender(3, range(start, start + 15)))
            assert len(remembered(tmp_path)) == store._live._delivered._count <= 40
    async with opened(tmp_path) as store:
        await deliver(store, of_sender(3, range(300, 315)))
        assert await deliver(store, quiet) == list(range(20))
        assert await deliver(store, of_sender(3, range(300, 315))) == list(range(15))
        held = {int.from_bytes(sender, "big"): count for sender, count in store._live._delivered._held.items()}
        assert held == {1: 10, 2: 10, 3: len(remembered(tmp_path)) - 20}


async def test_where_nobody_has_much_the_oldest_of_all_make_way(tmp_path: Path, monkeypatch) -> None:
    # Senders that never come again hold no place for ever.
    monkeypatch.setattr(limits, "DELIVERED_IDS", 40)
    monkeypatch.setattr(limits, "DELIVERED_EVICTED", 4)
    monkeypatch.setattr(limits, "DELIVERED_FLOOR", 10)
    async with opened(tmp_path) as store:
        await deliver(store, [one for sender in range(40) for one in of_sender(sender, [0])])
        await deliver(store, of_sender(99, range(9)))
        assert await deliver(store, of_sender(99, range(9))) == list(range(9))
        assert await deliver(store, of_sender(39, [0])) == [0]
        assert await deliver(store, of_sender(0, [0])) == []


async def test_ids_that_a_foreign_hand_took_are_not_looked_for_for_ever(tmp_path: Path, monkeypatch) -> None:
    # The count is kept in memory, and the file may be another's to write.
    monkeypatch.setattr(limits, "DELIVERED_IDS", 40)
    async with opened(tmp_path) as store:
        await deliver(store, of_sender(1, range(40)))
        with closing(sqlite3.connect(catalog(tmp_path)[-1].path, isolation_level=None)) as connection:
            connection.execute("DELETE FROM delivered")
        await asyncio.wait_for(deliver(store, of_sender(2, range(5))), PATIENCE_SECONDS)
        assert len(apps(tmp_path)) == 45


async def test_batches_of_growing_size(tmp_path: Path) -> None:
    # All named, some named; each is compared with what was there.
    async with opened(tmp_path) as store:
        assert await deliver(store, range(3)) == []
        assert await deliver(store, range(1000)) == [0, 1, 2]
        assert await deliver(store, [None, 999, None, 1000, 1000, None, 7]) == [1, 4, 6]
        assert await deliver(store, range(1001)) == list(range(1001))
    assert [app for app in apps(tmp_path) if app != "None"] == [str(number) for number in range(1001)]


async def test_what_is_redacted_leaves_no_name(tmp_path: Path) -> None:
    # Made of its content, a name could tell if a guess is right: it goes, also that of an event in a sealed segment.
    names = [int.from_bytes(b"name of event %2d" % number, "big") for number in range(4)]
    async with opened(tmp_path) as store:
        await deliver(store, names[:2])
        store.rotate_soon()
        await deliver(store, names[2:])
        await all_sealed(tmp_path)
        evidence = store.evidence
        evidence.intend_redaction([(1, 2)], "erasure", "uid=0")
        ids = [found.id for found in evidence.redactions()]
        evidence.redaction_named(ids, store.next_seq)
        evidence.redaction_released(ids)
        assert await store.erase()
        assert remembered(tmp_path, 2) == [(0, names[0]), (3, names[3])]
        kept = b"".join((tmp_path / name).read_bytes() for name in files(tmp_path))
        assert [number for number in range(4) if b"name of event %2d" % number in kept] == [0, 3]
        assert await deliver(store, names) == [0, 3]  # who sends it again means it
        assert store._live._delivered._count == 4


WRITER = """
import asyncio, sys
from pathlib import Path
from tests.store.test_delivered import deliver
from tests.kit.stores import opened

async def main():
    async with opened(Path(sys.argv[1]), max_events=60) as store:
        batch = int(sys.argv[2])
        while True:
            await deliver(store, range(batch * 25, batch * 25 + 50))  # half of it was sent before
            print(batch, flush=True)
            batch += 1

asyncio.run(main())
"""


def test_kill_9_between_commit_and_answer_stores_nothing_twice(tmp_path: Path) -> None:
    # The sender resends from what was acknowledged to it: each number once, in order, whatever the instant.
    last = -1
    for answers in (1, 7, 23):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(max(0, last))]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(answers):
                last = int(process.stdout.readline())
            process.kill()
            process.stdout.read()
    stored = [int(app or -1) for app in apps(tmp_path)]
    assert stored == list(range(len(stored)))
    assert len(stored) >= last * 25 + 50


async def test_opening_a_segment_from_before_there_were_ids(tmp_path: Path) -> None:
    # The table is made when it is missing.
    async with opened(tmp_path) as store:
        await store.append(make_events(3))
    with closing(sqlite3.connect(live_path(tmp_path, 0))) as connection:
        connection.execute("DROP TABLE delivered")
    async with opened(tmp_path) as store:
        assert await deliver(store, [1, 1]) == [1]
