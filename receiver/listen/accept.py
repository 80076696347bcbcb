"""The room's own accept loop: checks come before TLS, and running out of files stops accepting, not the service.

Knows one listening socket and whom to give what it accepts; does not know what is spoken on it.
(`loop.create_server` would do the handshake first and, at EMFILE, log a traceback for every connection it retries.)
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from receiver import limits

if TYPE_CHECKING:
    import asyncio
    import socket
    from collections.abc import Callable

    from receiver.listen.complaints import Complaints

_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Acceptor:
    """Accepts on one socket while it is started."""

    def __init__(
        self,
        sock: socket.socket,
        on_accept: Callable[[socket.socket, Any], None],
        complaints: Complaints,
        pause_seconds: float = limits.ACCEPT_PAUSE_SECONDS,
    ) -> None:
        self.sock = sock
        self._on_accept = on_accept
        self._complaints = complaints
        self._pause_seconds = pause_seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pause: asyncio.TimerHandle | None = None

    @property
    def resting(self) -> bool:
        """True while it does not accept for want of files or memory."""
        return self._pause is not None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Accept from now on."""
        self._loop = loop
        self._pause = None
        loop.add_reader(self.sock, self._accept, limits.ACCEPT_BATCH)

    def stop(self) -> None:
        """Accept what stands in the queue, then no more."""
        if self._loop is None:
            return
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        else:
            self._loop.remove_reader(self.sock)
        self._loop = None
        self._accept(limits.LISTEN_BACKLOG)

    def _accept(self, at_most: int) -> None:
        for _ in range(at_most):
            try:
                sock, address = self.sock.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _EXHAUSTED:
                    self._rest(error)
                    return
                continue  # that one is gone before we got to it (ECONNABORTED and its like, accept(2))
            sock.setblocking(False)
            self._on_accept(sock, address)

    def _rest(self, error: OSError) -> None:
        """Stop asking for a while: the socket stays readable, and asking at once again would spin."""
        self._complaints.warn("accept", "accepting rests for %g s: %s", self._pause_seconds, error.strerror)
        if self._loop is not None:
            self._loop.remove_reader(self.sock)
            self._pause = self._loop.call_later(self._pause_seconds, self.start, self._loop)
