"""How much a peer may send in a second, over time: one bucket of tokens for each address, in a bounded table.

Knows addresses and a clock's seconds (as arguments); no socket, no frame. A bucket that nobody asked for longest makes
way for a new one and so begins full again: forged addresses cost memory that is bounded, and nobody else's messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from receiver import limits

if TYPE_CHECKING:
    from collections.abc import Callable


class Rates:
    """One for the whole room, so that a peer's datagrams and connections share its bucket."""

    def __init__(self, per_second: float, severity_floor: int, now: Callable[[], float]) -> None:
        """per_second: messages, on average; a burst may be RATE_BURST_SECONDS of it."""
        self.severity_floor = severity_floor
        """As urgent as this or more (a number that is not greater): never dropped."""
        self._per_second = per_second
        self._burst = max(per_second * limits.RATE_BURST_SECONDS, 1.0)
        self._now = now
        self._buckets: dict[str, tuple[float, float]] = {}
        """Tokens, and when they were counted; the bucket asked for longest ago first."""

    def grant(self, peer: str) -> bool:
        """Take one token if there is one."""
        tokens, now = self._filled(peer)
        granted = tokens >= 1.0
        self._buckets[peer] = (tokens - granted, now)
        return granted

    def charge(self, peer: str, count: int) -> float:
        """Take tokens for what was read already; return the seconds until that debt is paid, 0 when there is none."""
        tokens, now = self._filled(peer)
        tokens -= count
        self._buckets[peer] = (tokens, now)
        return max(0.0, -tokens / self._per_second)

    def _filled(self, peer: str) -> tuple[float, float]:
        """Take the peer's bucket out of its place, filled for the time gone by; it goes back as the newest."""
        now = self._now()
        tokens, since = self._buckets.pop(peer, (self._burst, now))
        if len(self._buckets) >= limits.RATE_PEERS:
            del self._buckets[next(iter(self._buckets))]
        return min(self._burst, tokens + (now - since) * self._per_second), now
