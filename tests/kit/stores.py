"""Stores to test with: written in one call, sealed or not, and read back whole."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from receiver.store import Filter, Reader, Store, StorePolicy
from tests.kit.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from receiver.event import Event
    from receiver.store import StoredEvent


@asynccontextmanager
async def opened(
    folder: Path, *, max_events: int = 1_000_000, max_age_seconds: float = 1e9, min_free_bytes: int = 0
) -> AsyncIterator[Store]:
    """A store open for writing, closed at the end."""
    store = await Store.open(folder, StorePolicy(max_events, max_age_seconds, min_free_bytes))
    try:
        yield store
    finally:
        await store.close()


def write(folder: Path, events: Sequence[Event], *, segment: int = 1_000_000, batch: int = 1_000_000) -> None:
    """Append events; every segment but the last is sealed before this returns."""

    async def run() -> None:
        async with opened(folder, max_events=segment) as store:
            for at in range(0, len(events), batch):
                await store.append(events[at : at + batch])
            await all_sealed(folder)

    asyncio.run(run())


def seal_all(folder: Path, extra: Event) -> None:
    """Seal everything there is; the new live segment holds `extra`."""

    async def run() -> None:
        async with opened(folder) as store:
            store.rotate_soon()
            await store.append([extra])
            await all_sealed(folder)

    asyncio.run(run())


async def all_sealed(folder: Path) -> None:
    """Wait until only the live segment is unsealed, and nothing is left of the others: what SQLite kept goes last."""

    def is_tidy() -> bool:
        names = [path.name for path in folder.iterdir()]
        live = [name for name in names if name.endswith("-.db")]
        beside = [name for name in names if name.endswith(("-wal", "-shm"))]
        return len(live) == 1 and all(name.startswith(live[0]) for name in beside) and not any(
            name.endswith(".tmp") for name in names
        )

    await until(is_tidy)


def content_of(folder: Path, pattern: str = "*") -> dict[str, bytes]:
    """Read every file of a store that may be in use: what SQLite keeps beside a database comes and goes."""
    found = {}
    for path in folder.glob(pattern):
        if path.is_file():
            with contextlib.suppress(FileNotFoundError):
                found[path.name] = path.read_bytes()
    return found


def files(folder: Path) -> list[str]:
    """The names of a store's files."""
    return sorted(path.name for path in folder.iterdir())


def messages_by_app(folder: Path) -> dict[str | None, list[str]]:
    """The messages of each app, in the log's order, without the padding that senders of `kit.senders` add."""
    found: dict[str | None, list[str]] = {}
    for event in read(folder):
        found.setdefault(event.app, []).append(str(event.message).rstrip("x").rstrip())
    return found


def read(folder: Path) -> list[StoredEvent]:
    """The whole log, oldest first."""
    return list(Reader(folder).select(Filter(), after_seq=-1))
