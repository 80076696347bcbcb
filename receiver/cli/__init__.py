"""The command `audit-receiver`; one file a command; the only code that prints.

Exit codes: 0 done; 1 the answer is bad (`check`: the configuration cannot be used); 2 could not run, and one line on
standard error says why; 130 interrupted.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

from receiver import __version__
from receiver.cli.parser import Parser
from receiver.cli.terminal import escape
from receiver.errors import ReceiverError

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS: Final = (
    "run", "check", "doctor", "query", "tail", "stats", "hosts", "unmatched", "explain",
    "verify", "prove", "check_proof", "redact", "hold", "prune", "backup", "restore", "keygen", "witness", "version",
)  # fmt: skip
"""One module each, with `register(commands)`; what a command needs it imports when it runs."""

_COULD_NOT_RUN: Final = 2
_INTERRUPTED: Final = 130
_TRACEBACK_VARIABLE: Final = "AUDIT_RECEIVER_TRACEBACK"

_GC_THRESHOLDS: Final = (20_000, 50, 100)
"""Container objects before a young collection. Modules, rules and events have hardly a cycle: while a command starts,
the usual 700 look for one a hundred times, for a tenth of its time."""

_ABOUT: Final = """\
A self-hosted audit log: takes syslog, JSON and GELF from your servers, keeps who did what, on what, when, from
where and whether it succeeded, and lets you ask."""

_EXAMPLES: Final = """\
examples:
  audit-receiver run --config config.yaml                 receive and store
  audit-receiver query --since 1d --actor root            what root did since yesterday
  audit-receiver tail -f --outcome failure                watch what fails
  audit-receiver stats --by source_ip --action auth.login who knocks
  audit-receiver explain '<86>sshd[7]: Failed password for root from 203.0.113.9 port 1 ssh2'

Reading commands only read: they work beside a running receiver and on a stopped store.
Changing commands ask the receiver that runs; when none does, they take its place for a moment.
exit codes: 0 done; 1 the answer is bad; 2 could not run (one line says why)"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; nothing escapes as a traceback."""
    gc.set_threshold(*_GC_THRESHOLDS)
    if sys.stdout is None:  # started with `>&-`
        return _fail("standard output is closed")
    _speak_any_text()
    try:
        code = _run(argv)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # `… | head` has seen enough
        _forget_output()
        return 0
    except ReceiverError as error:
        return _fail(str(error))
    except OSError as error:  # a file, or standard output itself on a full disk
        _forget_output()
        return _fail(_sentence(error))
    except Exception as error:
        if os.environ.get(_TRACEBACK_VARIABLE):
            raise
        return _fail(f"a bug of ours: {type(error).__name__}: {error} (set {_TRACEBACK_VARIABLE}=1 to see where)")
    return code


def _run(argv: Sequence[str] | None) -> int:
    try:
        args = _parser().parse_args(argv)
        code: int = args.run(args)
    except SystemExit as leaving:  # argparse: --help, --version, or a wrong option
        return leaving.code if isinstance(leaving.code, int) else _COULD_NOT_RUN
    return code


def _parser() -> Parser:
    parser = Parser(
        prog="audit-receiver",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"audit-receiver {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True, dest="command")
    for name in _COMMANDS:
        import_module(f"receiver.cli.{name}").register(commands)
    return parser


def _speak_any_text() -> None:
    """Let no text fail to print: programs get UTF-8, a terminal gets what it can show."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is None:
            continue
        encoding = None if stream.isatty() else "utf-8"
        reconfigure(encoding=encoding, errors="backslashreplace")


def _forget_output() -> None:
    """Send what cannot be written nowhere, or the interpreter complains when it closes standard output."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _sentence(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"


def _fail(reason: str) -> int:
    """Say why in one line, however many there are."""
    first, *others = reason.splitlines() or ["no reason given"]
    more = f" (and {len(others)} more: audit-receiver check shows them)" if others else ""
    print(f"audit-receiver: {escape(first)}{more}", file=sys.stderr)
    return _COULD_NOT_RUN
