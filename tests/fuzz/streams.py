"""Readers of streams: framing, RELP, PROXY, HTTP, and the bodies of requests."""

from __future__ import annotations

import json
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from receiver import limits
from receiver.wire.bulk import Bulk
from receiver.wire.detect import parse_frames
from receiver.wire.http import HttpSession, Part, Request, plain
from receiver.wire.inflate import PIECE_BYTES, Inflater
from receiver.wire.journal_export import JournalExport, parse_entries
from receiver.wire.json_body import Body
from receiver.wire.proxy import NoProxyHeader, ProxyHeader
from receiver.wire.relp import RelpSession
from tests.fuzz import seeds
from tests.fuzz.target import NOW_US, Target, pieces
from tests.kit.wire_cases import assert_texts
from tests.kit.wire_cuts import frames_of, taken

if TYPE_CHECKING:
    from collections.abc import Sequence

SMALL: Final = 300
"""Longest message of the readers under test: long ones must be met too."""
HEAD_BYTES: Final = 6 * limits.KIB


def framing(data: bytes) -> None:
    """Frames and the reason for giving up do not depend on the reads."""
    stream, chunks = pieces(data)
    for max_bytes in (16, SMALL):
        frames, reason = frames_of([stream], max_bytes)
        assert frames_of(chunks, max_bytes) == (frames, reason)
        assert all(0 < len(frame.data) <= max_bytes for frame in frames)
        assert sum(len(frame.data) for frame in frames) <= len(stream)


def relp(data: bytes) -> None:
    """Messages, answers and errors do not depend on the reads; memory is bounded by the longest message."""
    stream, chunks = pieces(data)
    found = [_relp_session(each) for each in ([stream], chunks)]
    assert found[0] == found[1]


def _relp_session(chunks: Sequence[bytes]) -> tuple[object, ...]:
    session = RelpSession(SMALL)
    messages: list[bytes] = []
    for chunk in chunks:
        messages += session.feed(chunk)
        assert session.buffered_bytes <= max(SMALL, 16 * limits.KIB) + len(chunk) + 64
    assert session.pending >= len(messages)
    assert not session.closing or session.buffered_bytes == 0
    session.acknowledge(session.pending)
    assert session.pending == 0
    error = None if session.error is None else str(session.error.reason)
    return taken(messages), session.data_to_send(), error, session.closing


def proxy(data: bytes) -> None:
    """Who is named, what follows and the error do not depend on the reads; a source is an address."""
    stream, chunks = pieces(data)
    for reader in (ProxyHeader, NoProxyHeader):
        found = [_proxy(reader(), each) for each in ([stream], chunks)]
        assert found[0] == found[1]


def _proxy(header: Any, chunks: Sequence[bytes]) -> tuple[object, ...]:
    rest = b""
    for chunk in chunks:
        rest += header.feed(chunk)
        assert header.held_bytes <= limits.PROXY_HEADER_BYTES + len(chunk)
    rest += header.close()
    if header.source is not None:
        assert 0 <= header.source.port <= 65_535
        assert header.source.host.isascii()
    return rest, header.source, header.done, header.local, None if header.error is None else str(header.error.reason)


def http(data: bytes) -> None:
    """Requests, bodies and the status of what is none do not depend on the reads (h11's wording does)."""
    stream, chunks = pieces(data)
    found = [_http_session(each) for each in ([stream], chunks)]
    assert found[0] == found[1] or len(stream) > HEAD_BYTES  # a head is measured where a read ends


def _http_session(chunks: Sequence[bytes]) -> tuple[object, ...]:
    session = HttpSession(HEAD_BYTES)
    requests: list[tuple[Request, bytes]] = []
    body = b""
    head: Request | None = None
    for chunk in [*chunks, b""]:
        if session.over:
            break
        session.receive_data(chunk)
        while (event := session.next_event()) is not None:
            if isinstance(event, Request):
                head, body = event, b""
                session.invite()
            elif event is Part.END:
                assert head is not None
                requests.append((head, body))
                session.respond(plain(HTTPStatus.OK), "now")
            else:
                body += event
    if session.problem is None:
        return requests, None
    session.respond(session.problem, "now")
    assert b"HTTP/1.1 %d " % session.problem.status in session.data_to_send()
    return requests, session.problem.status


# --- bodies of requests ---


def bodies(data: bytes) -> None:
    """What is cut from a body, and why it cannot be, do not depend on the pieces; every frame is a message."""
    stream, chunks = pieces(data)
    for make in (lambda: Body("application/json", SMALL), lambda: Body("", SMALL), lambda: JournalExport(SMALL)):
        found = [_body(make(), each) for each in ([stream], chunks)]
        assert found[0] == found[1]
    found = [_bulk(each) for each in ([stream], chunks)]
    assert found[0] == found[1]


def _body(reader: Any, chunks: Sequence[bytes]) -> tuple[object, ...]:
    frames: list[bytes] = []
    for chunk in chunks:
        frames += reader.feed(chunk)
        assert reader.buffered_bytes <= 2 * SMALL + len(chunk) + 256
    frames += reader.close()
    assert all(len(frame) <= SMALL for frame in frames)
    parse = parse_entries if isinstance(reader, JournalExport) else parse_frames
    for message in parse(frames, NOW_US, None):
        assert_texts(message)
    return taken(frames), reader.error


def _bulk(chunks: Sequence[bytes]) -> tuple[object, ...]:
    reader = Bulk("index", SMALL)
    found = _body(reader, chunks)
    messages = parse_frames([frame.data for frame in found[0]], NOW_US)  # type: ignore[attr-defined]
    items = reader.items_of(messages)
    answer = json.loads(reader.answer(frozenset({0})))
    assert len(items) == len(messages) <= len(answer["items"])
    return (*found, answer)


def inflating(data: bytes) -> None:
    """What is unpacked does not depend on the pieces, and no piece is longer than it may be."""
    stream, chunks = pieces(data)
    for coding in ("gzip", "deflate", ""):
        found = [_inflated(Inflater(coding), each) for each in ([stream], chunks)]
        # A body that is given up has given what came before: how much of it, and which fault is met first, the pieces
        # decide (the ratio is looked at piece by piece).
        assert found[0] == found[1] or None not in (found[0][1], found[1][1])


def _inflated(inflater: Inflater, chunks: Sequence[bytes]) -> tuple[bytes, object]:
    whole = b""
    for chunk in chunks:
        inflater.feed(chunk)
        while piece := inflater.next_piece():
            assert len(piece) <= max(PIECE_BYTES, len(chunk))
            whole += piece
    inflater.close()
    return whole, inflater.error


TARGETS: Final[dict[str, Target]] = {
    "framing": Target(framing, lambda: seeds.tables("framing")),
    "relp": Target(relp, lambda: seeds.tables("relp")),
    "proxy": Target(proxy, lambda: seeds.tables("proxy")),
    "http": Target(http, lambda: seeds.HTTP),
    "bodies": Target(
        bodies, lambda: chain.from_iterable(map(seeds.tables, ("json_body", "bulk", "journal_export"))), measured=16_384
    ),
    "inflate": Target(inflating, seeds.packed_bodies),
}
