"""GELF 1.1: the object's fields, the compression of a datagram, and messages sent in chunks.

Knows Graylog's description of the format ("GELF payload specification", "GELF via UDP"), RFC 1950 (zlib) and RFC 1952
(gzip). Does not know sockets or clocks: the time is an argument. Bounds are those of `limits`. Invariants: bytes that
break the format come back as they are, to be stored as `failed`; chunks that never became a message are counted.
"""

from __future__ import annotations

import re
import zlib
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from receiver import limits
from receiver.event import MAX_TIME_US, Format, ParseStatus, TimeQuality
from receiver.wire.message import Cut, Defect, Message

if TYPE_CHECKING:
    from collections.abc import Hashable

# --- the object ---

_SECONDS: Final = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?")


def is_gelf(fields: dict[str, Any]) -> bool:
    """Say if an object is GELF by its shape: `short_message` is mandatory, as are `version` and `host`."""
    return type(fields.get("short_message")) is str and ("version" in fields or "host" in fields)


def parse_object(
    frame: bytes, fields: dict[str, Any], defects: tuple[Defect, ...], extra: dict[str, Any] | None
) -> Message:
    """Read the fields that GELF itself defines; all stay in `fields` whole."""
    time, quality = None, TimeQuality.MISSING.value
    if "timestamp" in fields:
        time = epoch_us(fields["timestamp"])
        quality = TimeQuality.UNPARSED.value if time is None else TimeQuality.FULL.value
        if time is None:
            defects = (*defects, Defect.BAD_TIME)
    host = fields.get("host")
    level = fields.get("level")
    return Message(
        frame,
        Format.GELF.value,
        ParseStatus.PARTIAL.value if defects else ParseStatus.OK.value,
        None,
        level if type(level) is int and 0 <= level <= 7 else None,
        time,
        quality,
        host if type(host) is str and host else None,
        None,
        None,
        None,
        None,
        fields["short_message"],
        fields,
        defects,
        extra,
    )


def epoch_us(seconds: object) -> int | None:
    """Turn seconds since 1970 (a number, or one as text) into µs: exact where the text is; None when it is no time."""
    if isinstance(seconds, float | int) and type(seconds) is not bool:
        if not abs(seconds) <= MAX_TIME_US:  # NaN too
            return None
        text = repr(seconds)  # the shortest decimal that is this float: what the sender wrote
    elif type(seconds) is str and _SECONDS.fullmatch(seconds):
        text = seconds
    else:
        return None
    microseconds = Decimal(text).scaleb(6)
    return int(microseconds) if abs(microseconds) <= MAX_TIME_US else None


# --- compression ---

_GZIP_MAGIC: Final = b"\x1f\x8b"
_DETECT_HEADER: Final = zlib.MAX_WBITS | 32


def is_compressed(datagram: bytes) -> bool:
    """Say if a datagram begins like gzip (RFC 1952 §2.3.1) or like zlib with deflate (RFC 1950 §2.2)."""
    if datagram[:1] == b"\x78":
        return len(datagram) > 1 and int.from_bytes(datagram[:2], "big") % 31 == 0
    return datagram.startswith(_GZIP_MAGIC)


class Inflated(bytes):
    """What a compressed datagram held. `packed` is the datagram: what was received is what is kept.

    is_whole: False where it would have grown beyond `limits.INFLATED_BYTES` and this is its beginning. Its full size
    stays unknown, since counting it is what a bomb wants.
    """

    packed: bytes
    is_whole: bool


def inflate(datagram: bytes) -> bytes:
    """Decompress a datagram to Inflated; one that is not compressed comes back as it is, at most cut (TRUNCATED).

    A broken stream comes back whole as Cut(BAD_COMPRESSION).
    """
    if not is_compressed(datagram):
        if len(datagram) > limits.INFLATED_BYTES:
            return Cut.of(datagram[: limits.INFLATED_BYTES], Defect.TRUNCATED, len(datagram))
        return datagram
    stream = zlib.decompressobj(_DETECT_HEADER)
    try:
        inflated = stream.decompress(datagram, limits.INFLATED_BYTES + 1)
    except zlib.error:
        return Cut.of(datagram, Defect.BAD_COMPRESSION, len(datagram))
    is_whole = len(inflated) <= limits.INFLATED_BYTES
    if is_whole and (not stream.eof or stream.unused_data):
        return Cut.of(datagram, Defect.BAD_COMPRESSION, len(datagram))
    payload = Inflated(inflated[: limits.INFLATED_BYTES])
    payload.packed, payload.is_whole = datagram, is_whole
    return payload


# --- chunks: magic 1e 0f, message id (8 bytes), sequence number, sequence count, payload ---

_CHUNK_MAGIC: Final = b"\x1e\x0f"
_CHUNK_HEADER_BYTES: Final = 12
_CHUNK_COST_BYTES: Final = 128
"""A chunk held beside its payload: the bytes object and its place in a dictionary."""
_ASSEMBLY_COST_BYTES: Final = 768
"""An assembly held beside its chunks: two dictionaries, the key."""


def is_chunk(datagram: bytes) -> bool:
    """Say if a datagram begins like a GELF chunk."""
    return datagram.startswith(_CHUNK_MAGIC)


class _Assembly:
    __slots__ = ("chunks", "cost_bytes", "count", "since_seconds")

    def __init__(self, count: int, since_seconds: float) -> None:
        self.count = count
        self.since_seconds = since_seconds
        self.chunks: dict[int, bytes] = {}
        self.cost_bytes = _ASSEMBLY_COST_BYTES


class Reassembler:
    """Joins chunks to messages; bounded in open assemblies, in bytes and in seconds, and the oldest makes way.

    discarded: chunks that came and never became part of a message.
    """

    def __init__(self, max_bytes: int = limits.GELF_ASSEMBLY_BYTES) -> None:
        self._max_bytes = max_bytes
        self.discarded = 0
        self.cost_bytes = 0
        self._open: dict[Hashable, _Assembly] = {}  # in order of arrival
        self._done: dict[Hashable, float] = {}  # late duplicates of a complete message must not open it again

    @property
    def open(self) -> int:
        """How many messages wait for chunks."""
        return len(self._open)

    def feed(self, datagram: bytes, sender: Hashable, now_seconds: float) -> bytes | None:
        """Take a datagram; return a message when it is complete, and what is no chunk at once."""
        if len(datagram) < _CHUNK_HEADER_BYTES or not is_chunk(datagram):
            return datagram
        number, count = datagram[10], datagram[11]
        if not number < count <= limits.GELF_CHUNKS:
            return datagram
        self.expire(now_seconds)
        key = (sender, datagram[2:10])
        if key in self._done:
            return None
        assembly = self._open.get(key)
        if assembly is None:
            assembly = self._begin(key, count, now_seconds)
        elif assembly.count != count:
            self.discarded += 1
            return None
        if number in assembly.chunks:
            return None
        self._add(assembly, number, datagram[_CHUNK_HEADER_BYTES:])
        if len(assembly.chunks) == count:
            return self._finish(key, assembly, now_seconds)
        while self.cost_bytes > self._max_bytes:
            self._discard_oldest()
        return None

    def expire(self, now_seconds: float) -> None:
        """Give up what has waited too long."""
        deadline = now_seconds - limits.GELF_ASSEMBLY_SECONDS
        while self._open and next(iter(self._open.values())).since_seconds <= deadline:
            self._discard_oldest()
        while self._done and next(iter(self._done.values())) <= deadline:
            self._forget_oldest()

    def _begin(self, key: Hashable, count: int, now_seconds: float) -> _Assembly:
        if len(self._open) >= limits.GELF_ASSEMBLIES:
            self._discard_oldest()
        assembly = self._open[key] = _Assembly(count, now_seconds)
        self.cost_bytes += assembly.cost_bytes
        return assembly

    def _add(self, assembly: _Assembly, number: int, payload: bytes) -> None:
        assembly.chunks[number] = payload
        cost = len(payload) + _CHUNK_COST_BYTES
        assembly.cost_bytes += cost
        self.cost_bytes += cost

    def _finish(self, key: Hashable, assembly: _Assembly, now_seconds: float) -> bytes:
        del self._open[key]
        self.cost_bytes -= assembly.cost_bytes
        if len(self._done) >= limits.GELF_ASSEMBLIES:
            self._forget_oldest()
        self._done[key] = now_seconds
        return b"".join(assembly.chunks[number] for number in range(assembly.count))

    def _discard_oldest(self) -> None:
        assembly = self._open.pop(next(iter(self._open)))
        self.cost_bytes -= assembly.cost_bytes
        self.discarded += len(assembly.chunks)

    def _forget_oldest(self) -> None:
        del self._done[next(iter(self._done))]
