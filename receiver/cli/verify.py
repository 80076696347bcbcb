"""`verify`: compute everything again from the rows, and say whether anybody altered the log."""

from __future__ import annotations

import os
import re
import sys
import time
from base64 import b64decode
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from receiver.cli.location import config_of, keys_of, store_folder
from receiver.cli.parser import add_command, add_location, checked
from receiver.cli.terminal import escape
from receiver.cli.when import now_us, parse_when, to_datetime

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from receiver.cli.parser import Commands
    from receiver.evidence.keys import VerifierKey
    from receiver.key_files import KeyFolder
    from receiver.verify.memory import Memory
    from receiver.verify.report import Report
    from receiver.verify.verification import Question, Verified

_ABOUT: Final = """\
Compute the tree again from every row, and compare it with every checkpoint there is: those in the store, the copy
beside the keys, and those kept elsewhere that you name. Says which events, segment, page or checkpoint is wrong.
With --key nothing in the store is believed: give the verifier key you wrote down (`version --config` prints it).
exit codes: 0 nothing that was signed is altered; 1 something is; 2 could not run"""

_EXAMPLES: Final = """\
audit-receiver verify --config config.yaml
audit-receiver verify --store /var/lib/audit-receiver/store --key 'audit1/store+6493ad22+AS5F…' --checkpoint kept.txt
audit-receiver verify --config config.yaml --prometheus http://prometheus:9090 --match 'instance="audit1:9514"'
audit-receiver verify --config config.yaml --incremental       # reads only what was not verified before"""

_IN_SYSLOG: Final = re.compile(rb"note\W{1,6}((?:[A-Za-z0-9+/]{4}){20,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)")
"""`note="…"`, and what JSON or another escaping makes of it."""
_STATE_VARIABLE: Final = "XDG_STATE_HOME"
_JOBS: Final = 1_024
_SHOWN: Final = 50
_BAR: Final = 30


def register(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "verify", run, "say whether anybody altered the log", _ABOUT, _EXAMPLES)
    add_location(parser)
    parser.add_argument("--key", action="append", default=[], metavar="VKEY", help="a verifier key that you trust")
    parser.add_argument(
        "--checkpoint", action="append", default=[], type=Path, nargs="+", metavar="FILE",
        help="checkpoints kept elsewhere, one or more a file",
    )  # fmt: skip
    parser.add_argument("--prometheus", metavar="URL", help="compare with every head that this server recorded")
    parser.add_argument("--match", default="", metavar="LABELS", help="which receiver, if Prometheus knows several")
    when = checked(lambda text: parse_when(text, now_us()))
    parser.add_argument("--since", type=when, metavar="TIME", help="read only segments with events since then")
    parser.add_argument("--incremental", action="store_true", help="remember what was verified, read only what is new")
    parser.add_argument("--state", type=Path, metavar="FILE", help="where --incremental remembers it")
    parser.add_argument("--jobs", type=checked(_jobs), metavar="N", help="processes to use (default: one a core)")
    parser.add_argument("--quiet", action="store_true", help="say only what is wrong")


def _jobs(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= _JOBS):
        raise ValueError(f"'{text}' is no number of processes: give 1 to {_JOBS}")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Verify and report."""
    from receiver.verify.memory import Memory
    from receiver.verify.verification import verify

    question, keys = _question(args)
    path = args.state or _state_path(question.folder)
    memory = None
    if args.incremental:
        memory = Memory.read(path, sorted(map(str, keys)))
        question = _with_memory(question, memory)
    started = time.monotonic()
    verified = verify(question)
    _clear_bar()
    _show(verified.report, time.monotonic() - started, quiet=args.quiet, given=bool(keys))
    if verified.report.problems:
        return 1
    if args.incremental:
        _remember(path, sorted(map(str, keys)), verified)
    return 0


def _question(args: argparse.Namespace) -> tuple[Question, tuple[VerifierKey, ...]]:
    from receiver.evidence.keys import VerifierKey
    from receiver.verify.prometheus import recorded_heads
    from receiver.verify.verification import Question

    folder = store_folder(args)
    keys = tuple(VerifierKey.parse(text) for text in args.key)
    since = None if args.since is None else args.since / 1_000_000
    recorded = recorded_heads(args.prometheus, args.match, since) if args.prometheus else []
    question = Question(
        folder,
        keys,
        tuple(_copies([path for paths in args.checkpoint for path in paths], keys_of(config_of(args), folder))),
        tuple(recorded),
        args.since,
        processes=args.jobs,
        progress=_bar if sys.stderr.isatty() and not args.quiet else None,
    )
    return question, keys


def _copies(paths: Sequence[Path], keys: KeyFolder) -> list[tuple[str, bytes]]:
    """Read checkpoints kept elsewhere: those named, and the copy beside the keys when it may be read."""
    found = [(str(path), note) for path in paths for note in notes_in(path.read_bytes())]
    with suppress(OSError):  # an auditor has the store only; the operator's own copy helps where it can be read
        found += [(str(keys.checkpoint), keys.checkpoint.read_bytes())]
    return found


def notes_in(data: bytes) -> list[bytes]:
    """Find the checkpoints in a file.

    One after the other, each with its signatures and a blank line between, as `publish: file` writes them; or the log
    of a syslog server, where each stands in base64 as structured data, whatever that server puts around it.
    """
    published = [b64decode(found[1]) for found in _IN_SYSLOG.finditer(data)]
    if published:
        return published
    notes: list[bytes] = []
    lines: list[bytes] = []
    signed = False
    for line in data.splitlines(keepends=True):
        is_signature = line.startswith("— ".encode())
        if signed and not is_signature:
            notes.append(b"".join(lines))
            lines, signed = [], False
        if line.strip() or lines:
            lines.append(line)
        signed = is_signature
    return [*notes, b"".join(lines)] if lines else notes


def _with_memory(question: Question, memory: Memory) -> Question:
    from dataclasses import replace

    return replace(question, known=memory.digests, known_size=memory.size, known_root=bytes.fromhex(memory.root))


def _remember(path: Path, keys: list[str], verified: Verified) -> None:
    from receiver.verify.memory import Memory

    report = verified.report
    sealed = {str(first): digest.hex() for first, digest in verified.digests.items()}
    Memory(keys, report.size, report.root.hex(), sealed).write(path)


def _state_path(folder: Path) -> Path:
    base = Path(os.environ.get(_STATE_VARIABLE) or Path.home() / ".local" / "state")
    name = str(folder.absolute()).strip("/").replace("/", "_")
    return base / "audit-receiver" / f"verified-{name}.json"


# --- what is shown ---


def _show(report: Report, seconds: float, *, quiet: bool, given: bool) -> None:
    for problem in report.problems[:_SHOWN]:
        print(escape(str(problem)))
    if len(report.problems) > _SHOWN:
        print(f"and {len(report.problems) - _SHOWN} more")
    if report.problems:
        print(f"NOT VERIFIED: {len(report.problems)} problem{'s' if len(report.problems) > 1 else ''}")
        return
    if quiet:
        return
    for note in report.notes:
        print(escape(note))
    trusted = f", {report.trusted} known from before" if report.trusted else ""
    speed = f" ({report.verified / seconds:,.0f} a second)" if seconds else ""
    print(f"verified: {report.verified} of {report.size} events in {report.segments} segments{trusted}{speed}")
    if report.absent:
        print(f"removed: {report.absent} events, each named by an entry of the log")
    if report.redacted:
        print(f"redacted: {report.redacted} events, each named by an entry of the log")
    signed = to_datetime(report.signed_seconds * 1_000_000) if report.signed_seconds else None
    when = f", the last signed {signed:%Y-%m-%d %H:%M:%S} UTC" if signed else ""
    heads = f"; {report.heads} heads recorded by Prometheus" if report.heads else ""
    print(f"checkpoints: {report.checkpoints} hold{when}{heads}; log: {escape(report.origin or 'not signed yet')}")
    if not given:
        print("the keys are those the store names; with --key nothing in it is believed")
    print(f"unsigned tail: {report.tail} events, of which nobody can prove anything yet")


def _bar(done: int, total: int) -> None:
    filled = _BAR * done // max(total, 1)
    share = 100 * done // max(total, 1)
    print(f"\rverifying [{'#' * filled}{'.' * (_BAR - filled)}] {share} %", end="", file=sys.stderr, flush=True)


def _clear_bar() -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
