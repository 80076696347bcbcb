"""Reads the times senders write: RFC 5424 §6.2.3 strictly, RFC 3164 §4.1.2 as devices really send it.

Knows no clock: where a year is missing, the receive time is an argument. Knows no host, tag or message. Times are
integer microseconds since 1970 UTC; one beyond ±(2^53−1) is no time at all.

Decided here:

- A missing year is the one that puts the time nearest to the receive time, among years in which the date exists
  (29 February may lie four years away); of two equally near, the past.
- A time without zone takes the zone it is given (from the config) and is then as good as a zoned one: `full` with a
  year, `no_year` without. With no zone known it is read as UTC and marked `no_zone` or `no_year_zone`.
- In text only `Z`, `UTC`, `GMT` and numeric offsets are zones. Abbreviations (`EST`, `IST`, `CST`) mean several
  zones each: they are passed over, reported as written, and the time counts as zoneless.
- Second 60 is the next minute's second 0, except in RFC 5424, whose ABNF ends at 59.
- Fractions finer than a microsecond are cut off, not rounded.

Invariant: the caches change speed only; the same text and receive time always give the same answer.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final, NamedTuple

from receiver import limits
from receiver.event import MAX_TIME_US, TimeQuality

if TYPE_CHECKING:
    from datetime import tzinfo

_SECOND_US: Final = 1_000_000
_DAY_US: Final = 86_400 * _SECOND_US
_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_SURELY_NEAREST_US: Final = 180 * _DAY_US
"""Two years' candidates lie 365 days apart or more: one closer than this has no rival."""

_MONTHS: Final = {
    "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6,
    "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip

FULL: Final = TimeQuality.FULL.value
NO_ZONE: Final = TimeQuality.NO_ZONE.value
NO_YEAR: Final = TimeQuality.NO_YEAR.value
NO_YEAR_ZONE: Final = TimeQuality.NO_YEAR_ZONE.value
UNPARSED: Final = TimeQuality.UNPARSED.value
MISSING: Final = TimeQuality.MISSING.value


# --- RFC 5424 ---

# TIMESTAMP = NILVALUE / FULL-DATE "T" FULL-TIME; FULL-DATE = 4DIGIT "-" 2DIGIT "-" 2DIGIT;
# PARTIAL-TIME = 2DIGIT ":" 2DIGIT ":" 2DIGIT [ "." 1*6DIGIT ]; TIME-OFFSET = "Z" / ("+" / "-") 2DIGIT ":" 2DIGIT
STRICT: Final = (
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,6}))?(Z|[+-][0-9]{2}:[0-9]{2})"
)
"""The ABNF as a regex: the time to the second, the fraction's digits, the offset. For `strict_us`."""

_STRICT: Final = re.compile(STRICT)
_SCALE: Final = (0, 100_000, 10_000, 1_000, 100, 10, 1)  # by number of fraction digits, to µs
_strict_seconds: dict[str, int] = {}
_offsets: dict[str, int | None] = {"Z": 0}  # grows to the 2880 that exist and 17 120 that do not, no further


def strict_us(seconds: str, fraction: str | None, offset: str) -> int | None:
    """Return µs for the three groups of `STRICT`; None if there is no such time.

    0.35 µs where the second was seen before, against 0.9 by `datetime.fromisoformat`.
    """
    base = _strict_seconds.get(seconds)
    if base is None:
        base = _read_strict_seconds(seconds)
        if base is None:
            return None
    if fraction is not None:
        base += int(fraction) * _SCALE[len(fraction)]
    if offset == "Z":
        return base
    shift = _offsets[offset] if offset in _offsets else _read_offset(offset)
    return None if shift is None else base - shift


def parse_strict(text: str) -> int | None:
    """Return µs for an RFC 5424 TIMESTAMP other than NILVALUE; None if it breaks the ABNF or does not exist."""
    found = _STRICT.fullmatch(text)
    return strict_us(found[1], found[2], found[3]) if found else None


def _read_strict_seconds(text: str) -> int | None:
    """Read `YYYY-MM-DDTHH:MM:SS` and remember it."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    base = _us_of(moment)
    # A day short of the bound, so that no fraction or offset can lead over it.
    if abs(base) > MAX_TIME_US - _DAY_US:
        return None
    if len(_strict_seconds) >= limits.TIME_CACHE_ENTRIES:
        _strict_seconds.clear()
    _strict_seconds[text] = base
    return base


def _read_offset(text: str) -> int | None:
    """Read `±HH:MM`, to ±23:59, and remember it."""
    hours, minutes = int(text[1:3]), int(text[4:6])
    shift: int | None = None
    if hours < 24 and minutes < 60:
        shift = (hours * 60 + minutes) * 60 * _SECOND_US
        if text[0] == "-":
            shift = -shift
    _offsets[text] = shift
    return shift


# --- RFC 3164 ---

_bsd_seconds: dict[tuple[str, tzinfo | None], int] = {}


def bsd_us(text: str, received_at: int, zone: tzinfo | None) -> int | None:
    """Return µs for `Mmm dd HH:MM:SS` (RFC 3164 §4.1.2, shape already checked); None if there is no such time.

    0.2 µs where the second was seen before.
    """
    key = (text, zone)
    us = _bsd_seconds.get(key)
    if us is not None and -_SURELY_NEAREST_US < received_at - us < _SURELY_NEAREST_US:
        return us
    clock = _Clock(
        None, _MONTHS[text[:3].lower()], int(text[4:6]), int(text[7:9]), int(text[10:12]), int(text[13:15]), 0
    )
    us = clock.nearest_us(received_at, zone)
    if us is not None:
        if len(_bsd_seconds) >= limits.TIME_CACHE_ENTRIES:
            _bsd_seconds.clear()
        _bsd_seconds[key] = us
    return us


class Stamp(NamedTuple):
    """A time found in text, and where it ends.

    time: None when it has the shape of a time and there is no such time; quality is then `unparsed`.
    zone: an abbreviation that was passed over, as written.
    """

    time: int | None
    quality: str
    end: int
    zone: str | None
    is_bsd: bool
    """Written with a month name: text that opens so is a syslog header, which ISO dates do not prove."""


class _Clock(NamedTuple):
    """What a clock on the wall shows."""

    year: int | None
    month: int
    day: int
    hour: int
    minute: int
    second: int
    microsecond: int

    def us(self, year: int, zone: tzinfo | None) -> int | None:
        """Return µs in this year and zone (UTC if none); None if there is no such time."""
        leap = self.second == 60
        try:
            moment = datetime(  # noqa: DTZ001 - the zone is applied below: exact beyond the years datetime has
                year, self.month, self.day, self.hour, self.minute, 59 if leap else self.second, self.microsecond
            )
            shift = None if zone is None or zone is UTC else moment.replace(tzinfo=zone).utcoffset()
        except (ValueError, OverflowError):
            return None
        us = _us_of(moment) + (_SECOND_US if leap else 0)
        if shift is not None:
            us -= shift // timedelta(microseconds=1)
        return us if -MAX_TIME_US <= us <= MAX_TIME_US else None

    def nearest_us(self, received_at: int, zone: tzinfo | None) -> int | None:
        """Return µs in the year that brings it nearest to `received_at`; None if no year has such a time."""
        year = _year_of(received_at)
        this = self.us(year, zone)
        if this is not None and abs(received_at - this) < _SURELY_NEAREST_US:
            return this
        reach = 8 if (self.month, self.day) == (2, 29) else 1  # 1896 to 1904 is eight years
        candidates = (self.us(near, zone) for near in range(year - reach, year + reach + 1))
        return min(
            (us for us in candidates if us is not None), key=lambda us: (abs(us - received_at), us), default=None
        )


_MONTH: Final = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_TIME: Final = (
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,12}))?"
    r"(?P<offset>z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
_WEEKDAY: Final = r"(?:(?:mon|tue|wed|thu|fri|sat|sun),? {1,3})?"
# Mmm dd HH:MM:SS, as RFC 3164 has it; with the year first (Cisco NX-OS) or in the middle (Cisco ASA, Huawei).
_BSD_FORM: Final = re.compile(
    rf"{_WEEKDAY}(?:(?P<year_first>[0-9]{{4}}) {{1,3}})?{_MONTH} {{1,3}}(?P<day>[0-9]{{1,2}})"
    rf"(?:,? {{1,3}}(?P<year>[0-9]{{4}}))?,? {{1,3}}{_TIME}",
    re.ASCII | re.IGNORECASE,
)
# YYYY-MM-DDTHH:MM:SS and its relatives (rsyslog's file format, ESXi, every application).
_ISO_FORM: Final = re.compile(
    rf"(?P<year>[0-9]{{4}})([-/])(?P<month>[0-9]{{2}})\2(?P<day>[0-9]{{2}})(?:T| {{1,3}}){_TIME}",
    re.ASCII | re.IGNORECASE,
)
# dd Mmm [YYYY] HH:MM:SS (RFC 5322 order; BIND and Oracle write dd-Mmm-YYYY).
_DAY_FORM: Final = re.compile(
    rf"{_WEEKDAY}(?P<day>[0-9]{{1,2}})[ -]{_MONTH}(?:[ -](?P<year>[0-9]{{4}}))? {_TIME}",
    re.ASCII | re.IGNORECASE,
)
_WEEKDAYS: Final = frozenset({"mon", "tue", "wed", "thu", "fri", "sat", "sun"})
# Seconds since 1970, which Meraki writes after a bare `1`.
_UNIX_TIME: Final = re.compile(r"(?P<seconds>[1-9][0-9]{8,9})\.(?P<fraction>[0-9]{1,12})(?= )")

ABBREVIATIONS: Final = frozenset({
    "ACDT", "ACST", "ADT", "AEDT", "AEST", "AKDT", "AKST", "AST", "AWST", "BRST", "BRT", "BST", "CDT", "CEST", "CET",
    "CLST", "CLT", "CST", "EDT", "EEST", "EET", "EST", "HDT", "HKT", "HST", "ICT", "IDT", "IRST", "IST", "JST", "KST",
    "MDT", "MEST", "MESZ", "MET", "MEZ", "MSD", "MSK", "MST", "NPT", "NST", "NZDT", "NZST", "PDT", "PET", "PHT", "PKT",
    "PST", "SAST", "SGT", "TRT", "WAT", "WEST", "WET", "WIB",
})  # fmt: skip
"""Zone names in use that stand for several zones, or for none that text alone tells."""
# A year, an offset, UTC, or a name that may be an abbreviation. A colon inside the word is an IPv6 address instead
# (`10:00:00 2001:db8::1`); `: %` after it is Cisco's, where a zone may have any name (a host too, hence the T).
_AFTER: Final = re.compile(
    r" {1,3}(?:((?:19|20)[0-9]{2})|(?:UTC|GMT|Z)?([+-][0-9]{1,2}(?::?[0-9]{2})?)|(UTC|GMT|Z)"
    r"|([A-Z]{3,5}|TZ[+-][0-9]{1,2}))(?= |:(?: |\Z)|\Z)(: %)?"
)


def read_stamp(text: str, pos: int, received_at: int, zone: tzinfo | None) -> Stamp | None:
    """Read the time that begins at `pos` in one of the forms above; None if none does.

    A year or a zone after the time belongs to it. The end is before the blank or colon that follows.
    """
    form = _form_at(text, pos)
    found = form.match(text, pos) if form else None
    if found is None:
        return None
    groups = found.groupdict()
    month = groups.get("month")
    if month is None:
        unix_us = int(groups["seconds"]) * _SECOND_US + _fraction_us(groups["fraction"])
        if unix_us > MAX_TIME_US:
            return Stamp(None, UNPARSED, found.end(), None, False)
        return Stamp(unix_us, FULL, found.end(), None, False)
    after = _read_after(text, found.end(), groups["year"] or groups.get("year_first"), groups["offset"])
    if text[after.end : after.end + 1] not in _ENDS:
        return None
    is_bsd = not month.isdigit()
    clock = _Clock(
        None if after.year is None else int(after.year),
        _MONTHS[month.lower()] if is_bsd else int(month),
        int(groups["day"]),
        int(groups["hour"]),
        int(groups["minute"]),
        int(groups["second"]),
        _fraction_us(groups["fraction"] or ""),
    )
    us, quality = _place(clock, after.offset, received_at, zone)
    return Stamp(us, quality, after.end, after.zone, is_bsd)


_ENDS: Final = ("", " ", "\t", ":")


def _form_at(text: str, pos: int) -> re.Pattern[str] | None:
    """Choose the form by what it begins with: four regexes in turn cost 4 µs on every text without a time."""
    head = text[pos : pos + 5]
    if not head[:1].isdigit():
        name = head[:3].lower()
        if name in _WEEKDAYS:
            return _DAY_FORM if text[pos + 3 : pos + 8].lstrip(" ,")[:1].isdigit() else _BSD_FORM
        return _BSD_FORM if name in _MONTHS else None
    if head[4:] in {"-", "/"}:
        return _ISO_FORM
    if head[4:] == " ":
        return _BSD_FORM
    return _UNIX_TIME if head.isdigit() else _DAY_FORM


class _After(NamedTuple):
    """What follows a time and belongs to it."""

    end: int
    year: str | None
    offset: str | None
    zone: str | None


def _read_after(text: str, end: int, year: str | None, offset: str | None) -> _After:
    """Take a year and a zone, in either order (`10:52:01 2024 UTC`, `05:34:00 CST 1987`, `12:12:12 PDT -8:00`)."""
    zone = None
    while found := _AFTER.match(text, end):
        found_year, found_offset, utc, name, cisco = found.groups()
        if found_year and year is None:
            year = found_year
        elif (found_offset or utc) and offset is None:
            offset = found_offset or "Z"
        elif name and zone is None and (name in ABBREVIATIONS or name[:2] == "TZ" or (cisco and name[-1] == "T")):
            zone = name
        else:
            break
        end = found.end() - (3 if cisco else 0)
    return _After(end, year, offset, zone)


def _place(clock: _Clock, offset: str | None, received_at: int, zone: tzinfo | None) -> tuple[int | None, str]:
    """Set a clock's reading into the world: its own offset, else the zone, else UTC."""
    if offset is not None:
        zone = _fixed_zone(offset)
        if zone is None:
            return None, UNPARSED
    if clock.year is not None:
        us = clock.us(clock.year, zone)
        quality = NO_ZONE if zone is None else FULL
    else:
        us = clock.nearest_us(received_at, zone)
        quality = NO_YEAR_ZONE if zone is None else NO_YEAR
    return us, UNPARSED if us is None else quality


def _fixed_zone(text: str) -> tzinfo | None:
    """Read `Z`, `±H`, `±HH`, `±HHMM`, `±HH:MM` up to ±23:59; None beyond."""
    if text in {"Z", "z"}:
        return UTC
    digits = text[1:].replace(":", "")
    hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
    if hours > 23 or minutes > 59:
        return None
    shift = timedelta(hours=hours, minutes=minutes)
    return timezone(-shift if text[0] == "-" else shift)


def _fraction_us(digits: str) -> int:
    return int(digits[:6].ljust(6, "0"))


def _us_of(moment: datetime) -> int:
    """Return µs since 1970 of a naive UTC time; exact, unlike `timestamp()`."""
    days = moment.toordinal() - _EPOCH_ORDINAL
    seconds = ((days * 24 + moment.hour) * 60 + moment.minute) * 60 + moment.second
    return seconds * _SECOND_US + moment.microsecond


def _year_of(us: int) -> int:
    """Return the UTC year of a receive time."""
    day = us // _DAY_US + _EPOCH_ORDINAL
    return date.fromordinal(max(1, min(day, date.max.toordinal()))).year
