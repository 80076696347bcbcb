"""The inbox is bounded, keeps order, and its numbers always add up."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.counters import DropReason
from receiver.ingest import Batch, Inbox
from tests.kit.events import make_events


def conserved(inbox: Inbox) -> bool:
    c = inbox.counters
    return c.received == c.stored + sum(c.dropped.values()) + c.in_flight


def test_a_full_inbox_drops_by_reason() -> None:
    # A datagram has nobody to hold: what finds no room is dropped, and said.
    inbox = Inbox(max_bytes=100)
    assert inbox.offer(make_events(2), 60)
    assert inbox.offer(make_events(3), 60)
    assert inbox.full
    assert not inbox.offer(make_events(5), 1)
    assert inbox.counters.dropped[DropReason.INBOX_FULL] == 5
    assert inbox.counters.in_flight == 5
    assert conserved(inbox)


def test_order_is_kept_and_lists_are_split_to_fit() -> None:
    # A batch never exceeds its count, and what is cut off comes next.
    inbox = Inbox()
    events = make_events(25)
    inbox.offer(events[:20], 2000)
    inbox.offer(events[20:], 500)
    out = []
    while (batch := inbox.take_batch(8, 10_000)) is not None:
        assert len(batch.events) <= 8
        out += batch.events
        inbox.stored(batch)
    assert out == events
    assert inbox.counters.inbox_bytes == 0
    assert inbox.counters.in_flight == 0


def test_one_list_is_taken_whatever_it_costs() -> None:
    # A list above the byte bound must not block the inbox for ever.
    inbox = Inbox()
    inbox.offer(make_events(3), 10_000)
    batch = inbox.take_batch(100, 10)
    assert batch is not None
    assert len(batch.events) == 3


def test_held_senders_go_on_in_their_order_only_while_there_is_room() -> None:
    # Waking everybody at once would overshoot the bound by as many lists.
    inbox = Inbox(max_bytes=100)
    inbox.offer(make_events(1), 100)
    woken: list[str] = []

    def sender(name: str) -> None:
        def go_on() -> None:
            woken.append(name)
            inbox.offer(make_events(1), 60)

        inbox.on_space(go_on)

    for name in "abc":
        sender(name)
    batch = inbox.take_batch(10, 1000)
    assert batch is not None
    assert woken == []
    inbox.stored(batch)
    assert woken == ["a", "b"]


async def test_put_waits_for_room_and_is_let_go_by_close() -> None:
    # A sender waiting at the stop must get an answer, not hang.
    inbox = Inbox(max_bytes=10)
    inbox.offer(make_events(1), 10)
    waiting = asyncio.ensure_future(inbox.put(make_events(1), 1))
    await asyncio.sleep(0)
    assert not waiting.done()
    inbox.close(DropReason.STOPPING)
    assert await waiting is False
    assert inbox.counters.dropped[DropReason.STOPPING] == 1
    assert conserved(inbox)


async def test_an_acknowledgement_comes_with_durability_not_before() -> None:
    # Acknowledged means durable.
    inbox = Inbox()
    inbox.offer(make_events(3), 3)
    ack = inbox.settlement(3)
    await asyncio.sleep(0)
    first = inbox.take_batch(2, 100)
    assert first is not None
    inbox.stored(first)
    await asyncio.sleep(0)
    assert not ack.done()
    second = inbox.take_batch(2, 100)
    assert second is not None
    inbox.stored(second)
    assert (await ack).durable
    assert (await inbox.settlement(3)).durable


async def test_a_dropped_batch_is_never_acknowledged() -> None:
    # The store gave up: the sender must hear that, so that it sends again.
    inbox = Inbox()
    inbox.offer(make_events(1), 1)
    ack = inbox.settlement(1)
    await asyncio.sleep(0)
    batch = inbox.take_batch(10, 100)
    assert batch is not None
    inbox.dropped(batch, DropReason.STORE_FAILED)
    assert not (await ack).durable
    assert conserved(inbox)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("offer"), st.integers(0, 30), st.integers(0, 400)),
            st.tuples(st.just("store"), st.integers(1, 20), st.integers(1, 500)),
            st.tuples(st.just("drop"), st.integers(1, 20), st.integers(1, 500)),
        ),
        max_size=60,
    )
)
def test_conservation_holds_after_every_step(steps: list[tuple[str, int, int]]) -> None:
    # received = stored + dropped + in flight, whatever is done in whatever order; the bound is one list at most.
    inbox = Inbox(max_bytes=1000)
    for what, number, size in steps:
        if what == "offer":
            inbox.offer(make_events(number), size)
        elif (batch := inbox.take_batch(number, size)) is not None:
            if what == "store":
                inbox.stored(batch)
            else:
                inbox.dropped(batch, DropReason.STORE_FAILED)
        assert conserved(inbox)
        assert inbox.counters.inbox_bytes < 1000 + 400
        assert inbox.queued_events == inbox.counters.in_flight


@pytest.mark.parametrize("reason", list(DropReason))
def test_a_closed_inbox_takes_nothing(reason: DropReason) -> None:
    # After the stop began, late messages are counted under their own reason.
    inbox = Inbox()
    inbox.close(reason)
    assert not inbox.offer(make_events(2), 2)
    assert inbox.counters.dropped[reason] == 2


def test_the_oldest_that_is_not_stored_tells_its_time() -> None:
    # An act of the receiver's own is written beside the queue: it must not bear a later time than what waits.
    inbox = Inbox(1000)
    assert inbox.oldest_received_at is None
    times = [event.received_at for event in make_events(4)]
    inbox.offer(make_events(2), 2)
    inbox.offer([], 0)
    inbox.offer(make_events(2, 2), 2)
    assert inbox.oldest_received_at == times[0]
    batch = inbox.take_batch(2, 100)
    assert batch is not None
    assert inbox.oldest_received_at == times[0]  # taken, and not durable yet
    inbox.stored(batch)
    assert inbox.oldest_received_at == times[2]
    batch = inbox.take_batch(10, 100)
    assert batch is not None
    inbox.dropped(batch, DropReason.STORE_FAILED)
    assert inbox.oldest_received_at is None


def ids(*numbers: int) -> list[bytes | None]:
    return [bytes([number]) if number else None for number in numbers]


def taken(inbox: Inbox, most: int) -> Batch:
    batch = inbox.take_batch(most, 1000)
    assert batch is not None
    return batch


async def test_names_stay_beside_their_events_through_joining_and_splitting() -> None:
    # A list without names between two with some: each event keeps its own, whatever a batch is made of.
    inbox = Inbox()
    events = make_events(9)
    inbox.offer(events[:2], 2)
    inbox.offer(events[2:5], 3, ids(1, 0, 2))
    inbox.offer(events[5:6], 1)
    inbox.offer(events[6:], 3, ids(3, 4, 5))
    joined = inbox.take_batch(6, 100)
    assert joined is not None
    assert joined.ids == ids(0, 0, 1, 0, 2, 0)
    split = [inbox.take_batch(2, 100), inbox.take_batch(2, 100)]
    assert [batch and batch.ids for batch in split] == [ids(3, 4), ids(5)]


def test_lists_without_names_make_a_batch_without() -> None:
    # Syslog pays nothing for it.
    inbox = Inbox()
    for event in make_events(3):
        inbox.offer([event], 1)
    batch = inbox.take_batch(10, 100)
    assert batch is not None
    assert batch.ids is None


async def test_who_waits_is_told_which_of_his_were_duplicates() -> None:
    # Over two batches, with others' events before, between and after.
    inbox = Inbox()
    inbox.offer(make_events(2), 2)
    inbox.offer(make_events(4), 4, ids(1, 2, 3, 4))
    first = inbox.settlement(4)
    inbox.offer(make_events(3), 3, ids(5, 6, 7))
    second = inbox.settlement(3)
    inbox.stored(taken(inbox, 2))
    inbox.stored(taken(inbox, 2), [0])
    assert not first.done()
    inbox.stored(taken(inbox, 4), [0, 1])
    assert await first == (True, [0, 2, 3])
    assert not second.done()
    inbox.stored(taken(inbox, 4), [2])
    assert await second == (True, [2])
    assert inbox._duplicates == []
    assert inbox.counters.dropped[DropReason.DUPLICATE] == 4
    assert inbox.counters.stored == 5
    assert conserved(inbox)


async def test_a_list_of_which_a_part_is_lost_is_not_durable() -> None:
    # Its first half went down with a batch that was given up; the second was stored.
    inbox = Inbox()
    inbox.offer(make_events(4), 4)
    settlement = inbox.settlement(4)
    inbox.dropped(taken(inbox, 2), DropReason.STORE_FAILED)
    inbox.stored(taken(inbox, 2))
    assert not (await settlement).durable
    inbox.offer(make_events(1), 1)
    later = inbox.settlement(1)
    inbox.stored(taken(inbox, 2))
    assert (await later).durable
    assert (await inbox.settlement(0)).durable
