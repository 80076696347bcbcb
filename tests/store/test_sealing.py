"""Sealing, and every point at which it may be cut short."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from receiver.counters import StoreCounters
from receiver.errors import StoreCorrupt
from receiver.evidence.tree import Tree
from receiver.store.evidence_file import EvidenceFile, SealedDigest
from receiver.store.sealing import Sealer, Sealing, SealingStopped, file_digest
from receiver.store.segment import Segment, catalog, live_path, sealed_path, side_files
from receiver.store.writer import LiveSegment
from tests.kit.events import make_event, make_events
from tests.kit.stores import all_sealed, files, opened, read, seal_all, write
from tests.kit.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 700


def sealing_of(folder: Path, last: int = COUNT - 1) -> Sealing:
    """The sealing of the first segment."""
    return Sealing(live_path(folder, 0), 0, last, EvidenceFile(folder))


def unsealed(folder: Path) -> Sealing:
    """A store of COUNT events, stopped, and the sealing of all of them."""
    write(folder, make_events(COUNT))
    return sealing_of(folder)


def build_only(sealing: Sealing) -> None:
    sealing.build()


def half_a_file(sealing: Sealing) -> None:
    sealing.build()
    os.truncate(sealing.temporary, 5000)


def publish(sealing: Sealing) -> None:
    sealing.build()
    sealing.publish()


def database_removed(sealing: Sealing) -> None:
    publish(sealing)
    sealing.source.unlink()
    for path in side_files(sealing.source):
        path.write_bytes(b"left over")


def published_but_cut(sealing: Sealing) -> None:
    # fsync comes before the rename, so only a failing disk does this; the live form is still there to help.
    publish(sealing)
    sealing.final.chmod(0o600)
    os.truncate(sealing.final, 20_000)


def all_of_it(sealing: Sealing) -> None:
    sealing.run()


STAGES = [build_only, half_a_file, publish, database_removed, published_but_cut, all_of_it]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
async def test_a_crash_at_any_stage_loses_nothing(tmp_path: Path, stage) -> None:
    # Reopen after the stage: everything is there once, the log goes on, and nothing of the attempt is left over.
    async with opened(tmp_path) as store:
        await store.append(make_events(COUNT))
        before = read(tmp_path)
    sealing = sealing_of(tmp_path)
    stage(sealing)
    if stage is not published_but_cut:
        assert read(tmp_path) == before  # a reader needs no recovery
    async with opened(tmp_path) as store:
        assert store.next_seq == COUNT
        assert await store.append(make_events(1, first=COUNT)) == COUNT + 1
    assert read(tmp_path)[:-1] == before
    assert set(files(tmp_path)) - {segment.path.name for segment in catalog(tmp_path)} == {"evidence.db", "lock"}


async def test_segments_left_unsealed_are_sealed_after_the_next_start(tmp_path: Path) -> None:
    # A backlog survives restarts; it is only a matter of time.
    tree = Tree()
    for start in (0, 100, 200):
        live = await LiveSegment.open(tmp_path, start, tree)
        await live.append(make_events(100, first=start))
        await live.close()
        tree = live.tree
    assert [segment.last for segment in catalog(tmp_path)] == [None, None, None]
    before = read(tmp_path)
    async with opened(tmp_path) as store:
        await all_sealed(tmp_path)
        await until(lambda: store.counters.sealed == 2)
    assert [(segment.first, segment.last) for segment in catalog(tmp_path)] == [(0, 99), (100, 199), (200, None)]
    assert read(tmp_path) == before


def test_a_sealed_file_is_read_only_and_a_live_one_closed_to_others(tmp_path: Path) -> None:
    # Owner and group read; nobody writes what is evidence; the world sees nothing.
    folder = tmp_path / "store"
    write(folder, make_events(20), segment=10, batch=10)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == {sealed_path(folder, 0, 9).name: 0o440, live_path(folder, 10).name: 0o640,
                     "evidence.db": 0o640, "lock": 0o640}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750


def test_a_stopped_sealing_leaves_nothing_behind(tmp_path: Path) -> None:
    # The store closes while a segment is half built.
    sealing = unsealed(tmp_path)
    sealing.stop()
    with pytest.raises(SealingStopped):
        sealing.run()
    assert [segment.last for segment in catalog(tmp_path)] == [None]
    assert not list(tmp_path.glob("*.tmp*"))


def test_a_segment_that_lacks_events_is_not_sealed(tmp_path: Path) -> None:
    # Its name would promise what it does not hold.
    unsealed(tmp_path)
    with pytest.raises(StoreCorrupt, match="holds 700 events where 701 should be"):
        sealing_of(tmp_path, COUNT).run()
    assert [segment.last for segment in catalog(tmp_path)] == [None]


def test_a_failed_sealing_is_counted_and_the_segment_stays(tmp_path: Path) -> None:
    # Trouble with a segment is no trouble for intake.
    sealing = unsealed(tmp_path)
    counters = StoreCounters()
    sealer = Sealer(counters, 0, EvidenceFile(tmp_path))
    sealer.offer(sealing.source, 0, COUNT)
    assert sealer._do(sealer._waiting[0])
    assert not sealer._waiting  # it must not keep the others from being sealed
    assert (counters.seal_errors, counters.sealed) == (1, 0)
    assert len(read(tmp_path)) == COUNT


def test_sealing_leaves_the_last_of_the_disk_to_intake(tmp_path: Path) -> None:
    # It needs room for a second copy, which would make the disk fuller than the policy allows.
    sealing = unsealed(tmp_path)
    sealer = Sealer(StoreCounters(), 2**62, EvidenceFile(tmp_path))
    sealer.offer(sealing.source, 0, COUNT - 1)
    assert not sealer._do(sealer._waiting[0])
    assert sealer._waiting  # tried again later
    assert sealing.source.exists()


async def test_the_store_can_be_closed_while_it_seals(tmp_path: Path) -> None:
    # Whatever the moment, the next start finds a whole log.
    for start in range(0, 6000, 2000):
        async with opened(tmp_path, max_events=1) as store:
            await store.append(make_events(2000, first=start))
    assert [row.seq for row in read(tmp_path)] == list(range(6000))


async def test_counters_tell_what_there_is(tmp_path: Path) -> None:
    # What the metrics show: files, sizes, the age of the oldest event, what was sealed.
    async with opened(tmp_path, max_events=100) as store:
        for start in (0, 100, 200):
            await store.append(make_events(100, first=start))
        await until(lambda: store.counters.sealed == 2)
        store._measure()
        counters = store.counters
        assert (counters.segments_sealed, counters.segments_unsealed) == (2, 1)
        assert counters.oldest_event_time == make_event().received_at / 1_000_000
        assert counters.store_bytes == sum(entry.stat().st_size for entry in os.scandir(tmp_path))
        assert counters.disk_free_bytes > 0
        assert counters.seal_seconds > 0
        assert sum(counters.commit_seconds.counts) == 3


@pytest.mark.parametrize("stage", [build_only, publish, database_removed, all_of_it], ids=lambda stage: stage.__name__)
def test_the_digest_of_a_sealed_file_is_known_whatever_happens(tmp_path: Path, stage) -> None:
    # In a sealed file every byte counts; the digest stands in evidence.db before the file can be seen.
    stage(unsealed(tmp_path))
    seal_all(tmp_path, make_event(COUNT))
    (found,) = digests(tmp_path)
    assert found == (0, COUNT - 1, file_digest(catalog(tmp_path)[0].path), None, None)


def test_a_file_noted_but_not_put_in_its_place_is_forgotten(tmp_path: Path) -> None:
    # A crash between the note and the rename: the next start decides by the file's own digest.
    write(tmp_path, make_events(20), segment=10, batch=10)
    before = digests(tmp_path)
    evidence = EvidenceFile(tmp_path)
    evidence.note_pending(0, 9, b"x" * 32)
    evidence.note_pending(10, 19, b"y" * 32)
    evidence.close()
    seal_all(tmp_path, make_event(20))
    assert digests(tmp_path)[:1] == before
    assert digests(tmp_path)[1].sha256 == file_digest(catalog(tmp_path)[1].path)


def digests(folder: Path) -> list[SealedDigest]:
    """What `evidence.db` says of sealed files."""
    evidence = EvidenceFile(folder, read_only=True)
    try:
        return list(evidence.sealed().values())
    finally:
        evidence.close()


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_forms_of_a_segment_the_sealed_one_counts(tmp_path: Path, monkeypatch, order: int) -> None:
    # Also of one that holds position 0 alone; in whatever order the folder lists them.
    live, sealed = Segment(0, None, live_path(tmp_path, 0)), Segment(0, 0, sealed_path(tmp_path, 0, 0))
    monkeypatch.setattr("receiver.store.segment.segment_files", lambda _: [live, sealed][::order])
    assert catalog(tmp_path) == [sealed]
