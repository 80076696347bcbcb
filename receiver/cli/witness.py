"""`witness`: cosign the checkpoints of other receivers, so that none of them can show two logs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from receiver.cli.parser import add_command
from receiver.errors import ConfigError, EvidenceError

if TYPE_CHECKING:
    import argparse

    from receiver.cli.parser import Commands

_ABOUT: Final = """\
Serve the C2SP tlog-witness protocol: a log sends each new checkpoint with a proof that it goes on from the one before;
the witness remembers the newest and cosigns it, never a fork. Two teams witness each other with one of these each.
Put it behind your reverse proxy for TLS. Its verifier key goes into the other side's `publish:` as `key`."""

_EXAMPLES: Final = """\
audit-receiver witness --dir /var/lib/witness --name witness.example.org --listen 127.0.0.1:9516 \\
    --log 'audit1.example.org/store+6493ad22+AS5F…'"""


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "witness", run, "cosign the checkpoints of other logs", _ABOUT, _EXAMPLES)
    parser.add_argument("--dir", type=Path, required=True, metavar="DIR", help="folder of its key and its state")
    parser.add_argument("--name", metavar="NAME", help="the witness's name, for its first start")
    parser.add_argument("--listen", default="127.0.0.1:9516", metavar="HOST:PORT", help="default: 127.0.0.1:9516")
    parser.add_argument(
        "--log", action="append", required=True, metavar="VKEY", help="verifier key of a log to witness; repeatable"
    )


def run(args: argparse.Namespace) -> int:
    """Serve until told to stop."""
    import asyncio

    from receiver.config.values import as_address
    from receiver.evidence.keys import VerifierKey
    from receiver.journal import configure_logging
    from receiver.witness import WitnessSettings, load_or_make_key, serve

    logs: dict[str, list[VerifierKey]] = {}
    try:
        address = as_address(args.listen)
        for text in args.log:
            key = VerifierKey.parse(text)
            logs.setdefault(key.name, []).append(key)
    except (EvidenceError, ValueError) as error:
        raise ConfigError(f"witness: {error}") from None
    configure_logging()
    signing = load_or_make_key(args.dir, args.name)
    return asyncio.run(serve(WitnessSettings(address.host, address.port, args.dir, logs), signing))
