"""How urgent a frame says it is, by a glance: for a frame that may have to be dropped before it is parsed.

Knows PRI (RFC 3164 §4.1.1, RFC 5424 §6.2.1) and the usual keys and words of JSON and GELF; looks at the beginning of
the frame only, and believes it. Not the parser: what is kept is read properly later.
"""

from __future__ import annotations

import re
from typing import Final

from receiver import limits

_PRI: Final = re.compile(rb"\s*<([0-9]{1,3})>")
_PRI_MAX: Final = 191
_LEVEL: Final = re.compile(
    rb'"(?:[a-z_.]*[._])?(?:level|severity|priority|levelname|log_?level)"\s*:\s*"?([a-z]{1,13}|[0-9]{1,3})(?![0-9a-z])',
    re.IGNORECASE,
)
_WORDS: Final = {
    b"panic": 0, b"emerg": 0, b"emergency": 0, b"alert": 1, b"crit": 2, b"critical": 2, b"fatal": 2,
    b"err": 3, b"error": 3, b"warn": 4, b"warning": 4, b"notice": 5, b"info": 6, b"informational": 6,
    b"debug": 7, b"trace": 7,
}  # fmt: skip
_NODE_LEVELS: Final = {60: 2, 50: 3, 40: 4, 30: 6, 20: 7, 10: 7}
"""Levels of bunyan and pino (Node.js), in tens."""


def severity_of(frame: bytes) -> int | None:
    """Find the severity (0 is the most urgent) that a frame claims; None when it names none."""
    match = _PRI.match(frame)
    if match is not None:
        pri = int(match[1])
        return pri & 7 if pri <= _PRI_MAX else None
    if frame[:16].lstrip()[:1] != b"{":
        return None
    match = _LEVEL.search(frame, 0, limits.URGENCY_BYTES)
    if match is None:
        return None
    word = match[1].lower()
    if not word.isdigit():
        return _WORDS.get(word)
    number = int(word)
    return number if number <= 7 else _NODE_LEVELS.get(number)
