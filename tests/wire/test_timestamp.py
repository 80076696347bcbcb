"""Times as senders write them: strict where RFC 5424 is, nearest year where RFC 3164 says none."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver import limits
from receiver.event import MAX_TIME_US
from receiver.wire import timestamp
from receiver.wire.timestamp import bsd_us, parse_strict, read_stamp
from tests.kit.wire_cases import us

NOW = us(2024, 3, 2, 12)
BERLIN = ZoneInfo("Europe/Berlin")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # RFC 5424 §6.2.3.1, examples 1 to 4
        ("1985-04-12T23:20:50.52Z", us(1985, 4, 12, 23, 20, 50, 520_000)),
        ("1985-04-12T19:20:50.52-04:00", us(1985, 4, 12, 23, 20, 50, 520_000)),
        ("2003-10-11T22:14:15.003Z", us(2003, 10, 11, 22, 14, 15, 3000)),
        ("2003-08-24T05:14:15.000003-07:00", us(2003, 8, 24, 12, 14, 15, 3)),
        ("2024-02-29T00:00:00Z", us(2024, 2, 29)),
        ("2024-01-05T10:00:00+23:59", us(2024, 1, 4, 10, 1)),
        ("2024-01-05T10:00:00-23:59", us(2024, 1, 6, 9, 59)),
        ("2024-01-05T10:00:00-00:00", us(2024, 1, 5, 10)),
        ("1969-12-31T23:59:59.999999Z", -1),
        ("2255-01-01T00:00:00Z", us(2255, 1, 1)),
        ("1685-01-01T00:00:00Z", us(1685, 1, 1)),
    ],
)
def test_strict(text, expected):
    """What the ABNF allows is exact to the microsecond; a second look (from the cache) says the same."""
    assert parse_strict(text) == expected
    assert parse_strict(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2003-08-24T05:14:15.000000003-07:00",  # example 5 of §6.2.3.1: nanoseconds
        "2024-01-05t10:00:00Z",
        "2024-01-05T10:00:00z",
        "2024-01-05 10:00:00Z",
        "2024-01-05T10:00:00",
        "2024-01-05T10:00:00.Z",
        "2024-01-05T10:00:00,5Z",
        "2024-01-05T10:00:00+0100",
        "2024-01-05T10:00:00+01",
        "2024-01-05T10:00:00+24:00",
        "2024-01-05T10:00:00+01:60",
        "2024-01-05T10:00:00Zulu",
        "2024-01-05T10:00Z",
        "2024-01-05",
        "2024-W01-5T10:00:00Z",
        "2024-13-05T10:00:00Z",
        "2024-02-30T10:00:00Z",
        "2023-02-29T10:00:00Z",
        "2024-00-05T10:00:00Z",
        "2024-01-00T10:00:00Z",
        "2024-01-05T24:00:00Z",
        "2024-01-05T10:60:00Z",
        "2016-12-31T23:59:60Z",
        "0000-01-05T10:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "２024-01-05T10:00:00Z",
        "24-01-05T10:00:00Z",
        "",
        "-",
        "1704448800",
    ],
)
def test_strict_refuses(text):
    """What breaks the ABNF or does not exist is no time, also when asked twice."""
    assert parse_strict(text) is None
    assert parse_strict(text) is None


@settings(max_examples=200, deadline=None)
@given(st.datetimes(datetime(1690, 1, 1), datetime(2250, 1, 1)), st.integers(-1439, 1439), st.integers(0, 6))  # noqa: DTZ001
def test_strict_agrees_with_datetime(moment, offset_minutes, digits):
    """Any time, fraction length and offset comes out as datetime reckons it."""
    zone = timezone(timedelta(minutes=offset_minutes))
    fraction = f"{moment.microsecond:06}"[:digits]
    sign, minutes = "-" if offset_minutes < 0 else "+", abs(offset_minutes)
    text = f"{moment:%Y-%m-%dT%H:%M:%S}{'.' if digits else ''}{fraction}{sign}{minutes // 60:02}:{minutes % 60:02}"
    exact = moment.replace(microsecond=int(fraction.ljust(6, "0")) if digits else 0, tzinfo=zone)
    assert parse_strict(text) == (exact - EPOCH) // timedelta(microseconds=1)


FORMS = [
    # (text, time, quality, what is left)
    ("9563249630.774247467 h", None, "unparsed", " h"),  # beyond 2^53 µs
    ("Mar  1 18:48:50 h", us(2024, 3, 1, 18, 48, 50), "no_year_zone", " h"),
    ("Mar 1 18:48:50 h", us(2024, 3, 1, 18, 48, 50), "no_year_zone", " h"),
    ("Mar 01 18:48:50 h", us(2024, 3, 1, 18, 48, 50), "no_year_zone", " h"),
    ("MAR 1 8:48:50", us(2024, 3, 1, 8, 48, 50), "no_year_zone", ""),
    ("Mar  1 18:48:50.483: %", us(2024, 3, 1, 18, 48, 50, 483_000), "no_year_zone", ": %"),
    ("Mar  1 18:48:50,5 h", us(2024, 3, 1, 18, 48, 50, 500_000), "no_year_zone", " h"),
    ("Mar  1 18:48:50.123456789 h", us(2024, 3, 1, 18, 48, 50, 123_456), "no_year_zone", " h"),
    ("Mar  1 18:48:50\th", us(2024, 3, 1, 18, 48, 50), "no_year_zone", "\th"),
    ("Mar  1 18:48:50 UTC: %", us(2024, 3, 1, 18, 48, 50), "no_year", ": %"),
    ("Mar  1 18:48:50 GMT h", us(2024, 3, 1, 18, 48, 50), "no_year", " h"),
    ("Mar  1 18:48:50 Z h", us(2024, 3, 1, 18, 48, 50), "no_year", " h"),
    ("Mar  1 18:48:50Z h", us(2024, 3, 1, 18, 48, 50), "no_year", " h"),
    ("Mar  1 18:48:50 +0100 h", us(2024, 3, 1, 17, 48, 50), "no_year", " h"),
    ("Mar  1 18:48:50 -05:30 h", us(2024, 3, 2, 0, 18, 50), "no_year", " h"),
    ("Mar  1 18:48:50+01 h", us(2024, 3, 1, 17, 48, 50), "no_year", " h"),
    ("Mar  1 18:48:50 UTC+1 h", us(2024, 3, 1, 17, 48, 50), "no_year", " h"),
    ("Mar  1 18:48:50 GMT-03:00 h", us(2024, 3, 1, 21, 48, 50), "no_year", " h"),
    ("Mar  1 18:48:50 EST: %", us(2024, 3, 1, 18, 48, 50), "no_year_zone", ": %"),
    ("Mar  1 18:48:50 CEST h", us(2024, 3, 1, 18, 48, 50), "no_year_zone", " h"),
    ("Mar  1 18:48:50 XST: %SYS", us(2024, 3, 1, 18, 48, 50), "no_year_zone", ": %SYS"),
    ("Mar  1 18:48:50 2024 h", us(2024, 3, 1, 18, 48, 50), "no_zone", " h"),
    ("Mar  1 2023 18:48:50 h", us(2023, 3, 1, 18, 48, 50), "no_zone", " h"),
    ("Mar  1, 2023 18:48:50 h", us(2023, 3, 1, 18, 48, 50), "no_zone", " h"),
    ("2023 Mar  1 18:48:50 h", us(2023, 3, 1, 18, 48, 50), "no_zone", " h"),
    ("2023 Mar  1 18:48:50.5 UTC: %", us(2023, 3, 1, 18, 48, 50, 500_000), "full", ": %"),
    ("2023 Mar  1 18:48:50 +02:00 h", us(2023, 3, 1, 16, 48, 50), "full", " h"),
    ("Mar  1 2023 18:48:50+01:00 h", us(2023, 3, 1, 17, 48, 50), "full", " h"),
    ("Wed Mar  1 18:48:50 2023 h", us(2023, 3, 1, 18, 48, 50), "no_zone", " h"),
    ("Wed, Mar 01 18:48:50 UTC 2023 h", us(2023, 3, 1, 18, 48, 50), "full", " h"),
    ("Mar  1 18:48:50 2023 UTC h", us(2023, 3, 1, 18, 48, 50), "full", " h"),
    ("Wed, 01 Mar 2023 18:48:50 +0000 h", us(2023, 3, 1, 18, 48, 50), "full", " h"),
    ("1 Mar 2023 18:48:50 h", us(2023, 3, 1, 18, 48, 50), "no_zone", " h"),
    ("01-Mar-2023 18:48:50.5 h", us(2023, 3, 1, 18, 48, 50, 500_000), "no_zone", " h"),
    ("1 Mar 18:48:50 h", us(2024, 3, 1, 18, 48, 50), "no_year_zone", " h"),
    ("Aug 24 05:34:00 CST 1987 h", us(1987, 8, 24, 5, 34), "no_zone", " h"),
    ("1990 Oct 22 10:52:01 TZ-6 h", us(1990, 10, 22, 10, 52, 1), "no_zone", " h"),
    ("2003 Mar 23 12:12:12 PDT -8:00 %PIX", us(2003, 3, 23, 20, 12, 12), "full", " %PIX"),
    ("2023-03-01T18:48:50Z h", us(2023, 3, 1, 18, 48, 50), "full", " h"),
    ("2023-03-01T18:48:50.1234567+01:00 h", us(2023, 3, 1, 17, 48, 50, 123_456), "full", " h"),
    ("2023-03-01t18:48:50z", us(2023, 3, 1, 18, 48, 50), "full", ""),
    ("2023-03-01T18:48:50+0100 h", us(2023, 3, 1, 17, 48, 50), "full", " h"),
    ("2023-03-01T18:48:50 h", us(2023, 3, 1, 18, 48, 50), "no_zone", " h"),
    ("2023-03-01 18:48:50 h", us(2023, 3, 1, 18, 48, 50), "no_zone", " h"),
    ("2023-03-01 18:48:50,123 h", us(2023, 3, 1, 18, 48, 50, 123_000), "no_zone", " h"),
    ("2023-03-01 18:48:50 +0100 h", us(2023, 3, 1, 17, 48, 50), "full", " h"),
    ("2023/03/01 18:48:50 h", us(2023, 3, 1, 18, 48, 50), "no_zone", " h"),
    ("1563249630.774247467 h", us(2019, 7, 16, 4, 0, 30, 774_247), "full", " h"),
    # a host that looks like what may follow a time
    ("Mar  1 18:48:50 2001:db8::1 h", us(2024, 3, 1, 18, 48, 50), "no_year_zone", " 2001:db8::1 h"),
    ("Mar  1 18:48:50 FRIDGET h", us(2024, 3, 1, 18, 48, 50), "no_year_zone", " FRIDGET h"),
    ("Mar  1 18:48:50 HOST: x", us(2024, 3, 1, 18, 48, 50), "no_year_zone", " HOST: x"),
    ("Mar  1 18:48:50 ASA: %ASA", us(2024, 3, 1, 18, 48, 50), "no_year_zone", " ASA: %ASA"),
    ("2023 Mar  1 18:48:50 2024 h", us(2023, 3, 1, 18, 48, 50), "no_zone", " 2024 h"),
    # a time's shape, and no such time
    ("Feb 30 10:00:00 h", None, "unparsed", " h"),
    ("Jan 32 10:00:00 h", None, "unparsed", " h"),
    ("Jan  0 10:00:00 h", None, "unparsed", " h"),
    ("Jan  5 24:00:00 h", None, "unparsed", " h"),
    ("Jan  5 10:61:00 h", None, "unparsed", " h"),
    ("Jan  5 10:00:61 h", None, "unparsed", " h"),
    ("Jan  5 10:00:00 +24:00 h", None, "unparsed", " h"),
    ("Jan  5 10:00:00+0160 h", None, "unparsed", " h"),
    ("2023-02-29 10:00:00 h", None, "unparsed", " h"),
    ("0000-01-05 10:00:00 h", None, "unparsed", " h"),
    ("0001-01-01T00:00:00+01:00 h", None, "unparsed", " h"),
    ("9999-12-31 23:59:59 h", None, "unparsed", " h"),
    # leap seconds
    ("2016-12-31T23:59:60Z h", us(2017, 1, 1), "full", " h"),
    ("Dec 31 23:59:60 h", us(2024, 1, 1), "no_year_zone", " h"),
]


@pytest.mark.parametrize(("text", "expected", "quality", "rest"), [pytest.param(*form, id=form[0]) for form in FORMS])
def test_forms(text, expected, quality, rest):
    """Every form that devices send, wherever it stands in the text."""
    for before in ("", "<13>", "29: *"):
        stamp = read_stamp(before + text, len(before), NOW, None)
        assert stamp is not None
        assert (stamp.time, stamp.quality) == (expected, quality)
        assert (before + text)[stamp.end :] == rest


@pytest.mark.parametrize(
    "text",
    ["", "host app: x", "Mar", "Mar 1", "March 1 10:00:00", "Mar  1 18:48", "Mar  1 18:48:50x", "Mar  1 18:48:50.x",
     "2024", "2024-03", "2024-03-01", "2024-03/01 10:00:00", "2024-03-01T10:00:00+x", "1563249630", "1563249630.5",
     "Mon", "Mon 5", "20240301T100000Z", "5 Foo 10:00:00", "Foo  1 10:00:00", "٣ Mar 10:00:00", "Mar  1 18:48:50-host"],
)  # fmt: skip
def test_no_stamp(text):
    """What is no time is none, to the last byte."""
    assert read_stamp(text, 0, NOW, None) is None


def test_passed_over_zone_is_told():
    """An abbreviation does not set the zone, but is not lost."""
    stamp = read_stamp("Mar  1 18:48:50 EST h", 0, NOW, None)
    assert stamp is not None
    assert stamp.zone == "EST"


@pytest.mark.parametrize(
    ("text", "quality", "expected"),
    [
        ("Mar  1 12:00:00", "no_year", us(2024, 3, 1, 11)),
        ("Mar  1 2024 12:00:00", "full", us(2024, 3, 1, 11)),
        ("2024-03-01 12:00:00", "full", us(2024, 3, 1, 11)),
        ("Jul  1 2023 12:00:00", "full", us(2023, 7, 1, 10)),
        ("Mar  1 12:00:00 UTC", "no_year", us(2024, 3, 1, 12)),
        ("Mar  1 12:00:00 EST", "no_year", us(2024, 3, 1, 11)),
        ("2024-03-01T12:00:00Z", "full", us(2024, 3, 1, 12)),
        ("Mar  1 12:00:00 -0500", "no_year", us(2024, 3, 1, 17)),
    ],
)
def test_zone_of_the_listener(text, quality, expected):
    """A configured zone holds for zoneless times, with its summer time, and makes them as good as zoned ones."""
    stamp = read_stamp(text, 0, NOW, BERLIN)
    assert stamp is not None
    assert (stamp.time, stamp.quality) == (expected, quality)


@pytest.mark.parametrize(
    ("text", "received_at", "expected"),
    [
        ("Dec 31 23:59:59", us(2024, 1, 1, 0, 0, 5), us(2023, 12, 31, 23, 59, 59)),
        ("Jan  1 00:00:05", us(2023, 12, 31, 23, 59, 59), us(2024, 1, 1, 0, 0, 5)),
        ("Jan  1 00:00:00", us(2024, 1, 1), us(2024, 1, 1)),
        ("Jul  1 00:00:00", us(2024, 1, 1), us(2024, 7, 1)),  # 182 days ahead, 184 behind
        ("Jul  2 12:00:00", us(2023, 1, 1), us(2022, 7, 2, 12)),  # 182.5 days either way: the past
        ("Sep  1 00:00:00", us(2024, 2, 1), us(2023, 9, 1)),
        ("Feb 29 12:00:00", us(2024, 3, 1), us(2024, 2, 29, 12)),
        ("Feb 29 12:00:00", us(2025, 3, 1), us(2024, 2, 29, 12)),
        ("Feb 29 12:00:00", us(2027, 3, 1), us(2028, 2, 29, 12)),
        ("Feb 29 12:00:00", us(1900, 3, 1), us(1896, 2, 29, 12)),
        ("Feb 29 12:00:00", us(2096, 3, 1), us(2096, 2, 29, 12)),
        ("Dec 31 23:59:60", us(2024, 1, 1), us(2024, 1, 1)),
    ],
)
def test_missing_year_is_the_nearest(text, received_at, expected):
    """The year that brings the time nearest to its receipt, over new year and to the next 29 February."""
    assert bsd_us(text, received_at, None) == expected
    assert bsd_us(text, received_at, None) == expected
    stamp = read_stamp(text, 0, received_at, None)
    assert stamp is not None
    assert stamp.time == expected


def test_missing_year_at_the_ends_of_time():
    """A clock at the edge of the calendar breaks nothing."""
    for received_at in (-MAX_TIME_US * 100, MAX_TIME_US * 100, 0):
        bsd_us("Feb 29 12:00:00", received_at, BERLIN)
        read_stamp("Dec 31 12:00:00", 0, received_at, BERLIN)


@settings(max_examples=100, deadline=None)
@given(st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)), st.integers(-179 * 86_400, 179 * 86_400))  # noqa: DTZ001
def test_nearest_year_undoes_the_loss(moment, delay_seconds):
    """A time received within 179 days of when it was written gets its own year back."""
    moment = moment.replace(microsecond=0)
    written = (moment.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
    text = f"{moment:%b} {moment.day:2} {moment:%H:%M:%S}"
    assert bsd_us(text, written + delay_seconds * 1_000_000, None) == written


def test_cache_does_not_cross_zones():
    """The same text from two zones is two times."""
    text = "Mar  1 12:00:00"
    assert bsd_us(text, NOW, None) == us(2024, 3, 1, 12)
    assert bsd_us(text, NOW, BERLIN) == us(2024, 3, 1, 11)
    assert bsd_us(text, NOW, UTC) == us(2024, 3, 1, 12)


def test_caches_are_bounded():
    """A sender of ever new times does not fill the memory."""
    for number in range(limits.TIME_CACHE_ENTRIES + 500):
        hour, minute, second = number // 3600, number // 60 % 60, number % 60
        clock = f"{hour:02}:{minute:02}:{second:02}"
        assert parse_strict(f"2024-01-05T{clock}Z") == us(2024, 1, 5, hour, minute, second)
        assert bsd_us(f"Jan  5 {clock}", NOW, None) == us(2024, 1, 5, hour, minute, second)
    assert len(timestamp._strict_seconds) <= limits.TIME_CACHE_ENTRIES
    assert len(timestamp._bsd_seconds) <= limits.TIME_CACHE_ENTRIES


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="JanFebMar 0123456789:-/T.,+ZUTCGMT%", max_size=50), st.integers(-(2**60), 2**60))
def test_anything_near_a_time(text, received_at):
    """Text made of a time's pieces gives a time within bounds or none, and raises nothing."""
    stamp = read_stamp(text, 0, received_at, BERLIN)
    if stamp is not None and stamp.time is not None:
        assert abs(stamp.time) <= MAX_TIME_US


@pytest.mark.parametrize("text", ["Jan" + " " * 200_000, "2024-01-05T10:00:00." + "1" * 200_000, "1" * 200_000,
                                  "Jan  5 10:00:00" + " 2024 UTC" * 20_000, "Mon, " * 40_000])  # fmt: skip
def test_hostile_text_takes_no_time(text):
    """No text makes reading a time slow: every form is bounded."""
    best = 9.0
    for _ in range(20):
        start = time.thread_time()
        read_stamp(text, 0, NOW, None)
        best = min(best, time.thread_time() - start)
    assert best < 0.025
