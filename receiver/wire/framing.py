"""Cuts a stream into frames: RFC 6587 octet counting (§3.4.1), LF or NUL endings (§3.4.2), told apart per frame.

Knows bytes only: not what a frame says (it looks at the one byte `<` or `{` after a count), not who sent it, not
when. Nothing is raised; a stream that is no log at all (TLS or HTTP on a plain port) sets `Framer.error`.

What ends a frame is decided frame by frame, at its first byte:

- digits, one space, then `<` or `{`: a counted frame. Counts are bytes; LF and NUL inside it survive.
- anything else: a line, up to the first LF or NUL; one CR before it goes with it. Empty lines are not frames.

Invariants: the frames do not depend on how the stream was cut into reads; every byte is looked at a constant
number of times; no more than `max_bytes` (and one undecided count) are held; after a frame that is too long the
next one is found exactly.
"""

from __future__ import annotations

import re
from typing import Final

from receiver import limits
from receiver.errors import FramingError, FramingReason
from receiver.wire.message import Cut, Defect

_CR: Final = 0x0D

# SYSLOG-FRAME = MSG-LEN SP SYSLOG-MSG; MSG-LEN = NONZERO-DIGIT *DIGIT (RFC 6587 §3.4.1).
# Ten digits are 9 GB: a longer number is text. `<` opens syslog, `{` a JSON object.
_COUNT: Final = re.compile(rb"([1-9][0-9]{0,9}) (?=[<{])")
_MAYBE_COUNT: Final = re.compile(rb"[1-9][0-9]{0,9} ?\Z")
_COUNT_BYTES: Final = 11

# The first frame of a connection, if its bytes are another protocol's. A ClientHello is the record header
# 16 03 00..04 and has a NUL within its first seven bytes, so the line reader always brings its start here.
_CLIENT_HELLO: Final = re.compile(rb"\x16\x03(?:[\x01-\x04]|\Z)")
# Request-Line = Method SP Request-URI SP HTTP-Version; `PRI * HTTP/2.0` is the preface of HTTP/2.
_HTTP_REQUEST: Final = re.compile(rb"[A-Z]{3,20} [^ ]+ HTTP/[0-9]")

_BOUNDARY, _LINE, _COUNTED, _SKIPPING = range(4)


class Framer:
    """One per stream connection: `feed` it what was read, take the frames it returns.

    Whole frames are plain `bytes`; those that are not all that was sent are `Cut`. Once `error` is set the
    stream is lost and every later call returns nothing.
    """

    __slots__ = ("_count", "_fresh", "_held", "_last", "_max_bytes", "_size", "_state", "error")

    def __init__(self, max_bytes: int = limits.MESSAGE_BYTES) -> None:
        self.error: FramingError | None = None
        self._max_bytes = max_bytes
        self._state = _BOUNDARY
        self._held = bytearray()  # the open frame's bytes, at most max_bytes; at a boundary an undecided count
        self._size = 0  # bytes of the open line so far, held or not
        self._last = 0  # the open line's last byte: a CR counts only if more than a terminator follows
        self._count = 0  # the open counted frame's announced size; while skipping, what is left to skip
        self._fresh = True  # no frame yet on this connection

    @property
    def buffered_bytes(self) -> int:
        """Bytes held for a frame that is not complete."""
        return len(self._held)

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next read and return the frames it completes, in order."""
        if self.error is not None or not data:
            return []
        frames: list[bytes] = []
        if self._state == _BOUNDARY:
            if self._held:
                data = bytes(self._held) + data  # an undecided count: at most eleven bytes
                self._held = bytearray()
        else:
            done = self._resume(data, frames)
            data = data[done:]
        if data:
            self._cut(data, frames)
        return self._checked(frames)

    def flush_line(self) -> list[bytes]:
        """Take the open line though its terminator has not come; a counted frame (or a count) waits on."""
        frames: list[bytes] = []
        if self._state == _LINE:
            self._end_line(frames)
        return self._checked(frames)

    def close(self) -> list[bytes]:
        """Take what is left when the connection ends: the open line, or a counted frame as far as it came."""
        frames: list[bytes] = []
        if self._state == _LINE:
            self._end_line(frames)
        elif self._state == _COUNTED:
            frames.append(Cut.of(bytes(self._held), Defect.INCOMPLETE))
        else:
            self._add_line(bytes(self._held), frames)  # digits that no frame followed: a line after all
        self._held = bytearray()
        self._state = _BOUNDARY
        return self._checked(frames)

    def _checked(self, frames: list[bytes]) -> list[bytes]:
        """Look at the connection's first frame: another protocol's opening loses the stream."""
        if not self._fresh or not frames:
            return frames
        self._fresh = False
        first = frames[0]
        if _CLIENT_HELLO.match(first):
            reason = FramingReason.TLS_ON_PLAIN_PORT
        elif _HTTP_REQUEST.match(first):
            reason = FramingReason.HTTP_ON_PLAIN_PORT
        else:
            return frames
        self.error = FramingError(reason)
        self._held = bytearray()
        self._size = self._last = 0
        self._state = _BOUNDARY
        return []

    def _cut(self, data: bytes, frames: list[bytes]) -> None:
        """Cut `data`, which starts at a frame boundary; keep what is left of it."""
        pos = self._cut_plain_lines(data, frames) if data[0] > 0x39 else 0
        end, max_bytes, match_count = len(data), self._max_bytes, _COUNT.match
        lf = nul = -1  # the next LF and NUL at or after pos; `end` when there is none
        while pos < end:
            first = data[pos]
            if 0x31 <= first <= 0x39:
                if counted := match_count(data, pos):
                    start = counted.end()
                    count = int(counted[1])
                    pos = start + count
                    if pos <= end and count <= max_bytes:
                        frames.append(data[start:pos])
                    else:
                        pos = self._begin_counted(data, start, count, frames)
                    continue
                if end - pos <= _COUNT_BYTES and _MAYBE_COUNT.match(data, pos):
                    self._held = bytearray(data[pos:])
                    return
            if lf < pos and (lf := data.find(b"\n", pos)) < 0:
                lf = end
            if nul < pos and (nul := data.find(b"\0", pos)) < 0:
                nul = end
            stop = min(lf, nul)
            if stop == end:
                self._state = _LINE
                self._hold_line(data, pos, end)
                return
            self._add_line(data[pos:stop], frames)
            pos = stop + 1

    def _cut_plain_lines(self, data: bytes, frames: list[bytes]) -> int:
        """Split off every complete line at once if none needs a closer look; return where the rest begins.

        0.11 µs a frame of 140 bytes, against 0.5 for the loop in `_cut`. The smallest line tells it all: if it
        starts above the digits, no line is empty and none starts a count.
        """
        end = data.rfind(b"\n")
        if end < 0 or b"\0" in data:
            return 0
        block = data[:end]
        lines = block.split(b"\n")
        if b"\r" in block:
            lines = [line[:-1] if line[-1:] == b"\r" else line for line in lines]
        if min(lines) < b":" or (len(block) > self._max_bytes and len(max(lines, key=len)) > self._max_bytes):
            return 0
        frames += lines
        return end + 1

    def _begin_counted(self, data: bytes, start: int, count: int, frames: list[bytes]) -> int:
        """Open a counted frame that is not all there, or too long; return where the next frame begins."""
        self._state = _COUNTED
        self._count = count
        return self._resume_counted(data, start, frames)

    def _resume(self, data: bytes, frames: list[bytes]) -> int:
        """Go on with the frame the last read left open; return how many bytes of `data` belong to it."""
        if self._state == _LINE:
            return self._resume_line(data, frames)
        if self._state == _COUNTED:
            return self._resume_counted(data, 0, frames)
        return self._skip(data, 0)

    def _resume_line(self, data: bytes, frames: list[bytes]) -> int:
        end = len(data)
        if (stop := data.find(b"\n")) < 0:
            stop = end
        if (nul := data.find(b"\0", 0, stop)) >= 0:
            stop = nul
        self._hold_line(data, 0, stop)
        if stop == end:
            return end
        self._end_line(frames)
        return stop + 1

    def _resume_counted(self, data: bytes, pos: int, frames: list[bytes]) -> int:
        kept_bytes = min(self._count, self._max_bytes)
        stop = pos + kept_bytes - len(self._held)
        self._held += data[pos:stop]
        if stop > len(data):
            return len(data)
        frame = bytes(self._held)
        self._held = bytearray()
        self._state = _BOUNDARY
        if kept_bytes == self._count:
            frames.append(frame)
            return stop
        frames.append(Cut.of(frame, Defect.TRUNCATED, self._count))
        self._count -= kept_bytes
        self._state = _SKIPPING
        return self._skip(data, stop)

    def _skip(self, data: bytes, pos: int) -> int:
        """Pass over the rest of a counted frame that was too long."""
        skipped = min(self._count, len(data) - pos)
        self._count -= skipped
        if not self._count:
            self._state = _BOUNDARY
        return pos + skipped

    def _hold_line(self, data: bytes, pos: int, stop: int) -> None:
        """Add a piece to the open line: count all of it, hold what fits."""
        if stop == pos:
            return
        room = self._max_bytes - len(self._held)
        self._held += data[pos : min(stop, pos + room)]
        self._size += stop - pos
        self._last = data[stop - 1]

    def _end_line(self, frames: list[bytes]) -> None:
        """Close the open line, whatever ended it."""
        size = self._size - (self._last == _CR)
        line = bytes(self._held[:size])
        if len(line) < size:
            frames.append(Cut.of(line, Defect.TRUNCATED, size))
        elif line:
            frames.append(line)
        self._held = bytearray()
        self._size = 0
        self._last = 0
        self._state = _BOUNDARY

    def _add_line(self, line: bytes, frames: list[bytes]) -> None:
        """Add a line that one read held whole."""
        if line.endswith(b"\r"):
            line = line[:-1]
        if len(line) > self._max_bytes:
            frames.append(Cut.of(line[: self._max_bytes], Defect.TRUNCATED, len(line)))
        elif line:
            frames.append(line)
