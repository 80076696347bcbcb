"""`version`: which program this is, and what it runs on."""

from __future__ import annotations

import platform
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from receiver import __version__
from receiver.cli.location import config_of, keys_of
from receiver.cli.parser import add_command, add_location
from receiver.cli.terminal import escape
from receiver.errors import ConfigError, StoreError

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from receiver.cli.parser import Commands
    from receiver.config import Config

_ABOUT: Final = """\
Print the version of the program, and of the Python and SQLite it runs on. With --config or --store also the verifier
keys of that log, those it was signed with before included: write them down elsewhere for `verify --key`."""
_EXAMPLES: Final = """\
audit-receiver version
audit-receiver version --config config.yaml"""


def register(commands: Commands) -> None:
    """Add the command."""
    add_location(add_command(commands, "version", run, "print the version", _ABOUT, _EXAMPLES))


def run(args: argparse.Namespace) -> int:
    """Print one line, and the verifier keys of a log that is named."""
    import sqlite3

    print(f"audit-receiver {__version__} (Python {platform.python_version()}, SQLite {sqlite3.sqlite_version})")
    config = config_of(args)
    folder = args.store if config is None else config.store.path
    if folder is not None:
        for key in _verifiers(config, folder):
            print(escape(key))
    return 0


def _verifiers(config: Config | None, folder: Path) -> list[str]:
    """Give the verifier keys: those of the keys in use first, then those the store remembers."""
    from receiver.store.evidence_file import EvidenceFile

    found: list[str] = []
    with suppress(ConfigError):  # they may be for root's eyes only
        found += [str(key) for key in keys_of(config, folder).load().verifiers]
    with suppress(StoreError):
        evidence = EvidenceFile(folder, read_only=True)
        try:
            found += [key for key in evidence.verifiers() if key not in found]
        finally:
            evidence.close()
    return found
