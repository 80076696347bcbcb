"""RELP, the server's side of one session: bytes in, messages out; what was made durable in, answers out.

Knows the protocol as rsyslog's librelp speaks it (RELP specification, version 1):

    frame    = txnr SP command SP datalen [SP data] LF        txnr 1 … 999 999 999, 0 for what the server says by itself
    open     → rsp "200 OK" and our offers        syslog → rsp "200 OK", when the message is durable
    close    → rsp, then serverclose              anything else → rsp "500 …"

Does not know sockets, clocks or stores; whoever does says `acknowledge(n)`: answers go out in the order of the frames,
so that "the first n are durable" is all there is to say. Nothing is raised: what breaks the protocol sets `error`, and
messages cut before it are good. A message that is not complete is nobody's: it was not answered, so it comes again.
Bounded: `max_bytes` of a message (the rest of a longer one is skipped, and it is flagged), OFFER_BYTES of all else.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Final

from receiver import limits
from receiver.errors import FramingError, FramingReason
from receiver.wire.message import Cut, Defect

OFFERS: Final = b"relp_version=0\nrelp_software=audit-receiver\ncommands=syslog"
OFFER_BYTES: Final = 16 * limits.KIB
"""Longest data of a command that is no message; real offers are some hundred bytes."""
# TXNR: up to 9 digits; COMMAND: up to 32 letters; DATALEN: up to 9 digits.
_HEADER: Final = re.compile(rb"([0-9]{1,9}) ([A-Za-z]{1,32}) ([0-9]{1,9})([ \n])")
# The frame that there is most of, when it has data.
_MESSAGE: Final = re.compile(rb"([0-9]{1,9}) syslog ([1-9][0-9]{0,8}) ")
_BEGINNING: Final = re.compile(rb"[0-9]{0,9}|[0-9]{1,9} [A-Za-z]{0,32}|[0-9]{1,9} [A-Za-z]{1,32} [0-9]{0,9}")
_OK: Final = b"200 OK"
_LF: Final = 0x0A


class RelpSession:
    """One per connection: `feed` it, take messages; `acknowledge` them; send `data_to_send`."""

    __slots__ = (
        "_announced", "_command", "_held", "_left", "_max_bytes", "_open", "_outgoing", "_pending", "_skip", "_txnr",
        "closing", "error",
    )  # fmt: skip

    def __init__(self, max_bytes: int = limits.MESSAGE_BYTES) -> None:
        self.error: FramingError | None = None
        self.closing = False
        """The sender asked to close: nothing more comes, what is pending is still answered."""
        self._max_bytes = max_bytes
        self._open = False
        self._held = bytearray()
        self._txnr = b""
        self._announced = 0
        self._command: bytes | None = None
        """Of the frame whose data is being read; None between frames."""
        self._left = 0
        """Bytes of its data still to come, those that are skipped not counted."""
        self._skip = 0
        self._pending: deque[bytes] = deque()
        """Transactions of messages that are not durable yet, oldest first; a `close` among them ends the session."""
        self._outgoing = bytearray()

    @property
    def buffered_bytes(self) -> int:
        """Bytes held for a frame that is not complete."""
        return len(self._held)

    @property
    def pending(self) -> int:
        """Messages that were taken and not acknowledged yet."""
        return len(self._pending)

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next read and return the messages it completes, in order; each is pending from now on."""
        messages: list[bytes] = []
        if self.error is not None or self.closing:
            return messages
        self._held += data
        if self._open and self._command is None:
            self._take_whole(messages)
        while self._step(messages):
            pass
        if self.closing:
            self._held.clear()  # nothing may follow
        return messages

    def acknowledge(self, count: int) -> None:
        """Answer the oldest `count` pending messages: they are durable."""
        self._outgoing += b"".join([b"%s rsp 6 200 OK\n" % self._pending.popleft() for _ in range(count)])
        if count and self.closing and not self._pending:
            self._finish_close()

    def data_to_send(self) -> bytes:
        """Take what is to be written."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def serverclose(self) -> None:
        """Say that we end the session: what is not answered is to be sent again, to whoever comes after us."""
        self._outgoing += b"0 serverclose 0\n"

    # The two calls that a framer has and a session has no use for: a message is whole, or it comes again.

    def flush_line(self) -> list[bytes]:
        """Give nothing."""
        return []

    def close(self) -> list[bytes]:
        """Give nothing."""
        return []

    # --- inside ---

    def _take_whole(self, messages: list[bytes]) -> None:
        """Take the messages that are there whole, up to the first frame that is anything else.

        1.0 µs a message of 200 bytes with its answer, 2.7 in steps. Between frames little is held but this read.
        """
        held = bytes(self._held)
        max_bytes, end_of_all = self._max_bytes, len(held)
        pos = 0
        while match := _MESSAGE.match(held, pos):
            start = match.end()
            end = start + int(match[2])
            if end >= end_of_all or end - start > max_bytes or held[end] != _LF:
                break
            messages.append(held[start:end].removesuffix(b"\n"))
            self._pending.append(match[1])
            pos = end + 1
        del self._held[:pos]

    def _step(self, messages: list[bytes]) -> bool:
        """Take a header or data; False when more bytes are needed, or none are wanted."""
        if self._command is None:
            return self._take_header()
        return self._take_data(messages)

    def _take_header(self) -> bool:
        match = _HEADER.match(self._held)
        if match is None:
            # The header may be cut anywhere; what has another byte than it may is no RELP.
            if not _could_begin(self._held):
                self._fail()
            return False
        self._txnr, self._command, length = match[1], match[2].lower(), int(match[3])
        bound = self._max_bytes if self._command == b"syslog" else OFFER_BYTES
        self._announced = length
        self._left = min(length, bound)
        self._skip = length - self._left
        if (match[4] == b"\n") != (length == 0) or (self._skip and self._command != b"syslog"):
            self._fail()
            return False
        # "7 close 0\n" has no data; its end is put back, so that every frame ends alike.
        del self._held[: match.end() - (length == 0)]
        return True

    def _take_data(self, messages: list[bytes]) -> bool:
        if len(self._held) < self._left:
            return False
        skipped = min(self._skip, len(self._held) - self._left)
        if skipped:
            del self._held[self._left : self._left + skipped]
            self._skip -= skipped
        if self._skip or len(self._held) <= self._left:
            return False
        if self._held[self._left] != ord("\n"):
            self._fail()
            return False
        data = bytes(self._held[: self._left])
        del self._held[: self._left + 1]
        self._obey(data, messages)
        return self.error is None and not self.closing

    def _obey(self, data: bytes, messages: list[bytes]) -> None:
        command, self._command = self._command, None
        if command == b"open":
            self._open = True
            self._respond(self._txnr, _OK + b"\n" + OFFERS)
        elif not self._open:
            self._fail()
        elif command == b"syslog":
            self._pending.append(self._txnr)
            messages.append(self._message(data))
        elif command == b"close":
            self.closing = True
            if not self._pending:
                self._finish_close()
        else:
            self._respond(self._txnr, b"500 unknown command")

    def _message(self, data: bytes) -> bytes:
        if self._announced > self._max_bytes:
            return Cut.of(data, Defect.TRUNCATED, self._announced)
        return data.removesuffix(b"\n")

    def _respond(self, txnr: bytes, data: bytes) -> None:
        self._outgoing += b"%s rsp %d %s\n" % (txnr, len(data), data)

    def _finish_close(self) -> None:
        """Answer `close`, whose data is empty, and end the session."""
        self._outgoing += b"%s rsp 0\n" % self._txnr
        self.serverclose()

    def _fail(self) -> None:
        self.error = FramingError(FramingReason.NOT_RELP)
        self._held.clear()


def _could_begin(held: bytearray) -> bool:
    return _BEGINNING.fullmatch(held) is not None
