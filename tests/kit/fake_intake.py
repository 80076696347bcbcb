"""An intake that keeps what it takes and can be told to be full."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import TYPE_CHECKING

from receiver.event import Origin
from receiver.ingest import Settled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from receiver.wire.message import Message


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
        self.reasons: Counter[str] = Counter()
        self.durable: int | None = None
        """Frames that are durable; None: at once all that were taken. `commit` makes it more."""
        self.has_failed = False
        self._waiting: deque[Callable[[], None]] = deque()
        self._unsettled: deque[tuple[int, int, asyncio.Future[Settled]]] = deque()
        self.trouble: str | None = None
        self.ids: list[bytes | None] = []
        """Of what was taken with names."""
        self.known: list[int] = []
        """Positions of frames that were taken before."""
        self.messages: list[Message] = []

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

    def settlement(self, count: int) -> asyncio.Future[Settled]:
        settlement: asyncio.Future[Settled] = asyncio.get_running_loop().create_future()
        self._unsettled.append((len(self.frames) - count, len(self.frames), settlement))
        self._settle()
        return settlement

    def _read(self, messages: list[Message], name) -> None:
        self.messages += messages
        for place, one in enumerate([] if name is None else name(messages), len(self.frames)):
            if one is not None and one in self.ids:
                self.known.append(place)
            self.ids.append(one)

    def commit(self, frames: int) -> None:
        """Say that so many in all are durable."""
        self.durable = frames
        self._settle()

    def fail(self) -> None:
        """Say that nothing more will ever be durable."""
        self.has_failed = True
        self._settle()

    def _settle(self) -> None:
        while self._unsettled:
            first, end, settlement = self._unsettled[0]
            if self.durable is not None and end > self.durable and not self.has_failed:
                return
            self._unsettled.popleft()
            duplicates = [position - first for position in self.known if first <= position < end]
            if not settlement.done():
                settlement.set_result(Settled(not self.has_failed, duplicates))

    def now_us(self) -> int:
        return 1_764_000_000_000_000

    def refuse(self, count: int, wire_bytes: int, counters, reason) -> None:
        counters.received_bytes += wire_bytes
        counters.received["raw"] += count
        self.refused += count
        self.reasons[reason] += count

    def take(
        self, frames: Sequence[bytes], wire_bytes: int, origins, zone, counters, received_at=None, parse=None, name=None
    ) -> bool:
        counters.received_bytes += wire_bytes
        if not frames:
            return True
        counters.received["raw"] += len(frames)
        if self.full:
            self.dropped += frames
            return False
        self.lists += 1
        if parse is not None:
            self._read(parse(frames, 0, zone), name)
        self.frames += frames
        self.origins += [origins] * len(frames) if isinstance(origins, Origin) else origins
        assert len(self.origins) == len(self.frames)
        self.zones += [zone] * len(frames)
        self.full = self.full_after is not None and len(self.frames) >= self.full_after
        return True
