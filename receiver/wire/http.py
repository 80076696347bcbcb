"""One HTTP/1.1 connection as the server sees it (RFC 9112), by h11: bytes in, heads and pieces of bodies out.

Does not know sockets, clocks, routes or what a request means; not how long a body may be either: whoever takes its
pieces counts them. Bounded: a head, and whatever else h11 must hold whole; it is fed no more than that at once. Nothing
raises for what a peer sends: what cannot be read leaves the answer to it in `.problem`.

h11 takes time that grows with the square of a run of blanks in a header field (0.7 s for 16 KB of them). So fields are
looked at before it sees them: those before a body, and those after one that came in chunks.
"""

from __future__ import annotations

import re
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple

import h11

from receiver import limits

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXT: Final = "text/plain; charset=utf-8"
_FINISHED: Final = frozenset({h11.MUST_CLOSE, h11.CLOSED, h11.ERROR})
"""States in which we can answer nothing more."""
_END_OF_FIELDS: Final = re.compile(rb"\n\r?\n")
_LAST_CHUNK: Final = re.compile(rb"(?:\r?\n)?0+[ \t]*(?:;[^\n]*)?\r?\n")
_BLANKS: Final = re.compile(rb"[ \t]{%d}" % limits.HTTP_BLANKS)
_FOLD: Final = re.compile(rb"\n[ \t]")


class Request(NamedTuple):
    """The head of a request; where somebody collected it, the body too."""

    method: str
    path: str
    """As sent, without the query; no escapes are undone."""
    query: str
    headers: Mapping[str, str]
    """Names in lower case; the values of repeated ones joined by commas (RFC 9110 §5.3)."""
    body: bytes


class Part(Enum):
    """What follows a head, beside the pieces of a body."""

    END = "end"


class _Next(Enum):
    """What the bytes begin with that h11 has not read yet."""

    FIELDS = "fields"
    """The head of a request, or the fields after the last chunk of a body."""
    CHUNK = "chunk"
    """The length of a chunk, or what is left of the end of the one before."""
    DATA = "data"


class Response(NamedTuple):
    """What to answer."""

    status: int
    body: bytes
    content_type: str = TEXT
    headers: tuple[tuple[str, str], ...] = ()


def plain(status: HTTPStatus, sentence: str = "") -> Response:
    """Answer with one line of text."""
    return Response(status, f"{sentence or status.phrase}\n".encode())


class HttpSession:
    """Feed it with `receive_data`; take what came by `next_event`, answer each request, send `data_to_send`."""

    __slots__ = (
        "_end_is_due", "_h11", "_head", "_head_bytes", "_looked_at", "_next", "_outgoing", "_pending", "ended",
        "problem",
    )  # fmt: skip

    def __init__(self, head_bytes: int = limits.HTTP_REQUEST_BYTES) -> None:
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=head_bytes)
        self._head_bytes = head_bytes
        self._head: h11.Request | None = None
        self._pending = bytearray()
        """What h11 has not been fed yet."""
        self._end_is_due = False
        self._next = _Next.FIELDS
        self._looked_at = 0
        self._outgoing = bytearray()
        self.problem: Response | None = None
        """The answer to what cannot be read; the connection ends with it."""
        self.ended = False
        """The peer sends no more requests."""

    @property
    def between_requests(self) -> bool:
        """True when nothing of a further request has arrived."""
        return self._head is None and not self.buffered_bytes

    @property
    def over(self) -> bool:
        """True when no further request can be answered."""
        return self.ended or self.problem is not None or self._h11.our_state in _FINISHED

    @property
    def announced_bytes(self) -> int:
        """Length of the current request's body as announced; 0 when it comes in chunks."""
        headers = self._head.headers if self._head is not None else ()
        return next((int(value) for name, value in headers if name == b"content-length"), 0)

    @property
    def has_body(self) -> bool:
        """True if the current request announces a body, of whatever length (RFC 9112 §6)."""
        headers = self._head.headers if self._head is not None else ()
        return self.announced_bytes > 0 or any(name == b"transfer-encoding" for name, _ in headers)

    @property
    def buffered_bytes(self) -> int:
        """Bytes that were fed and not given out."""
        return len(self._pending) + len(self._h11.trailing_data[0])

    @property
    def can_answer(self) -> bool:
        """True while an answer is due, or one to what could not be read would still be understood."""
        return self._h11.our_state in {h11.IDLE, h11.SEND_RESPONSE}

    def receive_data(self, data: bytes) -> None:
        """Take what was read; nothing (b"") is the end."""
        self._pending += data
        self._end_is_due |= not data

    def next_event(self) -> Request | bytes | Part | None:
        """Give the next head, piece of a body or end of one.

        None: more bytes are needed, the request at hand is to be answered first, or `problem` or `ended` says why.
        """
        try:
            while not self.over:
                self._look_at_fields()
                event = self._h11.next_event()
                if event is h11.NEED_DATA and self._feed():
                    continue
                if event is h11.NEED_DATA or event is h11.PAUSED:
                    return None
                if isinstance(event, h11.EndOfMessage):
                    self._next = _Next.FIELDS
                    return Part.END
                if isinstance(event, h11.Data):
                    self._next = _Next.CHUNK if event.chunk_end else _Next.DATA
                    return bytes(event.data)
                if isinstance(event, h11.Request):
                    return self._begin(event)
                self.ended = True
        except h11.RemoteProtocolError as error:
            self.problem = plain(HTTPStatus(error.error_status_hint), str(error))
        return None

    def _feed(self) -> bool:
        """Give h11 more of what came; False: there is no more."""
        if self._pending:
            self._h11.receive_data(bytes(self._pending[: self._head_bytes]))
            del self._pending[: self._head_bytes]
            return True
        told, self._end_is_due = self._end_is_due, False
        if told:
            self._h11.receive_data(b"")
        return told

    def _look_at_fields(self) -> None:
        """Refuse header fields that are too long in all, folded, or full of blanks; RFC 9112 §5.2 lets us.

        Looks when they are whole: not before does h11 read them. Raises RemoteProtocolError.
        """
        if self._next is _Next.DATA:
            return
        waiting, start = self._h11.trailing_data[0], 0
        if self._next is _Next.CHUNK:
            last = _LAST_CHUNK.match(waiting)
            if last is None:
                return
            self._next, start = _Next.FIELDS, last.end()
        if waiting.startswith((b"\n", b"\r\n"), start):
            return  # there are none
        end = _END_OF_FIELDS.search(waiting, max(start, self._looked_at - 2))
        self._looked_at = len(waiting) - start if end is None else 0
        if end is None:
            return
        fields = waiting[start : end.start()]
        if len(fields) > self._head_bytes:
            raise h11.RemoteProtocolError("the header is too long", error_status_hint=431)
        if _FOLD.search(fields) or _BLANKS.search(fields):
            raise h11.RemoteProtocolError("a header field is folded, or blanks fill it", error_status_hint=400)

    def _begin(self, head: h11.Request) -> Request | None:
        self._head = head
        in_chunks = any(name == b"transfer-encoding" for name, _ in head.headers)
        self._next = _Next.CHUNK if in_chunks else _Next.DATA
        if not head.http_version.startswith(b"1."):
            self.problem = plain(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
            return None
        if head.method == b"CONNECT":  # any good answer to it would end HTTP on this connection
            self.problem = plain(HTTPStatus.NOT_IMPLEMENTED, "this is no proxy")
            return None
        headers: dict[str, str] = {}
        for raw_name, raw_value in head.headers:
            name, value = raw_name.decode("ascii"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        path, _, query = _without_authority(head.target.decode("latin-1")).partition("?")
        return Request(head.method.decode("ascii"), path, query, headers, b"")

    def invite(self) -> None:
        """Let the body come, if the peer waits to be asked for it (RFC 9110 §10.1.1: 100 Continue)."""
        if self._h11.they_are_waiting_for_100_continue:
            self._outgoing += self._h11.send(h11.InformationalResponse(status_code=100, headers=[])) or b""

    def respond(self, response: Response, date: str, *, close: bool = False) -> None:
        """Answer the request at hand, or what could not be read. close: it was the last one."""
        headers = [
            ("Date", date),
            ("Content-Type", response.content_type),
            ("Content-Length", str(len(response.body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
            *response.headers,
        ]
        if close or self.problem is not None:
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

    def forget(self) -> None:
        """Look at nothing more of what the peer sends."""
        self.ended = True

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
