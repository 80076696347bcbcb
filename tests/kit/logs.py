"""Signed logs to test with: a store, its keys and its keeper, as the receiver joins them, without sockets."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from receiver.care.checkpointer import Checkpointer, Signed
from receiver.care.keeper import CarePolicy, Keeper
from receiver.counters import EvidenceCounters
from receiver.event import Event, Outcome
from receiver.key_files import KeyFolder
from receiver.own_acts import own_act
from receiver.store.writer import Store, StorePolicy
from tests.kit.events import NOW_US, make_events
from tests.kit.stores import all_sealed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

ORIGIN = "audit.example.org/log"


class Log:
    """A store open for writing, with its keeper."""

    def __init__(self, store: Store, keeper: Keeper, checkpointer: Checkpointer, signed: list[Signed]) -> None:
        self.store = store
        self.keeper = keeper
        self.checkpointer = checkpointer
        self.signed = signed
        """Every checkpoint that was signed, as a publisher would have got it."""

    async def write(self, count: int, batch: int = 100, **columns: Any) -> None:
        """Append events and let what became full be sealed and announced."""
        await self.append(make_events(count, first=self.store.next_seq, **columns), batch)

    async def append(self, events: Sequence[Event], batch: int = 100) -> None:
        """Append these."""
        for at in range(0, len(events), batch):
            await self.store.append(events[at : at + batch])
        await self.settle()

    async def settle(self) -> None:
        """Wait until all that is full is sealed, and let the keeper do what is due."""
        await all_sealed(self.store.folder)
        await self.keeper.turn()
        await all_sealed(self.store.folder)


@asynccontextmanager
async def open_log(
    folder: Path, *, segment: int = 1000, policy: CarePolicy | None = None, keys: Path | None = None
) -> AsyncIterator[Log]:
    """Open a log, made at its first opening; stopped in order at the end."""
    key_folder = KeyFolder(keys or folder.parent / "keys", folder)
    store = await Store.open(folder, StorePolicy(segment, 1e9, 0))

    def act(
        action: str, outcome: Outcome = Outcome.SUCCESS, reason: str | None = None, data: Any = None, **more: Any
    ) -> Event:
        now = NOW_US + store.next_seq
        return own_act(action, now, host="audit", pid=1, outcome=outcome, reason=reason, data=data, **more)

    signed: list[Signed] = []
    try:
        counters = EvidenceCounters()
        checkpointer = Checkpointer(store, key_folder.load_or_make(ORIGIN), key_folder, counters)
        keeper = Keeper(store, checkpointer, policy or CarePolicy(), act, counters, signed.append)
        crashed = await keeper.start()
        await store.append([act("log.start", data={"after": "crash" if crashed else "orderly stop"})])
        yield Log(store, keeper, checkpointer, signed)
        await store.append([act("log.stop")])
        await keeper.stop()
    finally:
        await store.close()


def make_log(folder: Path, count: int = 2500, segment: int = 1000) -> list[Signed]:
    """Make a log of some sealed segments and a live one, stopped in order; gives its checkpoints."""

    async def run() -> list[Signed]:
        async with open_log(folder, segment=segment) as log:
            await log.write(count)
        return log.signed

    return asyncio.run(run())
