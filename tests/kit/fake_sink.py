"""A sink that stores in a list and can be told to refuse, to wait, or to be full."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from receiver.event import Event


class FakeSink:
    def __init__(self) -> None:
        self.batches: list[list[Event]] = []
        self.refusals: list[Exception] = []
        """Raised one by one before anything is stored again."""
        self.space = True
        self.gate = asyncio.Event()
        """Cleared: append waits."""
        self.gate.set()

    @property
    def events(self) -> list[Event]:
        return [event for batch in self.batches for event in batch]

    async def append(self, events: Sequence[Event]) -> int:
        await self.gate.wait()
        if self.refusals:
            raise self.refusals.pop(0)
        self.batches.append(list(events))
        return len(self.events)

    def check_space(self) -> bool:
        return self.space
