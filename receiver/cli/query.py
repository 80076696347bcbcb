"""`query`: the events that match, newest first."""

from __future__ import annotations

import sys
from itertools import islice
from typing import TYPE_CHECKING, Final

from receiver.cli.event_output import add_format, add_output, event_output
from receiver.cli.location import open_reader
from receiver.cli.parser import add_command, add_location, checked
from receiver.cli.selection import add_selection, filter_from

if TYPE_CHECKING:
    import argparse

    from receiver.cli.parser import Commands, Parser

_LIMIT: Final = 100

_ABOUT: Final = """\
Show the events that match, newest first: a table on a terminal, one JSON object a line otherwise or with --json
(all columns, times as RFC 3339 in UTC, `raw` in base64). Times given mean the time of receipt."""

_EXAMPLES: Final = """\
audit-receiver query --since today --outcome failure
audit-receiver query --actor root --host web-1 --since 2026-01-31T08:00:00Z --until 2026-01-31T09:00:00Z
audit-receiver query --action 'auth.*' --source-ip 203.0.113.9 --limit all --json | jq .message
audit-receiver query --since 7d --format csv --columns received_at,actor,action,target --limit all > week.csv
audit-receiver query --contains 'invalid user' --severity warning --store /var/lib/audit-receiver/store"""


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "query", run, "search the log, newest first", _ABOUT, _EXAMPLES)
    add_location(parser)
    add_selection(parser)
    add_limit(parser, _LIMIT, "events, the newest")
    add_output(parser)
    add_format(parser)


def run(args: argparse.Namespace) -> int:
    """Print what matches; finding nothing is an answer too."""
    where = filter_from(args)
    limit: int | None = args.limit
    with open_reader(args) as reader:
        events = reader.select(where, limit=None if limit is None else limit + 1)
        shown = event_output(args).show(islice(events, limit))
        if shown == limit and next(events, None) is not None:
            print(f"{args.prog}: the newest {limit} shown, older ones match too (--limit N, or all)", file=sys.stderr)
        elif not shown and sys.stdout.isatty():
            print(f"{args.prog}: no event matches", file=sys.stderr)
    return 0


def add_limit(parser: Parser, default: int, what: str) -> None:
    """Take --limit."""
    parser.add_argument(
        "--limit",
        metavar="N",
        type=checked(parse_limit),
        default=default,
        help=f"at most N {what} (default {default}), or 'all'",
    )


def parse_limit(text: str) -> int | None:
    """Turn a positive number or `all` (None) into a limit; raises ValueError with one sentence."""
    if text == "all":
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:19]) < 2**62:
        raise ValueError(f"'{text}' is not a number of events; give 1 or more, or 'all'")
    return int(text)
