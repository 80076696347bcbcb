"""The writer's loop: batches by count and age, survives a refusing store, stops in order."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from receiver import limits
from receiver.counters import DropReason
from receiver.errors import StoreBusy, StoreCorrupt, StoreFull
from receiver.ingest import BatchWriter, Inbox, batch_writer
from tests.kit.events import make_event, make_events
from tests.kit.fake_sink import FakeSink
from tests.kit.waiting import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_writer, "RETRY_SECONDS", 0.005)


@asynccontextmanager
async def running(inbox: Inbox, sink: FakeSink, **settings: float) -> AsyncIterator[BatchWriter]:
    writer = BatchWriter(inbox, sink, **settings)  # type: ignore[arg-type]
    task = asyncio.ensure_future(writer.run())
    yield writer
    writer.stop(PATIENCE_SECONDS)
    await asyncio.wait_for(task, 2 * PATIENCE_SECONDS)


async def test_a_batch_closes_by_the_age_of_its_oldest_event() -> None:
    # A trickle must not push the commit further and further away.
    inbox, sink = Inbox(), FakeSink()
    async with running(inbox, sink, max_delay_seconds=0.05):
        loop = asyncio.get_running_loop()
        start = loop.time()
        sent = 0
        while not sink.batches:
            inbox.offer(make_events(1, sent), 1)
            sent += 1
            await asyncio.sleep(0.005)
            assert loop.time() - start < PATIENCE_SECONDS
    assert sink.events == make_events(sent)


async def test_a_batch_closes_by_count_without_waiting() -> None:
    # Under load the delay must not cap the rate.
    inbox, sink = Inbox(), FakeSink()
    async with running(inbox, sink, max_events=10, max_delay_seconds=3600):
        inbox.offer(make_events(25), 25)
        await until(lambda: len(sink.batches) == 2)
        assert [len(b) for b in sink.batches] == [10, 10]
    assert sink.events == make_events(25)


async def test_a_batch_closes_by_bytes() -> None:
    # Few large events are a batch too.
    inbox, sink = Inbox(), FakeSink()
    async with running(inbox, sink, max_bytes=100, max_delay_seconds=3600):
        inbox.offer(make_events(1), 101)
        await until(lambda: len(sink.batches) == 1)


async def test_an_acknowledgement_waits_for_no_timer() -> None:
    # A window of 128 would otherwise cap a connection at 640 messages a second.
    inbox, sink = Inbox(), FakeSink()
    async with running(inbox, sink, max_delay_seconds=3600):
        inbox.offer(make_events(1), 1)
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert (await inbox.settlement(1)).durable


@pytest.mark.parametrize("refusal", [StoreFull("disk full"), StoreBusy("locked")], ids=["full", "busy"])
async def test_what_the_store_refuses_is_kept_and_stored_later(refusal: Exception) -> None:
    # Nothing queued is lost to a bad day of the disk, and the state is visible meanwhile.
    inbox, sink = Inbox(), FakeSink()
    sink.refusals = [refusal] * 3
    async with running(inbox, sink, max_delay_seconds=0.001) as writer:
        inbox.offer(make_events(5), 5)
        await until(lambda: writer.problem)
        await until(lambda: sink.events)
        await until(lambda: writer.problem is None)
    assert sink.events == make_events(5)
    assert inbox.counters.write_errors == 3


async def test_no_space_means_no_attempt() -> None:
    # Below min_free_bytes the store is not even touched.
    inbox, sink = Inbox(), FakeSink()
    sink.space = False
    async with running(inbox, sink, max_delay_seconds=0.001) as writer:
        inbox.offer(make_events(1), 1)
        await until(lambda: inbox.counters.write_errors >= 2)
        assert sink.batches == []
        turn = writer.last_turn
        await until(lambda: writer.last_turn > turn)
        sink.space = True
        await until(lambda: sink.events)


async def test_a_stop_writes_what_is_queued() -> None:
    # SIGTERM loses nothing that was read.
    inbox, sink = Inbox(), FakeSink()
    async with running(inbox, sink, max_events=7, max_delay_seconds=3600):
        inbox.offer(make_events(20), 20)
    assert sink.events == make_events(20)


async def test_a_stop_does_not_wait_for_ever_on_a_full_disk() -> None:
    # The stop is bounded, and what it gives up is counted.
    inbox, sink = Inbox(), FakeSink()
    sink.space = False
    writer = BatchWriter(inbox, sink, max_delay_seconds=0.001)
    task = asyncio.ensure_future(writer.run())
    inbox.offer(make_events(4), 4)
    writer.stop(0.02)
    await asyncio.wait_for(task, PATIENCE_SECONDS)
    assert inbox.counters.dropped[DropReason.STORE_FAILED] == 4
    assert inbox.counters.in_flight == 0


async def test_a_corrupt_store_ends_the_loop() -> None:
    # Going on would write into a damaged file.
    inbox, sink = Inbox(), FakeSink()
    sink.refusals = [StoreCorrupt("000000000000-.db is malformed")]
    writer = BatchWriter(inbox, sink, max_delay_seconds=0.001)
    inbox.offer(make_events(4), 4)
    with pytest.raises(StoreCorrupt):
        await asyncio.wait_for(writer.run(), PATIENCE_SECONDS)
    assert inbox.counters.dropped[DropReason.STORE_FAILED] == 4


async def test_the_loop_turns_while_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    # The watchdog must tell idling from hanging.
    monkeypatch.setattr(batch_writer, "TURN_SECONDS", 0.01)
    inbox, sink = Inbox(), FakeSink()
    async with running(inbox, sink) as writer:
        turn = writer.last_turn
        await until(lambda: writer.last_turn > turn)


async def test_own_acts_are_stored_and_not_counted() -> None:
    # Nobody sent them: conservation speaks of what was received.
    inbox, sink = Inbox(), FakeSink()
    act = make_event(7)
    async with running(inbox, sink, max_delay_seconds=3600) as writer:
        writer.note(act)
        await until(lambda: sink.events == [act])
        inbox.offer(make_events(2), 2)
        writer.note(act)
    assert sink.events.count(act) == 2
    assert inbox.counters.received == inbox.counters.stored == 2


async def test_own_acts_that_wait_are_bounded(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A store that refuses for days must not grow a list for days.
    monkeypatch.setattr(limits, "OWN_ACTS_WAITING", 3)
    writer = BatchWriter(Inbox(), FakeSink())
    for number in range(5):
        writer.note(make_event(number))
    assert len(writer._own) == 3
    assert "was not noted" in caplog.text


async def test_what_the_store_knows_already_is_counted_and_said() -> None:
    # An act of our own in the same batch shifts nothing.
    inbox, sink = Inbox(), FakeSink()
    async with running(inbox, sink, max_delay_seconds=3600) as writer:
        inbox.offer(make_events(2), 2, [b"a", b"b"])
        assert (await inbox.settlement(2)).duplicates == []
        writer.note(make_event(9))
        inbox.offer(make_events(3), 3, [b"b", None, b"c"])
        assert (await inbox.settlement(3)).duplicates == [0]
    counters = inbox.counters
    assert (counters.received, counters.stored, counters.dropped[DropReason.DUPLICATE]) == (5, 4, 1)
    assert len(sink.events) == 5


async def test_a_batch_with_names_survives_a_refusing_store() -> None:
    # Tried again as it was, and known to be refused meanwhile.
    inbox, sink = Inbox(), FakeSink()
    sink.refusals = [StoreFull("x"), StoreBusy("y")]
    async with running(inbox, sink):
        inbox.offer(make_events(2), 2, [b"a", b"a"])
        settlement = inbox.settlement(2)
        await until(lambda: inbox.refused)
        assert await settlement == (True, [1])
        assert not inbox.refused
