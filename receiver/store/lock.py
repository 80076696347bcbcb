"""The store's lock: one receiver a store. Knows one file and flock(2), nothing of SQLite.

The kernel drops the lock with the process, however it ends, so a lock never outlives its holder.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from receiver.errors import StoreRefused

if TYPE_CHECKING:
    from pathlib import Path

_MODE = 0o640


class StoreLock:
    """An exclusive lock on a store's folder, held until `release`."""

    def __init__(self, folder: Path) -> None:
        """Take the lock; raises StoreRefused when another process holds it."""
        path = folder / "lock"
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _MODE)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._handle)
            raise StoreRefused(f"{folder}: another receiver is running on this store") from None
        except BaseException:
            os.close(self._handle)
            raise

    def release(self) -> None:
        """Give the store free."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
