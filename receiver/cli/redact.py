"""`redact`: take the content of events out of every file of the store; their place in the log stays provable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from receiver.cli.changing import change
from receiver.cli.parser import add_command, add_location, checked
from receiver.cli.selection import parse_address
from receiver.errors import ConfigError

if TYPE_CHECKING:
    import argparse

    from receiver.cli.parser import Commands

_ABOUT: Final = """\
Erase the content of events: rows, full text, write-ahead log. Position, time of receipt and the hash stay, so every
proof stays valid; an event of the log names what was redacted, by whom and why. Queries that quote the person, and
holds that are over, go with them. What names the person in a text alone stays: look for it with `query --contains`,
and redact it by --contains or --seq. Several filters together must all match.
Asks nothing and returns once the bytes are gone. The reason is kept verbatim: do not name the person in it.
Backups are copies of their own: `restore` redacts again what was redacted since."""

_EXAMPLES: Final = """\
audit-receiver redact --seq 48123 --reason 'erasure request 7' --config config.yaml
audit-receiver redact --seq 100-199 --seq 250 --reason 'password in a command line' --config config.yaml
audit-receiver redact --actor alice --reason 'erasure request 8' --config config.yaml
audit-receiver redact --contains 'alice example' --reason 'erasure request 8' --config config.yaml"""

_FILTERS: Final = ("actor", "source_ip", "target", "contains")


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "redact", run, "erase the content of events", _ABOUT, _EXAMPLES)
    add_location(parser)
    parser.add_argument("--seq", action="append", nargs="+", metavar="N", help="positions, or ranges as in 100-199")
    parser.add_argument("--actor", metavar="NAME", help="every event of this actor, or in which somebody became it")
    parser.add_argument(
        "--source-ip", metavar="IP", type=checked(parse_address), help="every event from this address"
    )
    parser.add_argument("--target", metavar="TEXT", help="every event on this target")
    parser.add_argument(
        "--contains", metavar="WORDS", help="every event with these whole words, in this order, in its message"
    )
    parser.add_argument("--reason", required=True, metavar="TEXT", help="kept in the log, word for word")


def run(args: argparse.Namespace) -> int:
    """Ask for it, and say what was done."""
    where = {name: value for name in _FILTERS if (value := getattr(args, name)) is not None}
    if bool(args.seq) == bool(where):
        raise ConfigError("redact what? Give --seq N…, or --actor, --source-ip, --target or --contains")
    wanted: dict[str, Any] = {"filter": where}
    if not where:
        wanted = {"seqs": [_range(text) for part in args.seq for text in part]}
    answer = change(args, "redact", reason=args.reason, **wanted)
    count = answer["events"]
    if not count:
        print("nothing to redact: no event matches, or all are redacted already")
        return 0
    print(f"redacted: {count} event{'s' if count != 1 else ''}, named by event {answer['seq']} of the log")
    if answer["pending"]:
        print("pending: a reader, or a segment that is not sealed yet, still keeps some bytes; it goes on by itself")
    return 1 if answer["pending"] else 0


def _range(text: str) -> list[int]:
    """Read `7` or `7-9`."""
    first, dash, last = text.partition("-")
    if not first.isascii() or not first.isdigit() or (dash and not (last.isascii() and last.isdigit())):
        raise ConfigError(f"--seq: {text!r} is neither a position nor a range like 100-199")
    low, high = int(first), int(last) if dash else int(first)
    if high < low:
        raise ConfigError(f"--seq: {text}: the range ends before it begins")
    return [low, high]
