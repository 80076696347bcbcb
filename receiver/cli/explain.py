"""`explain`: what the receiver makes of a message, and why."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from receiver import limits
from receiver.cli.location import CONFIG_VARIABLE, SYSTEM_CONFIG, config_of
from receiver.cli.parser import add_command, add_location, checked
from receiver.cli.when import FORMS, now_us, parse_when
from receiver.errors import ConfigError
from receiver.event_json import event_line

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from datetime import tzinfo

    from receiver.cli.doorway import Doorway
    from receiver.cli.parser import Commands
    from receiver.config import Config

_ABOUT: Final = """\
Show how a message is parsed and normalised: its fields, the rule that gave the action and why, or which rules came
near. Messages are the argument, or the lines of standard input. Needs no store and no receiver. The packs, zones and
limits of the configuration hold, if there is one; --store leaves them out.

For programs, line by line from standard input, one line of output for each in the same order:
  --jsonl    {"raw": base64, "transport": "udp"|"tcp"|"json"|…, "peer": "ip" or "ip:port"}  →  the event
             (udp: a datagram, compressed or a GELF chunk too; tcp: one frame; json: one object)
  --frames   {"chunks": [base64, …]}, the reads of one connection  →  {"frames": [base64, …], "error": null}
A line that makes no sense is answered with {"error": …}."""

_EXAMPLES: Final = """\
audit-receiver explain '<86>Jan  5 10:00:00 web-1 sshd[7]: Failed password for root from 203.0.113.9 port 1 ssh2'
journalctl -o short-iso -t sudo | audit-receiver explain --zone Europe/Berlin
audit-receiver explain --config config.yaml --json < messages.log
echo '{"raw": "PDEzPmhlbGxv", "transport": "udp", "peer": "192.0.2.1:514"}' | audit-receiver explain --jsonl"""


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "explain", run, "show what becomes of a message, and why", _ABOUT, _EXAMPLES)
    parser.add_argument("message", nargs="?", help="the message as sent (default: each line of standard input)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="the event alone, as one line of JSON")
    form.add_argument("--jsonl", action="store_true", help="messages as JSON lines with base64, see above")
    form.add_argument("--frames", action="store_true", help="reads of connections as JSON lines, see above")
    parser.add_argument("--transport", metavar="NAME", help="how the message came: tcp (default), udp, tls, …")
    parser.add_argument("--peer", metavar="IP[:PORT]", help="who delivered it")
    parser.add_argument(
        "--zone",
        metavar="IANA",
        type=checked(parse_zone),
        help="time zone of the sender, as Europe/Berlin (default UTC)",
    )
    parser.add_argument(
        "--received-at", metavar="TIME", type=checked(parse_received_at), help=f"when it came (default now): {FORMS}"
    )
    add_location(parser)


def run(args: argparse.Namespace) -> int:
    """Answer all messages."""
    if args.message is not None and (args.jsonl or args.frames):
        raise ConfigError("--jsonl and --frames read standard input: give no message with them")
    config = _config(args)
    if args.frames:
        from receiver.cli.explain_lines import explain_frames

        explain_frames(sys.stdin.buffer, limits.MESSAGE_BYTES if config is None else config.limits.message_bytes)
        return 0
    doorway = _doorway(args, config)
    if args.jsonl:
        from receiver.cli.explain_lines import explain_messages

        explain_messages(sys.stdin.buffer, doorway)
        return 0
    _explain(args, doorway)
    return 0


def parse_zone(text: str) -> tzinfo:
    """Turn an IANA name into its zone; raises ValueError with one sentence."""
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, KeyError):  # a path, a folder of zones, no such zone
        raise ValueError(f"no time zone '{text}' (IANA names, such as Europe/Berlin)") from None


def parse_received_at(text: str) -> int:
    """Turn a time into µs; raises ValueError with one sentence."""
    return parse_when(text, now_us())


def _config(args: argparse.Namespace) -> Config | None:
    """Read the configuration, if there is one; the system's may be nothing this user can read, then none holds."""
    named = args.config is not None or CONFIG_VARIABLE in os.environ
    return config_of(args) if named or os.access(SYSTEM_CONFIG, os.R_OK) else None


def _doorway(args: argparse.Namespace, config: Config | None) -> Doorway:
    from receiver.cli.doorway import Doorway
    from receiver.normalize import Normalizer, load_packs

    keep_raw_always = config is not None and config.store.keep_raw == "always"
    normalizer = Normalizer(load_packs(config.packs if config else ()), keep_raw_always=keep_raw_always)
    return Doorway(normalizer, config, args.zone, args.received_at)


def _messages(args: argparse.Namespace) -> Iterable[bytes | None]:
    if args.message is not None:
        return [args.message.encode(errors="surrogateescape")]  # bytes of the command line come back as they were
    from receiver.cli.explain_lines import read_lines

    return (line for line in read_lines(sys.stdin.buffer) if line != b"")


def _explain(args: argparse.Namespace, doorway: Doorway) -> None:
    from receiver.cli.explanation import explanation_lines

    first = True
    for raw in _messages(args):
        if raw is None:
            raise ConfigError(f"a line is longer than {limits.EXPLAIN_LINE_BYTES} bytes")
        try:
            arrival = doorway.arrival(raw, args.transport, args.peer)
        except ValueError as error:
            raise ConfigError(str(error)) from error
        if args.json:
            text = event_line(doorway.normalizer.normalize([arrival.message], [arrival.origin], arrival.received_at)[0])
        else:
            text = ("" if first else "\n") + "\n".join(explanation_lines(doorway.normalizer, arrival))
        first = False
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
