"""What every listener is handed: where frames go, what is shared, what is bounded.

Knows nothing by itself. The buffer is one for all stream connections: a read and what is done with it happen at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from receiver import limits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import tzinfo

    from receiver.counters import ListenerCounters
    from receiver.event import Origin
    from receiver.listen.complaints import Complaints
    from receiver.listen.half_read import HalfRead
    from receiver.listen.peers import Seats
    from receiver.listen.settings import ListenLimits


class IntakeLike(Protocol):
    """What a listener wants of `intake.Intake`."""

    @property
    def full(self) -> bool:
        """True while streams must not be read."""

    def on_space(self, callback: Callable[[], None]) -> None:
        """Call back once when there is room again; first come, first served."""

    def now_us(self) -> int:
        """Read the receive clock."""

    def take(
        self,
        frames: Sequence[bytes],
        wire_bytes: int,
        origins: Origin | Sequence[Origin],
        zone: tzinfo | None,
        counters: ListenerCounters,
        received_at: int | None = None,
    ) -> bool:
        """Take one list; False when it was dropped and counted."""

    def refuse(self, count: int, wire_bytes: int, counters: ListenerCounters) -> None:
        """Count as dropped what was received and is not even looked at."""


class Room:
    """What all connections of all listeners share."""

    def __init__(
        self,
        intake: IntakeLike,
        half_read: HalfRead,
        seats: Seats,
        complaints: Complaints,
        bounds: ListenLimits,
    ) -> None:
        self.intake = intake
        self.half_read = half_read
        self.seats = seats
        self.complaints = complaints
        self.bounds = bounds
        self.buffer = memoryview(bytearray(limits.STREAM_READ_BYTES))
        self.short_buffer = self.buffer[: limits.STREAM_READ_FULL_BYTES]
