"""Connections whose peers are answered, RELP and HTTP: what is not answered comes again, and answers are to be read.

Knows what both owe and expect beside their protocols: a peer that reads no answers is not read, and closed after a
while; nothing that is half read is taken, since only its sender can say how it ends, and has it still.
"""

from __future__ import annotations

import asyncio

from receiver.listen.stream import StreamConnection


class AnsweringConnection(StreamConnection):
    """A stream that says something back."""

    sends_again = True
    _patience: asyncio.TimerHandle | None = None
    """Runs while the peer reads no answers."""

    def _patience_seconds(self) -> float:
        """Give the time that a peer has to read what it is told."""
        raise NotImplementedError

    def _count_unread(self) -> None:
        """Count a peer that never did."""
        raise NotImplementedError

    def pause_writing(self) -> None:
        """Stop reading from a peer that does not read our answers, and give it some time."""
        if self._patience is None:
            self._patience = asyncio.get_running_loop().call_later(self._patience_seconds(), self._lose_patience)
            self.stop_reading()

    def resume_writing(self) -> None:
        """Go on with a peer that reads again."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
            self.read_on()

    def _lose_patience(self) -> None:
        self._count_unread()
        text = "listener %s: %s reads no answers: closed"
        self.room.complaints.warn("unread", text, self.origin.listener, self.origin.peer)
        self.abort()

    def _is_kept_from_reading(self) -> bool:
        return self._patience is not None or super()._is_kept_from_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what was not handed over: it was not answered."""
        if self._patience is not None:
            self._patience.cancel()
        self._held = b""
        self._framer = None
        super().connection_lost(exc)

    def take_silent_line(self) -> None:
        """Keep what is half read."""
        self.room.half_read.note(self, self.half_read_bytes)

    def cut_half_read(self) -> bool:
        """Close for want of memory: what is half read comes again."""
        text = "listener %s: half-read frames fill their memory: closed %s"
        self.room.complaints.warn("half_read", text, self.origin.listener, self.origin.peer)
        self.room.half_read.note(self, 0)
        self.abort()
        return True
