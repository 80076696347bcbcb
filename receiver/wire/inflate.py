"""The body of a request as it was before the sender packed it: Content-Encoding gzip and deflate (RFC 9110 §8.4.1).

Knows zlib. Does not know what is in it. Bounded in every direction: no piece is longer than PIECE_BYTES, whatever a
few bytes of input unpack to, and a body that unpacks to more than `limits.HTTP_RATIO` times its size is given up.
Nothing is raised: `error` is set.
"""

from __future__ import annotations

import zlib
from enum import StrEnum
from typing import Final

from receiver import limits

PIECE_BYTES: Final = 64 * limits.KIB
_FREE_BYTES: Final = limits.MIB
"""Unpacked to less than this, no ratio is too large: a page of blanks is no attack."""
# zlib.decompressobj: 15 bits of window; +16 is a gzip member, negative is deflate data without any header.
_GZIP: Final = 31
_ZLIB: Final = 15
_BARE: Final = -15
_WINDOWS: Final = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB}

CODINGS: Final = frozenset({"", "identity", *_WINDOWS})
"""What a request may name."""


class InflateError(StrEnum):
    """What is wrong with a packed body."""

    BROKEN = "the packed body is broken"
    ENDS_EARLY = "the packed body ends early"
    RATIO = "the body unpacks to too many times its size"


class Inflater:
    """One per body: `feed` it, take `next_piece` until there is none, `close` it."""

    __slots__ = ("_fed", "_given", "_more", "_packed", "_pending", "_ratio", "_window", "error")

    def __init__(self, coding: str, ratio: int = limits.HTTP_RATIO) -> None:
        """Make one for a member of CODINGS."""
        self.error: InflateError | None = None
        self._window = _WINDOWS.get(coding)
        self._packed = zlib.decompressobj(_GZIP) if self._window == _GZIP else None
        self._ratio = ratio
        self._pending = b""
        self._more = False
        """The last piece was full, so zlib may hold back more without new input."""
        self._fed = 0
        self._given = 0

    @property
    def pending_bytes(self) -> int:
        """Packed bytes that wait to be unpacked."""
        return len(self._pending)

    def feed(self, data: bytes) -> None:
        """Take the next part of the body as sent."""
        self._pending += data
        self._fed += len(data)

    def next_piece(self) -> bytes:
        """Give what comes next, at most PIECE_BYTES; nothing when more must be fed, or `error` says why."""
        if self._window is None:
            piece, self._pending = self._pending[:PIECE_BYTES], self._pending[PIECE_BYTES:]
            return piece
        while self.error is None and (self._pending or self._more):
            if self._packed is None and not self._begin_deflate():
                break
            piece = self._unpack()
            if piece:
                return piece
        return b""

    def close(self) -> None:
        """Say that the body is complete and every piece taken."""
        if self._window is None or not self._fed or self.error is not None:
            return
        if self._packed is None or not self._packed.eof:
            self.error = InflateError.ENDS_EARLY

    # --- inside ---

    def _unpack(self) -> bytes:
        packed = self._packed
        if packed is None or packed.eof:
            return self._begin_member()
        try:
            piece = packed.decompress(self._pending, PIECE_BYTES)
        except zlib.error:
            self.error = InflateError.BROKEN
            return b""
        # What zlib has not looked at yet is given to it again; behind the end of a member comes the next one.
        self._pending = packed.unused_data if packed.eof else packed.unconsumed_tail
        self._more = len(piece) == PIECE_BYTES and not packed.eof
        self._given += len(piece)
        if self._given > max(_FREE_BYTES, self._ratio * self._fed):
            self.error = InflateError.RATIO
            return b""
        return piece

    def _begin_member(self) -> bytes:
        """Go on with a further gzip member (RFC 1952 §2.2); behind deflate data nothing may follow."""
        if self._window == _GZIP:
            self._packed = zlib.decompressobj(_GZIP)
        else:
            self.error = InflateError.BROKEN
        return b""

    def _begin_deflate(self) -> bool:
        """Tell by the first two bytes if the data has zlib's header (RFC 1950 §2.2), which some senders leave out.

        RFC 9110 §8.4.1.2 knows of them. False while there are not two.
        """
        if len(self._pending) < 2:
            return False
        method, check = self._pending[:2]
        has_header = method & 0x0F == 8 and (method << 8 | check) % 31 == 0
        self._packed = zlib.decompressobj(_ZLIB if has_header else _BARE)
        return True
