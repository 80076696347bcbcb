"""`run`: the receiver itself, in the foreground."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from receiver.cli.location import config_path
from receiver.cli.parser import add_command, add_location
from receiver.errors import ConfigError

if TYPE_CHECKING:
    import argparse

    from receiver.cli.parser import Commands

_ABOUT: Final = """\
Receive and store until SIGTERM or Ctrl-C, which stop in order: what was received is stored before it leaves.
SIGHUP reads the configuration again; a bad one is refused and the old one kept."""

_EXAMPLES: Final = """\
audit-receiver run --config config.yaml
logger --server 127.0.0.1 --port 5514 --udp 'hello'    # then: audit-receiver query --config config.yaml"""


def register(commands: Commands) -> None:
    """Add the command."""
    add_location(add_command(commands, "run", run, "receive and store", _ABOUT, _EXAMPLES))


def run(args: argparse.Namespace) -> int:
    """Hand over to the application; its answer is the exit code."""
    if args.store is not None:
        raise ConfigError("run needs --config FILE: a store alone does not say where to listen")
    path = config_path(args)
    from receiver.app import run as run_application

    return run_application(path)
