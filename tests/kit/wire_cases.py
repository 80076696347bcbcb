"""Tables of messages, and every way one reaches a parser."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from receiver.wire.detect import parse_frames
from receiver.wire.framing import Framer
from tests.kit.wire_cuts import cuttings, random_cuts

if TYPE_CHECKING:
    from datetime import tzinfo

    from receiver.wire.message import Message

FIELDS = (
    "format", "status", "facility", "severity", "time", "time_quality", "host", "app", "pid", "msgid",
    "structured_data", "message", "fields", "defects", "extra",
)  # fmt: skip

TAIL = b"<13>Jan  5 10:00:00 tail end: tail"


class Case(NamedTuple):
    """One message and what must come of it; a field that is not named must be None (no defects: empty)."""

    id: str
    raw: bytes
    expected: dict[str, Any]
    zone: tzinfo | None = None


def us(*parts: int) -> int:
    """Microseconds of a UTC time, given as datetime takes it."""
    moment = datetime(*parts, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)  # type: ignore[misc, arg-type]
    return (moment.days * 86_400 + moment.seconds) * 1_000_000 + moment.microseconds


def facts(message: Message) -> dict[str, Any]:
    """A message's fields that hold something."""
    found = {name: getattr(message, name) for name in FIELDS}
    found["defects"] = tuple(str(defect) for defect in message.defects)
    return {name: value for name, value in found.items() if value is not None and value != ()}


def assert_case(case: Case, received_at: int) -> None:
    """Parse it as a datagram; as a counted frame whole, byte by byte, at random cuts, with a tail; as a line."""
    (message,) = parse_frames([case.raw], received_at, case.zone)
    assert facts(message) == case.expected
    assert message.raw == case.raw
    if case.raw[:1] in {b"<", b"{"}:
        stream = b"%d %b" % (len(case.raw), case.raw)
        for chunks in cuttings(stream):
            assert _parsed(chunks, received_at, case.zone)[0] == case.expected
        both = _parsed(random_cuts(stream + TAIL, seed=5), received_at, case.zone)
        assert both[0] == case.expected
        assert both[1]["message"] == "tail"
    if not set(case.raw) & set(b"\n\0") and not case.raw.endswith(b"\r"):
        for chunks in cuttings(case.raw + b"\r\n"):
            assert _parsed(chunks, received_at, case.zone)[0] == case.expected


def assert_truncations(raw: bytes, received_at: int) -> None:
    """Cut it at every byte: something comes of it each time, and its texts are Unicode."""
    for size in range(len(raw)):
        (message,) = parse_frames([raw[:size]], received_at)
        assert_texts(message)


def assert_texts(message: Message) -> None:
    """Every text must be encodable, or one message would fail a whole INSERT."""
    for name in ("host", "app", "pid", "msgid", "message", "time_quality", "format", "status"):
        text = getattr(message, name)
        assert text is None or (isinstance(text, str) and text.encode() is not None)
    _assert_tree(message.structured_data)
    _assert_tree(message.extra)
    assert (message.status == "ok") == (not message.defects)


def _assert_tree(value: object) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _assert_tree(key)
            _assert_tree(inner)
    elif isinstance(value, list):
        for inner in value:
            _assert_tree(inner)
    elif isinstance(value, str):
        value.encode()


def _parsed(chunks: list[bytes], received_at: int, zone: tzinfo | None) -> list[dict[str, Any]]:
    framer = Framer()
    frames = [frame for chunk in chunks for frame in framer.feed(chunk)] + framer.close()
    return [facts(message) for message in parse_frames(frames, received_at, zone)]
