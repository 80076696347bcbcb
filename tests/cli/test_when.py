"""Times as people give them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.cli.when import parse_duration, parse_when, to_datetime, to_us
from receiver.event_json import format_time

NOW = to_us(datetime(2026, 3, 5, 12, 34, 56, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", "2026-03-05T12:34:56.000000Z"),
        ("2h", "2026-03-05T10:34:56.000000Z"),
        ("90s", "2026-03-05T12:33:26.000000Z"),
        ("15M", "2026-03-05T12:19:56.000000Z"),
        ("1d", "2026-03-04T12:34:56.000000Z"),
        ("1w", "2026-02-26T12:34:56.000000Z"),
        ("today", "2026-03-05T00:00:00.000000Z"),
        ("Yesterday", "2026-03-04T00:00:00.000000Z"),
        ("2026-01-31", "2026-01-31T00:00:00.000000Z"),
        ("2026-01-31T08:09:10Z", "2026-01-31T08:09:10.000000Z"),
        ("2026-01-31t08:09:10.123456789z", "2026-01-31T08:09:10.123456Z"),
        ("2026-01-31 08:09:10,5+02:00", "2026-01-31T06:09:10.500000Z"),
        ("2026-01-31T08:09-05:30", "2026-01-31T13:39:00.000000Z"),
        ("2026-01-31 08:09", "2026-01-31T08:09:00.000000Z"),
    ],
)
def test_every_form_means_one_moment(text: str, expected: str) -> None:
    # All forms of the help text, in UTC where none names a zone.
    assert format_time(parse_when(text, NOW)) == expected


def test_a_zone_changes_what_names_no_zone() -> None:
    # `today` in Berlin begins an hour earlier; a time with an offset is the same everywhere.
    berlin = ZoneInfo("Europe/Berlin")
    assert format_time(parse_when("today", NOW, berlin)) == "2026-03-04T23:00:00.000000Z"
    assert format_time(parse_when("2026-07-01 12:00", NOW, berlin)) == "2026-07-01T10:00:00.000000Z"
    assert parse_when("2026-07-01T12:00Z", NOW, berlin) == parse_when("2026-07-01T12:00Z", NOW)
    assert parse_when("2026-07-01T12:00Z", NOW, None) == parse_when("2026-07-01T12:00Z", NOW)


@pytest.mark.parametrize("text", ["", "soon", "2x", "2026-13-01", "2026-01-01T25:00Z", "20260101", "٣h", "12:00"])
def test_anything_else_is_refused_in_one_sentence(text: str) -> None:
    # A time understood wrongly answers the wrong question.
    with pytest.raises(ValueError, match="is not a time"):
        parse_when(text, NOW)


@given(st.text(max_size=20))
def test_no_text_breaks_it(text: str) -> None:
    # A wrong option is one line, never a traceback.
    try:
        parse_when(text, NOW)
    except ValueError as error:
        assert "is not a time" in str(error)  # noqa: PT017 - most texts raise, some do not


def test_durations() -> None:
    # Spans of `stats --every`.
    assert parse_duration("15m") == 900_000_000
    for wrong in ("0h", "1", "h", "1y", "1h30m"):
        with pytest.raises(ValueError, match="is not a duration"):
            parse_duration(wrong)


def test_moments_beyond_the_calendar_are_none() -> None:
    # A damaged store must not end a table with a traceback.
    assert to_datetime(2**62) is None
    assert to_datetime(NOW) == datetime(2026, 3, 5, 12, 34, 56, tzinfo=UTC)
