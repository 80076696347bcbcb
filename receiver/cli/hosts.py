"""`hosts`: who sends what, since when, until when, and how much."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from receiver.cli.event_output import add_output, clock_time, wants_json, zone_of
from receiver.cli.location import open_reader
from receiver.cli.parser import add_command, add_location
from receiver.cli.selection import add_selection, filter_from
from receiver.cli.table import Column, Table
from receiver.event_json import format_time, json_line

if TYPE_CHECKING:
    import argparse

    from receiver.cli.parser import Commands
    from receiver.store.reader import HostSummary

_ABOUT: Final = """\
Show who sends, most events first: each host as it names itself, how many events it has, when the first and the last
came, its programs, its formats, and the addresses that delivered them (a few of each, where there are many). A table
on a terminal, one JSON object a line otherwise or with --json."""

_EXAMPLES: Final = """\
audit-receiver hosts
audit-receiver hosts --since 1d --json
audit-receiver hosts --severity err"""


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "hosts", run, "show who sends, since when and how much", _ABOUT, _EXAMPLES)
    add_location(parser)
    add_selection(parser)
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Print one line a host."""
    where = filter_from(args)
    with open_reader(args) as reader:
        hosts = reader.hosts(where)
        if wants_json(args):
            for host in hosts:
                sys.stdout.write(_as_json(host) + "\n")
            return 0
        zone = zone_of(args)
        columns = [
            Column("HOST", 40, least=8),
            Column("EVENTS", 12, right=True),
            Column("FIRST UTC" if zone else "FIRST", 19, least=19, drop=1),
            Column("LAST UTC" if zone else "LAST", 19, least=19),
            Column("APPS", 60, least=10, drop=2),
            Column("FORMATS", 20, least=7, drop=4),
            Column("FROM", 60, least=10, drop=3),
        ]
        Table(columns, sys.stdout).write(
            (
                "(none)" if host.host is None else host.host,
                str(host.events),
                clock_time(host.first_seen, zone),
                clock_time(host.last_seen, zone),
                " ".join(host.apps),
                " ".join(host.formats),
                " ".join(host.peers),
            )
            for host in hosts
        )
    return 0


def _as_json(host: HostSummary) -> str:
    times = {"first_seen": format_time(host.first_seen), "last_seen": format_time(host.last_seen)}
    return json_line({**host._asdict(), **times})
