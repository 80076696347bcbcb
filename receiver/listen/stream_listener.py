"""A stream listener: accepts, decides who may come in, keeps its connections, and ends in order.

Knows sockets, seats and connections; does not know frames. A connection is checked (network, seats) before anything is
read of it, so before TLS.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from receiver import limits
from receiver.counters import ListenerCounters, RejectReason
from receiver.event import Origin
from receiver.listen.accept import Acceptor
from receiver.listen.peers import is_allowed, peer_text, zone_of
from receiver.listen.settings import UNIX, ListenerSettings
from receiver.listen.stream import StreamConnection, TlsStreamConnection, peer_credentials

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from receiver.listen.room import Room
    from receiver.listen.tls import TlsKeeper

_LOOK_SECONDS = 0.005  # between two looks at what a stop still waits for
_CLOSING_TURNS = 8  # of the loop: a close is reported in the next but one, on both loops


class StreamListener:
    """`tcp`, `tls` or `unix_stream`, on one socket or several."""

    def __init__(
        self,
        settings: ListenerSettings,
        sockets: Sequence[socket.socket],
        room: Room,
        keeper: TlsKeeper | None = None,
    ) -> None:
        self.settings = settings
        self.keeper = keeper
        """The TLS context; replaced as a whole by a reload."""
        self.counters = ListenerCounters()
        self.sockets = tuple(sockets)
        self._room = room
        self._acceptors = [Acceptor(sock, self._accepted, room.complaints) for sock in sockets]
        self._connections: set[StreamConnection] = set()
        self._starting: set[asyncio.Task[None]] = set()
        self._rests: dict[StreamConnection, _Rest] | None = None
        """While stopping: what is still to be read of each connection."""

    @property
    def trouble(self) -> str | None:
        """Why it does not accept; None while it does."""
        return "accepting rests: out of files or memory" if any(a.resting for a in self._acceptors) else None

    async def start(self) -> None:
        """Accept from now on."""
        for acceptor in self._acceptors:
            acceptor.start(asyncio.get_running_loop())

    def refresh(self) -> None:
        """Nothing is to be asked of the kernel for a scrape."""

    async def stop(self, until: float) -> None:
        """Accept what waited to be, read what was under way at this moment, close.

        Each connection's queue is read whole. What a sender's kernel still holds because our window was full is not in
        it (a sender that wrote and left is done, and relies on us), so reading goes on while something comes, for as
        much as such a kernel holds. until: loop time at which reading ends in any case.
        """
        loop = asyncio.get_running_loop()
        self._rests = {connection: _Rest(connection) for connection in self._connections}
        for acceptor in self._acceptors:
            acceptor.stop()
            acceptor.sock.close()
        if self._starting:
            await asyncio.wait(self._starting)
        while self._close_drained() and loop.time() < until:  # noqa: ASYNC110 - the kernel tells no event of it
            await asyncio.sleep(_LOOK_SECONDS)
        await self._until_lost()
        for connection in tuple(self._connections):
            connection.cut_off(abort=True)
        await self._until_lost()
        for connection in tuple(self._connections):
            connection.finish()

    # --- called by its connections ---

    def opened(self, connection: StreamConnection) -> None:
        """Count it; during a stop what it brought along is read, and no more."""
        self._connections.add(connection)
        self.counters.connections_opened += 1
        self.counters.connections_open += 1
        if self._rests is not None:
            self._rests[connection] = _Rest(connection)

    def left(self, connection: StreamConnection) -> None:
        """Give its seat to another."""
        self._connections.discard(connection)
        self.counters.connections_open -= 1
        self._room.seats.leave(self._seat(connection.origin.peer))

    # --- inside ---

    def _accepted(self, sock: socket.socket, address: Any) -> None:
        """Let it in, or close it; nothing has been read of it yet."""
        unix = self.settings.type in UNIX
        peer = str(sock.getsockname()) if unix else peer_text(address[0])
        reason = None
        if not unix and not is_allowed(peer, self.settings.allow):
            reason = RejectReason.NOT_ALLOWED
        reason = reason or self._room.seats.take(self._seat(peer))
        if reason is not None:
            sock.close()
            self._reject(peer, reason)
            return
        connection = self._connection(sock, peer, None if unix else address[1])
        task = asyncio.get_running_loop().create_task(self._connect(sock, connection))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    def _connection(self, sock: socket.socket, peer: str, port: int | None) -> StreamConnection:
        settings = self.settings
        identity = peer_credentials(sock) if port is None else None
        origin = Origin(peer, port, identity, settings.type, settings.name)
        zone = settings.zone if port is None else zone_of(peer, settings)
        if self.keeper is not None:
            return TlsStreamConnection(self._room, self, origin, zone, self.keeper)
        return StreamConnection(self._room, self, origin, zone)

    async def _connect(self, sock: socket.socket, connection: StreamConnection) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: connection, sock)
        except OSError:
            # Gone again before the loop could watch it.
            sock.close()
            if connection.transport is None:
                self._room.seats.leave(self._seat(connection.origin.peer))

    def _reject(self, peer: str, reason: RejectReason) -> None:
        self.counters.connections_rejected[reason] += 1
        text = "listener %s: closed a connection from %s: %s"
        self._room.complaints.warn(reason, text, self.settings.name, peer, reason.replace("_", " "))

    def _seat(self, peer: str | None) -> str:
        return peer or self.settings.name

    def _close_drained(self) -> bool:
        """Close the connections whose part of the stop is done; True while there are others."""
        now = asyncio.get_running_loop().time()
        rests = self._rests or {}
        waited_for = False
        for connection in tuple(self._connections):
            if rests[connection].is_coming(connection, now):
                waited_for = True
            else:
                connection.cut_off()
        return waited_for

    async def _until_lost(self) -> None:
        """Let the loop write what TLS still says and report the connections it has closed."""
        for _ in range(_CLOSING_TURNS):
            if all(connection.has_stalled() for connection in self._connections):
                return
            await asyncio.sleep(0)


class _Rest:
    """What a stop still reads of one connection: its queue whole, then what comes without a pause, to a bound."""

    __slots__ = ("_changed", "_queue_end", "_read_bytes")

    def __init__(self, connection: StreamConnection) -> None:
        queued_bytes = connection.queued_bytes()
        self._queue_end = connection.read_bytes + queued_bytes
        self._read_bytes = connection.read_bytes
        self._changed = asyncio.get_running_loop().time() if queued_bytes else 0.0

    def is_coming(self, connection: StreamConnection, now: float) -> bool:
        """Say if it is worth waiting for."""
        if connection.read_bytes != self._read_bytes or connection.has_stalled():
            self._read_bytes = connection.read_bytes
            self._changed = now
            return connection.has_stalled() or self._read_bytes < self._queue_end + limits.STOP_SENDER_BYTES
        return self._read_bytes < self._queue_end or now - self._changed < limits.STOP_SILENCE_SECONDS
