"""Tells per frame what it is — `<` syslog, `{` JSON, GELF's magic bytes, else text — and has it parsed.

Knows the first bytes of each format and the encoding of text (UTF-8). Does not know what the formats' fields say:
that is each parser's. Every frame gives exactly one Message; nothing raises, nothing is rejected for its content.

Decided here:

- Text that is no UTF-8 is read with U+FFFD in place of each broken byte and marked; a character that a cut split is
  left off. `raw` has the bytes.
- One line end (CR LF or LF) or one NUL after syslog or text is the transport's, not the message's: senders add it to
  datagrams and inside counted frames (RFC 5424 §6 has no terminator). A second one is content.
- Of a compressed datagram, `raw` is what came, not what it held; of chunks, what they held together.
- Blanks or a byte order mark before `<` are passed over; the message is `partial`.
- Text without PRI is RFC 3164 if the rest of its header is there (priority 13, `partial`), else `raw` and `failed`.
- A syslog MSG that is a JSON object, or one after the cookie `@cee:`, is read as such beside being the message. Only
  the cookie is a promise: braces that hold no JSON are text. So is one after what a container's runtime puts before a
  line (`web-1  | `, a time, `stdout F `), with a syslog header or without.
- An array of one object is that object. One of several is text: one message gives one event.
"""

from __future__ import annotations

from codecs import utf_8_decode
from typing import TYPE_CHECKING, Final

from receiver.event import Format, ParseStatus, TimeQuality
from receiver.wire import gelf, json_event, rfc3164, rfc5424
from receiver.wire.message import Cut, Defect, Message

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

_BOM: Final = "\ufeff"
_BLANKS: Final = " \t\r\n\0"
_COOKIE: Final = "@cee:"
_OK: Final = ParseStatus.OK.value
_PARTIAL: Final = ParseStatus.PARTIAL.value


def parse_frames(frames: Iterable[bytes], received_at: int, zone: tzinfo | None = None) -> list[Message]:
    """Parse frames in order, one message each. `zone` is where syslog times without one come from."""
    return [parse_frame(frame, received_at, zone) for frame in frames]


def parse_frame(frame: bytes, received_at: int, zone: tzinfo | None = None) -> Message:
    """Parse one frame, whatever it is."""
    if type(frame) is bytes:
        first = frame[:1]
        if first == b"<":
            try:
                text = frame.decode()
            except UnicodeDecodeError:
                return _parse_unusual(frame, received_at, zone)
            return _parse_syslog(frame, text, received_at, zone)
        if first == b"{":
            return json_event.parse(frame)
    return _parse_unusual(frame, received_at, zone)


def _parse_syslog(frame: bytes, text: str, received_at: int, zone: tzinfo | None) -> Message:
    """Parse text that begins with `<`."""
    if text[-1] in "\n\0":
        text = _without_end(text)
    mark = text.find(">", 1, 22) + 1
    message = None
    if text[mark : mark + 2] == "1 " or (text[mark : mark + 1].isdigit() and " " in text[mark + 1 : mark + 4]):
        message = rfc5424.parse(frame, text, received_at)
    if message is None:
        if not (mark and text[1 : mark - 1].isdecimal()):
            return _parse_plain(frame, text, received_at, zone)
        message = rfc3164.parse(frame, text, received_at, zone)
    body = message.message
    if body and (body[0] in "{@ " or body[-1] == "}"):
        _read_json(message, body)
    return message


def _parse_plain(frame: bytes, text: str, received_at: int, zone: tzinfo | None) -> Message:
    """Parse text without PRI, or with something else in its place."""
    message = rfc3164.parse_without_pri(frame, text, received_at, zone)
    if message is None:
        message = _raw(frame, text, (Defect.NOT_A_MESSAGE,))
    _read_json(message, message.message or "")
    return message


def _read_json(message: Message, body: str) -> None:
    """Set `fields` if the message's text is a JSON object."""
    text = body.strip(_BLANKS)
    has_cookie = text.startswith(_COOKIE)
    if has_cookie:
        text = text[len(_COOKIE) :].lstrip(_BLANKS)
    loaded = json_event.load_carried(text)
    if loaded is not None:
        message.fields = loaded.fields
        _add_defects(message, loaded.defects)
        if loaded.extra is not None:
            message.extra = {**(message.extra or {}), **loaded.extra}
    elif has_cookie:
        _add_defects(message, (Defect.BAD_JSON,))


# --- frames that are cut, not UTF-8, compressed, chunked, or begin with something else ---


def _parse_unusual(frame: bytes, received_at: int, zone: tzinfo | None) -> Message:
    defects: list[Defect] = []
    if type(frame) is gelf.Inflated:
        return _parse_unpacked(frame.packed, frame, received_at, zone)
    if type(frame) is Cut:
        defects.append(frame.defect)
        if frame.defect is Defect.BAD_COMPRESSION:
            return _raw(frame, _readable(frame), tuple(defects))
    elif (payload := _unpacked(frame)) is not None:
        return _parse_unpacked(frame, payload, received_at, zone)
    text, encoding_defects = _decode(frame)
    stripped = text.removeprefix(_BOM).lstrip(_BLANKS)
    if stripped.startswith("{"):
        message = json_event.parse(frame)
    elif (only := _only_item(stripped)) is not None:
        message = json_event.parse(only)
        message.raw = frame
        defects += encoding_defects
    else:
        defects += encoding_defects
        if stripped.startswith("<"):
            if len(stripped) < len(text):
                defects.append(Defect.BAD_HEADER)
            message = _parse_syslog(frame, stripped, received_at, zone)
        else:
            message = _parse_plain(frame, _without_end(text), received_at, zone)
    _add_defects(message, tuple(defects))
    return message


def _only_item(text: str) -> bytes | None:
    """Return the object of an array that holds one and nothing else."""
    text = text.rstrip(_BLANKS)
    if text[:1] != "[" or text[-1:] != "]":
        return None
    item = text[1:-1].strip(_BLANKS)
    return item.encode() if item[:1] == "{" and json_event.load_object(item) is not None else None


def _unpacked(frame: bytes) -> bytes | None:
    """Return what a compressed frame, or a GELF message of a single chunk, holds; None if it is neither."""
    if gelf.is_chunk(frame):
        whole = gelf.Reassembler().feed(frame, None, 0.0)
        return None if whole is None or whole == frame else gelf.inflate(whole)
    if gelf.is_compressed(frame):
        inflated = gelf.inflate(frame)
        return None if type(inflated) is Cut and inflated.defect is Defect.BAD_COMPRESSION else inflated
    return None


def _parse_unpacked(frame: bytes, payload: bytes, received_at: int, zone: tzinfo | None) -> Message:
    """Parse the payload once (what is packed twice stays as it is); the bytes received remain the frame's."""
    is_packed = gelf.is_chunk(payload) or gelf.is_compressed(payload)
    if is_packed:
        return _raw(frame, _readable(payload), (Defect.NOT_A_MESSAGE,))
    if type(payload) is gelf.Inflated:
        is_cut = not payload.is_whole
        payload = Cut.of(payload, Defect.TRUNCATED) if is_cut else bytes(payload)
        frame = Cut.of(frame, Defect.TRUNCATED) if is_cut else frame
    message = parse_frame(payload, received_at, zone)
    message.raw = frame
    return message


def _decode(frame: bytes) -> tuple[str, tuple[Defect, ...]]:
    """Decode UTF-8; in a cut frame a last character that lacks bytes is left off."""
    try:
        return utf_8_decode(frame, "strict", type(frame) is not Cut)[0], ()
    except UnicodeDecodeError:
        return frame.decode("utf-8", "replace"), (Defect.INVALID_UTF8,)


def _readable(frame: bytes) -> str | None:
    """Return bytes as text if they are text: binary with its breaks replaced says nothing to anybody."""
    try:
        return frame.decode()
    except UnicodeDecodeError:
        return None


def _raw(frame: bytes, text: str | None, defects: tuple[Defect, ...]) -> Message:
    return Message(
        frame, Format.RAW.value, ParseStatus.FAILED.value, None, None, None, TimeQuality.MISSING.value,
        None, None, None, None, None, text, None, defects,
    )  # fmt: skip


def _add_defects(message: Message, defects: tuple[Defect, ...]) -> None:
    if defects:
        message.defects = tuple(dict.fromkeys((*defects, *message.defects)))
        if message.status == _OK:
            message.status = _PARTIAL


def _without_end(text: str) -> str:
    """Take off one line end or NUL."""
    return text.removesuffix("\r\n") if text.endswith("\r\n") else text[:-1] if text.endswith(("\n", "\0")) else text
