"""Chunk cutters: every way a stream can be handed to a reader, and what a Framer makes of it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from receiver import limits
from receiver.errors import FramingReason
from receiver.wire.framing import Framer
from receiver.wire.message import Cut, Defect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Taken(NamedTuple):
    """A frame in a form that compares: a Cut equals the bytes it holds, which hides what a test looks for."""

    data: bytes
    defect: Defect | None = None
    original_bytes: int | None = None


def taken(frames: Iterable[bytes]) -> list[Taken]:
    return [Taken(bytes(f), f.defect, f.original_bytes) if type(f) is Cut else Taken(f) for f in frames]


def bytewise(stream: bytes) -> list[bytes]:
    return [stream[i : i + 1] for i in range(len(stream))]


def random_cuts(stream: bytes, seed: int, mean_bytes: int = 7) -> list[bytes]:
    chance = random.Random(seed)
    chunks, pos = [], 0
    while pos < len(stream):
        size = chance.randint(1, 2 * mean_bytes)
        chunks.append(stream[pos : pos + size])
        pos += size
    return chunks


def cuttings(stream: bytes) -> Iterator[list[bytes]]:
    """Whole, byte by byte, at random."""
    yield [stream]
    yield bytewise(stream)
    for seed in range(3):
        yield random_cuts(stream, seed)


def frames_of(chunks: Iterable[bytes], max_bytes: int = limits.MESSAGE_BYTES) -> tuple[list[Taken], str | None]:
    """Feed one connection and close it: its frames, and why it was given up."""
    framer = Framer(max_bytes)
    frames: list[bytes] = []
    for chunk in chunks:
        frames += framer.feed(chunk)
        assert framer.buffered_bytes <= max_bytes + 12
    frames += framer.close()
    assert framer.buffered_bytes == 0
    return taken(frames), None if framer.error is None else str(framer.error.reason)


def reference_frames(stream: bytes, max_bytes: int) -> tuple[list[Taken], str | None]:
    """What a Framer must give, said as plainly as possible: the whole stream at once, one frame after the other."""
    frames: list[Taken] = []
    pos = 0
    while pos < len(stream):
        digits = pos
        while digits < len(stream) and stream[digits : digits + 1].isdigit():
            digits += 1
        number = stream[pos:digits]
        is_counted = 1 <= len(number) <= 10 and number[:1] != b"0" and stream[digits : digits + 2] in {b" <", b" {"}
        if is_counted:
            count, start = int(number), digits + 1
            data = stream[start : start + count]
            kept = data[:max_bytes]
            if count > max_bytes and len(kept) == max_bytes:
                frames.append(Taken(kept, Defect.TRUNCATED, count))
            elif len(data) < count:
                frames.append(Taken(kept, Defect.INCOMPLETE))
            else:
                frames.append(Taken(data))
            pos = start + count
            continue
        ends = [at for at in (stream.find(b"\n", pos), stream.find(b"\0", pos)) if at >= 0]
        end = min(ends, default=len(stream))
        line = stream[pos:end].removesuffix(b"\r")
        if len(line) > max_bytes:
            frames.append(Taken(line[:max_bytes], Defect.TRUNCATED, len(line)))
        elif line:
            frames.append(Taken(line))
        pos = end + 1
    if frames and frames[0].data[:2] == b"\x16\x03" and (frames[0].data[2:3] or b"\4") in b"\1\2\3\4":
        return [], FramingReason.TLS_ON_PLAIN_PORT
    return frames, None
