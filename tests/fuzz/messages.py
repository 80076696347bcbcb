"""Parsers of one message: detection, RFC 5424, RFC 3164, JSON, GELF, times."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from receiver import limits
from receiver.wire import gelf, json_event, rfc3164, rfc5424, timestamp, urgency
from receiver.wire.detect import parse_frames
from tests.fuzz import seeds
from tests.fuzz.target import NOW_US, ZONES, Target
from tests.kit.wire_cases import assert_texts

if TYPE_CHECKING:
    from receiver.wire.message import Message


def detect(data: bytes) -> None:
    """Any frame is one message with texts that can be stored, whatever its neighbours are."""
    zone = ZONES[data[0] % len(ZONES)]
    half = len(data) // 2
    frames = [data[1:], data[1:half], data[half:]]
    assert {urgency.severity_of(frame) for frame in frames} <= {None, *range(8)}
    messages = parse_frames(frames, NOW_US, zone)
    assert len(messages) == len(frames)
    for message, frame in zip(messages, frames, strict=True):
        assert_texts(message)
        assert message.raw == frame
        assert message.time is None or abs(message.time) <= timestamp.MAX_TIME_US
        assert message.facility is None or 0 <= message.facility <= 23
        assert message.severity is None or 0 <= message.severity <= 7
    assert [each.message for each in parse_frames(frames[:1], NOW_US, zone)] == [messages[0].message]


def syslog5424(data: bytes) -> None:
    """Read by the parser alone, or not at all."""
    text = data.decode(errors="replace")
    message = rfc5424.parse(data, text, NOW_US)
    if message is not None:
        assert_texts(message)


def syslog3164(data: bytes) -> None:
    """Read with and without a priority, in any zone."""
    text = data[1:].decode(errors="replace")
    zone = ZONES[data[0] % len(ZONES)]
    found: list[Message | None] = [rfc3164.parse_without_pri(data[1:], text, NOW_US, zone)]
    mark = text.find(">", 1, 22)
    if text.startswith("<") and text[1:mark].isdecimal():
        found.append(rfc3164.parse(data[1:], text, NOW_US, zone))
    for message in found:
        if message is not None:
            assert_texts(message)


def json_objects(data: bytes) -> None:
    """What is read is written again as JSON that says the same, and reads as the same."""
    message = json_event.parse(data)
    assert_texts(message)
    loaded = json_event.load_object(data)
    if loaded is not None:
        written = json_event.dump_data(loaded[0])
        written.encode()
        json.loads(written, parse_int=str, parse_float=str)


def gelf_datagrams(data: bytes) -> None:
    """Chunks in any order from two senders: bounded while they are held, whole or nothing at the end."""
    reassembler = gelf.Reassembler()
    pos, now = 1, 0.0
    while pos + 2 <= len(data) and pos < 60_000:
        size = int.from_bytes(data[pos : pos + 2], "big")
        datagram = data[pos + 2 : pos + 2 + size]
        pos += 2 + size
        now += (data[0] & 15) / 16
        whole = reassembler.feed(datagram, size & 1, now)
        assert reassembler.cost_bytes <= limits.GELF_ASSEMBLY_BYTES
        assert reassembler.cost_bytes >= 0
        if whole is not None:
            inflated = gelf.inflate(whole)
            assert len(inflated) <= max(limits.INFLATED_BYTES, len(whole))
            (message,) = parse_frames([inflated], NOW_US)
            assert_texts(message)
    reassembler.expire(now + 2 * limits.GELF_ASSEMBLY_SECONDS)
    assert (reassembler.open, reassembler.cost_bytes) == (0, 0)


def timestamps(data: bytes) -> None:
    """A time is within the bound, and ends within the text."""
    text = data[1:].decode(errors="replace")
    zone = ZONES[data[0] % len(ZONES)]
    for now in (NOW_US, 0, timestamp.MAX_TIME_US):
        stamp = timestamp.read_stamp(text, 0, now, zone)
        if stamp is not None:
            assert stamp[0] is None or abs(stamp[0]) <= timestamp.MAX_TIME_US
            assert 0 < stamp.end <= len(text)
    strict = timestamp.parse_strict(text)
    assert strict is None or abs(strict) <= timestamp.MAX_TIME_US


TARGETS: Final[dict[str, Target]] = {
    "detect": Target(detect, seeds.messages),
    "rfc5424": Target(syslog5424, lambda: seeds.tables("rfc5424"), chooses=False),
    "rfc3164": Target(syslog3164, lambda: seeds.tables("rfc3164")),
    "json": Target(json_objects, lambda: seeds.tables("json_event"), chooses=False),
    "gelf": Target(gelf_datagrams, seeds.packed),
    "timestamp": Target(timestamps, lambda: seeds.tables("timestamp"), 256),
}
