"""The argument parser's manners: errors in one line, help that keeps its examples, options every command shares."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

from receiver.cli.terminal import escape

if TYPE_CHECKING:
    from collections.abc import Callable

    Commands = argparse._SubParsersAction["Parser"]  # noqa: SLF001 - the only name argparse gives it
    Run = Callable[[argparse.Namespace], int]

T = TypeVar("T")


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; the usage is one `--help` away."""

    def error(self, message: str) -> NoReturn:
        """Leave with exit code 2."""
        self.exit(2, f"{self.prog}: {escape(message)} (see {self.prog} --help)\n")


def add_command(commands: Commands, name: str, run: Run, summary: str, about: str, examples: str) -> Parser:
    """Register one command; `examples` are its command lines, shown under the options."""
    indented = "\n".join(f"  {line}" for line in examples.strip().splitlines())
    parser = commands.add_parser(
        name,
        help=summary,
        description=about.strip(),
        epilog=f"examples:\n{indented}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run, prog=parser.prog)
    return parser


def add_location(parser: Parser) -> None:
    """Take --config FILE or --store DIR."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the receiver's configuration (default: $AUDIT_RECEIVER_CONFIG, then /etc/audit-receiver/config.yaml)",
    )
    where.add_argument("--store", type=Path, metavar="DIR", help="the store's folder, without a configuration")


def checked(parse: Callable[[str], T]) -> Callable[[str], T]:
    """Let the sentence of a parser's ValueError reach the user; argparse would replace it by a shrug."""

    def parse_argument(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse_argument
