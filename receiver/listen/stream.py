"""One stream connection: bytes → Framer → intake, held while the inbox is full, never lost.

Knows a transport, a framer and the room it belongs to; does not know how it was accepted or what a frame says.

- The loop reads into one buffer shared by all connections of the room: `get_buffer` → read → `buffer_updated` is
  synchronous on asyncio and uvloop, so 10 000 idle connections own no buffer at all.
- While the inbox is full one short read is kept, reading is paused, and the inbox calls back, first come, first
  served. A connection that ends meanwhile keeps its seat until its last frame is taken.
- Beyond the room's bound on half-read frames the largest are cut: of a line the rest comes as a frame of its own;
  a counted frame costs the connection, since the framer cannot skip what it has not announced as too long.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import termios
from typing import TYPE_CHECKING, Any, Protocol, cast

from receiver.counters import RejectReason
from receiver.listen.tls import TlsKeeper, TlsSession
from receiver.wire.framing import Framer
from receiver.wire.message import Cut, Defect

if TYPE_CHECKING:
    from datetime import tzinfo

    from receiver.counters import ListenerCounters
    from receiver.event import Origin
    from receiver.listen.room import Room


class Owner(Protocol):
    """The listener, as its connections see it."""

    counters: ListenerCounters

    def opened(self, connection: StreamConnection) -> None:
        """Take note: it can be read now."""

    def left(self, connection: StreamConnection) -> None:
        """Take note: its last frame is taken."""


class StreamConnection(asyncio.BufferedProtocol):
    """TCP and Unix streams."""

    __slots__ = (
        "_broken", "_cut_off", "_ended", "_finished", "_framer", "_held", "_owner", "_waiting", "half_read_bytes",
        "origin", "read_bytes", "room", "transport", "zone",
    )  # fmt: skip

    def __init__(self, room: Room, owner: Owner, origin: Origin, zone: tzinfo | None) -> None:
        self.room = room
        self.origin = origin
        self.zone = zone
        self.transport: asyncio.Transport | None = None
        self.half_read_bytes = 0
        self.read_bytes = 0
        """From the socket, so far."""
        self._owner = owner
        self._framer: Framer | None = None
        self._held = b""
        self._waiting = False
        """The inbox will call `_resume`."""
        self._ended = False
        self._finished = False
        self._broken = False
        """The framer gave up, and that was said."""
        self._cut_off = False
        """We ended it, so what is half read is not all."""

    # --- called by the loop ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start: reading begins after this."""
        self.transport = cast("asyncio.Transport", transport)
        self._owner.opened(self)

    def get_buffer(self, sizehint: int) -> Any:  # noqa: ARG002 - the loop's signature
        """Offer the shared buffer; little of it while what is read must be held."""
        room = self.room
        return room.short_buffer if room.intake.full else room.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take what the loop has read."""
        self.read_bytes += nbytes
        self._receive(bytes(self.room.buffer[:nbytes]))

    def pause_writing(self) -> None:
        """Give up on a peer that makes us write and does not read: we owe it nothing but TLS."""
        self.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's signature
        """Take what is left, when there is room for it."""
        self._ended = True
        if self._waiting:
            return
        if self.room.intake.full:
            self._wait()
        else:
            self.finish()

    # --- called by the listener ---

    def queued_bytes(self) -> int:
        """Ask what the kernel holds for us on this connection."""
        return queued_bytes(self.transport.get_extra_info("socket")) if self.transport else 0

    def has_stalled(self) -> bool:
        """Say if it waits for the inbox."""
        return self._waiting

    def close(self) -> None:
        """Read no more; what was read is taken."""
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        """Close without writing any more."""
        if self.transport is not None:
            self.transport.abort()

    def cut_off(self, *, abort: bool = False) -> None:
        """End it for our own reasons, wherever the sender is."""
        self._cut_off = True
        if abort:
            self.abort()
        else:
            self.close()

    def finish(self) -> None:
        """Take everything that is held, whole or not, and leave. The inbox counts it if it has no room."""
        if self._finished:
            return
        self._finished = True
        if (self._framer is not None or self._held) and not self._broken:
            held, self._held = self._held, b""
            framer = self._started_framer()
            whole, rest = framer.feed(held), framer.close()
            if self._cut_off:  # by its last line alone the framer cannot tell
                rest = [frame if type(frame) is Cut else Cut.of(frame, Defect.INCOMPLETE) for frame in rest]
            self._deliver(whole + rest, len(held))
            self._check(framer)
        self._framer = None
        self.room.half_read.note(self, 0)
        self._owner.left(self)

    # --- called by HalfRead ---

    def take_silent_line(self) -> None:
        """Take a line whose end has not come; not if we are the ones who did not read."""
        framer = self._started_framer()
        if not (self._waiting or self.room.intake.full or self.queued_bytes()):
            frames = framer.flush_line()
            if frames:
                self._deliver(frames, 0)
            self._check(framer)
        self.room.half_read.note(self, framer.buffered_bytes)

    def cut_half_read(self) -> bool:
        """Take the half-read frame as truncated, for want of memory."""
        if self.room.intake.full:
            return False
        framer = self._started_framer()
        frames = framer.flush_line()
        if not frames:
            frames = framer.close()
            self.abort()
        self.room.half_read.note(self, 0)
        self.room.complaints.warn("half_read", "half-read frames fill their memory: cut that of %s", self.origin.peer)
        self._deliver([_truncated(frame) for frame in frames], 0)
        return True

    # --- inside ---

    def _receive(self, data: bytes) -> None:
        if self.room.intake.full:
            self._hold(data)
        else:
            self._consume(data)

    def _hold(self, data: bytes) -> None:
        self._held += data
        self._wait()

    def _wait(self) -> None:
        """Stop reading until the inbox calls back."""
        if self._waiting:
            return
        self._waiting = True
        if self.transport is not None and not self._ended and not self.transport.is_closing():
            self.transport.pause_reading()
        self.room.intake.on_space(self._resume)

    def _resume(self) -> None:
        """Go on where reading was paused: what is held first, then what the kernel holds."""
        self._waiting = False
        if self._finished:
            return
        if self.room.intake.full:
            self._wait()
            return
        held, self._held = self._held, b""
        if held:
            self._consume(held)
        if self._waiting:
            return
        if self._ended:
            self.finish()
        elif self.transport is not None and not self.transport.is_closing():
            self.room.half_read.note(self, self.half_read_bytes)  # its silence was ours
            self.transport.resume_reading()

    def _consume(self, data: bytes) -> None:
        framer = self._framer or self._started_framer()
        self._deliver(framer.feed(data), len(data))
        if framer.error is not None:
            self._check(framer)
        elif self.room.intake.full:
            self._wait()
        self.room.half_read.note(self, framer.buffered_bytes)

    def _deliver(self, frames: list[bytes], wire_bytes: int) -> None:
        self.room.intake.take(frames, wire_bytes, self.origin, self.zone, self._owner.counters)

    def _started_framer(self) -> Framer:
        if self._framer is None:
            self._framer = Framer(self.room.bounds.message_bytes)
        return self._framer

    def _check(self, framer: Framer) -> None:
        """Close a connection that speaks another protocol; count it and name the peer, once."""
        if framer.error is None or self._broken:
            return
        self._broken = True
        reason = framer.error.reason
        self._owner.counters.framing_errors[reason] += 1
        self.room.complaints.warn(
            f"framing_{reason}",
            "listener %s: closed the connection of %s: %s",
            self.origin.listener,
            self.origin.peer,
            reason.replace("_", " "),
        )
        self.abort()


class TlsStreamConnection(StreamConnection):
    """TLS between the socket and the framer; nothing of it is read before the handshake is good."""

    __slots__ = ("_keeper", "_session", "_timeout")

    def __init__(self, room: Room, owner: Owner, origin: Origin, zone: tzinfo | None, keeper: TlsKeeper) -> None:
        super().__init__(room, owner, origin, zone)
        self._keeper = keeper
        self._session = TlsSession(keeper.context)
        self._timeout: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start, and give the handshake its time."""
        super().connection_made(transport)
        seconds = self.room.bounds.tls_handshake_seconds
        self._timeout = asyncio.get_running_loop().call_later(seconds, self._refuse, "no TLS handshake in time")

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a handshake that never was."""
        if self._timeout is not None:
            self._refuse("the connection ended within the TLS handshake")
        super().connection_lost(exc)

    def close(self) -> None:
        """Read no more, and say so."""
        self._stop_timeout()
        self._session.close()
        self._send()
        super().close()

    def _receive(self, data: bytes) -> None:
        session = self._session
        if self.transport is None or self.transport.is_closing():
            return
        plain = session.feed(data)
        self._send()
        if self._timeout is not None and not self._admit():
            return
        if plain:
            super()._receive(plain)
        if session.error is not None:
            self.room.complaints.warn("tls", "%s: broken TLS: %s", self.origin.peer, session.error.reason)
            self.abort()
        elif session.closed:
            self.close()

    def _send(self) -> None:
        data = self._session.data_to_send()
        if data and self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def _admit(self) -> bool:
        """Look at the peer as soon as the handshake is done; False while it is not, or when it may not send."""
        session = self._session
        if not session.established:
            if session.error is not None:
                self._refuse(f"TLS handshake: {(session.error.reason or 'failed').replace('_', ' ').lower()}")
            return False
        try:
            certificate = session.peer_certificate()
        except ValueError as error:
            # OpenSSL took it, cryptography cannot read it: then we cannot say who this is.
            self._refuse(f"unreadable certificate: {error}")
            return False
        if not self._keeper.permits(certificate):
            self._refuse(f"{certificate.identity if certificate else 'no certificate'} is not permitted",
                         RejectReason.NOT_ALLOWED)  # fmt: skip
            return False
        if certificate is not None:
            self.origin = self.origin._replace(peer_identity=certificate.identity)
        self._stop_timeout()
        return True

    def _refuse(self, why: str, reason: RejectReason = RejectReason.TLS_HANDSHAKE) -> None:
        """Close before anything of it is taken. What TLS has to say (an alert) is still written."""
        self._stop_timeout()
        self._owner.counters.connections_rejected[reason] += 1
        self.room.complaints.warn(reason, "listener %s: refused %s: %r", self.origin.listener, self.origin.peer, why)
        if self.transport is not None:
            self.transport.close()

    def _stop_timeout(self) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None


def queued_bytes(sock: Any) -> int:
    """Ask what a stream socket holds for us to read (FIONREAD, tcp(7), unix(7)); 0 for a closed one."""
    if sock is None:  # uvloop gives no socket once its transport is closed
        return 0
    try:
        answer = fcntl.ioctl(sock.fileno(), termios.FIONREAD, b"\0\0\0\0")
    except (OSError, ValueError):
        return 0
    return int(struct.unpack("i", answer)[0])


def peer_credentials(sock: socket.socket) -> str:
    """Write `uid=…,pid=…` of the process at the other end of a Unix stream (SO_PEERCRED, unix(7))."""
    pid, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return f"uid={uid},pid={pid}"


def _truncated(frame: bytes) -> bytes:
    """Mark what was cut for want of memory; how long it would have been nobody knows."""
    if type(frame) is Cut and frame.defect is Defect.TRUNCATED:
        return frame
    return Cut.of(frame, Defect.TRUNCATED)
