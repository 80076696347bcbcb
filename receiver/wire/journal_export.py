"""The journal export format (systemd's JOURNAL_EXPORT_FORMATS): a stream of entries → frames → Messages.

    entry  = 1*field LF            a blank line ends it; several of them are one
    field  = NAME "=" text LF      text without LF
           / NAME LF length data LF     length: 64 bits, little-endian; data: any bytes

Does not know HTTP, sockets or clocks, nor what a field means: the journald vocabulary of `normalize/` does, since the
Message has the fields as `journalctl -o json` writes them (text; bytes that are no UTF-8 as an array of numbers; a
repeated field as an array). Invariants: frames do not depend on how the stream was cut; every byte is looked at a
constant number of times. Bounded: `max_bytes` of an entry and `limits.JOURNAL_FIELDS` are held; a field that does not
fit is passed over, and the entry is flagged with the size it had. Nothing is raised: `error` says why the stream cannot
be cut any further; entries cut before it are good.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from receiver import limits
from receiver.event import Format, ParseStatus, TimeQuality
from receiver.wire.message import Cut, Defect, Message

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

# Field names: upper-case letters, digits and underscores, no digit first (sd_journal_print(3)); 64 at most.
_NAME: Final = re.compile(rb"[A-Z_][A-Z0-9_]{0,63}")
_NAME_END: Final = re.compile(rb"[=\n]")
_NAME_BYTES: Final = 64
_LENGTH_BYTES: Final = 8
_MOST_BYTES: Final = 1 << 40
"""A field that says to be longer is none: nobody waits for a terabyte."""
CURSOR: Final = "__CURSOR"

_NAMING, _TEXT, _LENGTH, _DATA, _DATA_END = range(5)


class JournalExport:
    """One per body: `feed` it, take entries; each frame is one entry as it came, without the blank line."""

    __slots__ = ("_entry", "_field", "_fields", "_fits", "_left", "_max_bytes", "_size", "_state", "error")

    def __init__(self, max_bytes: int = limits.MESSAGE_BYTES) -> None:
        self.error: str | None = None
        self._max_bytes = max_bytes
        self._entry = bytearray()
        """The whole fields of the open entry that fit."""
        self._field = bytearray()
        """The open field, as far as it fits."""
        self._fits = True
        self._fields = 0
        self._size = 0
        """Bytes of the open entry so far, held or not."""
        self._left = 0
        self._state = _NAMING

    @property
    def buffered_bytes(self) -> int:
        """Bytes held for an entry that is not complete."""
        return len(self._entry) + len(self._field)

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next piece; give the entries it completes."""
        entries: list[bytes] = []
        at = 0
        while at < len(data) and self.error is None:
            at = self._step(data, at, entries)
        return entries

    def close(self) -> list[bytes]:
        """Say that the body is complete. An entry without its blank line is complete if its last field is."""
        entries: list[bytes] = []
        if self.error is None:
            if self._state != _NAMING or self._field:
                self.error = "the last entry ends early"
            elif self._size:
                self._end_entry(entries)
        return entries

    # --- inside ---

    def _step(self, data: bytes, at: int, entries: list[bytes]) -> int:
        """Take what belongs to one state; return where the next begins."""
        if self._state == _NAMING:
            return self._take_name(data, at, entries)
        if self._state == _TEXT:
            end = data.find(b"\n", at)
            self._add(data, at, len(data) if end < 0 else end + 1)
            if end < 0:
                return len(data)
            self._end_field()
            return end + 1
        if self._state == _LENGTH:
            return self._take_length(data, at)
        if self._state == _DATA:
            end = min(len(data), at + self._left)
            self._add(data, at, end)
            self._left -= end - at
            if not self._left:
                self._state = _DATA_END
            return end
        if data[at] != 0x0A:
            self.error = "a field is longer than it says"
            return at
        self._add(data, at, at + 1)
        self._end_field()
        return at + 1

    def _take_name(self, data: bytes, at: int, entries: list[bytes]) -> int:
        """Take bytes up to the name's end; it is in `_field` then."""
        stop = min(len(data), at + _NAME_BYTES + 1 - len(self._field))
        found = _NAME_END.search(data, at, stop)
        if found is not None:
            stop = found.end()
        self._field += data[at:stop]
        self._size += stop - at
        if found is None:
            if len(self._field) > _NAME_BYTES:
                self.error = "no field name"
            return stop
        if self._field == b"\n":
            self._field.clear()
            self._size -= 1
            if self._size:
                self._end_entry(entries)
            return stop
        if _NAME.fullmatch(self._field[:-1]) is None:
            self.error = "no field name"
            return stop
        self._fits = self._has_room(len(self._field))
        self._state = _TEXT if found[0] == b"=" else _LENGTH
        return stop

    def _take_length(self, data: bytes, at: int) -> int:
        name_bytes = self._field.index(b"\n") + 1
        stop = min(len(data), at + name_bytes + _LENGTH_BYTES - len(self._field))
        self._field += data[at:stop]
        self._size += stop - at
        if len(self._field) == name_bytes + _LENGTH_BYTES:
            self._left = int.from_bytes(self._field[name_bytes:], "little")
            if self._left > _MOST_BYTES:
                self.error = "a field says to be longer than can be"
            self._fits = self._has_room(len(self._field) + self._left + 1)
            self._state = _DATA if self._left else _DATA_END
        return stop

    def _has_room(self, field_bytes: int) -> bool:
        return self._fields < limits.JOURNAL_FIELDS and len(self._entry) + field_bytes <= self._max_bytes

    def _add(self, data: bytes, start: int, stop: int) -> None:
        self._size += stop - start
        if self._fits:
            self._fits = self._has_room(len(self._field) + stop - start)
            if self._fits:
                self._field += data[start:stop]

    def _end_field(self) -> None:
        if self._fits:
            self._entry += self._field
            self._fields += 1
        self._field.clear()
        self._state = _NAMING

    def _end_entry(self, entries: list[bytes]) -> None:
        entry, size = bytes(self._entry), self._size
        if len(entry) < size:
            entry = Cut.of(entry, Defect.TRUNCATED, size)
        entries.append(entry)
        self._entry.clear()
        self._fields = 0
        self._size = 0


def parse_entries(
    entries: Iterable[bytes],
    received_at: int,  # noqa: ARG001 - the signature of detect.parse_frames
    zone: tzinfo | None = None,  # noqa: ARG001 - as above
) -> list[Message]:
    """Parse entries that `JournalExport` cut, one message each; their times need no help."""
    return [parse_entry(entry) for entry in entries]


def parse_entry(entry: bytes) -> Message:
    """Parse one entry: its fields as `journalctl -o json` writes them."""
    found, is_whole = _fields_of(entry)
    fields: dict[str, Any] = {}
    for name, values in found.items():
        read = list(map(_value, values))
        fields[name] = read if len(read) > 1 else read[0]
    defects = (entry.defect,) if type(entry) is Cut else () if is_whole else (Defect.BAD_HEADER,)
    status = ParseStatus.PARTIAL if defects else ParseStatus.OK
    return Message(
        entry, Format.JOURNAL.value, status.value, None, None, None, TimeQuality.MISSING.value,
        None, None, None, None, None, None, fields, defects,
    )  # fmt: skip


def _value(raw: bytes) -> str | list[int]:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return list(raw)


def _fields_of(entry: bytes) -> tuple[dict[str, list[bytes]], bool]:
    """Give the values of each field, and whether nothing else was there (of what was cut here, nothing is)."""
    found: dict[str, list[bytes]] = {}
    at = 0
    while at < len(entry):
        match = _NAME.match(entry, at)
        if match is None or entry[match.end() : match.end() + 1] not in {b"=", b"\n"}:
            return found, False
        start = match.end() + 1
        if entry[start - 1] == 0x3D:
            end = entry.find(b"\n", start)
        else:
            start += _LENGTH_BYTES
            end = start + int.from_bytes(entry[start - _LENGTH_BYTES : start], "little")
        if entry[end : end + 1] != b"\n" or end < 0:
            return found, False
        found.setdefault(match[0].decode("ascii"), []).append(entry[start:end])
        at = end + 1
    return found, True
