"""`tail`: the last events, oldest first, and with -f what comes after them."""

from __future__ import annotations

import select
import sys
import time
from typing import TYPE_CHECKING, Final

from receiver import limits
from receiver.cli.event_output import add_output, event_output
from receiver.cli.location import open_reader
from receiver.cli.parser import add_command, add_location, checked
from receiver.cli.selection import add_selection, filter_from

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from receiver.cli.parser import Commands
    from receiver.store import Filter, Reader, StoredEvent

_COUNT: Final = 10

_ABOUT: Final = """\
Show the last events that match, oldest first; with -f, go on with those that come. A table on a terminal, one JSON
object a line otherwise or with --json. Ctrl-C ends it."""

_EXAMPLES: Final = """\
audit-receiver tail
audit-receiver tail -f --outcome failure
audit-receiver tail -n 0 -f --action command.exec --json | while read -r event; do …; done"""


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "tail", run, "show the last events, and follow", _ABOUT, _EXAMPLES)
    parser.add_argument(
        "-n", dest="count", metavar="N", type=checked(parse_count), default=_COUNT, help=f"how many (default {_COUNT})"
    )
    parser.add_argument("-f", "--follow", action="store_true", help="wait for more")
    add_location(parser)
    add_selection(parser)
    add_output(parser)


def run(args: argparse.Namespace) -> int:
    """Print the last ones, then whatever follows."""
    where = filter_from(args)
    with open_reader(args) as reader:
        output = event_output(args, drop_empty=not args.follow)
        end = newest_seq(reader)
        if args.count and end >= 0:
            last = list(reader.select(where, limit=args.count, before_seq=end + 1))
            output.show(reversed(last))
        while args.follow and not reader_left():
            time.sleep(limits.TAIL_POLL_SECONDS)
            follower = Follower(reader, where, end)
            output.show(follower.news())
            end = follower.position
    return 0


def reader_left() -> bool:
    """Say whether nobody reads what we print: `tail -f … | head -1` ends then, not at the next event."""
    output = select.poll()
    output.register(sys.stdout, 0)  # asked for nothing, poll(2) still tells of an error: the other end is closed
    return bool(output.poll(0))


class Follower:
    """One look for news after `position`, which moves to the last event looked at, matching or not."""

    def __init__(self, reader: Reader, where: Filter, position: int) -> None:
        self._reader = reader
        self._where = where
        self.position = position

    def news(self) -> Iterator[StoredEvent]:
        """Give what matches, in the order of the log."""
        end = newest_seq(self._reader)
        if end <= self.position:
            return
        for event in self._reader.select(self._where, after_seq=self.position, before_seq=end + 1):
            self.position = event.seq
            yield event
        self.position = end


def newest_seq(reader: Reader) -> int:
    """Ask for the log's end; -1 while it is empty."""
    from receiver.store import Filter

    newest = next(iter(reader.select(Filter(), limit=1)), None)
    return -1 if newest is None else newest.seq


def parse_count(text: str) -> int:
    """Turn a number into a count; raises ValueError with one sentence."""
    if not text.isascii() or not text.isdigit() or int(text[:9]) > 100_000 or len(text) > 9:
        raise ValueError(f"'{text}' is not a number of events from 0 to 100000")
    return int(text)
