"""What every listener is handed: where frames go, what is shared, what is bounded.

Knows nothing by itself. The buffer is one for all stream connections: a read and what is done with it happen at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from receiver import limits

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence
    from datetime import tzinfo

    from receiver.counters import DropReason, ListenerCounters
    from receiver.event import Origin
    from receiver.ingest import Settled
    from receiver.listen.complaints import Complaints
    from receiver.listen.half_read import HalfRead
    from receiver.listen.intake import Name, Parse
    from receiver.listen.peers import Seats
    from receiver.listen.rates import Rates
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
        parse: Parse = ...,
        name: Name | None = None,
    ) -> bool:
        """Take one list; False when it was dropped and counted."""

    def settlement(self, count: int) -> asyncio.Future[Settled]:
        """Promise to say what becomes of the last `count` events taken; to be asked for at once."""

    @property
    def trouble(self) -> str | None:
        """Why nothing can become durable at the moment; None: it can."""

    def refuse(self, count: int, wire_bytes: int, counters: ListenerCounters, reason: DropReason) -> None:
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
        rates: Rates | None = None,
    ) -> None:
        self.intake = intake
        self.half_read = half_read
        self.seats = seats
        self.complaints = complaints
        self.bounds = bounds
        self.rates = rates
        """None: nobody is limited."""
        self.buffer = memoryview(bytearray(limits.STREAM_READ_BYTES))
        self.short_buffer = self.buffer[: limits.STREAM_READ_FULL_BYTES]
