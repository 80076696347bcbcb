"""An intake that keeps what it takes and can be told to be full."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from receiver.event import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class FakeIntake:
    def __init__(self) -> None:
        self.full = False
        self.full_after: int | None = None
        """Frames until it is full by itself."""
        self.frames: list[bytes] = []
        self.origins: list[Origin] = []
        self.zones: list[object] = []
        self.lists = 0
        self.dropped: list[bytes] = []
        self.refused = 0
        self._waiting: deque[Callable[[], None]] = deque()

    def on_space(self, callback: Callable[[], None]) -> None:
        self._waiting.append(callback)

    def make_space(self, frames: int | None = None) -> None:
        """Wake who waits, first come first served, until it is full again."""
        self.full = False
        self.full_after = None if frames is None else len(self.frames) + frames
        for _ in range(len(self._waiting)):
            if self.full:
                return
            self._waiting.popleft()()

    def now_us(self) -> int:
        return 1_764_000_000_000_000

    def refuse(self, count: int, wire_bytes: int, counters) -> None:
        counters.received_bytes += wire_bytes
        counters.received["raw"] += count
        self.refused += count

    def take(self, frames: Sequence[bytes], wire_bytes: int, origins, zone, counters, received_at=None) -> bool:
        counters.received_bytes += wire_bytes
        if not frames:
            return True
        counters.received["raw"] += len(frames)
        if self.full:
            self.dropped += frames
            return False
        self.lists += 1
        self.frames += frames
        self.origins += [origins] * len(frames) if isinstance(origins, Origin) else origins
        assert len(self.origins) == len(self.frames)
        self.zones += [zone] * len(frames)
        self.full = self.full_after is not None and len(self.frames) >= self.full_after
        return True
