"""JSON objects, read exactly, and written back: whole frames, and the MSG of a syslog message.

Knows RFC 8259 and what senders make of it: duplicate keys, integers of any size, lone surrogates, NaN, raw control
characters, a byte order mark, any nesting. Does not know what a field means: host, time and who did it are found by
`normalize/objects/fields.py` (GELF alone says what its fields mean: `wire/gelf.py`).

orjson reads an object in 1 µs, but turns 2^70 into a float and drops duplicate keys without a word. So what it read
is written again and compared with what came; only if nothing can have been lost it stands, else the exact path reads
the text once more with the standard library. Invariants: every frame gives one Message, nothing raises, no value is
lost; texts are valid Unicode.
"""

from __future__ import annotations

import json
import math
import re
from codecs import utf_8_decode
from itertools import accumulate
from typing import Any, Final, NamedTuple

import orjson

from receiver import limits
from receiver.event import Format, ParseStatus, TimeQuality
from receiver.wire import gelf
from receiver.wire.message import Cut, Defect, Message

_JSON: Final = Format.JSON.value
_OK: Final = ParseStatus.OK.value
_PARTIAL: Final = ParseStatus.PARTIAL.value
_MISSING: Final = TimeQuality.MISSING.value


class Loaded(NamedTuple):
    """An object, what was wrong with it, and what does not fit into it (`duplicate_keys`)."""

    fields: dict[str, Any]
    defects: tuple[Defect, ...] = ()
    extra: dict[str, Any] | None = None


def parse(frame: bytes) -> Message:
    """Read a frame that should be one JSON object; what is none is kept as raw text, `failed`."""
    fields = _load_fast(frame)
    if fields is not None:
        if "short_message" in fields and gelf.is_gelf(fields):
            return gelf.parse_object(frame, fields, (), None)
        return Message(
            frame, _JSON, _OK, None, None, None, _MISSING, None, None, None, None, None, None, fields,
        )  # fmt: skip
    loaded = _load_exact(frame)
    if not isinstance(loaded, Loaded):
        return _failed(frame, loaded)
    fields, defects, extra = loaded
    if gelf.is_gelf(fields):
        return gelf.parse_object(frame, fields, defects, extra)
    return Message(
        frame, _JSON, _PARTIAL if defects else _OK, None, None, None, _MISSING,
        None, None, None, None, None, None, fields, defects, extra,
    )  # fmt: skip


def load_object(text: str | bytes) -> Loaded | None:
    """Read a text that is one JSON object; None when it is not."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    fields = _load_fast(raw)
    if fields is not None:
        return Loaded(fields)
    loaded = _load_exact(raw)
    return loaded if isinstance(loaded, Loaded) else None


_CARRIER: Final = re.compile(
    r"(?:[A-Za-z0-9][\w.-]{0,62} {1,40}\| )?"
    r"(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)? )?(?:(?:stdout|stderr) F )?(?=\{)",
    re.ASCII,
)
"""Docker Compose's name of the container, the runtime's time, and (CRI) the stream of a whole line."""


def load_carried(text: str) -> Loaded | None:
    """Read a text that is one JSON object, alone or as a container's runtime writes it; None when it is not."""
    start = 0
    if text[:1] != "{":
        carrier = _CARRIER.match(text) if text[-1:] == "}" else None
        if carrier is None:
            return None
        start = carrier.end()
    return load_object(text[start:])


def dump_data(data: dict[str, Any]) -> str:
    """Write an object as JSON text: exact integers of any size, always valid Unicode."""
    try:
        return orjson.dumps(data).decode()
    except TypeError:  # an integer beyond 64 bits, a lone surrogate, or no JSON type at all
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=str, skipkeys=True)
        return _SURROGATE.sub("\ufffd", text)


def _failed(frame: bytes, defects: tuple[Defect, ...]) -> Message:
    return Message(
        frame, Format.RAW.value, ParseStatus.FAILED.value, None, None, None, _MISSING,
        None, None, None, None, None, _decode(frame)[0], None, defects,
    )  # fmt: skip


# --- the fast path: orjson, and a proof that it lost nothing ---

_DIGIT_CLASSES: Final = bytes(0x30 if byte in b"0123456789" else byte if byte == 0x2D else 0x20 for byte in range(256))
_INTEGERS_BEYOND_64_BITS: Final = (b"0" * 20, b"-" + b"0" * 19)


def _load_fast(raw: bytes) -> dict[str, Any] | None:
    """Read an object at once; None when it is none, is too deep, or orjson might have lost something of it."""
    try:
        fields = orjson.loads(raw)
        if type(fields) is not dict or _is_deep(raw, fields):
            return None
        written = orjson.dumps(fields)
    except ValueError:
        return None
    if raw == written or raw.replace(b" ", b"") == written.replace(b" ", b"") or _is_complete(raw, written):
        return fields
    return None


def _is_complete(raw: bytes, written: bytes) -> bool:
    r"""Say if no key was dropped and no integer became a float; a wrong True is impossible.

    Every quote of `raw` is written again unless its key was dropped, and no other can stand in for it but `\u0022`.
    """
    if b"\\u0022" in raw or raw.count(b'"') != written.count(b'"'):
        return False
    classes = raw.translate(_DIGIT_CLASSES)  # 0.5 µs; a regex for the same takes 3-6 µs
    return not any(digits in classes for digits in _INTEGERS_BEYOND_64_BITS)


def _is_deep(raw: bytes, fields: dict[str, Any]) -> bool:
    if raw.count(b"{") + raw.count(b"[") <= limits.JSON_DEPTH:  # 0.2 µs; the exact answer takes 1 to 3
        return False
    level: list[Any] = [fields]
    for _ in range(limits.JSON_DEPTH):
        inner: list[Any] = []
        for value in level:
            inner += value.values() if type(value) is dict else value
        level = [value for value in inner if type(value) is dict or type(value) is list]
        if not level:
            return False
    return True


# --- the exact path ---

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_ESCAPE: Final = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair: one character
    r"|(u[dD][89a-fA-F][0-9a-fA-F]{2})"  # half of one: RFC 8259 §8.2 leaves it open; no Unicode text can hold it
    r"|.)",
    re.DOTALL,
)
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_STEP: Final = {0x5B: 1, 0x7B: 1, 0x5D: -1, 0x7D: -1}
_PADDING: Final = " \t\r\n\0"


def _load_exact(raw: bytes) -> Loaded | tuple[Defect, ...]:
    """Read an object with the standard library; the defects alone when it is none."""
    text, defects = _decode(raw)
    text = text.removeprefix("\ufeff").strip(_PADDING)
    if not text.startswith("{"):
        return (*defects, Defect.BAD_JSON)
    if _depth(raw) > limits.JSON_DEPTH:
        return (*defects, Defect.TOO_DEEP)
    mended = _ESCAPE.sub(_mend_surrogate, text) if "\\u" in text else text
    if mended != text:
        defects = (*defects, Defect.LONE_SURROGATE)
    for strict in (True, False):  # a raw line feed inside a string breaks RFC 8259 §7, but hides nothing
        reader = _ExactReader(strict=strict)
        try:
            fields = reader.decode(mended)
        except ValueError:
            continue
        if reader.duplicates:
            defects = (*defects, Defect.DUPLICATE_KEY)
        if reader.is_partial or not strict:
            defects = (*defects, Defect.BAD_JSON)
        return Loaded(fields, defects, _keep_duplicates(reader.duplicates, len(raw)))
    return (*defects, Defect.BAD_JSON)


def _decode(raw: bytes) -> tuple[str, tuple[Defect, ...]]:
    """Decode UTF-8; in a cut frame a last character that lacks bytes is left off."""
    try:
        return utf_8_decode(raw, "strict", type(raw) is not Cut)[0], ()
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace"), (Defect.INVALID_UTF8,)


def _mend_surrogate(escape: re.Match[str]) -> str:
    return "\\ufffd" if escape[1] else escape[0]


def _depth(raw: bytes) -> int:
    """Count the deepest nesting without recursion; exact as far as the text is JSON."""
    outside = b"".join(raw.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2])
    return max(accumulate(map(_STEP.__getitem__, outside.translate(None, _NOT_BRACKETS))), default=0)


def _keep_duplicates(duplicates: dict[str, list[Any]], raw_bytes: int) -> dict[str, Any] | None:
    """Keep all values of repeated keys: names alone when nesting would multiply them (raw has them anyway)."""
    if not duplicates:
        return None
    if len(dump_data(duplicates)) > 2 * raw_bytes:
        return {"duplicate_keys": {key: [] for key in duplicates}}
    return {"duplicate_keys": duplicates}


class _ExactReader:
    """The standard library's decoder, and what it came across.

    duplicates: {key: all its values, in order}, for keys that stand more than once in one object.
    is_partial: a number was kept as text, because no number can hold it (NaN, 1e999, 5000 digits).
    """

    def __init__(self, *, strict: bool) -> None:
        self.duplicates: dict[str, list[Any]] = {}
        self.is_partial = False
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_int=self._integer,
            parse_float=self._float,
            parse_constant=self._constant,
            strict=strict,
        )

    def decode(self, text: str) -> dict[str, Any]:
        """Read the object `text`; ValueError when it is broken."""
        fields: dict[str, Any] = self._decoder.decode(text)
        return fields

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) != len(pairs):
            values: dict[str, list[Any]] = {}
            for key, value in pairs:
                values.setdefault(key, []).append(value)
            for key, repeated in values.items():
                if len(repeated) > 1:
                    self.duplicates.setdefault(key, []).extend(repeated)
        return fields

    def _integer(self, digits: str) -> int | str:
        if len(digits) > limits.JSON_INTEGER_DIGITS:
            return self._constant(digits)
        return int(digits)

    def _float(self, digits: str) -> float | str:
        number = float(digits)
        return number if math.isfinite(number) else self._constant(digits)

    def _constant(self, text: str) -> str:
        self.is_partial = True
        return text
