"""Silence made visible in the log itself: which of `expected_hosts` has not been heard for too long.

Knows names, the time each was last heard (Unix time) and a monotonic clock; knows no socket and no message. One event
when a host falls silent, one when it comes back. How long a host has been silent is measured by the monotonic clock,
so that a clock that is set makes nobody silent, and only while the receiver listens: senders that it does not read
are not at fault.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from receiver.event_json import format_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Change(NamedTuple):
    """A host that fell silent, or one that is heard again; `data` has its name and the times."""

    silent: bool
    data: dict[str, Any]


class SilenceWatch:
    """Remembers when each host was heard."""

    def __init__(self, allowed_seconds: Mapping[str, float], now: float) -> None:
        """allowed_seconds: by host, how long it may be silent. now: monotonic time."""
        self._allowed = dict(allowed_seconds)
        self._heard = dict.fromkeys(allowed_seconds, now)
        self._last_seen: dict[str, float] = {}
        self._silent: dict[str, float] = {}

    @property
    def silent(self) -> dict[str, float]:
        """1 for each host that is silent for longer than it may, 0 for the others."""
        return {host: float(host in self._silent) for host in self._allowed}

    def expect(self, allowed_seconds: Mapping[str, float], now: float) -> None:
        """Watch for these hosts from now on; what is known of one that stays is kept."""
        self._allowed = dict(allowed_seconds)
        self._heard = {host: self._heard.get(host, now) for host in allowed_seconds}
        self._last_seen = {host: at for host, at in self._last_seen.items() if host in allowed_seconds}
        self._silent = {host: since for host, since in self._silent.items() if host in allowed_seconds}

    def look(self, last_seen: Mapping[str, float], now: float, *, listening: bool = True) -> list[Change]:
        """Say who fell silent or came back since the last look.

        last_seen: Unix time by host, 0 for one that was not heard since the start. now: monotonic time.
        listening: False while the receiver reads nobody; that time is nobody's silence.
        """
        changes = list(self._heard_again(last_seen, now))
        if not listening:
            self._heard.update((host, now) for host in self._heard.keys() - self._silent.keys())
        return changes + list(self._fallen_silent(now))

    def _heard_again(self, last_seen: Mapping[str, float], now: float) -> Iterator[Change]:
        for host in self._allowed:
            seen = last_seen.get(host, 0.0)
            before = self._last_seen.get(host, 0.0)
            if seen == before:
                continue
            self._last_seen[host] = seen
            since = self._silent.pop(host, None)
            if since is not None:
                yield Change(False, {"host": host, "last_seen": _moment(before), "silent_seconds": round(now - since)})
            self._heard[host] = now

    def _fallen_silent(self, now: float) -> Iterator[Change]:
        for host, allowed in self._allowed.items():
            if host not in self._silent and now - self._heard[host] >= allowed:
                self._silent[host] = self._heard[host]
                last = _moment(self._last_seen.get(host, 0.0))
                yield Change(True, {"host": host, "last_seen": last, "silent_after_seconds": allowed})


def _moment(seconds: float) -> str | int | None:
    """Give RFC 3339; None for a host that was not heard since the start."""
    return format_time(round(seconds * 1_000_000)) if seconds else None
