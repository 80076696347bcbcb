"""Any bytes into every reader: guided by coverage, for a time. `target.py` says what must hold.

Each target lives in one of the modules here, which is imported when it is asked for: what it imports is instrumented.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.fuzz.target import Target

NAMES: Final[dict[str, str]] = {
    "framing": "streams", "relp": "streams", "proxy": "streams", "http": "streams",
    "bodies": "streams", "inflate": "streams",
    "detect": "messages", "rfc5424": "messages", "rfc3164": "messages", "json": "messages", "gelf": "messages",
    "timestamp": "messages", "normalize": "events", "proofs": "proofs", "control": "requests",
}  # fmt: skip
"""Every target and the module it is in."""


def target(name: str) -> Target:
    """Import a target and what it needs."""
    found: Target = import_module(f"tests.fuzz.{NAMES[name]}").TARGETS[name]
    return found
