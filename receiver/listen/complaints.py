"""Warnings, rate-limited by kind: the receiver's own journal lines may come back to it through the local syslog.

Knows the logger and a monotonic clock. Never called per message.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from receiver import limits

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)


class Complaints:
    """One for all listeners: the first of a kind is logged at once, the next only after a while, with a count."""

    def __init__(
        self,
        interval_seconds: float = limits.WARN_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._interval_seconds = interval_seconds
        self._now = now
        self._last: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def warn(self, kind: str, text: str, *values: object) -> None:
        """Log `text % values`, unless one of this kind was logged a moment ago.

        kind: from a closed set (never a peer's name), so that the memory of it stays small.
        """
        now = self._now()
        if kind in self._last and now - self._last[kind] < self._interval_seconds:
            self._left_out[kind] = self._left_out.get(kind, 0) + 1
            return
        self._last[kind] = now
        left_out = self._left_out.pop(kind, 0)
        if left_out:
            _log.warning(text + " (and %d more like it since the last warning)", *values, left_out)
        else:
            _log.warning(text, *values)
