"""The receive clock: UTC microseconds that do not go back for small steps.

Knows the system clock; nothing else reads it on the receive path. A step back below `limits.CLOCK_STEP_US` is
bridged by standing still; a larger one, either way, is followed and reported once.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from receiver import limits

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """Never returns less than it did before, but for a reported step.

    wall_ns, steady_ns: the clocks to compare; a step is the change of their difference.
    on_step: called with the step in microseconds (negative: back).
    """

    def __init__(
        self,
        on_step: Callable[[int], None] = lambda _step_us: None,
        wall_ns: Callable[[], int] = time.time_ns,
        steady_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._on_step = on_step
        self._wall_ns = wall_ns
        self._steady_ns = steady_ns
        self._last_us = wall_ns() // 1000
        self._offset_us = self._last_us - steady_ns() // 1000

    def now_us(self) -> int:
        """Read the time; a step is noticed here."""
        now = self._wall_ns() // 1000
        offset = now - self._steady_ns() // 1000
        step = offset - self._offset_us
        if abs(step) >= limits.CLOCK_STEP_US:
            self._offset_us = offset
            self._last_us = now
            self._on_step(step)
            return now
        if now < self._last_us:
            return self._last_us
        self._last_us = now
        return now
