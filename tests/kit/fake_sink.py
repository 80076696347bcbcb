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
        self.ids: set[bytes | None] = set()
        """Known to `append_once`."""
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

    async def append_once(self, events: Sequence[Event], ids: Sequence[bytes | None]) -> list[int]:
        await self.append([])  # the same gate, the same refusals
        known = []
        for index, one in enumerate(ids):
            if one is not None and one in self.ids:
                known.append(index)
            self.ids.add(one)
        self.batches[-1] = [event for index, event in enumerate(events) if index not in known]
        return known

    def check_space(self) -> bool:
        return self.space
