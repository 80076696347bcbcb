"""`hold`: keep events from retention and redaction while somebody may need them as evidence."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any, Final

from receiver.cli.changing import change
from receiver.cli.location import store_folder
from receiver.cli.parser import add_command, add_location
from receiver.cli.selection import add_selection, filter_from
from receiver.cli.terminal import escape
from receiver.cli.when import to_datetime
from receiver.errors import ConfigError, StoreCorrupt

if TYPE_CHECKING:
    import argparse

    from receiver.cli.parser import Commands
    from receiver.store.evidence_file import Hold

_ABOUT: Final = """\
A legal hold wins over retention: a segment with an event under hold is not removed, an event under hold not redacted.
`add` takes the options of `query` (a time range, an actor, …), `remove` a number that `list` shows. Each is an event of
the log."""

_EXAMPLES: Final = """\
audit-receiver hold add --actor alice --since 2026-01-01 --reason 'case 2026-17' --config config.yaml
audit-receiver hold list --config config.yaml
audit-receiver hold remove 3 --config config.yaml"""


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "hold", run, "keep events from retention", _ABOUT, _EXAMPLES)
    parser.add_argument("what", choices=("add", "list", "remove"), help="what to do")
    parser.add_argument("number", nargs="?", type=int, metavar="N", help="the hold to remove")
    add_location(parser)
    add_selection(parser)
    parser.set_defaults(local=False)
    parser.add_argument("--reason", metavar="TEXT", help="kept in the log, word for word")


def run(args: argparse.Namespace) -> int:
    """Do one of the three."""
    what: dict[str, Any] = {"add": _add, "list": _list, "remove": _remove}
    return int(what[args.what](args))


def _add(args: argparse.Namespace) -> int:
    from receiver.store.retention import filter_text

    if not args.reason:
        raise ConfigError("hold add: give --reason")
    where = json.loads(filter_text(filter_from(args)))
    if not where:
        raise ConfigError("hold add: give --since, --until, --actor or another filter: what is to be kept?")
    answer = change(args, "hold-add", filter=where, reason=args.reason)
    print(f"hold {answer['hold']} added")
    return 0


def _remove(args: argparse.Namespace) -> int:
    if args.number is None:
        raise ConfigError("hold remove: give the number that `hold list` shows")
    change(args, "hold-remove", hold=args.number)
    print(f"hold {args.number} removed")
    return 0


def _list(args: argparse.Namespace) -> int:
    from receiver.store.evidence_file import EvidenceFile

    evidence = EvidenceFile(store_folder(args), read_only=True)
    try:
        holds = evidence.holds()
    finally:
        evidence.close()
    for hold in holds:
        since = to_datetime(hold.time)
        said = "  ".join(escape(text) for text in (hold.user, _options(hold), hold.reason))
        print(f"{hold.id}  {since:%Y-%m-%d %H:%M} UTC  {said}")
    if not holds:
        print("no holds")
    return 0


def _options(hold: Hold) -> str:
    """Write a hold's filter as the options it was added with."""
    from receiver.store.retention import filter_of

    try:
        filter_of(hold)
    except StoreCorrupt:
        return f"what nobody can read, so everything: {hold.filter}"
    words = []
    for name, value in json.loads(hold.filter).items():
        shown = f"{to_datetime(value):%Y-%m-%dT%H:%M:%SZ}" if name in {"since", "until"} else str(value)
        option = "source-ip" if name == "network" else name.replace("_", "-")
        words.append(f"--{option} {shlex.quote(shown)}")
    return " ".join(words)
