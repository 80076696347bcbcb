"""The body of a request cut into messages: one a line, the elements of an array, or one JSON value after the other.

Knows where JSON values end (RFC 8259: strings, brackets), not what they say; whether a value is good JSON is the
parser's business. Does not know HTTP. Fed in pieces of any size; the frames do not depend on how it was cut. Bounded:
`max_bytes` of a frame are held, the rest of a longer one is skipped and it is flagged. Nothing is raised: `error` says
why a body cannot be cut any further.
"""

from __future__ import annotations

import re
from typing import Final, Protocol

from receiver import limits
from receiver.wire.message import Cut, Defect

_BLANKS: Final = b" \t\r\n"
_BOM: Final = b"\xef\xbb\xbf"
# What matters outside of a string: RFC 8259 §2, the structural characters but `:`, and the quote.
_TOKEN: Final = re.compile(rb'["{}\[\],]')
# The rest of a string up to its quote, or to the end of the piece; a last backslash waits for what it escapes.
_STRING: Final = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
_ARRAY_BEGINS: Final = re.compile(rb"\[[ \t\r\n]*+\{")
"""Where the sender does not say JSON, another bracket may open `[12.5] text`."""
_LOOK_BYTES: Final = 256
"""How far blanks are looked over to tell an array from a line that begins with a bracket."""


class Splitter(Protocol):
    """Cuts one body into frames."""

    @property
    def error(self) -> str | None:
        """Why it cannot be cut any further."""

    @property
    def buffered_bytes(self) -> int:
        """Bytes held for a frame that is not complete."""

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next piece; give the frames it completes."""

    def close(self) -> list[bytes]:
        """Say that the body is complete; give what is left."""


class _Held:
    """The frame that is open: as many bytes as may be kept of it, and how many there were."""

    __slots__ = ("_kept", "_last", "_max_bytes", "_size")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._kept = bytearray()
        self._size = 0
        self._last = b""
        """The last byte, kept or not."""

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, data: bytes) -> None:
        self._kept += data[: self._max_bytes - len(self._kept)]
        self._size += len(data)
        self._last = data[-1:] or self._last

    def take(self) -> bytes:
        return self._take(self._size)

    def take_line(self) -> bytes:
        """Take it without the CR before its end, which is no byte of the line."""
        return self._take(self._size - (self._last == b"\r"))

    def _take(self, size: int) -> bytes:
        kept = bytes(self._kept[:size])
        self._kept.clear()
        self._size = 0
        self._last = b""
        return Cut.of(kept, Defect.TRUNCATED, size) if size > len(kept) else kept


class Lines:
    """One frame a line; LF ends it, a CR before goes with it. Blank lines are none, or empty frames if they matter."""

    __slots__ = ("_blanks", "_held", "_max_bytes", "error")

    def __init__(self, max_bytes: int = limits.MESSAGE_BYTES, *, blanks: bool = False) -> None:
        self.error: str | None = None
        self._blanks = blanks
        self._max_bytes = max_bytes
        self._held = _Held(max_bytes)

    @property
    def buffered_bytes(self) -> int:
        """Bytes held for a line that is not complete."""
        return len(self._held)

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next piece; give the lines it completes."""
        first, *others = data.split(b"\n")
        self._held.add(first)
        if not others:
            return []
        *whole, last = others
        lines = [self._held.take_line(), *map(self._without_end, whole)]
        self._held.add(last)
        return [line for line in map(_unblank, lines) if line or self._blanks]

    def close(self) -> list[bytes]:
        """Give the last line, if it has no end."""
        line = _unblank(self._held.take_line())
        return [line] if line else []

    def _without_end(self, line: bytes) -> bytes:
        line = line.removesuffix(b"\r")
        if len(line) > self._max_bytes:
            return Cut.of(line[: self._max_bytes], Defect.TRUNCATED, len(line))
        return line


def _unblank(line: bytes) -> bytes:
    return line if type(line) is Cut or line.strip(_BLANKS) else b""


class JsonValues:
    """The elements of one array, or one object after another, with or without blanks between them."""

    __slots__ = ("_closed", "_depth", "_escaped", "_has_comma", "_held", "_in_string", "_level", "_opened", "error")

    def __init__(self, max_bytes: int = limits.MESSAGE_BYTES, *, array: bool) -> None:
        self.error: str | None = None
        self._level = 1 if array else 0
        """How deep values stand."""
        self._held = _Held(max_bytes)
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._opened = False
        """The array has begun."""
        self._closed = False
        """The array has ended."""
        self._has_comma = False

    @property
    def buffered_bytes(self) -> int:
        """Bytes held for a value that is not complete."""
        return len(self._held)

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next piece; give the values it completes."""
        values: list[bytes] = []
        at = start = 0
        while at < len(data) and self.error is None:
            if self._in_string:
                at = self._pass_string(data, at)
                continue
            found = _TOKEN.search(data, at)
            if found is None:
                break
            at = found.end()
            start = self._obey(found[0], data, start, at, values)
        if self.error is None:
            self._keep(data[start:])
        return values

    def close(self) -> list[bytes]:
        """See whether everything that was opened was closed."""
        if self.error is None and (not self._is_outside or (self._level and not self._opened)):
            self.error = "the JSON ends early"
        return []

    def _pass_string(self, data: bytes, at: int) -> int:
        if self._escaped:
            self._escaped = False
            return at + 1
        found = _STRING.match(data, at)
        at = found.end() if found else at
        if at < len(data):
            self._in_string = data[at] != 0x22
            self._escaped = self._in_string  # a backslash, and nothing behind it
            at += 1
        return at

    @property
    def _is_outside(self) -> bool:
        """Between values, before the array or behind it: only blanks, and what opens the next, may stand here."""
        return self._closed or not self._opened if self._level else not self._depth

    def _obey(self, token: bytes, data: bytes, start: int, end: int, values: list[bytes]) -> int:
        """Take one structural character, which ends at `end`; return where the open value begins in `data`."""
        if self._is_outside:
            return self._open(token, data, start, end)
        if token == b'"':
            self._in_string = True
        elif token in b"{[":
            self._depth += 1
        elif token in b"}]":
            self._depth -= 1
            if not self._depth:
                return self._end(token, data, start, end, values)
        elif self._depth == self._level:
            return self._end_element(data[start : end - 1], end, values, last=False)
        return start

    def _open(self, token: bytes, data: bytes, start: int, end: int) -> int:
        is_opener = token == b"[" and not self._closed if self._level else token in b"{["
        if not is_opener or data[start : end - 1].strip(_BLANKS):
            self.error = "text between JSON values"
            return end
        self._depth = 1
        self._opened = True
        return end if self._level else end - 1  # blanks before a value are no part of it

    def _end(self, token: bytes, data: bytes, start: int, end: int, values: list[bytes]) -> int:
        """Close the array, or a value that is in none."""
        if not self._level:
            self._held.add(data[start:end])
            values.append(_stripped(self._held.take()))
            return end
        if token != b"]":
            self.error = "the array ends with another bracket"
            return end
        self._closed = True
        return self._end_element(data[start : end - 1], end, values, last=True)

    def _end_element(self, data: bytes, end: int, values: list[bytes], *, last: bool) -> int:
        self._held.add(data)
        value = _stripped(self._held.take())
        if value:
            values.append(value)
        elif not last or self._has_comma:
            self.error = "an element of the array is missing"
        self._has_comma = not last
        return end

    def _keep(self, rest: bytes) -> None:
        """Hold what no value ends yet."""
        if not self._is_outside:
            self._held.add(rest)
        elif rest.strip(_BLANKS):
            self.error = "text between JSON values"


def _stripped(value: bytes) -> bytes:
    return value if type(value) is Cut else value.strip(_BLANKS)


class Body:
    """Looks at the first bytes, and at what the sender says it is, to choose how to cut.

    A body that begins as an array does is one. An object is the first of several values if the type says JSON
    (written over several lines, as a rule), else a line: NDJSON, syslog, anything a stream could bring.
    """

    __slots__ = ("_begun", "_chosen", "_is_json", "_max_bytes")

    def __init__(self, content_type: str, max_bytes: int = limits.MESSAGE_BYTES) -> None:
        self._is_json = content_type.partition(";")[0].strip().lower() == "application/json"
        self._max_bytes = max_bytes
        self._begun = b""
        self._chosen: Splitter | None = None

    @property
    def error(self) -> str | None:
        """Why it cannot be cut any further."""
        return None if self._chosen is None else self._chosen.error

    @property
    def buffered_bytes(self) -> int:
        """Bytes held for a frame that is not complete."""
        return len(self._begun) if self._chosen is None else self._chosen.buffered_bytes

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next piece; give the frames it completes."""
        if self._chosen is not None:
            return self._chosen.feed(data)
        self._begun += data
        return self._begin(len(self._begun) >= _LOOK_BYTES)

    def close(self) -> list[bytes]:
        """Say that the body is complete; give what is left."""
        frames = self._begin(True) if self._chosen is None else []
        return frames + (self._chosen.close() if self._chosen is not None else [])

    def _begin(self, decide: bool) -> list[bytes]:
        begun = self._begun[:_LOOK_BYTES]
        text = begun.removeprefix(_BOM).lstrip(_BLANKS)
        is_open = not text or _BOM.startswith(begun) or (text[:1] == b"[" and not text[1:].strip(_BLANKS))
        if is_open and not decide:
            return []
        begun, self._begun = self._begun, b""
        if _ARRAY_BEGINS.match(text) or (self._is_json and text[:1] == b"["):
            self._chosen = JsonValues(self._max_bytes, array=True)
        elif self._is_json and text[:1] == b"{":
            self._chosen = JsonValues(self._max_bytes, array=False)
        else:
            self._chosen = Lines(self._max_bytes)
            return self._chosen.feed(begun)
        return self._chosen.feed(begun.removeprefix(_BOM))
