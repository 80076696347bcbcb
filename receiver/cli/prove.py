"""`prove`: write a proof that an event is in the log, or that an old log is the beginning of the new one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from receiver.cli.location import store_folder
from receiver.cli.parser import add_command, add_location
from receiver.errors import ConfigError, StoreRefused

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from receiver.cli.parser import Commands

_ABOUT: Final = """\
Write a proof to standard output. That of an event holds the event itself, the path to the root of the tree, and a
signed checkpoint; `check-proof`, or any implementation of C2SP tlog-proof, verifies it with the verifier key alone."""

_EXAMPLES: Final = """\
audit-receiver prove 48123 --config config.yaml > event-48123.proof
audit-receiver prove --consistency 48000 96000 --store ./audit-store > grown.proof"""


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "prove", run, "write a proof for an auditor", _ABOUT, _EXAMPLES)
    add_location(parser)
    parser.add_argument("seq", nargs="?", type=int, metavar="SEQ", help="position of the event")
    parser.add_argument(
        "--consistency", nargs=2, type=int, metavar=("OLD", "NEW"), help="sizes of two logs; NEW was signed"
    )


def run(args: argparse.Namespace) -> int:
    """Write one proof."""
    if (args.seq is None) == (args.consistency is None):
        raise ConfigError("prove what? Give SEQ, or --consistency OLD NEW")
    folder = store_folder(args)
    if args.consistency is not None:
        from receiver.verify.proving import prove_consistency

        proof = prove_consistency(folder, *args.consistency)
    else:
        proof = _event_proof(folder, args.seq)
    sys.stdout.buffer.write(proof)
    return 0


def _event_proof(folder: Path, seq: int) -> bytes:
    """Prove an event; where no checkpoint covers it yet, ask the receiver for one."""
    from receiver.control import ask
    from receiver.verify.proving import prove_event

    try:
        return prove_event(folder, seq)
    except LookupError as error:
        try:
            ask(folder, "checkpoint")
            return prove_event(folder, seq)
        except LookupError:
            raise StoreRefused(f"{error}: it is in the unsigned tail, or beyond the end") from None
