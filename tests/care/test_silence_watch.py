"""A host that matters falls silent, and is heard again: each told once, and nobody accused wrongly."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from receiver.care.silence_watch import SilenceWatch


def told(watch: SilenceWatch, seen: dict[str, float], now: float, **options: bool) -> list[tuple[str, bool]]:
    return [(change.data["host"], change.silent) for change in watch.look(seen, now, **options)]


def test_a_silent_host_is_told_once_and_once_that_it_is_back() -> None:
    # Each host has its own patience.
    watch = SilenceWatch({"web": 10.0, "db": 100.0}, now=0.0)
    assert told(watch, {"web": 1_764_000_000.0, "db": 1_764_000_000.0}, 1.0) == []
    assert told(watch, {"web": 1_764_000_000.0, "db": 1_764_000_005.0}, 6.0) == []
    assert watch.silent == {"web": 0.0, "db": 0.0}
    (fell,) = watch.look({"web": 1_764_000_000.0, "db": 1_764_000_005.0}, 11.0)
    assert fell.silent
    assert fell.data == {"host": "web", "last_seen": "2025-11-24T16:00:00.000000Z", "silent_after_seconds": 10.0}
    assert watch.silent == {"web": 1.0, "db": 0.0}
    assert told(watch, {"web": 1_764_000_000.0, "db": 1_764_000_005.0}, 50.0) == []
    (back,) = watch.look({"web": 1_764_000_060.0, "db": 1_764_000_005.0}, 61.0)
    assert not back.silent
    assert back.data == {"host": "web", "last_seen": "2025-11-24T16:00:00.000000Z", "silent_seconds": 60}
    assert watch.silent == {"web": 0.0, "db": 0.0}


def test_a_host_that_was_never_heard_is_silent_too() -> None:
    # It has its whole time from the start on; there is no last time to tell.
    watch = SilenceWatch({"web": 10.0}, now=5.0)
    assert told(watch, {"web": 0.0}, 14.9) == []
    (fell,) = watch.look({"web": 0.0}, 15.0)
    assert fell.data["last_seen"] is None


def test_a_clock_that_is_set_silences_nobody() -> None:
    # The time of receipt may jump by years: what counts is that something came.
    watch = SilenceWatch({"web": 10.0}, now=0.0)
    assert told(watch, {"web": 1_764_000_000.0}, 5.0) == []
    assert told(watch, {"web": 1_500_000_000.0}, 12.0) == []
    assert told(watch, {"web": 1_500_000_000.0}, 21.0) == []
    assert told(watch, {"web": 1_500_000_000.0}, 22.0) == [("web", True)]


def test_while_the_receiver_does_not_listen_nobody_is_silent() -> None:
    # A full disk holds every sender: that is ours to mend, not theirs.
    watch = SilenceWatch({"web": 10.0}, now=0.0)
    assert told(watch, {"web": 0.0}, 9.0, listening=False) == []
    assert told(watch, {"web": 0.0}, 500.0, listening=False) == []
    assert told(watch, {"web": 0.0}, 509.0) == []
    assert told(watch, {"web": 0.0}, 510.0) == [("web", True)]


def test_a_reload_keeps_what_is_known() -> None:
    # A host that stays on the list is not told twice; one that is new has its whole time.
    watch = SilenceWatch({"web": 10.0, "old": 10.0}, now=0.0)
    assert told(watch, {}, 10.0) == [("web", True), ("old", True)]
    watch.expect({"web": 5.0, "new": 10.0}, now=11.0)
    assert told(watch, {}, 12.0) == []
    assert watch.silent == {"web": 1.0, "new": 0.0}
    assert told(watch, {}, 21.0) == [("new", True)]
    assert told(watch, {"web": 7.0, "old": 7.0}, 22.0) == [("web", False)]


@given(st.lists(st.tuples(st.booleans(), st.floats(0.1, 30.0)), max_size=40))
def test_silent_and_heard_take_turns(steps: list[tuple[bool, float]]) -> None:
    # Whatever happens, no two events of a kind follow each other, and the metric agrees with the last of them.
    watch, now, seen, events = SilenceWatch({"web": 10.0}, 0.0), 0.0, 0.0, []
    for heard, pause in steps:
        now += pause
        seen = now if heard else seen
        events += told(watch, {"web": seen}, now)
        assert watch.silent["web"] == (events[-1][1] if events else False)
    assert [silent for _, silent in events] == [index % 2 == 0 for index in range(len(events))]
