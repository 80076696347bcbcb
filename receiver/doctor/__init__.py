"""What is wrong with a receiver, its configuration or its host, in plain words, each with the command that mends it.

`facts.py` is what is known, as values; `checks.py` judges it, and asks nobody; `running.py` asks the receiver that
runs, `host.py` the machine. Changes nothing.
"""

from __future__ import annotations

from receiver.doctor.checks import CHECKS, examine
from receiver.doctor.facts import Clock, Facts, Finding, Host, KeyFolderFacts, Running, State, Unit
from receiver.doctor.host import look_at_host
from receiver.doctor.running import ask_running, parse_samples

__all__ = [
    "CHECKS",
    "Clock",
    "Facts",
    "Finding",
    "Host",
    "KeyFolderFacts",
    "Running",
    "State",
    "Unit",
    "ask_running",
    "examine",
    "look_at_host",
    "parse_samples",
]
