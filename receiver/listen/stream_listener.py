"""A stream listener: accepts, decides who may come in, keeps its connections, and ends in order.

Knows sockets, seats and connections; does not know frames. A connection is checked (network, seats) before anything is
read of it, so before TLS.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from receiver import limits
from receiver.counters import ListenerCounters, RejectReason
from receiver.event import Origin, Transport
from receiver.listen.accept import Acceptor
from receiver.listen.address import socket_path
from receiver.listen.http import HttpConnection, HttpTlsConnection
from receiver.listen.peers import is_allowed, peer_text, zone_of
from receiver.listen.relp import RelpConnection, RelpTlsConnection
from receiver.listen.settings import UNIX, ListenerSettings
from receiver.listen.stream import StreamConnection, TlsStreamConnection, peer_credentials
from receiver.listen.tls import CertificateWatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from receiver.listen.room import Room
    from receiver.listen.tls import Stamp, TlsKeeper
    from receiver.listen.tokens import Tokens
    from receiver.wire.proxy import ProxyHeader

_LOOK_SECONDS = 0.005  # between two looks at what a stop still waits for
_CLOSING_TURNS = 8  # of the loop: a close is reported in the next but one, on both loops


class StreamListener:
    """`tcp`, `tls`, `relp`, `http` or `unix_stream`, on one socket or several."""

    def __init__(
        self,
        settings: ListenerSettings,
        sockets: Sequence[socket.socket],
        room: Room,
        keeper: TlsKeeper | None = None,
        tokens: Tokens | None = None,
    ) -> None:
        self.settings = settings
        self.keeper = keeper
        """The TLS context; replaced as a whole by a reload."""
        self.tokens = tokens
        """Who may send over HTTP; replaced as a whole by a reload, and asked for each request."""
        self.counters = ListenerCounters()
        self.sockets = tuple(sockets)
        if settings.type is Transport.RELP:
            for sock in sockets:
                with suppress(OSError):  # it is for speed alone
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, limits.RELP_SEGMENT_BYTES)
        self._room = room
        self._watch = CertificateWatch(room.complaints, room.bounds.certificate_look_seconds)
        self._acceptors = [Acceptor(sock, self._accepted, room.complaints) for sock in sockets]
        self._connections: set[StreamConnection] = set()
        self._starting: set[asyncio.Task[None]] = set()
        self._idle_look: asyncio.TimerHandle | None = None
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
        self._look_for_idle()

    def refresh(self) -> None:
        """Take over certificate files that were replaced; the old ones stay when the new are bad."""
        if self.keeper is not None:
            self.keeper = self._watch.look(self.keeper, asyncio.get_running_loop().time(), self.counters)

    def refuse_certificate(self, stamp: Stamp) -> None:
        """Count that a reload could not use the files that look like this; the old certificate stays."""
        self._watch.refused(stamp, self.counters)

    async def stop(self, until: float) -> None:
        """Accept what waited to be, read what was under way at this moment, close.

        Each connection's queue is read whole. What a sender's kernel still holds because our window was full is not in
        it (a sender that wrote and left is done, and relies on us), so reading goes on while something comes, for as
        much as such a kernel holds. until: loop time at which that ends; what the queues held, and what was read
        already and waits for the inbox, is given STOP_BACKLOG_SECONDS more, unless there was no time to begin with.
        """
        loop = asyncio.get_running_loop()
        if self._idle_look is not None:
            self._idle_look.cancel()
        for connection in tuple(self._connections):
            connection.hurry()
        self._rests = {connection: _Rest(connection) for connection in self._connections}
        for acceptor in self._acceptors:
            acceptor.stop()
            acceptor.sock.close()
        if self._starting:
            await asyncio.wait(self._starting)
        end = until + limits.STOP_BACKLOG_SECONDS if until > loop.time() else until
        while self._close_drained(until) and loop.time() < end:  # noqa: ASYNC110 - the kernel tells no event of it
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
            connection.hurry()

    def left(self, connection: StreamConnection) -> None:
        """Give its seat to another."""
        self._connections.discard(connection)
        self.counters.connections_open -= 1
        self._room.seats.leave(connection.seat)

    def introduced(self, connection: StreamConnection, header: ProxyHeader) -> tuple[RejectReason, str] | None:
        """Let in the client that a trusted proxy names, as if it had come itself; or say why not.

        A proxy that speaks for itself (a health check) needs not be in `allow`; one that cannot name its client must.
        """
        if header.source is not None:
            host, port = header.source
            connection.origin = connection.origin._replace(peer=host, peer_port=port)
            connection.zone = zone_of(host, self.settings)
        peer = self._seat(connection.origin.peer)
        if not connection.is_check and not is_allowed(peer, self.settings.allow):
            return RejectReason.NOT_ALLOWED, "not in `allow`, as the client behind a proxy"
        reason = self._room.seats.name(peer)
        if reason is not None:
            return reason, reason.replace("_", " ")
        connection.seat = peer
        return None

    # --- inside ---

    def _look_for_idle(self) -> None:
        """Close what is idle, and look again in a while."""
        idle_seconds = self._room.bounds.idle_seconds
        if idle_seconds:
            loop = asyncio.get_running_loop()
            self._idle_look = loop.call_later(idle_seconds / limits.IDLE_LOOKS, self._look_for_idle)
            self.close_idle(loop.time())

    def close_idle(self, now: float) -> None:
        """Close connections on which nothing has come for long. now: loop time; looks before it tell since when."""
        for connection in tuple(self._connections):
            is_idle = connection.silent_seconds(now) >= self._room.bounds.idle_seconds
            if is_idle and not connection.queued_bytes():
                self.counters.connections_idle += 1
                text = "listener %s: closed an idle connection of %s"
                self._room.complaints.warn("idle", text, self.settings.name, connection.origin.peer)
                connection.cut_off()

    def _accepted(self, sock: socket.socket, address: Any) -> None:
        """Let it in, or close it; nothing has been read of it yet."""
        unix = self.settings.type in UNIX
        peer = socket_path(sock) if unix else peer_text(address[0])
        proxied = not unix and bool(self.settings.proxy_protocol) and is_allowed(peer, self.settings.proxy_protocol)
        reason = None
        if not unix and not proxied and not is_allowed(peer, self.settings.allow):
            reason = RejectReason.NOT_ALLOWED
        seat = None if proxied else self._seat(peer)
        reason = reason or self._room.seats.take(seat)
        if reason is not None:
            sock.close()
            self._reject(peer, reason)
            return
        connection = self._connection(sock, peer, None if unix else address[1], proxied=proxied)
        connection.seat = seat
        task = asyncio.get_running_loop().create_task(self._connect(sock, connection))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    def _connection(self, sock: socket.socket, peer: str, port: int | None, *, proxied: bool) -> StreamConnection:
        settings = self.settings
        identity = peer_credentials(sock) if port is None else None
        origin = Origin(peer, port, identity, settings.type, settings.name)
        zone = settings.zone if port is None else zone_of(peer, settings)
        if settings.type is Transport.RELP:
            if self.keeper is not None:
                return RelpTlsConnection(self._room, self, origin, zone, self.keeper, proxied=proxied)
            return RelpConnection(self._room, self, origin, zone, proxied=proxied)
        if settings.type is Transport.HTTP:
            if self.keeper is not None:
                return HttpTlsConnection(self._room, self, origin, zone, self.keeper, proxied=proxied)
            return HttpConnection(self._room, self, origin, zone, proxied=proxied)
        if self.keeper is not None:
            return TlsStreamConnection(self._room, self, origin, zone, self.keeper, proxied=proxied)
        return StreamConnection(self._room, self, origin, zone, proxied=proxied)

    async def _connect(self, sock: socket.socket, connection: StreamConnection) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: connection, sock)
        except OSError:
            # Gone again before the loop could watch it.
            sock.close()
            if connection.transport is None:
                self._room.seats.leave(connection.seat)

    def _reject(self, peer: str, reason: RejectReason) -> None:
        self.counters.connections_rejected[reason] += 1
        self.counters.blame(reason, peer)
        text = "listener %s: closed a connection from %s: %s"
        self._room.complaints.warn(reason, text, self.settings.name, peer, reason.replace("_", " "))

    def _seat(self, peer: str | None) -> str:
        return peer or self.settings.name

    def _close_drained(self, until: float) -> bool:
        """Close the connections whose part of the stop is done; True while there are others."""
        now = asyncio.get_running_loop().time()
        rests = self._rests or {}
        waited_for = False
        for connection in tuple(self._connections):
            rest = rests[connection]
            if rest.is_coming(connection, now) if now < until else rest.is_owed(connection):
                waited_for = True
            else:
                connection.cut_off()
                waited_for = waited_for or connection.is_answering()
        return waited_for

    async def _until_lost(self) -> None:
        """Let the loop write what TLS still says and report the connections it has closed."""
        for _ in range(_CLOSING_TURNS):
            if all(connection.has_stalled() or connection.is_answering() for connection in self._connections):
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

    def is_owed(self, connection: StreamConnection) -> bool:
        """Say if something is left of what had come at the signal."""
        if connection.sends_again:
            return False
        return connection.has_stalled() or connection.read_bytes < self._queue_end

    def is_coming(self, connection: StreamConnection, now: float) -> bool:
        """Say if it is worth waiting for."""
        if connection.sends_again:
            return connection.has_stalled() or connection.read_bytes < self._queue_end
        if connection.read_bytes != self._read_bytes or connection.has_stalled():
            self._read_bytes = connection.read_bytes
            self._changed = now
            return connection.has_stalled() or self._read_bytes < self._queue_end + limits.STOP_SENDER_BYTES
        return self._read_bytes < self._queue_end or now - self._changed < limits.STOP_SILENCE_SECONDS
