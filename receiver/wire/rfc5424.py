r"""RFC 5424 messages: the header (§6.2), structured data (§6.3) and MSG (§6.4).

Knows the text of one frame. Does not know framing, RFC 3164 (it says None to what is not 5424), or what a message
means.

What breaks the standard is kept, and the message is `partial` with the defect named: fields over their length or
outside printable ASCII are taken as they stand; a TIMESTAMP against the ABNF gives no time but costs no other field;
structured data that cannot be read goes, with all that follows, into the message. An unescaped `]` inside a value
is such a defect (§6.3.3: MUST be escaped) and the value is still read, because many senders forget it.

A backslash before anything but `"`, `\` and `]` is an ordinary character (§6.3.3). A name given twice in one
element is legal and its values become a list; an SD-ID given twice is not (§6.3.2), and is joined the same way.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from receiver import limits
from receiver.event import Format, ParseStatus
from receiver.wire.message import Defect, Message
from receiver.wire.pri import PRIS, read_pri
from receiver.wire.sd_shape import learn, shapes
from receiver.wire.timestamp import FULL, MISSING, STRICT, UNPARSED, parse_strict, strict_us

_FORMAT: Final = Format.RFC5424.value
_OK: Final = ParseStatus.OK.value
_PARTIAL: Final = ParseStatus.PARTIAL.value

# HEADER = PRI VERSION SP TIMESTAMP SP HOSTNAME SP APP-NAME SP PROCID SP MSGID, with §6's lengths;
# PRINTUSASCII = %d33-126. Every repetition ends at a blank it cannot contain: one pass, no way back.
_HEADER: Final = re.compile(
    rf"<([0-9]{{1,3}})>1 (?:-|{STRICT}) ([!-~]{{1,255}}) ([!-~]{{1,48}}) ([!-~]{{1,128}}) ([!-~]{{1,32}}) (?=[-\[])"
)

# SD-ELEMENT = "[" SD-ID *(SP SD-PARAM) "]"; SD-PARAM = PARAM-NAME "=" %d34 PARAM-VALUE %d34;
# SD-NAME = 1*32 PRINTUSASCII except '=', SP, ']', %d34. Elements without escapes come first: 0.3 µs a param less.
_NAME: Final = r"[!#-<>-\\^-~]{1,32}"
_ELEMENT: Final = re.compile(rf'\[({_NAME})((?: {_NAME}="[^"\\\]]*")*)\]')
_ESCAPED_ELEMENT: Final = re.compile(
    rf'\[({_NAME})((?: {_NAME}="[^"\\\]]*(?:\\.[^"\\\]]*)*")*)\]', re.DOTALL
)
_ESCAPED_PARAMS: Final = re.compile(r' ([^ =]+)="([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)

# The same with repetitions, long names, bare brackets and stray blanks, read step by step.
_LOOSE_ID: Final = re.compile(r'\[([^ =\]"]+)')
_LOOSE_PARAM: Final = re.compile(r'( +)([^ =\]"]+)="([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
_LOOSE_END: Final = re.compile(r" *\]")
_ESCAPE: Final = re.compile(r'\\["\\\]]')
_STRICT_NAME: Final = re.compile(r"[!#-<>-\\^-~]+")

_PRINTABLE: Final = re.compile(r"[!-~]+")
_FIELD_CHARS: Final = (255, 48, 128, 32)  # HOSTNAME, APP-NAME, PROCID, MSGID (§6)
_SD_NAME_CHARS: Final = 32  # §6.3.2

# What may be 5424 though `_HEADER` did not match: PRI and VERSION = NONZERO-DIGIT 0*2DIGIT.
_OPENING: Final = re.compile(r"<([^<>\s]{0,20})>([0-9]{1,3})( {1,8})")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CLOCK: Final = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?![0-9A-Fa-f:])")

_BOM: Final = "\ufeff"

StructuredData = dict[str, dict[str, Any]]


def parse(frame: bytes, text: str, received_at: int) -> Message | None:  # noqa: ARG001 - all parsers are called alike
    """Parse `text`, the decoded `frame`; None if it is not RFC 5424, nor meant to be.

    2.4 µs without structured data, 4 with two elements of seven params in a shape that is known, else 8.
    """
    header = _HEADER.match(text)
    if header is None:
        return _parse_defective(frame, text)
    pri, seconds, fraction, offset, host, app, procid, msgid = header.groups()
    where = PRIS.get(pri)
    if where is None:
        return _parse_defective(frame, text)
    if seconds is None:
        time, quality = None, MISSING
    else:
        time, quality = strict_us(seconds, fraction, offset), FULL
        if time is None:
            return _parse_defective(frame, text)
    pos = header.end()
    defects: tuple[Defect, ...] = ()
    data: StructuredData | None = None
    end = pos + 1
    if text[pos] == "[":
        opening = text[pos : text.find(" ", pos)]
        read = shapes.get(opening)
        known = read(text, pos) if read is not None else None
        if known is not None:
            data, end = known
        else:
            data = {}
            end = _read_plain_elements(text, pos, data)
            if end:
                learn(opening, data)
    if end and text[end : end + 1] == " ":
        message: str | None = text[end + 2 :] if text.startswith(_BOM, end + 1) else text[end + 1 :]
    elif end == len(text):
        message = None
    else:
        data, message, defects = _read_rest(text[pos:])
    return Message(
        frame, _FORMAT, _PARTIAL if defects else _OK, where[0], where[1], time, quality,
        None if host == "-" else host,
        None if app == "-" else app,
        None if procid == "-" else procid,
        None if msgid == "-" else msgid,
        data, message, None, defects,
    )  # fmt: skip


def _read_plain_elements(text: str, pos: int, data: StructuredData) -> int:
    """Read elements without defect or repetition into `data`; return their end, 0 if any is otherwise."""
    size = len(text)
    while pos < size and text[pos] == "[":
        if element := _ELEMENT.match(text, pos):
            sd_id, params = element.groups()
            parts = params.split('"')  # ` name=`, value, ` name=`, value, …, nothing
            opened = tuple(parts[:-1:2])
            names = (_known_names if len(opened) <= limits.SD_SHAPE_PARAMS else _plain_names)(opened)
            named = dict(zip(names, parts[1::2], strict=True))
            count = len(names)
        elif element := _ESCAPED_ELEMENT.match(text, pos):
            sd_id, params = element.groups()
            pairs = _ESCAPED_PARAMS.findall(params)
            count = len(pairs)
            named = {name: _unescape(value) for name, value in pairs}
        else:
            return 0
        if len(named) != count or sd_id in data:
            return 0
        data[sd_id] = named
        pos = element.end()
    return pos


def _plain_names(opened: tuple[str, ...]) -> tuple[str, ...]:
    """Take the names out of ` name=`."""
    return tuple([part[1:-1] for part in opened])


_known_names: Final = lru_cache(limits.SD_SHAPES)(_plain_names)
"""An application has few lists of names: remembering them saves 1.4 µs of 5 an element."""


def _parse_defective(frame: bytes, text: str) -> Message | None:
    """Parse what the fast path left: escapes, repetitions, and everything against the standard."""
    opening = _OPENING.match(text)
    if opening is None:
        return None
    tokens = text[opening.end() :].split(" ", 5)
    if not _is_meant(opening[2], tokens):
        return None
    if _is_parted(tokens):
        tokens = text[opening.end() :].split(" ", 6)
        tokens[:2] = [" ".join(tokens[:2])]
    defects: list[Defect] = []
    facility, severity = PRIS.get(opening[1], (None, None))
    if facility is None:
        defects.append(Defect.BAD_PRI)
        facility, severity = read_pri(opening[1])
    if opening[2] != "1":
        defects.append(Defect.BAD_VERSION)
    if len(tokens) < 6 or "" in tokens or len(opening[3]) > 1:
        defects.append(Defect.BAD_HEADER)
    time, quality = _read_time(tokens[0], defects)
    host, app, procid, msgid = _read_fields(tokens[1:5], defects)
    data, message, rest_defects = _read_rest(tokens[5]) if len(tokens) == 6 else (None, None, ())
    defects += rest_defects
    return Message(
        frame, _FORMAT, _PARTIAL if defects else _OK, facility, severity, time, quality,
        host, app, procid, msgid, data, message, None, tuple(dict.fromkeys(defects)),
    )  # fmt: skip


def _is_meant(version: str, tokens: list[str]) -> bool:
    """Tell whether a frame that opens `<pri>digits ` is RFC 5424, though wrongly written.

    Version 1 and a date or NILVALUE say so. Otherwise all six parts must be there and the last must look like
    structured data, or `<13>5 Jan 10:00:00 host …` and Meraki's `<134>1 1563249630.77 …` would be taken for it.
    """
    has_time = tokens[0] == "-" or _DATE.match(tokens[0]) is not None
    if version == "1" and has_time:
        return True
    whole = len(tokens) == 6 and "" not in tokens and (tokens[5] == "-" or tokens[5].startswith(("- ", "[")))
    return whole and (has_time or version == "1")


def _is_parted(tokens: list[str]) -> bool:
    """Tell whether a blank stands where the T belongs, as Check Point writes: `1 2026-11-22 10:00:00 host …`."""
    return len(tokens) > 1 and _DATE.fullmatch(tokens[0]) is not None and _CLOCK.match(tokens[1]) is not None


def _read_time(text: str, defects: list[Defect]) -> tuple[int | None, str]:
    if text in {"-", ""}:
        return None, MISSING
    time = parse_strict(text)
    if time is None:
        defects.append(Defect.BAD_TIME)
        return None, UNPARSED
    return time, FULL


def _read_fields(tokens: list[str], defects: list[Defect]) -> list[str | None]:
    """Read HOSTNAME, APP-NAME, PROCID, MSGID, as many as there are; keep what breaks their rules."""
    fields: list[str | None] = [None] * 4
    for index, token in enumerate(tokens):
        if len(token) > _FIELD_CHARS[index]:
            defects.append(Defect.LONG_FIELD)
        if token and not _PRINTABLE.fullmatch(token):
            defects.append(Defect.NOT_ASCII_FIELD)
        fields[index] = None if token in {"-", ""} else token
    return fields


def _read_rest(text: str) -> tuple[StructuredData | None, str | None, tuple[Defect, ...]]:
    """Read STRUCTURED-DATA [SP MSG]; broken structured data becomes message with all that follows it."""
    data: StructuredData | None = None
    defects: list[Defect] = []
    pos = 0
    if text.startswith("["):
        data, pos = _read_elements(text, defects)
    elif text == "-" or text.startswith("- "):
        pos = 1
    if pos == len(text) and pos:
        message = None
    elif text.startswith(" ", pos) and pos:
        message = text[pos + 1 :].removeprefix(_BOM)
    else:
        defects.append(Defect.BAD_STRUCTURED_DATA)
        message = text[pos:].removeprefix(_BOM)
    return data, message, tuple(dict.fromkeys(defects))


def _read_elements(text: str, defects: list[Defect]) -> tuple[StructuredData | None, int]:
    """Read 1*SD-ELEMENT; return it with its end, or None and 0 if it is broken beyond reading."""
    data: StructuredData = {}
    found: list[Defect] = []
    pos = 0
    while text.startswith("[", pos):
        opening = _LOOSE_ID.match(text, pos)
        if opening is None:
            return None, 0
        _check_name(opening[1], found)
        if opening[1] in data:
            found.append(Defect.DUPLICATE_SD_ID)
        params = data.setdefault(opening[1], {})
        pos = opening.end()
        while param := _LOOSE_PARAM.match(text, pos):
            if len(param[1]) > 1:
                found.append(Defect.BAD_STRUCTURED_DATA)
            _check_name(param[2], found)
            if "]" in param[3] and "]" in _ESCAPE.sub("", param[3]):
                found.append(Defect.BAD_STRUCTURED_DATA)
            _add_param(params, param[2], _unescape(param[3]))
            pos = param.end()
        end = _LOOSE_END.match(text, pos)
        if end is None:
            return None, 0
        if end.end() - pos > 1:
            found.append(Defect.BAD_STRUCTURED_DATA)
        pos = end.end()
    defects += found
    return data, pos


def _check_name(name: str, defects: list[Defect]) -> None:
    if len(name) > _SD_NAME_CHARS:
        defects.append(Defect.LONG_FIELD)
    if not _STRICT_NAME.fullmatch(name):
        defects.append(Defect.NOT_ASCII_FIELD)


def _unescape(value: str) -> str:
    """Undo §6.3.3's three escapes; pairs of backslashes first, or the second of a pair would escape what follows."""
    if "\\" not in value:
        return value
    return "\\".join([part.replace('\\"', '"').replace("\\]", "]") for part in value.split("\\\\")])


def _add_param(params: dict[str, Any], name: str, value: str) -> None:
    """Set a param; the second of a name makes a list of it."""
    if name not in params:
        params[name] = value
    elif isinstance(params[name], list):
        params[name].append(value)
    else:
        params[name] = [params[name], value]
