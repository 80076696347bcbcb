"""What all connections together hold of frames that are not complete, and since when.

Knows sizes, times and one timer; knows no socket and no framing. Two duties, neither of which costs a read more than
O(1): a line whose end does not come is taken after a silence, and all half-read frames together stay within a bound.

Beyond the bound the largest are cut (not paused: a paused one would keep its memory for as long as its sender likes,
and a few hundred of them would stop everybody else).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from receiver import limits

if TYPE_CHECKING:
    import asyncio


class Holder(Protocol):
    """A connection, as seen from here."""

    half_read_bytes: int
    """Written by `HalfRead` only."""

    def take_silent_line(self) -> None:
        """Take the open line as it is, if the silence is the sender's; then `note` what is still held."""

    def cut_half_read(self) -> bool:
        """Take the half-read frame as cut and `note` that; False when nothing can be taken now."""


class HalfRead:
    """One for the whole room."""

    def __init__(self, loop: asyncio.AbstractEventLoop, limit_bytes: int, idle_seconds: float) -> None:
        self.total_bytes = 0
        self._loop = loop
        self._limit_bytes = limit_bytes
        self._idle_seconds = idle_seconds
        self._since: dict[Holder, float] = {}
        """Who holds something, oldest change first: a changed one moves to the end."""
        self._timer: asyncio.TimerHandle | None = None

    def note(self, holder: Holder, held_bytes: int) -> None:
        """Say what a connection holds after a read."""
        if holder.half_read_bytes:
            del self._since[holder]
        self.total_bytes += held_bytes - holder.half_read_bytes
        holder.half_read_bytes = held_bytes
        if not held_bytes:
            return
        self._since[holder] = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(self._idle_seconds, self._sweep)
        if self.total_bytes > self._limit_bytes:
            self._make_room()

    def close(self) -> None:
        """Sweep no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _sweep(self) -> None:
        """Take the lines that have been silent long enough, and come back when the next one will be."""
        self._timer = None
        for _ in range(limits.IDLE_SWEEP):
            if not self._since:
                return
            holder, since = next(iter(self._since.items()))
            wait_seconds = since + self._idle_seconds - self._loop.time()
            if wait_seconds > 0:
                break
            holder.take_silent_line()
        else:
            wait_seconds = 0.0
        if self._timer is None:
            self._timer = self._loop.call_later(wait_seconds, self._sweep)

    def _make_room(self) -> None:
        """Cut the largest until a quarter is free: looking for them costs O(connections), so not once per read."""
        wanted_bytes = self._limit_bytes * 3 // 4
        for holder in sorted(self._since, key=lambda h: h.half_read_bytes, reverse=True):
            if self.total_bytes <= wanted_bytes or not holder.cut_half_read():
                return
