"""Other ways to read a text that no rule took: another program's line, passed on in a message or read from a file.

Knows the shapes of such lines: a header inside the message (relays, containers, `imfile`), a time in a form of the
program's own, `name[pid]: `, and how lines of each program begin in its own log file (`lines` of packs). Knows no rule:
whoever asks tries the readings in turn, and one that no rule takes says nothing.

A name is believed only if a pack knows it, and a line's beginning only if a rule takes what follows. Whoever may write
a program's log may write any name into it, as `logger -t` may; so the event says under `data.program` what was read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from receiver.wire.timestamp import MISSING, read_stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_DEEPEST: Final = 3
"""Headers inside of headers that are passed over."""

_TAG_CHARS: Final = 90
"""A name and a pid, as long as they may be, end before this."""

# PRI; NestJS' name, Murmur's level, a level before the time, Domino's task, the level of Ruby's Logger, Dropbear's pid.
_PRI = re.compile(
    r"<(?:\d{1,3}>(?:1 (?=\d{4}-))?|[A-Z]>(?=\d{4}-))|[\[(][A-Za-z]{1,8}[\])] (?=\d{4}[-/]\d\d[-/])"
    r"|\[Nest\] \d{1,9} {1,2}- |\[[0-9A-F]{2,8}:[0-9A-F]{4,8}-[0-9A-F]{2,16}\] {1,4}|[DIWEFA], (?=\[\d{4}-)"
    r"|(?:DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL) {1,4}(?=\d{4}-\d\d-\d\d[ T])"
    r"|\[\d{1,7}\] (?=[A-Z][a-z]{2} [ \d]\d \d\d:)"
)
# Times that are no syslog header's: MySQL's 231011 14:32:52, the Common Log Format's, a date as figures in any order
# (NetScaler's 11/22/2026:10:00:00), Zabbix' pid:date:time, seconds since 1970, TAI64N of multilog, zerolog's `3:04PM`,
# RFC 1123's, Node-RED's, the time alone.
_OWN_TIME = re.compile(
    r"(?:\d{6} {1,2}\d{1,2}:\d\d:\d\d"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?Z?"
    r"|\d{1,2}/[A-Z][a-z]{2}/\d{4}[: ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: [+-]\d{4})?"
    r"|\d{4}\.\d{1,2}\.\d{1,2} \d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?"
    r"|\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d\d)(?:,? |:)\d{1,2}:\d\d:\d\d(?:[.,:]\d{1,9})?(?: ?[AaPp][Mm])?"
    r"|[A-Za-z][a-z]{2,8} {1,2}\d{1,2}, \d{4} \d{1,2}:\d\d:\d\d(?:[.,]\d{1,9})?(?: [AP]M)?"
    r"|\d{1,2}-[A-Z]{3}-\d{4} \d\d:\d\d:\d\d"
    r"|[A-Z][a-z]{2}-\d\d-\d\d(?:\d\d)? \d\d:\d\d:\d\d"
    r"|\d{4}:\d\d:\d\d-\d\d:\d\d:\d\d"
    r"|[A-Z]{3,4} [A-Z][a-z]{2} {1,2}\d{1,2} \d\d:\d\d:\d\d"
    r"|\d{8}[ T-]\d\d:?\d\d:?\d\d"
    r"|\d{1,9}:\d{8}:\d{6}\.\d{3}"
    r"|[12]\d{9}(?:\.\d{1,9})?"
    r"|@4[0-9a-f]{23}"
    r"|\d{1,2}:\d\d[AP]M"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d (?:[+-]\d{4}|[A-Z]{3,4})"
    r"|\d{1,2} [A-Z][a-z]{2} \d\d:\d\d:\d\d(?= - \[)"
    r"|\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)(?=[\s\]>,:|;/])"
)
_HALF_DAY = re.compile(r" [AP]M\b")
"""Behind a time of twelve hours, which no header of syslog has."""
_OPEN: Final = frozenset("[(<")
_CLOSED_BY: Final = {"[": "]", "(": ")", "<": ">"}
_LONGEST_TIME: Final = 48
_CLOSE = re.compile(r"(?: #\d{1,9}(?=\])| [A-Z]{3,4}(?=: )| [+-]\d\d:?\d\d(?=[\])]))?[\])>]?(?:[,:;|]| -(?= ))?\s*")
_LEVEL: Final = r"(?: <[\w.]{1,20}>|\([A-Za-z]{1,10}\))?"
_NAME: Final = r"(?P<app>(?:\d(?=[a-z]))?[A-Za-z_/][\w./@()+-]{0,63})(?:\[(?P<pid>\d{1,10})\])?"
_TAG: Final = rf"{_NAME}{_LEVEL}:[ \t]{{1,4}}"
_LEVEL_NAME: Final = r"(?i:emerg|panic|alert|crit|critical|err|error|warn|warning|notice|info|debug)"
_WHERE_TO: Final = (
    rf"(?:<?(?i:[a-z]{{2,8}}\d?)(?:\|[a-z]{{2,8}})?[.:]{_LEVEL_NAME}>?[ \t]|<\d{{1,2}}\.\d>[ \t])?"
)
"""Facility and level before the name: BusyBox' `auth.info`, FreeBSD's `<auth.info>` and `<4.6>`, AIX'
`auth|security:info`, Kiwi's `Auth.Info`."""
_TAGGED = re.compile(_WHERE_TO + _TAG)
_HOST: Final = r"(?P<host>(?!BAD SU: )[A-Za-z0-9](?:[\w.:-]{0,253}[\w.-])?)"
"""BSD's su begins its text so: read as a host and a name, a refusal would be a success."""
_HOST_TAGGED = re.compile(rf"{_WHERE_TO}(?:(?:{_HOST}|\(none\))[ \t])?{_WHERE_TO}{_TAG}")
# Level and module, as libraries for logs write them behind the time: `[INFO] [shop.auth] `, `WARN {shop.web:290} `,
# Spring Boot's `WARN 12 --- [main] o.s.s.Login : `, Jetty's `WARN:oejs.Login:qtp-1: `,
# Rust's `INFO span{id=1}: app::auth: `, .NET's `info: Shop.Login[0] `.
_SEVERITY = re.compile(
    r"(?:trce|dbug|info|warn|fail|crit): [a-z][\w.]{1,100}\[\d{1,6}\]\s{1,8}|LOG \[[a-z][\w:~-]{1,80}\] "
    r"|(?:[A-Za-z_][\w.]{0,80} - (?=[A-Z]{4,8} - )|\{[\w.]{1,60}:\d{1,6}\} )?"  # as Python's loggers are often told
    r"(?:[+-]\d{4} )?(?:\[[\w=.:@/-]{1,64}\][ \t]{1,4})?(?:[\[(|] {0,4}(?:[\w-]{1,40}\.)?"
    r"|(?:production|local|staging)\.)?"
    r"(?:TRACE|DEBUG|INFO|NOTICE|WARNING|WARN|ERROR|CRITICAL|FATAL|SEVERE|INF|WRN|ERR|[DIWEN])\b"
    r"(?:\[\d{1,10}\])?(?: {0,5}[\])])?:?[ \t]{0,4}(?:-- : |: |[-|])? {0,4}"
    r"(?:(?:\[[\w,.-]{1,100}\] )?\d{1,7} --- )?(?:[\[{(][\w.:@/~ -]{1,64}[\]})] {0,4}[-:]? {0,4}){0,3}"
    r"(?:(?:[\w-]{1,40}\{[^{}]{0,400}\}:){1,6} )?"
    r"(?:<\w{1,20}>: |[a-z_]\w{0,40}(?:::\w{1,60}){1,12}: {1,4}"
    r"|[a-z]\w{0,30}(?:\.[\w$]{1,60}){1,12} {0,40}: {1,4}|[\w.]{1,60}:[\w-]{1,60}: "
    r"|(?<=[A-Z]:)[A-Za-z_][\w.]{0,80}:(?=[A-Za-z])"
    r"|(?!(?:Forbidden|Unauthorized): )[A-Za-z_][\w.]{0,80}(?:: {1,4}| - )|[a-z]{2,12}\.[\w.$]{2,80} {1,2}|- )?",
    re.IGNORECASE,
)
# Facility and level before the event, as Junos writes them with `explicit-priority`: `%AUTH-6-SSHD_LOGIN_FAILED: `.
_EXPLICIT = re.compile(
    r"%(?:AUTH|AUTHORIZATION|CHANGE|CONFLICT|CRON|DAEMON|DFC|FIREWALL|FTP|INTERACT|KERN|PFE|USER|LOCAL\d)-[0-7]-"
    r"(?!SYSTEM_MSG)(?=[A-Z][A-Z0-9]{1,20}_[A-Z0-9_]{2,40}: )"
)
_SEVERITY_BEGINS: Final = frozenset("+-[({|TDINWECFSLtdinwecfspl")
# Class and method, as java.util.logging writes them before the level, on a line of their own.
_METHOD = re.compile(
    r"[a-z]\w{0,30}(?:\.[\w$]{1,60}){1,12} [\w$<>]{1,60}\s{1,2}(?=(?:SEVERE|WARNING|INFO|CONFIG|FINE): )"
)
_HOST_ALONE = re.compile(rf"{_WHERE_TO}{_HOST}[ \t]{{1,2}}")
# A sentence that begins with a name is read as one that begins with `User` and the name, where a word of what people do
# follows: no rule could begin with anything. Whoever is no name (`Client logged in …`) is nobody.
_NAME_FIRST = re.compile(
    r"(?!(?i:the|an?|user|client|session|peer|host|server|device|node|agent|account|member|customer|player|guest|you|he"
    r"|she|it|they|who|someone|somebody|anyone|anybody|nobody|everyone|anonymous|unknown|not|no|never|connection|login"
    r"|logon|successfully|already|has|was|is|failed|one|all|system|remote|local|new|last|previously|currently)\b)"
    r"(?=[A-Za-z0-9_\"'])[^\s:;,=|()<>\[\]{}]{1,64} (?=(?:has |is |was )?(?:now )?(?:successfully )?"
    r"(?:logged (?:in|on|out|off)|signed (?:in|out)|authenticated"
    r"|failed to (?:log ?in|log on|sign in|authenticate)|login failed)\b)"
)
_NAME_MARKS: Final = frozenset("@\"'")
_ANY_ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:")
_DONE: Final = (" logged ", " signed ", " authenticat", " failed to ", " login failed")
_MODERN = re.compile(
    rf"{_HOST} (?P<app>[A-Za-z_/][\w./@()+-]{{0,47}}) (?:-|(?P<pid>\d{{1,10}})) [\w-]{{1,32}} (?:-|\[[^\]]{{1,512}}\]) "
)
"""What follows on the time in RFC 5424, where PRI and version were left off."""
# Who handed the line on, before it: containerd's stream and part, OSSEC's `(agent) address->file`, Solaris' ID,
# Docker Compose's name of the container, the display of a display manager.
_CARRIER = re.compile(
    r"(?:stdout|stderr) [FP] |(?:\([\w.-]{1,64}\) )?[\w.:-]{1,255}->\S{1,255} "
    r"|\[ID \d{1,12} [A-Za-z0-9]{1,20}\.[A-Za-z0-9]{1,20}\] "
    r"|[a-z0-9][\w.-]{0,60}(?:[_-]\d{1,4} | {2}) {0,40}\| |:\d{1,3}\[\d{1,9}\]: "
)
_WEEKDAY = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?=\d{4}-)")
_BRACKETED = re.compile(r"\[(?P<app>[A-Za-z_][\w./-]{0,63})(?:\[(?P<pid>\d{1,10})\])?\] ")


def may_read_otherwise(text: str) -> bool:
    """Say if there may be another reading of a text that came with a header: 0.2 µs, where looking takes 4."""
    start = text[:_TAG_CHARS]
    return not start[:1].isalpha() or ": " in start or "|" in start or any(map(start.__contains__, _DONE))


class Reading(NamedTuple):
    """A text, and what was read before it. app: None where only the text itself can tell whose it is."""

    app: str | None
    pid: str | None
    host: str | None
    time: int | None
    time_quality: str
    text: str


class LineStarts:
    """How lines of programs begin in their own log files."""

    def __init__(self, starts: Sequence[tuple[str, str]]) -> None:
        """Keep programs and expressions, in the order they are tried."""
        self._sources = tuple(starts)
        self._compiled: tuple[tuple[str, re.Pattern[str]], ...] | None = None

    def find(self, text: str) -> Iterator[tuple[str, str]]:
        """Give programs whose lines begin so, each with what follows."""
        if self._compiled is None:  # at the first line without a header: most receivers never see one
            self._compiled = tuple((app, re.compile(source, re.ASCII)) for app, source in self._sources)
        for app, start in self._compiled:
            if found := start.match(text):
                yield app, text[found.end() :]


def readings(
    text: str, received_at: int, knows: Callable[[str], bool], starts: LineStarts, app: str | None, *, is_bare: bool
) -> Iterator[Reading]:
    """Give other readings of a text, likeliest first.

    knows: whether any pack has rules for a program. app: the program that the header names. is_bare: no header came
    with the text, so that lines of programs' own files and texts that say all by themselves are looked for wherever
    they begin.
    """
    if app is not None and _begins_with_name(text):
        yield Reading(app, None, None, None, MISSING, f"User {text}")
    for reading in _behind_heads(text, received_at, knows, starts, app, is_bare=is_bare):
        yield reading
        if _begins_with_name(reading.text):
            yield reading._replace(text=f"User {reading.text}")


def _behind_heads(
    text: str, received_at: int, knows: Callable[[str], bool], starts: LineStarts, app: str | None, *, is_bare: bool
) -> Iterator[Reading]:
    is_known = app is not None and knows(app)
    host, time, quality = None, None, MISSING
    for _ in range(_DEEPEST):
        head = _head_of(text, received_at)
        text = head.text
        if head.has_time:
            time, quality = head.time, head.time_quality
        if app is not None and (head.has_time or head.is_handed_on):  # with a time of its own behind syslog's
            yield Reading(app, None, host, time, quality, text)
        tagged = _tag_of(text, head, is_bare=is_bare)
        names_known = _known_app(tagged, knows) is not None
        host = _host_of(tagged) or host
        if tagged and (names_known or (tagged.re is _BRACKETED and not is_known)):
            whose, pid = (tagged["app"], tagged["pid"]) if names_known else (app, None)  # `[Auth] `: a part of it
            yield Reading(whose, pid, host, time, quality, text[tagged.end() :])
        severity = _severity_at(text)
        may_be_alone = head.has_time and (is_bare or (app is None and head.is_whole)) and not (tagged or severity)
        behind = _HOST_ALONE.match(text) if may_be_alone else None
        if not is_known and (app is None or head.has_time or not text[:1].isalpha()):
            for whose, whence, rest in _begun_as(text, behind, starts):
                yield Reading(whose, None, whence or host, time, quality, rest)
        if is_bare:
            yield Reading(None, None, host, time, quality, text)
        if severity:
            yield Reading(app, None, host, time, quality, text[severity.end() :])
        inner = _rest_of(text, head, tagged, behind, received_at, is_known=is_bare and names_known)
        if inner is None:
            return  # what looks like a name by itself may be anybody's word
        text, host = inner, host or _host_of(behind)
        app = app or _known_app(tagged, knows)


def behind_head(text: str, received_at: int) -> tuple[str, int | None, str, bool]:
    """Return a text without time, level and module; the time; and if there was a level."""
    head = _head_of(text.lstrip(), received_at)
    severity = _severity_at(head.text)
    rest = head.text[severity.end() :] if severity else head.text
    return rest, head.time, head.time_quality, severity is not None


def _begins_with_name(text: str) -> bool:
    """Say if a sentence begins with a name: any word may, so that quotes, an @ or an address must speak for it."""
    name = _NAME_FIRST.match(text)
    if name is None:
        return False
    return not _NAME_MARKS.isdisjoint(name[0]) or _ANY_ADDRESS.search(text, name.end()) is not None


def _severity_at(text: str) -> re.Match[str] | None:
    """Match the level that a text begins with."""
    if text[:1] == "%":
        return _EXPLICIT.match(text)
    return _SEVERITY.match(text) if text[:1] in _SEVERITY_BEGINS or " - " in text[:_TAG_CHARS] else None


def _rest_of(
    text: str,
    head: _Head,
    tagged: re.Match[str] | None,
    behind: re.Match[str] | None,
    received_at: int,
    *,
    is_known: bool,
) -> str | None:
    """Return the text behind what was passed over, in which another header may stand; None if nothing was."""
    if tagged and (head.is_begun or tagged["pid"] or is_known):
        return text[tagged.end() :]
    if behind and _has_time(text[behind.end() :], received_at):
        return text[behind.end() :]  # behind the relay's time and host
    return text if head.is_handed_on else None


def _begun_as(text: str, behind: re.Match[str] | None, starts: LineStarts) -> Iterator[tuple[str, str | None, str]]:
    """Give programs whose lines begin as the text does, or as it does behind a host: program, host, what follows."""
    for whose, rest in starts.find(text):
        yield whose, None, rest
    if behind is not None:
        for whose, rest in starts.find(text[behind.end() :]):
            yield whose, behind["host"], rest


class _Head(NamedTuple):
    """What stands before a name: PRI, time, who handed the line on. text: what follows. is_whole: PRI and time."""

    text: str
    time: int | None
    time_quality: str
    has_time: bool
    is_begun: bool
    is_handed_on: bool
    is_whole: bool


def _head_of(text: str, received_at: int) -> _Head:
    pri = _PRI.match(text)
    if pri:
        text = text[pri.end() :]
    begins = 1 if text[:1] in _OPEN else 0
    end, time, quality = _time_at(text, begins, received_at)
    has_time = end > begins
    if has_time:
        text = text[_CLOSE.match(text, end).end() :]  # type: ignore[union-attr] # matches everywhere
        method = _METHOD.match(text)
        text = text[method.end() :] if method else text
    carrier = _CARRIER.match(text)
    if carrier:
        text = text[carrier.end() :]
    is_whole = has_time and pri is not None
    return _Head(text, time, quality, has_time, has_time or pri is not None, carrier is not None, is_whole)


def _tag_of(text: str, head: _Head, *, is_bare: bool) -> re.Match[str] | None:
    tagged = (_HOST_TAGGED if head.is_begun else _TAGGED).match(text) or _BRACKETED.match(text)
    if tagged is None and head.has_time:
        tagged = _MODERN.match(text)
    if tagged is None and is_bare:  # a file that keeps hosts but no times
        tagged = _HOST_TAGGED.match(text)
    return tagged


def _known_app(tagged: re.Match[str] | None, knows: Callable[[str], bool]) -> str | None:
    """Return the program that is named, if a pack knows it."""
    return tagged["app"] if tagged and knows(tagged["app"]) else None


def _host_of(tagged: re.Match[str] | None) -> str | None:
    """Return the host before a name, if one stands there."""
    return tagged.groupdict().get("host") if tagged else None


def _has_time(text: str, received_at: int) -> bool:
    """Say if a text begins with a time."""
    begins = 1 if text[:1] in _OPEN else 0
    return _time_at(text, begins, received_at)[0] > begins


def _time_at(text: str, start: int, received_at: int) -> tuple[int, int | None, str]:
    """Return where the time at `start` ends, and what it says; `start` if there is none."""
    weekday = _WEEKDAY.match(text, start)
    if weekday:  # journalctl's short-full
        start = weekday.end()
    close = text.find(_CLOSED_BY.get(text[0], ")"), start, start + _LONGEST_TIME) if start else -1
    stamp = read_stamp(text[:close] if close > 0 else text, start, received_at, None)
    if stamp is not None and not _HALF_DAY.match(text, stamp.end):
        return stamp.end, stamp.time, stamp.quality
    own = _OWN_TIME.match(text, start)
    return (own.end() if own else start), None, MISSING


_JUNOS: Final = "junos@2636."
_PARAMS_CHARS: Final = 8_192


def structured_text(msgid: str | None, data: dict[str, dict[str, Any]]) -> str | None:
    """Write the event that Junos sends as structured data as one text for rules; None when there is none.

    Quotes and backslashes are escaped, so that no value can fake a field.
    """
    params = next((params for name, params in data.items() if name.startswith(_JUNOS)), None)
    if params is None or not msgid:
        return None
    fields = [f"junos event={msgid}"]
    for name, value in params.items():
        if isinstance(value, str):
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            fields.append(f'{name}="{escaped}"')
            if name == "ssh-connection":  # client, port, server, port
                fields.append(f'ssh-source="{escaped.partition(" ")[0]}"')
    return " ".join(fields)[:_PARAMS_CHARS]
