"""`stats`: how many events for each value of a column, over time if asked."""

from __future__ import annotations

import heapq
import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from receiver.cli.event_output import add_output, clock_time, wants_json, zone_of
from receiver.cli.location import open_reader
from receiver.cli.parser import add_command, add_location, checked
from receiver.cli.query import parse_limit
from receiver.cli.selection import add_selection, filter_from
from receiver.cli.table import Column, Table
from receiver.cli.when import parse_duration
from receiver.errors import ConfigError
from receiver.event import BLOB_COLUMNS, COLUMNS, FACILITIES, SEVERITIES
from receiver.event_json import format_time, json_line

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator
    from datetime import tzinfo

    from receiver.cli.parser import Commands

    Count = tuple[int | None, Any, int]

_BY: Final = tuple(name for name in COLUMNS if name not in BLOB_COLUMNS)
_TIMES: Final = frozenset({"received_at", "time"})
_NAMES: Final = {"severity": SEVERITIES, "facility": FACILITIES}
_VALUES: Final = 50
_NOT_GIVEN: Final = 0
"""No limit that can be given."""
_BAR_CELLS: Final = 30

_ABOUT: Final = """\
Count events by any column: the values with most events first, or with --every the counts of each span of time, in
order. A table on a terminal, JSON lines otherwise or with --json:
{"time": start of the span or null, "column": …, "value": …, "count": …}"""

_EXAMPLES: Final = """\
audit-receiver stats                                          what happens, by action
audit-receiver stats --by source_ip --action auth.login --outcome failure --since 1d
audit-receiver stats --by outcome --every 1h --since today
audit-receiver stats --by host --every 1d --json"""


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "stats", run, "count events by any column, over time", _ABOUT, _EXAMPLES)
    parser.add_argument(
        "--by",
        metavar="COLUMN",
        type=checked(parse_column),
        default="action",
        help=f"one of: {', '.join(_BY)} (default action)",
    )
    parser.add_argument(
        "--every",
        metavar="SPAN",
        type=checked(parse_duration),
        help="count each span of time by itself: 15m, 1h, 1d (in UTC)",
    )
    parser.add_argument(
        "--limit", metavar="N", type=checked(parse_limit), default=_NOT_GIVEN,
        help=f"without --every: the N values with most events (default {_VALUES}), or 'all'",
    )  # fmt: skip
    add_location(parser)
    add_selection(parser)
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Print the counts."""
    where = filter_from(args)
    if args.every is not None and args.limit != _NOT_GIVEN:
        raise ConfigError("--limit is of the values with most events; with --every each span of time shows all")
    with open_reader(args) as reader:
        counts: Iterable[Count] = reader.count_by(args.by, where, args.every)
        if args.every is None:
            counts = largest(counts, _VALUES if args.limit == _NOT_GIVEN else args.limit)
        else:
            counts = sorted(counts, key=lambda count: (count[0] or 0, -count[2], _sortable(count[1])))
        _write(args, counts)
    return 0


def largest(counts: Iterable[Count], limit: int | None) -> list[Count]:
    """Order by count, equal counts by value; keeps no more than asked for."""

    def rank(count: Count) -> tuple[int, str]:
        return -count[2], _sortable(count[1])

    return sorted(counts, key=rank) if limit is None else heapq.nsmallest(limit, counts, key=rank)


def parse_column(text: str) -> str:
    """Turn a column's name, also with dashes, into itself; raises ValueError with one sentence."""
    name = text.strip().lower().replace("-", "_")
    if name in _BY:
        return name
    near = get_close_matches(name, _BY, n=1)
    raise ValueError(f"no column '{text}'; {f'is it {near[0]}?' if near else 'columns: ' + ', '.join(_BY)}")


def _sortable(value: Any) -> str:
    return f"{value:020d}" if isinstance(value, int) else str(value or "")


def _write(args: argparse.Namespace, counts: Iterable[Count]) -> None:
    if wants_json(args):
        for line in _json_lines(args.by, counts):
            sys.stdout.write(line + "\n")
        return
    counts = list(counts)
    most = max((count for _, _, count in counts), default=0)
    zone = zone_of(args)
    columns = [
        Column("FROM UTC" if zone else "FROM", 19, least=19),
        Column("COUNT", 12, right=True),
        Column(args.by.upper(), 60, least=10),
        Column("", _BAR_CELLS, least=5, drop=1),
    ]
    Table(columns, sys.stdout).write(
        (clock_time(start, zone), str(count), _named(args.by, value, zone), "█" * (count * _BAR_CELLS // most))
        for start, value, count in counts
    )


def _json_lines(column: str, counts: Iterable[Count]) -> Iterator[str]:
    for start, value, count in counts:
        if column in _TIMES and isinstance(value, int):
            value = format_time(value)  # noqa: PLW2901 - the same value, as JSON has it
        yield json_line(
            {
                "time": None if start is None else format_time(start),
                "column": column,
                "value": value,
                "count": count,
            }
        )


def _named(column: str, value: Any, zone: tzinfo | None) -> str:
    """Give a value for people: `err` rather than 3."""
    if value is None:
        return "(none)"
    names = _NAMES.get(column, ())
    if isinstance(value, int) and 0 <= value < len(names):
        return names[value]
    return clock_time(value, zone) if column in _TIMES and isinstance(value, int) else str(value)
