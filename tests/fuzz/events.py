"""From a message to an event, and to everything an event is written as."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

from receiver import limits
from receiver.event import ACTIONS, Event, Origin
from receiver.event_json import event_line
from receiver.evidence.leaf import leaf_hashes, parse_payload, payload
from receiver.export import FORMATS, csv_line
from receiver.listen.intake import estimate_bytes
from receiver.normalize.engine import Normalizer
from receiver.normalize.rules.pack import load_packs
from receiver.store import StoredEvent
from receiver.wire.detect import parse_frames
from tests.fuzz import seeds
from tests.fuzz.target import NOW_US, Target

ORIGIN: Final = Origin("192.0.2.1", 514, None, "tcp", "syslog")


@cache
def normalizer() -> Normalizer:
    """The built-in packs."""
    return Normalizer(load_packs(()))


def normalizing(data: bytes) -> None:
    """Whatever was parsed is an event that can be stored, hashed, read back and exported: one line, and Unicode."""
    messages = parse_frames([data], NOW_US)
    (event,) = normalizer().normalize(messages, [ORIGIN], NOW_US)
    assert type(event) is Event
    assert event.action is None or event.action in ACTIONS
    for value in event:
        if isinstance(value, str):
            value.encode()
    assert parse_payload(payload(event)) == event
    assert len(leaf_hashes(0, [event], bytes(16))) == 1
    assert estimate_bytes([data], [event]) >= sum(len(value) for value in event if isinstance(value, str | bytes))
    stored = StoredEvent._make((7, *event, None, None))
    for line in (event_line(event), csv_line(stored), *(write(stored) for write in FORMATS.values())):
        assert len(line.splitlines()) == 1
        assert not [char for char in line if not char.isprintable() and unicodedata.category(char) == "Cc"]


TARGETS: Final[dict[str, Target]] = {
    "normalize": Target(normalizing, seeds.messages, measured=limits.RULE_TEXT_CHARS, chooses=False)
}
