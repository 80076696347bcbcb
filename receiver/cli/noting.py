"""Who reads the log is written into the log: the receiver that runs is told, if one does."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from receiver.cli.location import store_folder
from receiver.cli.terminal import escape
from receiver.errors import StoreRefused

if TYPE_CHECKING:
    import argparse

_SECONDS: Final = 5.0
_NOT_ASKED: Final = {"config", "store", "run", "prog", "command", "limit", "count", "json", "table", "local"}


def note(args: argparse.Namespace, action: str, data: dict[str, Any]) -> None:
    """Tell the receiver what is done with its log. Without one nothing is written: reading commands only read."""
    from receiver.control import ask

    try:
        ask(store_folder(args), "note", seconds=_SECONDS, action=action, data=data)
    except LookupError:
        pass
    except (StoreRefused, OSError) as error:
        print(f"{args.prog}: this is not noted in the log: {escape(str(error))}", file=sys.stderr)


def note_reading(args: argparse.Namespace) -> None:
    """Tell the receiver that somebody reads, and what for; output made for programs is an export."""
    export = bool(getattr(args, "format", None) or getattr(args, "json", False))
    asked = {
        name: value.encode(errors="replace").decode() if isinstance(value, str) else value
        for name, value in sorted(vars(args).items())
        if name not in _NOT_ASKED and isinstance(value, str | int) and value is not False
    }
    note(args, "log.export" if export else "log.query", {"command": args.command, "asked": asked})
