"""`explain --jsonl` and `--frames`: the parsers behind standard input, for programs.

Knows the form of the lines. Every line in gives one line out, in order, at once: also a line that makes no sense,
which is answered with its `error`.
"""

from __future__ import annotations

import binascii
import sys
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import orjson

from receiver import limits
from receiver.event_json import event_line, json_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from receiver.cli.doorway import Doorway

_NEEDS: Final = '{"raw": base64, "transport": "udp"|"tcp"|"json"|…, "peer": "ip" or "ip:port"}'


class BadLine(ValueError):
    """The line is not what it should be; the sentence says why."""


def explain_messages(source: BinaryIO, doorway: Doorway) -> None:
    """Answer each message with its event."""

    def answer(line: dict[str, Any]) -> str:
        raw = _bytes(line.get("raw"), "raw")
        transport, peer = _text(line, "transport"), _text(line, "peer")
        return event_line(doorway.event(raw, transport, peer))

    _answer_all(source, answer, {})


def explain_frames(source: BinaryIO, max_bytes: int) -> None:
    """Answer each connection's reads with its frames."""

    def answer(line: dict[str, Any]) -> str:
        from receiver.wire.framing import Framer

        chunks = line.get("chunks")
        if not isinstance(chunks, list):
            raise BadLine("`chunks` must be a list of base64 texts")
        framer = Framer(max_bytes)
        frames = [frame for chunk in chunks for frame in framer.feed(_bytes(chunk, "chunks"))]
        if framer.error is None:
            frames += framer.close()
        error = None if framer.error is None else str(framer.error.reason)
        return json_line({"frames": [b64encode(frame).decode() for frame in frames], "error": error})

    _answer_all(source, answer, {"frames": []})


def read_lines(source: BinaryIO) -> Iterator[bytes | None]:
    """Give each line without its end; None for one that is longer than memory should hold."""
    limit = limits.EXPLAIN_LINE_BYTES
    while line := source.readline(limit):
        if len(line) < limit or line.endswith(b"\n"):
            yield line.rstrip(b"\r\n")
            continue
        while line and not line.endswith(b"\n"):
            line = source.readline(limit)
        yield None


def _answer_all(source: BinaryIO, answer: Callable[[dict[str, Any]], str], blank: dict[str, Any]) -> None:
    for number, line in enumerate(read_lines(source), 1):
        try:
            text = answer(_object(line))
        except ValueError as error:
            text = json_line({**blank, "error": f"line {number}: {error}"})
        except Exception as error:  # noqa: BLE001 - a bug that one message brings out must not cost the others' answers
            text = json_line({**blank, "error": f"line {number}: a bug of ours: {type(error).__name__}: {error}"})
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def _object(line: bytes | None) -> dict[str, Any]:
    if line is None:
        raise BadLine(f"longer than {limits.EXPLAIN_LINE_BYTES} bytes")
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise BadLine(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadLine("not a JSON object")
    return value


def _bytes(value: Any, key: str) -> bytes:
    if not isinstance(value, str):
        raise BadLine(f"`{key}` must be base64; a line is {_NEEDS}" if key == "raw" else f"`{key}` must hold base64")
    try:
        return b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadLine(f"`{key}` is not base64: {error}") from error


def _text(line: dict[str, Any], key: str) -> str | None:
    value = line.get(key)
    if value is not None and not isinstance(value, str):
        raise BadLine(f"`{key}` must be text")
    return value
