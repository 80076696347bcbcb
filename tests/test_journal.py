"""The receiver's own log: what a peer's certificate, a path or an error's text says cannot write into it."""

from __future__ import annotations

import logging
import sys

import pytest

from receiver.journal import JournalFormatter, LineFormatter

HOSTILE = 'sender "\x1b]0;owned\x07\n<0>kernel: panic\u202e\x9b2J"'
SHOWN = 'sender "\\x1b]0;owned\\x07\\n<0>kernel: panic\\u202e\\x9b2J"'


def record(message: str, *values: object, error: BaseException | None = None) -> logging.LogRecord:
    trace = None if error is None else (type(error), error, error.__traceback__)
    return logging.LogRecord("x", logging.WARNING, __file__, 1, message, values, trace)


@pytest.mark.parametrize(("formatter", "before"), [(LineFormatter("%(message)s"), ""), (JournalFormatter(), "<4>")])
def test_a_record_is_one_line_whatever_stands_in_it(formatter: logging.Formatter, before: str) -> None:
    # A line end of a sender's would begin a line of his own, under a level of his own.
    assert formatter.format(record("refused: %s", HOSTILE)) == f"{before}refused: {SHOWN}"


def test_a_traceback_keeps_its_lines_and_their_level() -> None:
    # The error's own text may be the sender's too.
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        error = sys.exc_info()[1]
    text = JournalFormatter("%(message)s").format(record("a bug", error=error))
    lines = text.split("\n")
    assert len(lines) > 3
    assert all(line.startswith("<4>") for line in lines)
    assert not any(char in text for char in "\x1b\x07\x9b\u202e")
