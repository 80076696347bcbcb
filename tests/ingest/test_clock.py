"""`received_at` does not go back for small steps, and large ones are reported."""

from __future__ import annotations

from receiver.ingest import Clock


class Hands:
    """Two clocks set by hand, in nanoseconds."""

    def __init__(self) -> None:
        self.wall = 1_764_000_000_000_000_000
        self.steady = 5_000_000_000

    def advance(self, seconds: float, wall_too: float | None = None) -> None:
        self.steady += int(seconds * 1e9)
        self.wall += int((seconds if wall_too is None else wall_too) * 1e9)


def make(hands: Hands, steps: list[int]) -> Clock:
    return Clock(steps.append, lambda: hands.wall, lambda: hands.steady)


def test_a_small_step_back_is_bridged() -> None:
    # NTP slews and small steps must not reorder the log.
    hands, steps = Hands(), []
    clock = make(hands, steps)
    first = clock.now_us()
    hands.advance(1, wall_too=-2)
    assert clock.now_us() == first
    hands.advance(3)
    assert clock.now_us() == first + 1_000_000
    assert steps == []


def test_a_large_step_back_is_followed_and_reported_once() -> None:
    # Holding the clock for an hour would falsify every event in it.
    hands, steps = Hands(), []
    clock = make(hands, steps)
    first = clock.now_us()
    hands.advance(1, wall_too=-3600)
    assert clock.now_us() == first - 3_600_000_000
    hands.advance(1)
    assert clock.now_us() == first - 3_599_000_000
    assert steps == [-3_601_000_000]


def test_a_large_step_forward_is_reported() -> None:
    # A clock that was wrong until now is a fact an auditor needs.
    hands, steps = Hands(), []
    clock = make(hands, steps)
    clock.now_us()
    hands.advance(1, wall_too=100)
    clock.now_us()
    assert steps == [99_000_000]
