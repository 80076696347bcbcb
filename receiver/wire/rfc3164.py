"""RFC 3164 messages as devices really send them: optional PRI, time, host, tag, and the text.

Knows the text of one frame. Does not know framing, RFC 5424, or what a message means. RFC 3164 describes what was
seen on the wire in 2001 rather than a grammar, so this reads from the front what is there for certain and leaves the
rest in the message: a wrong host is worse than none.

Decided here (§ of RFC 3164):

- PRI (§4.1.1) missing: 13, `partial`. Over 191 or with leading zeros: `partial`; over 191 names no facility.
- Host or tag (§4.1.2, §4.1.3)? The word after the time is a tag if it ends in a colon or carries `[pid]:`
  (`<13>Jan  5 10:00:00 root: hi` from busybox, /dev/log); an IP address before the colon is a host, and so is
  anything before Cisco's `%FACILITY-n-NAME:`. Else it is the host.
- Tag: kept as written, with its slashes, parentheses and percent signs. Without colon and pid the word after a host
  is a tag if it looks like a program's name and text follows (`su 'su root' failed`), not if it reads like the
  start of a sentence (`Use the BFG!`), a number, an address, or `key=value`.
- One blank after the tag's colon goes with it; further ones are the message's.
- Without a time, a tag is taken only if it is beyond doubt, and never a host; else all is message.
- Cisco: `17: ` before the time is `extra["sequence"]`, a name before it the host, `*` or `.` before it
  `extra["clock"]` (not set; no longer synchronised), a time since boot `extra["uptime"]`. After a relay's header the
  device's own time stands in `extra["device_time"]`.
- `Message forwarded from H: ` (AIX): the host is H, `extra["forwarded_from"]` says so and `forwarded_by` names the
  relay. Solaris' `[ID 702911 auth.info] ` is taken off the message: 702911 is the msgid, the whole `extra["id"]`.
- `last message repeated N times` and `message repeated N times: [ …]` stay whole; N is `extra["repeated"]`.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from receiver.event import Format, ParseStatus
from receiver.wire.message import Defect, Message
from receiver.wire.pri import PRIS, read_pri
from receiver.wire.timestamp import (
    ABBREVIATIONS,
    FULL,
    MISSING,
    NO_YEAR,
    NO_YEAR_ZONE,
    STRICT,
    Stamp,
    bsd_us,
    read_stamp,
    strict_us,
)

if TYPE_CHECKING:
    from datetime import tzinfo

_FORMAT: Final = Format.RFC3164.value
_OK: Final = ParseStatus.OK.value
_PARTIAL: Final = ParseStatus.PARTIAL.value
_DEFAULT_PRI: Final = PRIS["13"]  # §4.3.3

# --- the common shape, in one pass: <PRI>Mmm dd HH:MM:SS host tag[pid]: text ---

_COMMON: Final = re.compile(
    r"<([0-9]{1,3})>"
    r"(?:((?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ 0-3][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2})"
    rf"|{STRICT}) (?![0-9]{{4}} )([A-Za-z0-9][A-Za-z0-9._-]{{0,254}}) "
    r"([A-Za-z_/][A-Za-z0-9_./()@+-]{0,127})(?:\[([^\]\[\s]{1,128})\])?:(?: |\Z)"
)
_LEVELS: Final = frozenset({"TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "CRITICAL", "FATAL"})
"""What applications write after their time, where a host would stand."""
_LOWER_LEVELS: Final = frozenset(
    {"emerg", "alert", "crit", "err", "error", "warn", "warning", "notice", "info", "debug"}
)
"""What F5 sets between host and tag."""
_NO_HOSTS: Final = ABBREVIATIONS | _LEVELS | {"UTC", "GMT", "Z", "From"}
_SPECIAL_TEXTS: Final = ("[ID ", "message repeated ", "last message repeated ", "\ufeff")


def parse(frame: bytes, text: str, received_at: int, zone: tzinfo | None) -> Message:
    """Parse `text`, the decoded `frame`. `zone` is where times without one come from, if that is known.

    2.1 µs for the common shape, decoding included.
    """
    common = _COMMON.match(text)
    if common is None:
        return _parse_any(frame, text, received_at, zone)
    pri, clock, seconds, fraction, offset, host, app, pid = common.groups()
    where = PRIS.get(pri)
    if clock is None:
        time, quality = strict_us(seconds, fraction, offset), FULL
    else:
        time, quality = bsd_us(clock, received_at, zone), NO_YEAR_ZONE if zone is None else NO_YEAR
    end = common.end()
    if where is None or time is None or host in _NO_HOSTS or text.startswith(_SPECIAL_TEXTS, end):
        return _parse_any(frame, text, received_at, zone)
    return Message(
        frame, _FORMAT, _OK, where[0], where[1], time, quality, host, app, pid, None, None, text[end:]
    )  # fmt: skip


def parse_without_pri(frame: bytes, text: str, received_at: int, zone: tzinfo | None) -> Message | None:
    """Parse text that lacks a usable `<PRI>` but has the rest of the header; None if it has not.

    A month name, day and time at the start are header enough. An ISO time opens any program's log line, so a tag
    with a colon or a pid must follow it.
    """
    defects: list[Defect] = []
    where: tuple[int | None, int | None] = _DEFAULT_PRI
    start = 0
    if broken := _BROKEN_PRI.match(text):
        where, start = (None, None), broken.end()
        defects.append(Defect.BAD_PRI)
    else:
        defects.append(Defect.NO_PRI)
    header = _read_header(text, start, received_at, zone)
    if header.stamp is None:
        return None
    body = _read_body(text, header)
    if not (header.stamp.is_bsd or body.is_certain):
        return None
    return _build(frame, where, header, body, defects)


def _parse_any(frame: bytes, text: str, received_at: int, zone: tzinfo | None) -> Message:
    """Parse everything that is not the common shape."""
    defects: list[Defect] = []
    where: tuple[int | None, int | None] = _DEFAULT_PRI
    start = 0
    if found := _PRI.match(text):
        start = found.end()
        where = PRIS.get(found[1], (None, None))
        if where[0] is None:
            where = read_pri(found[1])
            defects.append(Defect.BAD_PRI)
    else:
        defects.append(Defect.NO_PRI)
    header = _read_header(text, start, received_at, zone)
    return _build(frame, where, header, _read_body(text, header), defects)


# --- the parts ---

_PRI: Final = re.compile(r"<([0-9]{1,20})>")
_BROKEN_PRI: Final = re.compile(r"<[^<>\s]{0,20}>")

# Cisco, before the time: `29: `, `: ` (NX-OS), `router1: `, `29: router1: `, IOS-XR's `RP/0/RSP0/CPU0:`; then * or .
_SEQUENCE: Final = re.compile(r"([0-9]{1,12}): {1,3}|: {0,3}")
_ORIGIN: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,254}): {1,3}")
_OWN_SEQUENCE: Final = re.compile(r"([0-9]{6,12}): {1,3}")
_NODE: Final = re.compile(r"(?:([A-Za-z0-9][A-Za-z0-9._-]{0,254}) )?([A-Z0-9]{1,8}(?:/[A-Z0-9]{1,8}){1,4}) ?:")
_CLOCK_MARK: Final = re.compile(r"[*.]")
_CLOCK_MARKS: Final = {"*": "not set", ".": "not synchronised"}
# Time since boot: `1w2d`, `3d04h`, `00:00:46`. Only before Cisco's own tag is it certain to be one.
_UPTIME: Final = re.compile(r"((?:[0-9]{1,4}[ywdhms]){1,4}|[0-9]{1,4}:[0-9]{2}:[0-9]{2}): (?=%)")
_CISCO_TAG: Final = re.compile(r"%{1,2}[A-Za-z0-9_/-]{1,100}-[0-7]-[A-Za-z0-9_]{1,100}\b")
_MERAKI_VERSION: Final = re.compile(r"1 (?=[1-9][0-9]{8,9}\.[0-9])")

_BLANKS: Final = re.compile(r" *")
_COLON: Final = re.compile(r" ?:(?= |\Z)")
_FORWARDED: Final = re.compile(r"(?:Message forwarded from|From) ([^\s:]{1,255}|[0-9A-Fa-f:.]{2,45}):(?: {1,3}|\Z)")
_REPEATED: Final = re.compile(r"(?:last )?message repeated ([0-9]{1,9}) times?(?=[\s:.]|\Z)")
_SOLARIS_ID: Final = re.compile(r"\[ID ([0-9]{1,12}) [A-Za-z0-9]{1,20}\.[A-Za-z0-9]{1,20}\] ")

# §4.1.2: a name, an IPv4 or an IPv6 address; relays join names with `/` and `@`, link-local addresses carry `%eth0`.
_HOST: Final = re.compile(r"\[?([A-Za-z0-9_:][A-Za-z0-9_.:%/@-]{0,254})\]?(?=[ \t]|\Z)")
# What may stand where a host does if a certain tag follows (Ubiquiti: `U7PG2,f09fc2000000,v4.0 hostapd: …`).
_ODD_HOST: Final = re.compile(r"[^\s\[\]{}<>=]{1,255}(?= )")
# §4.1.3 allows 32 alphanumerics; programs use more of both. Punctuation of JSON, XML, CEF and key=value is none.
_TAG: Final = re.compile(
    r"(?!@)([A-Za-z0-9_./()%#@+!*~$\\^?&-]{1,255}"  # name, but not the cookie of `@cee: {…}`
    r"(?:\](?=[\[:])|=\w{1,32}\)(?=[\[:]))?)"  # GDM's `gdm-password][7]:`, polkit's `polkitd(authority=local)[7]:`
    r"(?:\[([^\]\[\s]{0,128})\])?(:)?([ \t]|(?=\n)|\Z)?"  # pid, colon, what ends it
)
# `cron`, `CRON`, `NetworkManager`, `/usr/sbin/cron`; not `Use`, `A`, `Connection`.
_PROGRAM: Final = re.compile(r"(?:[a-z_/]|[A-Z](?=\w*[A-Z0-9_./-]))[\w./()@+-]*", re.ASCII)
_LETTER: Final = re.compile(r"[A-Za-z]")


class _Header(NamedTuple):
    """What stands before host and tag, and where it ends."""

    end: int
    stamp: Stamp | None
    host: str | None
    hostless: bool
    """A colon closed the time (Cisco): no host follows."""
    extra: dict[str, Any]


class _Tag(NamedTuple):
    app: str | None
    pid: str | None
    end: int
    is_certain: bool


class _Body(NamedTuple):
    """Host, tag and text."""

    host: str | None
    app: str | None
    pid: str | None
    msgid: str | None
    message: str
    is_certain: bool
    """The tag is beyond doubt."""


def _build(
    frame: bytes, where: tuple[int | None, int | None], header: _Header, body: _Body, defects: list[Defect]
) -> Message:
    stamp = header.stamp
    time, quality = (None, MISSING) if stamp is None else (stamp.time, stamp.quality)
    if stamp is not None and time is None:
        defects.append(Defect.BAD_TIME)
    return Message(
        frame, _FORMAT, _PARTIAL if defects else _OK, where[0], where[1], time, quality,
        body.host, body.app, body.pid, body.msgid, None, body.message, None, tuple(defects), header.extra or None,
    )  # fmt: skip


def _read_header(text: str, start: int, received_at: int, zone: tzinfo | None) -> _Header:
    """Read what precedes host and tag: the time, and Cisco's frame around it."""
    pos = _end_of(_BLANKS, text, start)
    stamp = read_stamp(text, pos, received_at, zone)
    if stamp is not None:
        return _after_stamp(text, stamp, None, {})
    extra: dict[str, Any] = {}
    if meraki := _MERAKI_VERSION.match(text, pos):
        pos, host = meraki.end(), None
    else:
        pos, host = _read_cisco_prefix(text, pos, extra)
    stamp = read_stamp(text, pos, received_at, zone)
    if stamp is not None:
        return _after_stamp(text, stamp, host, extra)
    if extra and _CISCO_TAG.match(text, pos):
        return _Header(pos, None, host, True, extra)
    return _Header(start, None, None, False, {})


def _read_cisco_prefix(text: str, pos: int, extra: dict[str, Any]) -> tuple[int, str | None]:
    """Read sequence number, origin, node and clock mark; return where the time should begin, and the origin.

    A time since boot is read too: after it comes the tag.
    """
    host = None
    if sequence := _SEQUENCE.match(text, pos):
        pos = sequence.end()
        if sequence[1]:
            extra["sequence"] = sequence[1]
            pos = _skip_own_sequence(text, pos, extra)
    if node := _NODE.match(text, pos):
        pos, host = node.end(), node[1]
        extra["node"] = node[2]
    elif (origin := _ORIGIN.match(text, pos)) and not _UPTIME.match(text, pos):
        pos, host = origin.end(), origin[1]
        if "sequence" in extra:
            pos = _skip_own_sequence(text, pos, extra)
    if mark := _CLOCK_MARK.match(text, pos):
        pos = mark.end()
        extra["clock"] = _CLOCK_MARKS[mark[0]]
    if uptime := _UPTIME.match(text, pos):
        pos = uptime.end()
        extra["uptime"] = uptime[1]
    return pos, host


def _skip_own_sequence(text: str, pos: int, extra: dict[str, Any]) -> int:
    """Pass over the number of `service sequence-numbers`, beside the count of messages: before or after the origin."""
    own = _OWN_SEQUENCE.match(text, pos)
    if own is None or "own_sequence" in extra:
        return pos
    extra["own_sequence"] = own[1]
    return own.end()


def _after_stamp(text: str, stamp: Stamp, host: str | None, extra: dict[str, Any]) -> _Header:
    """Close the header behind the time; a colon there says that no host follows."""
    if stamp.zone is not None:
        extra["zone"] = stamp.zone
    colon = _COLON.match(text, stamp.end)
    end = _end_of(_BLANKS, text, colon.end() if colon else stamp.end)
    return _Header(end, stamp, host, colon is not None or host is not None, extra)


def _read_body(text: str, header: _Header) -> _Body:
    """Read host and tag; what is left is the message."""
    pos, host, extra = header.end, header.host, header.extra
    has_time = header.stamp is not None
    if has_time and (forwarded := _FORWARDED.match(text, pos)):
        host, pos = _take_forwarded(forwarded, None, extra)
    elif has_time and (inner := _skip_inner_header(text, pos, extra)) > pos:
        pos = inner
    elif not header.hostless and not _REPEATED.match(text, pos):
        host, pos = _read_host(text, pos, has_time=has_time)
        if host is not None:
            host, pos = _skip_relayed(text, host, pos, extra)
    tag = _read_tag(text, pos, may_guess=host is not None, has_time=has_time)
    msgid, message = _read_text(text, tag.end, extra)
    return _Body(host, tag.app, tag.pid, msgid, message, tag.is_certain)


def _take_forwarded(found: re.Match[str], relay: str | None, extra: dict[str, Any]) -> tuple[str, int]:
    extra["forwarded_from"] = found[1]
    if relay is not None:
        extra["forwarded_by"] = relay
    return found[1], found.end()


def _read_host(text: str, pos: int, *, has_time: bool) -> tuple[str | None, int]:
    """Read the host at `pos`, if the word there is one; return it and where the tag should begin."""
    found = _HOST.match(text, pos)
    if found is None:
        odd = _ODD_HOST.match(text, pos) if has_time else None
        if odd and _is_tag(text, odd.end() + 1):
            return None if odd[0] == "-" else odd[0].rstrip(":"), odd.end() + 1
        return None, pos
    word, end = found[1], _end_of(_BLANKS, text, found.end())
    colon = _COLON.match(text, found.end())
    after = _end_of(_BLANKS, text, colon.end()) if colon else end
    if _CISCO_TAG.match(text, after):
        return word.rstrip(":") or None, after
    if not has_time:
        return None, pos
    if _is_address(word):
        return word, after
    if word.endswith(":") and _is_address(word[:-1]):
        return word[:-1], end
    if end == len(text) or word in _LEVELS or _is_tag(text, pos):
        return None, pos
    return word, after


def _skip_relayed(text: str, host: str, pos: int, extra: dict[str, Any]) -> tuple[str, int]:
    """Pass over what stands between host and tag: AIX's note, an address, F5's level, Cisco's own header."""
    if text.startswith("Message ", pos) and (forwarded := _FORWARDED.match(text, pos)):
        return _take_forwarded(forwarded, host, extra)
    if word := _HOST.match(text, pos):
        after = _end_of(_BLANKS, text, word.end())
        key = "level" if word[1] in _LOWER_LEVELS else "address" if _is_address(word[1]) else None
        if key is not None and _is_tag(text, after):
            extra[key] = word[1]
            return host, after
    return host, _skip_inner_header(text, pos, extra)


_INNER_HEADER_CHARS: Final = 400
"""Sequence, origin, node and time, all as long as they may be, end before this; 0.2 µs tell that none is there."""


def _skip_inner_header(text: str, pos: int, extra: dict[str, Any]) -> int:
    """Pass over a header of Cisco's that stands behind a relay's; only its tag makes it certain to be one."""
    if text.find("%", pos + 1, pos + _INNER_HEADER_CHARS) < 0:
        return pos
    inner: dict[str, Any] = {}
    after, _ = _read_cisco_prefix(text, pos, inner)
    stamp = read_stamp(text, after, 0, None)
    if stamp is not None:
        inner["device_time"] = text[after : stamp.end]
        colon = _COLON.match(text, stamp.end)
        after = _end_of(_BLANKS, text, colon.end() if colon else stamp.end)
    if not inner or not _CISCO_TAG.match(text, after):
        return pos
    extra.update(inner)
    return after


def _is_tag(text: str, pos: int) -> bool:
    """Tell whether a tag beyond doubt stands at `pos`."""
    return _read_tag(text, pos, may_guess=False, has_time=True).is_certain


def _read_tag(text: str, pos: int, *, may_guess: bool, has_time: bool) -> _Tag:
    """Read `tag[pid]: `; with `may_guess` also a word that only looks like a program's name."""
    none = _Tag(None, None, pos, False)
    found = _TAG.match(text, pos)
    if found is None or _REPEATED.match(text, pos):
        return none
    name, pid, colon, blank = found.groups()
    end = found.end()
    if colon is None and blank is None:
        return none
    if pid is not None or _CISCO_TAG.fullmatch(name):
        return _Tag(name, pid or None, end, True)
    if not _LETTER.search(name):
        return none
    is_program = _PROGRAM.fullmatch(name) is not None
    if colon is not None and blank is not None:
        # Without a time before it, `Warning: …` is a sentence.
        return _Tag(name, None, end, True) if has_time or is_program else none
    if not may_guess or not is_program:
        return none
    if colon is not None:
        # `app:text`, but not `CEF:0|…`, `http://…`, `C:\…`
        return _Tag(name, None, end, False) if _LETTER.match(text, end) else none
    return _Tag(name, None, end, False) if end < len(text) else none


def _read_text(text: str, pos: int, extra: dict[str, Any]) -> tuple[str | None, str]:
    """Return msgid and message of the text at `pos`."""
    if text.startswith("\ufeff", pos):
        pos += 1
    msgid = None
    if solaris := _SOLARIS_ID.match(text, pos):
        msgid, pos = solaris[1], solaris.end()
        extra["id"] = solaris[0][1:-2]
    if repeated := _REPEATED.match(text, pos):
        extra["repeated"] = int(repeated[1])
    return msgid, text[pos:]


def _is_address(word: str) -> bool:
    """Tell whether a word is an IP address."""
    if ":" not in word and not word[:1].isdigit():
        return False
    try:
        ip_address(word)
    except ValueError:
        return False
    return True


def _end_of(pattern: re.Pattern[str], text: str, pos: int) -> int:
    """Return where a pattern that matches everywhere stops."""
    found = pattern.match(text, pos)
    return found.end() if found else pos
