"""One HTTP/1.1 connection as the server sees it (RFC 9112), by h11. Bytes in, requests out; answers in, bytes out.

Does not know sockets, clocks, routes or what a request means. Bounded: a request head and a body are no longer than
asked for. Nothing raises for what a peer sends: a request that cannot be read leaves the answer to it in `.problem`.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple

import h11

from receiver import limits

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT: Final = "text/plain; charset=utf-8"
_FINISHED: Final = frozenset({h11.MUST_CLOSE, h11.CLOSED, h11.ERROR})
"""States in which we can answer nothing more."""


class Request(NamedTuple):
    """A request that has arrived whole."""

    method: str
    path: str
    """As sent, without the query; no escapes are undone."""
    query: str
    headers: Mapping[str, str]
    """Names in lower case; the values of repeated ones joined by commas (RFC 9110 §5.3)."""
    body: bytes


class Response(NamedTuple):
    """What to answer."""

    status: int
    body: bytes
    content_type: str = _TEXT
    headers: tuple[tuple[str, str], ...] = ()


def plain(status: HTTPStatus, sentence: str = "") -> Response:
    """Answer with one line of text."""
    return Response(status, f"{sentence or status.phrase}\n".encode())


class Conversation:
    """Feed it with `receive_data`; take requests by `next_request`, answer each by `respond`, send `data_to_send`."""

    def __init__(
        self, head_bytes: int = limits.HTTP_REQUEST_BYTES, body_bytes: int = limits.HTTP_REQUEST_BYTES
    ) -> None:
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=head_bytes)
        self._body_bytes = body_bytes
        self._head: h11.Request | None = None
        self._body = bytearray()
        self._outgoing = bytearray()
        self.problem: Response | None = None
        """The answer to what cannot be read; the connection ends with it."""
        self.ended = False
        """The peer sends no more requests."""

    @property
    def between_requests(self) -> bool:
        """True when nothing of a further request has arrived."""
        return self._head is None and not self._h11.trailing_data[0]

    @property
    def over(self) -> bool:
        """True when no further request can be answered."""
        return self.ended or self.problem is not None or self._h11.our_state in _FINISHED

    def receive_data(self, data: bytes) -> None:
        """Take what was read; nothing (b"") is the end."""
        self._h11.receive_data(data)

    def next_request(self) -> Request | None:
        """Cut the next request; None: more bytes are needed, or `problem` or `ended` says why there is none."""
        try:
            while not self.over:
                event = self._h11.next_event()
                if event is h11.NEED_DATA or event is h11.PAUSED:
                    return None
                if isinstance(event, h11.EndOfMessage):
                    return self._request()
                self._take(event)
        except h11.RemoteProtocolError as error:
            self.problem = plain(HTTPStatus(error.error_status_hint), str(error))
        return None

    def _take(self, event: h11.Event | type[h11.NEED_DATA | h11.PAUSED]) -> None:
        if isinstance(event, h11.Request):
            self._head = event
            if not event.http_version.startswith(b"1."):
                self.problem = plain(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
            elif self._announced_bytes(event) > self._body_bytes:
                self.problem = plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            elif self._h11.they_are_waiting_for_100_continue:
                self._outgoing += self._h11.send(h11.InformationalResponse(status_code=100, headers=[])) or b""
        elif isinstance(event, h11.Data):
            self._body += event.data
            if len(self._body) > self._body_bytes:
                self.problem = plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            self.ended = True

    @staticmethod
    def _announced_bytes(head: h11.Request) -> int:
        return next((int(value) for name, value in head.headers if name == b"content-length"), 0)

    def _request(self) -> Request:
        assert self._head is not None  # noqa: S101 - h11 gives no end without a beginning
        headers: dict[str, str] = {}
        for raw_name, raw_value in self._head.headers:
            name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        path, _, query = _without_authority(self._head.target.decode("latin-1")).partition("?")
        return Request(self._head.method.decode("ascii"), path, query, headers, bytes(self._body))

    def respond(self, response: Response, date: str) -> None:
        """Answer the request that was cut last, or the one that could not be read."""
        headers = [
            ("Date", date),
            ("Content-Type", response.content_type),
            ("Content-Length", str(len(response.body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            *response.headers,
        ]
        if self.problem is not None:
            headers.append(("Connection", "close"))
        answer = h11.Response(
            status_code=response.status, headers=headers, reason=HTTPStatus(response.status).phrase.encode()
        )
        self._outgoing += self._h11.send(answer) or b""
        if self._head is None or self._head.method != b"HEAD":
            self._outgoing += self._h11.send(h11.Data(data=response.body)) or b""
        self._outgoing += self._h11.send(h11.EndOfMessage()) or b""
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
        self._head = None
        self._body.clear()

    def data_to_send(self) -> bytes:
        """Take the bytes that are due."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data


def _without_authority(target: str) -> str:
    """Reduce the absolute form "http://host/path", which RFC 9112 §3.2.2 makes a server accept, to "/path"."""
    scheme, found, rest = target.partition("://")
    if target.startswith("/") or not found or not scheme.isalpha():
        return target
    return "/" + rest.partition("/")[2]
