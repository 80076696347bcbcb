"""`doctor`: what is wrong with the receiver, its configuration or its host, and the command that mends it."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from receiver.cli.location import config_of, config_path
from receiver.cli.parser import add_command, add_location
from receiver.cli.terminal import escape, paint, wants_colour
from receiver.errors import ConfigError
from receiver.event_json import json_line

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from receiver.cli.parser import Commands
    from receiver.config import Config
    from receiver.doctor import Facts, Finding

_ABOUT: Final = """\
Examine the receiver that runs, its configuration and this machine, and say in plain words what is wrong: what is lost
or soon will be, and the command that mends it. Asks the receiver over its control socket (or /metrics); changes
nothing. With --store alone nothing is said of the configuration.
exit codes: 0 nothing to mend; 1 something is; 2 could not run"""

_EXAMPLES: Final = """\
audit-receiver doctor --config /etc/audit-receiver/config.yaml
audit-receiver doctor --json | jq 'select(.state == "mend")'"""

_INDENT: Final = 8
_UNIT: Final = "audit-receiver"


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "doctor", run, "say what is wrong, and what mends it", _ABOUT, _EXAMPLES)
    add_location(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a finding: check, state, says, mend")
    parser.add_argument("--unit", metavar="NAME", help=f"the systemd service's name (default {_UNIT})")


def run(args: argparse.Namespace) -> int:
    """Examine, and print what was found."""
    from receiver.doctor import CHECKS, State, examine

    found = examine(_facts(args))
    for finding in found:
        print(json_line(dict(finding._asdict())) if args.json else _shown(finding))
    to_mend = sum(finding.state == State.MEND for finding in found)
    if not args.json:
        print(f"{len(CHECKS)} checks: {to_mend} to mend, {len(found) - to_mend} to consider")
    return 1 if to_mend else 0


def _facts(args: argparse.Namespace) -> Facts:
    from receiver.doctor import Facts, ask_running, look_at_host

    config, path = _config(args)
    running, unreachable = None, None
    if config.store.path.is_dir():
        running, unreachable = ask_running(config.store.path, config)
    facts = Facts(config, path, look_at_host(config, running.pid if running else None, args.unit or _UNIT))
    facts = replace(facts, running=running, unreachable=unreachable)
    return replace(facts, unit_name=args.unit or _UNIT, unit_wanted=args.unit is not None)


def _config(args: argparse.Namespace) -> tuple[Config, Path | None]:
    """Find the configuration; with --store alone the defaults hold, of which listeners say nothing."""
    if args.store is None:
        config = config_of(args)
        if config is None:
            raise ConfigError(f"examine which receiver? Give --config FILE or --store DIR ({config_path(args)})")
        return config, config_path(args)
    from receiver.config import load_config

    config = load_config(None)
    return config.model_copy(update={"store": config.store.model_copy(update={"path": args.store})}), None


def _shown(finding: Finding) -> str:
    colour = {"mend": "red", "advice": "yellow"}[finding.state] if wants_colour(sys.stdout) else None
    word = paint(f"{finding.state.upper():{_INDENT}}", colour)
    return f"{word}{escape(finding.says)}\n{'':{_INDENT}}{escape(finding.mend)}"
