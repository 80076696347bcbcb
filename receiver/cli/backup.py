"""`backup`: bring a copy of the store up to date, beside the running receiver, and verify it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from receiver.cli.location import config_of, keys_of, store_folder
from receiver.cli.noting import note
from receiver.cli.parser import add_command, add_location
from receiver.cli.terminal import escape

if TYPE_CHECKING:
    import argparse

    from receiver.cli.parser import Commands

_ABOUT: Final = """\
Copy the store into a folder, while the receiver runs. Sealed segments are copied once (and again when something in them
was redacted), the active one each time; what retention removed goes from the copy too. Then the copy is verified.
Keys are not in it: keep the files of evidence.key_dir elsewhere.
exit codes: 0 copied and verified; 1 the copy does not verify; 2 could not run"""

_EXAMPLES: Final = """\
audit-receiver backup /mnt/backup/audit --config config.yaml
audit-receiver verify --store /mnt/backup/audit --key 'audit1/store+6493ad22+AS5F…'"""


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "backup", run, "copy the store, verified", _ABOUT, _EXAMPLES)
    parser.add_argument("folder", type=Path, metavar="DIR", help="the copy")
    add_location(parser)


def run(args: argparse.Namespace) -> int:
    """Copy, verify, and say so."""
    from receiver.store.backup import back_up
    from receiver.verify.verification import Question, verify

    folder = store_folder(args)
    done = back_up(folder, args.folder)
    note(args, "log.archive", {"folder": os.fspath(args.folder.absolute())})
    keys = keys_of(config_of(args), folder)
    # Those beside the store count for more than what the copy says.
    report = verify(Question(args.folder, tuple(keys.known_verifiers()))).report
    for problem in report.problems:
        print(escape(str(problem)))
    if report.problems:
        print(f"NOT VERIFIED: the copy in {escape(str(args.folder))} has {len(report.problems)} problems")
        return 1
    print(f"copied {done.copied} files, {done.size_bytes:,} bytes; {done.kept} were there already")
    print(f"verified: {report.verified} events, {report.checkpoints} checkpoints; unsigned tail: {report.tail}")
    return 0
