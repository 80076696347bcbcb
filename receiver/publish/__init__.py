"""Checkpoints leave the machine: whoever has root here and the key can rewrite all that nobody else has seen.

Knows signed checkpoints and where to send them; knows no store and no config file. `publisher.py` has one task a target
and its patience; `targets.py` how each kind of target is spoken to.
"""

from __future__ import annotations

from receiver.publish.publisher import Publisher
from receiver.publish.targets import FileTarget, HttpTarget, SyslogTarget, Target, WitnessTarget

__all__ = ["FileTarget", "HttpTarget", "Publisher", "SyslogTarget", "Target", "WitnessTarget"]
