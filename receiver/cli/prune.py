"""`prune`: remove now what retention would remove at its next look, or only show it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from receiver.cli.changing import change
from receiver.cli.location import config_of, store_folder
from receiver.cli.parser import add_command, add_location
from receiver.cli.terminal import escape
from receiver.errors import ConfigError

if TYPE_CHECKING:
    import argparse

    from receiver.cli.parser import Commands

_ABOUT: Final = """\
Retention removes whole sealed segments, by age, size of the store or free disk, as `retention:` in the configuration
says; what proofs need stays, and an event of the log names what went. A hold wins. The receiver looks at its start and
every ten minutes; this command has it look now."""

_EXAMPLES: Final = """\
audit-receiver prune --dry-run --config config.yaml
audit-receiver prune --config config.yaml"""


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "prune", run, "remove what retention lets go", _ABOUT, _EXAMPLES)
    add_location(parser)
    parser.add_argument("--dry-run", action="store_true", help="only show what would go")


def run(args: argparse.Namespace) -> int:
    """Remove, or show."""
    if args.dry_run:
        return _show(args)
    removed = change(args, "prune")
    for name, size, reason in removed:
        print(f"removed {escape(name)}  {size:>14,} bytes  {escape(reason)}")
    if not removed:
        print("nothing is due")
    return 0


def _show(args: argparse.Namespace) -> int:
    from receiver.app import care_policy
    from receiver.store.evidence_file import EvidenceFile
    from receiver.store.retention import choose, due_positions, is_held, sealed_facts

    config = config_of(args)
    if config is None:
        raise ConfigError("prune --dry-run: give --config FILE: what goes is said there")
    folder = store_folder(args)
    policy, now = care_policy(config).retention, time.time_ns() // 1000
    evidence = EvidenceFile(folder, read_only=True)
    try:
        holds = evidence.holds()
    finally:
        evidence.close()
    facts = [found for found in sealed_facts(folder) if not is_held(found.segment, holds)]
    disk = os.statvfs(folder)
    total = sum(entry.stat().st_size for entry in os.scandir(folder))
    chosen = choose(facts, policy, now, total, disk.f_bavail * disk.f_frsize)
    for removal in chosen:
        print(f"would remove {removal.segment.path.name}  {removal.size_bytes:>14,} bytes  {escape(removal.reason)}")
    gone = {removal.segment for removal in chosen}
    kept = [found.segment for found in facts if found.segment not in gone]
    shorter = {
        life.reason: sum(len(due_positions(segment, life, now, holds)) for segment in kept) for life in policy.shorter
    }
    for reason, count in shorter.items():
        print(f"would redact {count:,} events  {escape(reason)}")
    if not chosen and not any(shorter.values()):
        print("nothing is due")
    return 0
