"""`unmatched`: which messages no rule knows, by shape: the rule to write next."""

from __future__ import annotations

import sys
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from receiver.cli.event_output import add_output, wants_json
from receiver.cli.location import open_reader
from receiver.cli.parser import add_command, add_location
from receiver.cli.query import add_limit
from receiver.cli.selection import add_selection, filter_from
from receiver.cli.table import Column, Table
from receiver.event_json import json_line

if TYPE_CHECKING:
    import argparse

    from receiver.cli.parser import Commands

_LIMIT: Final = 50

_ABOUT: Final = """\
Show the messages that no rule took, most frequent first: their program, the shape they share (what varies is <*>), how
many there are, and one of them by its position. Write a rule for what matters (receiver/normalize/README.md shows how,
`explain` helps); most lines of most programs say nothing about who did what, and need none."""

_EXAMPLES: Final = """\
audit-receiver unmatched --since 1d
audit-receiver unmatched --app nginx --limit all --json"""


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "unmatched", run, "show which messages no rule knows, by shape", _ABOUT, _EXAMPLES)
    add_location(parser)
    add_selection(parser)
    add_limit(parser, _LIMIT, "shapes")
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Print one line a shape."""
    from receiver.normalize.templates import Miner

    where = replace(filter_from(args), unmatched=True)
    miner = Miner()
    with open_reader(args) as reader:
        for event in reader.select(where):
            if event.message:
                miner.add(event.app, event.message, event.seq)
    found = islice(miner.templates(), args.limit)
    if wants_json(args):
        for each in found:
            shape = {"app": each.app, "count": each.count, "template": each.text, "example": each.example}
            sys.stdout.write(json_line({**shape, "seq": each.example_seq}) + "\n")
    else:
        columns = [
            Column("COUNT", 12, right=True),
            Column("APP", 24, least=6),
            Column("SEQ", 12, right=True, drop=1),
            Column("MESSAGE", 400, least=20),
        ]
        Table(columns, sys.stdout).write(
            (str(each.count), each.app or "(none)", str(each.example_seq), each.text) for each in found
        )
    left = sum(miner.others.values())
    if left:
        print(f"{args.prog}: {left} more, of too many shapes to tell apart (narrow it with --app)", file=sys.stderr)
    return 0
