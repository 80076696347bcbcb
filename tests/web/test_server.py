"""The HTTP server on real sockets: every bound holds, and an honest scraper gets through."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

from receiver.web import Request, Response, WebServer
from tests.kit.process import free_ports
from tests.kit.waiting import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
CLOSE = b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def page(request: Request) -> Response:
    return Response(200, b"hello from " + request.path.encode())


async def failing(_: Request) -> Response:
    raise RuntimeError("a bug")


async def huge(_: Request) -> Response:
    return Response(200, bytes(32 << 20))


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[WebServer]:
    server = WebServer({"/a": page, "/failing": failing, "/huge": huge}, **options)
    await server.start("127.0.0.1", 0)
    try:
        yield server
    finally:
        await server.stop()
        assert server.connections == 0


@asynccontextmanager
async def connected(server: WebServer) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def exchange(server: WebServer, sent: bytes) -> bytes:
    """Send, and read until the server closes."""
    async with connected(server) as (reader, writer):
        writer.write(sent)
        return await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)


async def answer(streams: Streams) -> bytes:
    """Read one answer of the page /a."""
    return await asyncio.wait_for(streams[0].readuntil(b"hello from /a"), PATIENCE_SECONDS)


async def test_a_connection_serves_many_requests() -> None:
    # Prometheus keeps its connection between scrapes.
    async with serving() as server, connected(server) as streams:
        for _ in range(3):
            streams[1].write(GET)
            assert (await answer(streams)).startswith(b"HTTP/1.1 200 OK\r\n")
        assert server.connections == 1


async def test_pipelined_requests_all_get_their_answers() -> None:
    # In one packet, and the last one ends the connection.
    async with serving() as server:
        answers = await exchange(server, GET * 20 + CLOSE)
    assert answers.count(b"HTTP/1.1 200 OK\r\n") == answers.count(b"hello from /a") == 21


async def test_head_is_get_without_the_body() -> None:
    # Monitoring tools ask like this.
    async with serving() as server:
        answers = await exchange(server, CLOSE.replace(b"GET", b"HEAD"))
    assert b"Content-Length: 13\r\n" in answers
    assert answers.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (CLOSE.replace(b"/a", b"/b"), b"404 Not Found"),
        (CLOSE.replace(b"/a", b"/a/"), b"404 Not Found"),
        (CLOSE.replace(b"GET", b"POST"), b"405 Method Not Allowed"),
        (CLOSE.replace(b"GET", b"BREW"), b"405 Method Not Allowed"),
        (b"nonsense\r\n\r\n", b"400 Bad Request"),
        (b"GET /a HTTP/1.1\r\n\r\n", b"400 Bad Request"),
        (b"GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n", b"413 Request Entity Too Large"),
        (b"GET /a HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 500_000, b"431 Request Header Fields Too Large"),
    ],
    ids=["path", "slash", "post", "brew", "nonsense", "no-host", "body", "head"],
)
async def test_what_is_wrong_is_said_before_the_connection_ends(sent: bytes, expected: bytes) -> None:
    # Also to a peer that was still sending: a reset would have thrown the answer away.
    async with serving() as server:
        answers = await exchange(server, sent)
    assert answers.startswith(b"HTTP/1.1 " + expected)
    assert b"\r\nConnection: close\r\n" in answers
    if expected.startswith(b"405"):
        assert b"\r\nAllow: GET, HEAD\r\n" in answers


async def test_a_request_that_dribbles_in_is_cut_off() -> None:
    # Slowloris: each byte comes in time, the request never.
    async with serving(request_seconds=0.3, linger_seconds=0.1) as server, connected(server) as (reader, writer):
        async with asyncio.timeout(PATIENCE_SECONDS):
            answered = asyncio.ensure_future(reader.read())
            while not answered.done():
                writer.write(b"X")
                await asyncio.wait([answered], timeout=0.05)
        assert answered.result().startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        await until(lambda: not server.connections)


async def test_a_peer_that_says_nothing_is_closed_without_a_word() -> None:
    # Before the first request, and after one.
    async with serving(request_seconds=0.1, idle_seconds=0.1) as server:
        assert await exchange(server, b"") == b""
        assert (await exchange(server, GET)).endswith(b"hello from /a")


async def test_a_peer_that_takes_no_answer_is_cut_off() -> None:
    # It would hold the answer's memory for ever.
    async with serving(request_seconds=0.2) as server, connected(server) as (_, writer):
        writer.write(GET.replace(b"/a", b"/huge"))
        await until(lambda: server.connections == 1)
        await until(lambda: server.connections == 0)


async def test_connections_are_bounded_and_the_idle_make_way() -> None:
    # A hundred silent connections do not keep Prometheus out.
    async with serving(max_connections=8) as server:
        silent = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(100)]
        await until(lambda: server.connections == 8)
        assert (await exchange(server, CLOSE)).endswith(b"hello from /a")
        for _, writer in silent:
            writer.transport.abort()


async def test_busy_connections_do_not_make_way() -> None:
    # Nobody is cut off in the middle of a request; the newcomer is told.
    async with serving(max_connections=2) as server, connected(server) as first, connected(server) as second:
        for streams in (first, second):
            streams[1].write(GET)
            await answer(streams)
            streams[1].write(GET[:8])
        await until(lambda: not server._idle)
        assert (await exchange(server, b"")).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        first[1].write(GET[8:])
        await answer(first)


async def test_a_page_that_fails_is_an_answer_and_one_log_line(caplog: pytest.LogCaptureFixture) -> None:
    # A scrape every 15 seconds must not fill the journal.
    async with serving() as server:
        for _ in range(3):
            answers = await exchange(server, CLOSE.replace(b"/a", b"/failing"))
            assert answers.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
            assert b"a bug" not in answers
        assert (await exchange(server, CLOSE)).endswith(b"hello from /a")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_stop_closes_what_is_idle_and_accepts_no_more() -> None:
    # Also when peers would stay for ever.
    async with serving() as server:
        port = server.port
        streams = await asyncio.open_connection("127.0.0.1", port)
        streams[1].write(GET)
        await answer(streams)
        await server.stop()
        assert await asyncio.wait_for(streams[0].read(), PATIENCE_SECONDS) == b""
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        streams[1].transport.abort()


async def test_stop_is_bounded_when_a_request_is_half_sent() -> None:
    # The stop of the whole service waits for this one.
    async with serving(linger_seconds=0.1) as server, connected(server) as (reader, writer):
        writer.write(GET[:8])
        await until(lambda: server.connections == 1 and not server._idle)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await server.stop()
            assert await reader.read() == b""


async def test_an_address_in_use_is_an_error_of_the_start() -> None:
    # The composition root makes one line of it.
    async with serving() as server:
        with pytest.raises(OSError, match="address already in use"):
            await WebServer({}).start("127.0.0.1", server.port)


def test_the_loop_of_the_real_process_serves_too() -> None:
    # uvloop's transports differ in details: half-close, abort, empty host.
    async def scenario() -> None:
        async with serving(linger_seconds=0.1) as server:
            assert (await exchange(server, GET + CLOSE)).count(b"hello from /a") == 2
            assert (await exchange(server, b"nonsense\r\n\r\n")).startswith(b"HTTP/1.1 400")
            async with connected(server) as streams:
                streams[1].write(GET)
                await answer(streams)

    uvloop.run(scenario())


async def test_no_host_is_every_interface() -> None:
    # "*:9514" in the config.
    (port,) = free_ports(1)
    server = WebServer({"/a": page})
    await server.start("", port)
    try:
        assert (await exchange(server, CLOSE)).endswith(b"hello from /a")
    finally:
        await server.stop()
