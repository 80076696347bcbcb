"""Events for people (a table) or for programs (JSON lines): which of the two, and how an event becomes a row."""

from __future__ import annotations

import sys
from datetime import UTC
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, Protocol

from receiver.cli.parser import checked
from receiver.cli.table import Column, Table
from receiver.cli.when import to_datetime
from receiver.errors import ConfigError
from receiver.event import Outcome
from receiver.event_json import event_line

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable
    from datetime import tzinfo

    from receiver.cli.parser import Parser

_WIDE: Final = 10_000


class EventOutput(Protocol):
    """Where the events of one command go."""

    def show(self, events: Iterable[Any]) -> int:
        """Write them, flush, and say how many they were."""


def add_output(parser: Parser) -> None:
    """Take --json, --table and --local."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object a line (default when not on a terminal)")
    form.add_argument("--table", action="store_true", help="a table as wide as $COLUMNS (default on a terminal)")
    parser.add_argument(
        "--local", action="store_true", help="this machine's time zone instead of UTC: in tables, and for times given"
    )


def add_format(parser: Parser) -> None:
    """Take --format and --columns."""
    parser.add_argument(
        "--format",
        choices=["ecs", "ocsf", "cef", "csv"],
        help="one line an event in the words of others: Elastic ECS 8, OCSF 1.9, ArcSight CEF; or CSV that a"
        " spreadsheet may open",
    )
    parser.add_argument(
        "--columns",
        metavar="NAME,…",
        type=checked(parse_columns),
        help="the columns of --format csv, in this order (default: all)",
    )


def parse_columns(text: str) -> tuple[str, ...]:
    """Turn a list of columns' names into them; raises ValueError with one sentence."""
    from receiver.export import CSV_COLUMNS

    names = tuple(name.strip().lower().replace("-", "_") for name in text.split(","))
    for name in names:
        if name not in CSV_COLUMNS:
            near = get_close_matches(name, CSV_COLUMNS, n=1)
            raise ValueError(f"no column '{name}'; {f'is it {near[0]}?' if near else ', '.join(CSV_COLUMNS)}")
    return names


def wants_json(args: argparse.Namespace) -> bool:
    """JSON for programs, a table for people, unless they say otherwise."""
    return bool(args.json or not (args.table or sys.stdout.isatty()))


def zone_of(args: argparse.Namespace) -> tzinfo | None:
    """UTC, or None for this machine's zone."""
    return None if args.local else UTC


def event_output(args: argparse.Namespace, *, drop_empty: bool = True) -> EventOutput:
    """Choose how events are shown; `drop_empty` leaves out columns without a value among the first rows."""
    form = getattr(args, "format", None)
    columns = getattr(args, "columns", None)
    given = next((name for name in ("json", "table") if getattr(args, name)), None)
    if form is not None and given is not None:
        raise ConfigError(f"--format {form} and --{given} are two forms: give one")
    if columns is not None and form != "csv":
        raise ConfigError("--columns are those of --format csv")
    if form == "csv":
        return _Csv(columns)
    if form is not None:
        from receiver.export import FORMATS

        return _Lines(FORMATS[form])
    if wants_json(args):
        return _Lines(event_line)
    return _EventTable(zone_of(args), drop_empty=drop_empty)


def clock_time(micros: int | None, zone: tzinfo | None) -> str:
    """Give a moment for people, to the second; what is none as it is."""
    if micros is None:
        return ""
    moment = to_datetime(micros, zone) if isinstance(micros, int) else None
    return str(micros) if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S")


class _Lines:
    """One event a line, nothing held back."""

    def __init__(self, line: Callable[[Any], str]) -> None:
        self._line = line

    def show(self, events: Iterable[Any]) -> int:
        write, line = sys.stdout.write, self._line
        count = 0
        for event in events:
            write(line(event) + "\n")
            count += 1
        sys.stdout.flush()
        return count


class _Csv:
    """A header, then one line an event; lines end in CR LF (RFC 4180)."""

    def __init__(self, columns: tuple[str, ...] | None) -> None:
        from receiver.export import CSV_COLUMNS, csv_header

        self._columns = columns or CSV_COLUMNS
        sys.stdout.write(csv_header(self._columns) + "\r\n")

    def show(self, events: Iterable[Any]) -> int:
        from receiver.export import csv_line

        count = 0
        for event in events:
            sys.stdout.write(csv_line(event, self._columns) + "\r\n")
            count += 1
        sys.stdout.flush()
        return count


class _EventTable:
    """One row an event: who did what, where from, and the text."""

    def __init__(self, zone: tzinfo | None, *, drop_empty: bool) -> None:
        self._zone = zone
        self._table = Table(_columns(zone), sys.stdout, drop_empty=drop_empty)

    def show(self, events: Iterable[Any]) -> int:
        return self._table.write(self._row(event) for event in events)

    def _row(self, event: Any) -> list[str | None]:
        actor = event.actor if event.actor_as is None else f"{event.actor or ''}→{event.actor_as}"
        return [
            clock_time(event.received_at, self._zone), event.host, event.app, actor, event.action, event.outcome,
            event.source_ip, event.target, _text(event),
        ]  # fmt: skip


def _columns(zone: tzinfo | None) -> list[Column]:
    return [
        Column("RECEIVED UTC" if zone else "RECEIVED", 19, least=19),
        Column("HOST", 20, least=8, drop=2),
        Column("APP", 16, drop=5),
        Column("ACTOR", 28, least=8),
        Column("ACTION", 23, least=10),
        Column("OUTCOME", 7, least=7, style=_outcome_style),
        Column("SOURCE IP", 39, least=15, drop=3),
        Column("TARGET", 28, least=8, drop=4),
        Column("MESSAGE", _WIDE, least=20, drop=1),
    ]


def _outcome_style(outcome: str) -> str | None:
    return "red" if outcome == Outcome.FAILURE else None


def _text(event: Any) -> str | None:
    if getattr(event, "commitment", None) is not None:
        return "(redacted)"
    text: str | None = event.message or event.data
    return text
