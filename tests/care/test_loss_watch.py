"""What is lost or refused is said in the log itself: every kind of it, and no flood of it."""

from __future__ import annotations

import dataclasses

import pytest

from receiver.care.loss_watch import REPEAT_REFUSED_SECONDS, REPEAT_SECONDS, LossWatch
from receiver.counters import NOT_ALLOWED, DropReason, IngestCounters, ListenerCounters, RejectReason
from receiver.errors import FramingReason
from receiver.own_acts import BROKEN, LOST, REFUSED

NO_LOSS = {
    "received_bytes", "received", "parse_status", "connections_opened", "connections_open", "time_skew_seconds",
    "stored", "in_flight", "inbox_bytes", "batch_events", "commit_delay", "last_commit_time",
    "truncated",      # the event says so itself
    "http_requests", "duplicates",  # stored, once
    "connections_probed",  # said nothing: a load balancer that looks whether we are there
    "connections_idle", "rate_pauses",  # their senders come again, or wait
    "gelf_waiting_bytes", "relp_unanswered",  # on their way
    "certificate_failures",  # the old certificate stays
    "blamed",  # whose the others are
    "receive_buffer_bytes",
    "clock_steps",    # an event by itself
    "write_errors",   # tried again; what is given up in the end is dropped for `store_failed`
}  # fmt: skip
"""Counters of which nothing is lost."""


class Look:
    """Counters of one listener and a watch over them; the time is an argument, of both clocks unless one was set."""

    def __init__(self) -> None:
        self.ingest = IngestCounters()
        self.door = ListenerCounters()
        self.watch = LossWatch()
        self.clock_set_by = 0.0

    def __call__(self, now: float, *, last: bool = False) -> list[tuple[str, str, int]]:
        found = self.watch.look({"u": self.door}, self.ingest, now + self.clock_set_by, now, last=last)
        return [(loss.message, loss.reason, loss.data.get("lost", loss.data.get("count"))) for loss in found]


def test_every_counter_is_a_loss_that_is_told_or_none() -> None:
    # Who adds a counter says here which of the two it is; every reason of every kind of loss is an event.
    numbers = {}
    for counters in (ListenerCounters(), IngestCounters()):
        for field in dataclasses.fields(counters):
            if field.name in NO_LOSS:
                continue
            look = Look()
            mine = look.door if isinstance(counters, ListenerCounters) else look.ingest
            value = getattr(mine, field.name)
            if isinstance(value, dict):
                setattr(mine, field.name, dict.fromkeys(value, 1))
                numbers[field.name] = len(set(value) - {DropReason.DUPLICATE})
            else:
                setattr(mine, field.name, 1)
                numbers[field.name] = 1
            assert len(look(1_000.0)) == numbers[field.name], field.name
    assert numbers["dropped"] == len(DropReason) - 1  # a duplicate is in the log
    assert numbers["connections_rejected"] == len(RejectReason)
    assert numbers["framing_errors"] == len(FramingReason)


def test_the_first_loss_is_told_at_once_the_next_after_a_minute() -> None:
    # An operator hears of it within a second; a storm of it is one event a minute, and none is left out.
    look = Look()
    look.ingest.dropped[DropReason.INBOX_FULL] = 3
    assert look(1_000.0) == [(LOST, "inbox full", 3)]
    look.ingest.dropped[DropReason.INBOX_FULL] = 10
    assert look(1_001.0) == []
    assert look(1_000.0 + REPEAT_SECONDS) == [(LOST, "inbox full", 7)]
    assert look(2_000.0) == []


def test_what_a_stranger_can_cause_is_told_rarely() -> None:
    # A scanner must not fill the log by being refused.
    look = Look()
    look.door.connections_rejected[RejectReason.NOT_ALLOWED] = 1
    look.door.framing_errors[FramingReason.NOT_RELP] = 1
    assert look(0.0) == [(REFUSED, "not allowed", 1), (BROKEN, "not relp", 1)]
    look.door.connections_rejected[RejectReason.NOT_ALLOWED] = 500
    assert look(REPEAT_SECONDS) == []
    assert look(REPEAT_REFUSED_SECONDS) == [(REFUSED, "not allowed", 499)]


def test_the_last_look_says_all_there_is() -> None:
    # What was lost in the last minute before a stop is in the log too.
    look = Look()
    look.door.kernel_drops = 1
    look(0.0)
    look.door.kernel_drops = 5
    assert look(1.0) == []
    assert look(2.0, last=True) == [(LOST, "the kernel's buffer was full", 4)]


@pytest.mark.parametrize("step", [-86_400.0, 86_400.0], ids=["back", "ahead"])
def test_a_clock_that_is_set_neither_silences_nor_hurries_it(step: float) -> None:
    # The interval is the steady clock's; the wall clock only says when.
    look = Look()
    look.door.kernel_drops = 1
    look(0.0)
    look.clock_set_by = step
    look.door.kernel_drops = 3
    assert look(1.0) == []
    assert look(REPEAT_SECONDS) == [(LOST, "the kernel's buffer was full", 2)]


@pytest.mark.parametrize("quiet", [REPEAT_SECONDS, 10_000.0])
def test_the_span_says_when_it_was_lost(quiet: float) -> None:
    # From the last quiet look, not from the start of the receiver.
    look = Look()
    look(0.0)
    look(quiet)
    look.door.kernel_drops = 2
    (loss,) = look.watch.look({"u": look.door}, look.ingest, quiet + 5, quiet + 5)
    assert loss.data["listener"] == "u"
    assert loss.data["from"].startswith("1970-01-01T")
    assert loss.data["from"] != "1970-01-01T00:00:00.000Z"


def test_the_first_few_senders_are_named() -> None:
    # Who it was is the next question; a flood names no more than a few, and each report names its own.
    look = Look()
    for number in range(20):
        look.door.datagrams_refused += 1
        look.door.blame(NOT_ALLOWED, f"192.0.2.{number}")
    look.door.connections_rejected[RejectReason.TOO_MANY] += 1
    look.door.blame(RejectReason.TOO_MANY, None)
    look.ingest.dropped[DropReason.RATE_LIMITED] += 1
    look.door.blame(DropReason.RATE_LIMITED, "198.51.100.7")
    found = {loss.reason: loss.data.get("peers") for loss in look.watch.look({"u": look.door}, look.ingest, 0.0, 0.0)}
    few = [f"192.0.2.{number}" for number in range(5)]
    assert found == {
        "the sender's network is not allowed": few, "too many": None, "rate limited": ["198.51.100.7"],
    }  # fmt: skip
    look.door.datagrams_refused += 1
    look.door.blame(NOT_ALLOWED, "203.0.113.9")
    later = look.watch.look({"u": look.door}, look.ingest, 700.0, 700.0)
    assert [loss.data["peers"] for loss in later] == [["203.0.113.9"]]
