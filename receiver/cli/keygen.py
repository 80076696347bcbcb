"""`keygen`: make the keys of a log before its first start, or replace the signing key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from receiver.cli.location import config_of, keys_of
from receiver.cli.parser import add_command, add_location
from receiver.cli.terminal import escape
from receiver.errors import ConfigError
from receiver.owner import owner_of, work_as

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from receiver.cli.parser import Commands

_ABOUT: Final = """\
Make the Ed25519 keys that sign checkpoints: that of the log, and that of its clock. The receiver makes them at its
first start; make them before where they are handed to it as systemd credentials (log.key, time.key).
Prints the verifier keys: write them down elsewhere, they are what an auditor needs. Made by root, the files are those
of the owner of their folder.
--rotate replaces the log's key; at its next start the receiver signs one checkpoint with both. Where the keys are
systemd credentials: make a new one elsewhere, and put the old log.key into evidence.key_dir as <store>.previous.key.
--anew puts keys and checkpoint aside and makes keys of a new name: for an empty store in the place of one that was
altered, after you found out how. No key ever signs two logs."""

_EXAMPLES: Final = """\
audit-receiver keygen --config config.yaml
audit-receiver keygen --config config.yaml --rotate && systemctl restart audit-receiver"""


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "keygen", run, "make or replace the signing keys", _ABOUT, _EXAMPLES)
    add_location(parser)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--rotate", action="store_true", help="replace the log's key")
    how.add_argument("--anew", action="store_true", help="keys of a new name, for a log that begins anew")


def run(args: argparse.Namespace) -> int:
    """Make them, and print what verifies."""
    config = config_of(args)
    folder: Path | None = args.store if config is None else config.store.path
    if folder is None:
        raise ConfigError("keys of which log? Give --config FILE or --store DIR")
    keys = keys_of(config, folder)
    work_as(owner_of(keys.folder))
    if args.rotate:
        keys.rotate()
    elif args.anew:
        keys.begin_anew()
    else:
        if keys.log_key.exists():
            raise ConfigError(f"{keys.log_key}: there is a key already; --rotate replaces it")
        keys.make(config.evidence.origin if config else None)
    for verifier in keys.load(config.evidence.origin if config else None).verifiers:
        print(escape(str(verifier)))
    return 0
