"""Times as people give them: RFC 3339, dates, `2h`, `today`. Knows no store; the clock is an argument."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import tzinfo

FORMS: Final = "RFC 3339 (2026-01-31T08:00:00Z), a date, 'today', 'yesterday', 'now', or an age: 30s 15m 2h 1d 1w"

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO: Final = timedelta(microseconds=1)
_UNITS_US: Final = {"s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000, "w": 604_800_000_000}
_DURATION: Final = re.compile(r"(\d{1,9})([smhdw])", re.ASCII)
_MOMENT: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)([Zz]|[+-]\d\d:\d\d)?)?", re.ASCII
)
_DAYS: Final = {"today": 0, "yesterday": 1}


def now_us() -> int:
    """Ask the wall clock."""
    return to_us(datetime.now(UTC))


def parse_when(text: str, now: int, zone: tzinfo | None = UTC) -> int:
    """Turn a time into µs UTC; `zone` is meant where the text names none (None: this machine's).

    Raises ValueError with one sentence.
    """
    word = text.strip().lower()
    if word == "now":
        return now
    if word in _DAYS:
        return _midnight(now, zone, _DAYS[word])
    if age := _DURATION.fullmatch(word):
        return now - int(age[1]) * _UNITS_US[age[2]]
    moment = _MOMENT.fullmatch(text.strip())
    if moment is None:
        raise ValueError(f"'{text}' is not a time; give {FORMS}")
    date, clock, offset = moment.groups()
    try:
        parsed = datetime.fromisoformat(f"{date}T{(clock or '00:00').replace(',', '.')}{(offset or '').upper()}")
        return to_us(parsed if offset else _in_zone(parsed, zone))
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"'{text}' is not a time: {error}") from error


def parse_duration(text: str) -> int:
    """Turn `1h` into µs; raises ValueError with one sentence."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None or not int(match[1]):
        raise ValueError(f"'{text}' is not a duration; give one like 30s, 15m, 1h, 1d or 1w")
    return int(match[1]) * _UNITS_US[match[2]]


def to_us(moment: datetime) -> int:
    """Exact µs since 1970; floats would lose the last digit."""
    return (moment - _EPOCH) // _MICRO


def to_datetime(micros: int, zone: tzinfo | None = UTC) -> datetime | None:
    """Give the moment in a zone (None: this machine's); None where the calendar ends."""
    try:
        return (_EPOCH + timedelta(microseconds=micros)).astimezone(zone)
    except (OverflowError, ValueError, OSError):
        return None


def _midnight(now: int, zone: tzinfo | None, days_ago: int) -> int:
    today = (_EPOCH + timedelta(microseconds=now)).astimezone(zone)
    day = today.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None) - timedelta(days=days_ago)
    return to_us(_in_zone(day, zone))


def _in_zone(naive: datetime, zone: tzinfo | None) -> datetime:
    return naive.astimezone() if zone is None else naive.replace(tzinfo=zone)
