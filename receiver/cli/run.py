"""`run`: the receiver itself, in the foreground."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from receiver.cli.location import config_path
from receiver.cli.parser import add_command, add_location

if TYPE_CHECKING:
    import argparse

    from receiver.cli.parser import Commands

_ABOUT: Final = """\
Receive and store until SIGTERM or Ctrl-C, which stop in order: what was received is stored before it leaves.
SIGHUP reads the configuration again; a bad one is refused and the old one kept."""

_EXAMPLES: Final = """\
audit-receiver run --config config.yaml
audit-receiver run --store ./audit-store              # on the defaults: syslog UDP and TCP 5514, HTTP 127.0.0.1:9514
logger --server 127.0.0.1 --port 5514 --udp 'hello'    # then: audit-receiver query --config config.yaml"""


def register(commands: Commands) -> None:
    """Add the command."""
    add_location(add_command(commands, "run", run, "receive and store", _ABOUT, _EXAMPLES))


def run(args: argparse.Namespace) -> int:
    """Hand over to the application; its answer is the exit code. A store alone is run on the defaults."""
    path = config_path(args) if args.store is None else None
    from receiver.app import run as run_application

    return run_application(path, args.store)
