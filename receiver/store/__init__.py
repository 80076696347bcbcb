"""SQLite, and only here: segments, the writer, sealing, readers. Knows no socket and no listener."""

from __future__ import annotations

from sqlite3 import sqlite_version as SQLITE_VERSION  # noqa: N812 - a constant by any name
from typing import TYPE_CHECKING

from receiver.store.filter import Filter
from receiver.store.reader import HostSummary, Reader, StoredEvent

if TYPE_CHECKING:
    from receiver.store.writer import Store, StorePolicy

__all__ = ["SQLITE_VERSION", "Filter", "HostSummary", "Reader", "Store", "StorePolicy", "StoredEvent"]


def __getattr__(name: str) -> object:
    """Load the writer when it is asked for: a query needs no asyncio, which takes 50 ms to import."""
    if name in {"Store", "StorePolicy"}:
        from receiver.store import writer

        return getattr(writer, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
