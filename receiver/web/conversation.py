"""Requests that are taken whole: a connection of `wire/http.py` whose bodies are collected, up to a bound.

Does not know sockets, clocks, routes or what a request means. Nothing raises for what a peer sends: a request that
cannot be read leaves the answer to it in `.problem`.
"""

from __future__ import annotations

from http import HTTPStatus

from receiver import limits
from receiver.wire.http import HttpSession, Request, Response, plain

__all__ = ["Conversation", "Request", "Response", "plain"]


class Conversation(HttpSession):
    """Feed it with `receive_data`; take requests by `next_request`, answer each by `respond`, send `data_to_send`."""

    __slots__ = ("_body", "_body_bytes", "_request")

    def __init__(
        self, head_bytes: int = limits.HTTP_REQUEST_BYTES, body_bytes: int = limits.HTTP_REQUEST_BYTES
    ) -> None:
        super().__init__(head_bytes)
        self._body_bytes = body_bytes
        self._request: Request | None = None
        self._body = bytearray()

    def next_request(self) -> Request | None:
        """Cut the next request; None: more bytes are needed, or `problem` or `ended` says why there is none."""
        while (event := self.next_event()) is not None:
            if isinstance(event, Request):
                self._request = event
                self._check(self.announced_bytes)
                if self.problem is None:
                    self.invite()
            elif isinstance(event, bytes):
                self._body += event
                self._check(len(self._body))
            else:
                return self._whole()
        return None

    def _check(self, body_bytes: int) -> None:
        if body_bytes > self._body_bytes:
            self.problem = plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

    def _whole(self) -> Request | None:
        request, self._request = self._request, None
        body = bytes(self._body)
        self._body.clear()
        return request._replace(body=body) if request is not None else None
