"""`version`: which program this is, and what it runs on."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Final

from receiver import __version__
from receiver.cli.parser import add_command, add_location

if TYPE_CHECKING:
    import argparse

    from receiver.cli.parser import Commands

_ABOUT: Final = "Print the version of the program, and of the Python and SQLite it runs on."
_EXAMPLES: Final = "audit-receiver version"


def register(commands: Commands) -> None:
    """Add the command."""
    add_location(add_command(commands, "version", run, "print the version", _ABOUT, _EXAMPLES))


def run(args: argparse.Namespace) -> int:  # noqa: ARG001 - every command has this shape
    """Print one line."""
    import sqlite3

    print(f"audit-receiver {__version__} (Python {platform.python_version()}, SQLite {sqlite3.sqlite_version})")
    return 0
