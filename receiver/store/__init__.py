"""SQLite, and only here: segments, the writer, sealing, readers. Knows no socket and no listener."""

from sqlite3 import sqlite_version as SQLITE_VERSION  # noqa: N812 - a constant by any name

from receiver.store.filter import Filter
from receiver.store.reader import HostSummary, Reader, StoredEvent
from receiver.store.writer import Store, StorePolicy

__all__ = ["SQLITE_VERSION", "Filter", "HostSummary", "Reader", "Store", "StorePolicy", "StoredEvent"]
