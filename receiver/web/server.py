"""The sockets around `Conversation`: who is let in, how long one may take, what is said when something is wrong.

Knows asyncio and routes; knows no page. Bounds: connections in all, bytes and seconds of a request, seconds for taking
an answer, seconds of idling. Where all connections are in use the longest idle one makes way, so that a peer that opens
many and says nothing cannot keep Prometheus out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from email.utils import formatdate
from http import HTTPStatus
from typing import Final

from receiver import limits
from receiver.web.conversation import Conversation, Request, Response, plain

Handler = Callable[[Request], Awaitable[Response]]

_METHODS: Final = ("GET", "HEAD")
_READ_BYTES: Final = 64 * limits.KIB
_logger = logging.getLogger(__name__)


class _Link:
    """One connection and its conversation."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body_bytes: int) -> None:
        self._reader = reader
        self._writer = writer
        self.conversation = Conversation(body_bytes=body_bytes)

    async def read(self) -> None:
        """Feed what comes next to the conversation."""
        self.conversation.receive_data(await self._reader.read(_READ_BYTES))

    async def send(self, response: Response) -> None:
        """Answer, and wait until the peer takes it."""
        self.conversation.respond(response, formatdate(usegmt=True))
        await self.flush()

    async def flush(self) -> None:
        """Send what is due."""
        self._writer.write(self.conversation.data_to_send())
        await self._writer.drain()

    async def linger(self) -> None:
        """Say that no more comes, and read on until the peer has seen the answer."""
        self._writer.write_eof()
        while await self._reader.read(_READ_BYTES):
            pass

    def abort(self) -> None:
        """Close at once."""
        self._writer.transport.abort()

    async def close(self) -> None:
        """Close after what is still to be sent."""
        self._writer.close()
        await self._writer.wait_closed()


class WebServer:
    """Serves the routes (path → handler) on one address, all by the same methods: GET and HEAD, as a rule."""

    def __init__(
        self,
        routes: Mapping[str, Handler],
        *,
        methods: tuple[str, ...] = _METHODS,
        body_bytes: int = limits.HTTP_REQUEST_BYTES,
        max_connections: int = limits.HTTP_CONNECTIONS,
        request_seconds: float = limits.HTTP_SECONDS,
        idle_seconds: float = limits.HTTP_IDLE_SECONDS,
        linger_seconds: float = limits.HTTP_LINGER_SECONDS,
    ) -> None:
        self._routes = routes
        self._methods = methods
        self._body_bytes = body_bytes
        self._max_connections = max_connections
        self._request_seconds = request_seconds
        self._idle_seconds = idle_seconds
        self._linger_seconds = linger_seconds
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._idle: dict[_Link, None] = {}
        """Links that wait for a request, longest first."""
        self._failing: set[str] = set()
        """Paths whose handler raised; said once until it works again."""
        self._stopping = False

    @property
    def port(self) -> int:
        """The port in use, also when the kernel chose it; 0 while there is none."""
        if self._server is None or not self._server.sockets:
            return 0
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def connections(self) -> int:
        """Open now."""
        return len(self._tasks)

    async def start(self, host: str, port: int) -> None:
        """Listen; host "" is every interface. Raises OSError when the address cannot be had."""
        self._server = await asyncio.start_server(self._accept, host, port, limit=_READ_BYTES)

    async def stop(self) -> None:
        """Accept no more, let answers on their way be taken (bounded), close."""
        self._stopping = True
        if self._server is not None:
            self._server.close()
        for link in list(self._idle):
            link.abort()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._linger_seconds)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(reader, writer, self._body_bytes)
        task = asyncio.current_task()
        if self._stopping or task is None or not self._has_room():
            writer.write(b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            return
        self._tasks.add(task)
        try:
            await self._talk(link)
            async with asyncio.timeout(self._request_seconds):
                await link.close()
        except (OSError, TimeoutError):
            pass  # the peer has gone, or takes nothing: nobody is left to tell
        finally:
            link.abort()
            self._tasks.discard(task)

    def _has_room(self) -> bool:
        if len(self._tasks) < self._max_connections:
            return True
        longest = next(iter(self._idle), None)
        if longest is None:
            return False
        del self._idle[longest]
        longest.abort()
        return True

    async def _talk(self, link: _Link) -> None:
        """Answer one request after another."""
        conversation = link.conversation
        allowed_idle = self._request_seconds  # the first request is why the peer came
        while not self._stopping:
            request = await self._next_request(link, allowed_idle)
            if request is None:
                break
            response = await self._answer(request)
            async with asyncio.timeout(self._request_seconds):
                await link.send(response)
            if conversation.over:
                return
            allowed_idle = self._idle_seconds
        if conversation.problem is not None:
            async with asyncio.timeout(self._linger_seconds):
                await link.send(conversation.problem)
                await link.linger()

    async def _next_request(self, link: _Link, allowed_idle: float) -> Request | None:
        """Wait for a request to arrive whole; None when there is none, or `problem` is the answer to what came."""
        conversation = link.conversation
        request = conversation.next_request()
        if request is None and conversation.between_requests and not conversation.over:
            await self._wait_for_first_bytes(link, allowed_idle)
            request = conversation.next_request()
        try:
            async with asyncio.timeout(self._request_seconds):
                while request is None and not conversation.over:
                    await link.flush()  # 100 Continue, if that is what it waits for
                    await link.read()
                    request = conversation.next_request()
        except TimeoutError:
            conversation.problem = plain(HTTPStatus.REQUEST_TIMEOUT)
        return request

    async def _wait_for_first_bytes(self, link: _Link, seconds: float) -> None:
        """Idle. Raises TimeoutError: such a connection is closed without a word."""
        self._idle[link] = None
        try:
            async with asyncio.timeout(seconds):
                await link.read()
        finally:
            self._idle.pop(link, None)

    async def _answer(self, request: Request) -> Response:
        handler = self._routes.get(request.path)
        if handler is None:
            return plain(HTTPStatus.NOT_FOUND)
        if request.method not in self._methods:
            return plain(HTTPStatus.METHOD_NOT_ALLOWED)._replace(headers=(("Allow", ", ".join(self._methods)),))
        try:
            response = await handler(request)
        except Exception:  # a page that fails must not take the metrics of the others with it
            if request.path not in self._failing:
                _logger.exception("%s failed", request.path)
            self._failing.add(request.path)
            return plain(HTTPStatus.INTERNAL_SERVER_ERROR)
        self._failing.discard(request.path)
        return response
