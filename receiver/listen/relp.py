"""RELP connections: what is taken is answered when it is durable, and what is not answered comes again.

Knows the session of `wire/relp.py` in the place of a framer, and what the intake says of the lists it took. Nothing
that was read is ever dropped here: while the inbox is full nothing is read, and what a connection that ended had not
handed over yet was not answered, so its sender has it still.

Bounded: a sender may leave as many messages unanswered as it likes, but each is an event in the inbox, and a full inbox
is not read for; answers that a sender does not read keep it from being read, and close it after a while.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, cast

from receiver import limits
from receiver.counters import UNREAD
from receiver.listen.answering import AnsweringConnection
from receiver.listen.stream import TlsStreamConnection
from receiver.wire.relp import RelpSession

if TYPE_CHECKING:
    from receiver.ingest import Settled
    from receiver.wire.framing import Framer


class _Relp(AnsweringConnection):
    """What both kinds share; the other base says what is between it and the socket."""

    _stopping = False
    """Nothing more is read: what is durable is answered, then comes the end."""
    _forsaken = False
    """Something will never be durable: nothing more is answered, so that it and what follows come again."""
    _parting: asyncio.TimerHandle | None = None
    """All is said at a stop: what still comes is read and thrown away, until the sender has read our answers."""
    _unanswered = 0

    @property
    def _session_of_relp(self) -> RelpSession:
        return cast("RelpSession", self._started_framer())

    def _started_framer(self) -> Framer:
        if self._framer is None:
            self._framer = cast("Framer", RelpSession(self.room.bounds.message_bytes))
        return self._framer

    # --- in ---

    def _deliver(self, frames: list[bytes], wire_bytes: int) -> bool:
        """Hand messages over, and see to it that they are answered."""
        if not super()._deliver(frames, wire_bytes):
            self._forsake()
            return False
        if frames:
            # Asked in the order of all offers, so the answers come in the order of this connection's frames.
            settlement = self.room.intake.settlement(len(frames))
            self._count_unanswered(len(frames))
            settlement.add_done_callback(partial(self._answer, len(frames)))
        session = self._session_of_relp
        self.write(session.data_to_send())
        if session.closing and not session.pending:
            self.close()
        return True

    def _answer(self, count: int, settlement: asyncio.Future[Settled]) -> None:
        """Answer the oldest messages that wait for it: the log has them, or had them before."""
        if self._forsaken or self._framer is None:
            return  # counted where that was decided
        if settlement.cancelled() or not settlement.result().durable:
            self._forsake()
            return
        session = self._session_of_relp
        session.acknowledge(count)
        self._count_unanswered(-count)
        self.write(session.data_to_send())
        if not session.pending and self._stopping:
            self._part()
        elif not session.pending and session.closing:
            self.close()

    def _count_unanswered(self, more: int) -> None:
        self._unanswered += more
        self._owner.counters.relp_unanswered += more

    def _forsake(self) -> None:
        """Answer nothing any more: the sender still has it, and sends it again to whoever comes after us."""
        self._forsaken = True
        self.abort()

    # --- out ---

    def _patience_seconds(self) -> float:
        return self.room.bounds.relp_answer_seconds

    def _count_unread(self) -> None:
        self._owner.counters.relp_unread += 1
        self._owner.counters.blame(UNREAD, self.origin.peer)

    def _is_kept_from_reading(self) -> bool:
        is_over = self._stopping and self._parting is None
        return is_over or super()._is_kept_from_reading()

    def _receive(self, data: bytes) -> None:
        if self._parting is None:
            super()._receive(data)

    # --- the end ---

    def is_answering(self) -> bool:
        """Say if it waits for the disk: its answers are to go out before the end, and to be read."""
        return self._parting is not None or (self._unanswered > 0 and not self._forsaken)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what waits for its answer: nobody is left to read it."""
        if self._parting is not None:
            self._parting.cancel()
        self._count_unanswered(-self._unanswered)
        super().connection_lost(exc)

    def cut_off(self, *, abort: bool = False) -> None:
        """End it for our own reasons: answer what is durable, then say so."""
        if self._parting is not None and not abort:
            return
        if abort or not self.is_answering():
            self._say_goodbye()
            super().cut_off(abort=abort)
        elif not self._stopping:
            self._stopping = True
            self.stop_reading()

    def _part(self) -> None:
        """Say goodbye, and let the sender close: bytes left unread would reset the connection, and lose our answers."""
        self._say_goodbye()
        self._parting = asyncio.get_running_loop().call_later(limits.RELP_PARTING_SECONDS, self.close)
        self.end_writing()
        self.read_on()

    def _say_goodbye(self) -> None:
        session = self._session_of_relp
        if not session.closing and session.error is None:
            session.serverclose()
            self.write(session.data_to_send())


class RelpConnection(_Relp):
    """RELP over TCP."""


class RelpTlsConnection(_Relp, TlsStreamConnection):
    """RELP over TLS."""
