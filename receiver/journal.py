"""The receiver's own log: one line a record on standard error, under systemd with its level for the journal.

Knows logging and sd-daemon(3). What senders wrote may stand in a record (the name in a certificate, a path, an error's
text): it is shown, never sent, so that nobody writes into the operator's terminal, or a second line under a level of
his choice into the journal.
"""

from __future__ import annotations

import logging
import os
from typing import Final

from receiver.visible import escape

_SEVERITIES: Final = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))


def configure_logging() -> None:
    """Write all records to standard error from now on."""
    handler = logging.StreamHandler()
    if "JOURNAL_STREAM" in os.environ:
        handler.setFormatter(JournalFormatter("%(message)s"))
    else:
        handler.setFormatter(LineFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


class LineFormatter(logging.Formatter):
    """Shows what would control a terminal; only a traceback has more than one line."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Escape the message as a whole."""
        return escape(super().formatMessage(record))

    def formatException(self, ei: logging._SysExcInfoType) -> str:  # noqa: N802
        """Escape a traceback line by line."""
        return "\n".join(map(escape, super().formatException(ei).split("\n")))


class JournalFormatter(LineFormatter):
    """Prefixes every line with its syslog severity, so that a traceback stays an error to its last line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record's lines."""
        severity = next((s for level, s in _SEVERITIES if record.levelno >= level), 7)
        return "\n".join(f"<{severity}>{line}" for line in super().format(record).split("\n"))
